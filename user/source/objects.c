// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <uthash.h>

#include "lib/cleanup.h"
#include "source/maps.h"
#include "source/objectid.h"
#include "source/objects.h"

#define SYS_CACHESTAT 451 /* cf264e1329fb ("cachestat: implement cachestat syscall", 6.5) */
/* Pages asked of mincore() at once. */
#define MINCORE_PAGES 65536

struct object_index {
	struct object_key key;
	struct object *object;
	UT_hash_handle hh;
};

/* ---- what an object has in memory, asked of the object itself through one of its mappings ---- */

static bool ask_cachestat(int fd, uint64_t *bytes)
{
	struct {
		uint64_t off, len;
	} all = { 0, 0 };
	struct {
		uint64_t cache, dirty, writeback, evicted, recently;
	} cached = { 0 };

	if (syscall(SYS_CACHESTAT, fd, &all, &cached, 0))
		return false;
	*bytes = cached.cache * (uint64_t)getpagesize();
	return true;
}

/* Before 6.5: mapped once more, without touching it. */
static bool ask_mincore(int fd, uint64_t size, uint64_t *bytes)
{
	uint64_t page = (uint64_t)getpagesize(), pages = (size + page - 1) / page;
	cleanup_free unsigned char *in = malloc(MINCORE_PAGES);
	char *at =
		size ? mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0) : MAP_FAILED;
	bool known = in && at != MAP_FAILED;

	*bytes = 0;
	for (uint64_t i = 0; known && i < pages; i += MINCORE_PAGES) {
		uint64_t n = pages - i < MINCORE_PAGES ? pages - i : MINCORE_PAGES;

		known = !mincore(at + i * page, n * page, in);
		for (uint64_t k = 0; known && k < n; k++)
			*bytes += in[k] & 1 ? page : 0;
	}
	if (at != MAP_FAILED)
		munmap(at, size);
	return known;
}

static void ask_resident(struct object *o, uint32_t tid, const struct region *r)
{
	cleanup_close int fd = -1;
	struct stat st;
	struct statfs fs;
	char path[OBJECT_PATH_MAX];

	objectid_path(path, tid, r);
	/* a device may do anything when it is opened */
	if (stat(path, &st) || !S_ISREG(st.st_mode) || statfs(path, &fs))
		return;
	if (fs.f_type == HUGETLBFS_MAGIC) {
		/* it is never swapped, so what is allocated is in memory */
		o->resident = (uint64_t)st.st_blocks * 512;
		o->resident_known = true;
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	o->resident_known = fd >= 0 && (ask_cachestat(fd, &o->resident) ||
					ask_mincore(fd, (uint64_t)st.st_size, &o->resident));
}

/* ---- collecting ---- */

static struct object *find(const struct objects *all, const struct object_key *key)
{
	struct object_index *at;

	HASH_FIND(hh, all->index, key, sizeof(*key), at);
	return at ? at->object : NULL;
}

static struct object *add(struct objects *all, const struct object_key *key, const struct region *r)
{
	struct object_index *at = calloc(1, sizeof(*at));
	struct object *o = calloc(1, sizeof(*o));

	if (all->n == all->room) {
		size_t room = all->room ? 2 * all->room : 64;
		struct object **more = realloc(all->o, room * sizeof(*more));

		if (more) {
			all->o = more;
			all->room = room;
		}
	}
	if (!at || !o || all->n == all->room) {
		free(at);
		free(o);
		return NULL;
	}
	*o = (struct object){ .device = key->device, .inode = key->inode };
	memcpy(o->name, r->name, sizeof(o->name));
	o->nature = region_nature(r);
	*at = (struct object_index){ .key = *key, .object = o };
	HASH_ADD(hh, all->index, key, sizeof(at->key), at);
	return all->o[all->n++] = o;
}

static int add_mapper(struct object *o, const struct task *t)
{
	uint64_t space = task_space(t);
	struct mapper *by;

	/* spaces come one after the other */
	if (o->n_by && o->by[o->n_by - 1].space == space)
		return 0;
	by = realloc(o->by, (o->n_by + 1) * sizeof(*by));
	if (!by)
		return -ENOMEM;
	o->by = by;
	o->by[o->n_by++] = (struct mapper){ space, t->key.tgid };
	return 0;
}

static int add_region(struct objects *all, const struct task *t, const struct region *r)
{
	uint32_t tid = t->key.tid;
	struct object_key key;
	struct object *o;

	if (!objectid_of(tid, r, &key))
		return 0;
	o = find(all, &key);
	if (!o)
		o = add(all, &key, r);
	if (!o)
		return -ENOMEM;
	if (r->end - r->start > o->size)
		o->size = r->end - r->start;
	if (o->nature == NATURE_SYSV && !o->ours)
		o->ours = objectid_ipc_is_ours(tid);
	if (!o->resident_known)
		ask_resident(o, tid, r);
	return add_mapper(o, t);
}

int objects_add_space(struct objects *all, const struct task *t)
{
	struct region r;
	struct maps *maps;
	int got = maps_open(t->key.tid, &maps);

	if (got)
		return got;
	while ((got = maps_next(maps, &r)) == 1)
		if (region_is_shared(&r) && add_region(all, t, &r)) {
			got = -ENOMEM;
			break;
		}
	maps_close(maps);
	return got;
}

/* /proc/sysvipc/shm: key shmid perms size cpid lpid nattch ...; the inode is the shmid. */
void objects_add_sysv(struct objects *all)
{
	cleanup_fclose FILE *f = fopen("/proc/sysvipc/shm", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		int32_t key;
		uint64_t id, nattch;

		if (sscanf(line, "%" SCNd32 " %" SCNu64 " %*o %*u %*u %*u %" SCNu64, &key, &id,
			   &nattch) != 3)
			continue;
		for (size_t i = 0; i < all->n; i++) {
			struct object *o = all->o[i];

			if (o->nature != NATURE_SYSV || !o->ours || o->inode != id)
				continue;
			o->key = (uint32_t)key;
			o->nattch = nattch;
			o->sysv_known = true;
		}
	}
}

void objects_deinit(struct objects *all)
{
	struct object_index *at, *next;

	HASH_ITER (hh, all->index, at, next) {
		HASH_DEL(all->index, at);
		free(at);
	}
	for (size_t i = 0; i < all->n; i++) {
		free(all->o[i]->by);
		free(all->o[i]->who);
		free(all->o[i]);
	}
	free(all->o);
}
