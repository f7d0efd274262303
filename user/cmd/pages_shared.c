// SPDX-License-Identifier: GPL-2.0-only
/* Memory objects that two or more spaces map, with or without a descriptor left to them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/pages.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/source.h"

#define SYS_CACHESTAT 451 /* cf264e1329fb ("cachestat: implement cachestat syscall", 6.5) */

struct mapper {
	uint64_t space;
	uint32_t tgid;
};

struct object {
	uint32_t major;
	uint32_t minor;
	uint64_t inode;
	char name[REGION_NAME_MAX];
	enum nature nature;
	uint64_t size; /* of its largest mapping */
	uint64_t resident;
	bool resident_known;
	uint64_t key; /* SysV */
	uint64_t nattch;
	bool sysv_known;
	struct mapper *by;
	size_t n_by;
	char *who; /* "12,34": for the output */
};

struct objects {
	struct object *o;
	size_t n;
	size_t room;
};

/* ---- collecting: by device and inode ---- */

static struct object *object_find(struct objects *all, const struct region *r)
{
	/* the mappings of one file are few and near: search from the end */
	for (size_t i = all->n; i--;) {
		struct object *o = &all->o[i];

		if (o->inode == r->inode && o->minor == r->minor && o->major == r->major)
			return o;
	}
	return NULL;
}

static struct object *object_add(struct objects *all, const struct region *r)
{
	struct object *o;

	if (all->n == all->room) {
		size_t room = all->room ? 2 * all->room : 64;

		o = realloc(all->o, room * sizeof(*o));
		if (!o)
			return NULL;
		all->o = o;
		all->room = room;
	}
	o = &all->o[all->n++];
	*o = (struct object){ .major = r->major, .minor = r->minor, .inode = r->inode };
	memcpy(o->name, r->name, sizeof(o->name));
	o->nature = region_nature(r);
	return o;
}

/* What the object has in memory, asked of the object itself through one of its mappings. */
static void ask_resident(struct object *o, uint32_t pid, const struct region *r)
{
	struct {
		uint64_t off, len;
	} all = { 0, 0 };
	struct {
		uint64_t cache, dirty, writeback, evicted, recently;
	} cached = { 0 };
	cleanup_close int fd = -1;
	struct stat st;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, pid, r->start,
		 r->end);
	/* a device may do anything when it is opened */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && o->nature != NATURE_HUGETLB &&
	    !syscall(SYS_CACHESTAT, fd, &all, &cached, 0)) {
		o->resident = cached.cache * (uint64_t)getpagesize();
		o->resident_known = true;
	} else if (o->nature != NATURE_FILE) {
		/* memory without a disk: what is allocated is in memory or in swap */
		o->resident = (uint64_t)st.st_blocks * 512;
		o->resident_known = true;
	}
}

static int object_map(struct object *o, const struct mapper *m)
{
	struct mapper *by;

	for (size_t i = o->n_by; i--;)
		if (o->by[i].space == m->space)
			return 0;
	by = realloc(o->by, (o->n_by + 1) * sizeof(*by));
	if (!by)
		return -ENOMEM;
	o->by = by;
	o->by[o->n_by++] = *m;
	return 0;
}

static int collect_region(struct objects *all, const struct mapper *m, const struct region *r)
{
	struct object *o;

	if (!region_is_shared(r) || !r->inode)
		return 0;
	o = object_find(all, r);
	if (!o)
		o = object_add(all, r);
	if (!o)
		return -ENOMEM;
	if (r->end - r->start > o->size)
		o->size = r->end - r->start;
	if (!o->resident_known)
		ask_resident(o, m->tgid, r);
	return object_map(o, m);
}

static int collect_space(struct objects *all, const struct mapper *m)
{
	struct region r;
	struct maps *maps;
	int got = maps_open(m->tgid, &maps);

	if (got)
		return got;
	while ((got = maps_next(maps, &r)) == 1)
		if (collect_region(all, m, &r)) {
			got = -ENOMEM;
			break;
		}
	maps_close(maps);
	return got;
}

/* One task of each space: threads and vfork children map nothing of their own. */
static uint64_t collect(struct objects *all, const struct state *st)
{
	uint64_t unseen = 0;

	for (size_t i = 0; i < st->ledger.n; i++) {
		const struct space *sp = &st->ledger.spaces[i];
		const struct task *t = space_member(&st->ledger, sp, 0);
		struct mapper m = { sp->id, t->key.tid };

		if (t->flags & TASK_KTHREAD)
			continue;
		unseen += collect_space(all, &m) == -EACCES;
	}
	return unseen;
}

/* /proc/sysvipc/shm: key shmid perms size cpid lpid nattch ...; the inode is the shmid. */
static void ask_sysv(struct objects *all)
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
			struct object *o = &all->o[i];

			if (o->nature != NATURE_SYSV || o->inode != id)
				continue;
			o->key = (uint32_t)key;
			o->nattch = nattch;
			o->sysv_known = true;
		}
	}
}

/* ---- showing ---- */

enum {
	O_SIZE,
	O_RESIDENT,
	O_MAPPERS,
	O_KEY,
	O_NATTCH,
	O_INODE
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct object *o = row;

	switch (arg) {
	case O_SIZE:
		return value_uint(v, VALUE_SIZE, o->size);
	case O_MAPPERS:
		return value_uint(v, VALUE_COUNT, o->n_by);
	case O_INODE:
		return value_uint(v, VALUE_UINT, o->inode);
	case O_RESIDENT:
		if (o->resident_known)
			value_uint(v, VALUE_SIZE, o->resident);
		return;
	case O_NATTCH:
		if (o->sysv_known)
			value_uint(v, VALUE_COUNT, o->nattch);
		return;
	}
	if (!o->sysv_known)
		return;
	snprintf(v->room, sizeof(v->room), "0x%08" PRIx64, o->key);
	value_str(v, v->room);
}

enum {
	O_NATURE,
	O_NAME,
	O_WHO
};

static void get_text(const void *row, int arg, struct value *v)
{
	const struct object *o = row;

	value_str(v, arg == O_NATURE ? nature_name(o->nature) : arg == O_NAME ? o->name : o->who);
}

static const struct column object_columns[] = {
	{ "NATURE", "nature", "what it is", 0, 0, get_text, O_NATURE },
	{ "SIZE", "size", "its largest mapping", 0, COL_RIGHT, get_number, O_SIZE },
	{ "RESIDENT", "resident", "in memory, counted once", 0, COL_RIGHT, get_number, O_RESIDENT },
	{ "SPACES", "spaces", "address spaces that map it", 0, COL_RIGHT, get_number, O_MAPPERS },
	{ "KEY", "key", "of a SysV segment", 0, COL_RIGHT, get_number, O_KEY },
	{ "NATTCH", "nattch", "attaches of a SysV segment as the kernel counts them", 0, COL_RIGHT,
	  get_number, O_NATTCH },
	{ "INODE", "inode", "which; of a SysV segment its shmid", 0, COL_RIGHT, get_number,
	  O_INODE },
	{ "PIDS", NULL, "who maps it", 0.2, COL_TRUNC, get_text, O_WHO },
	{ "NAME", "name", "file or the kernel's name", 0.2, COL_TRUNC, get_text, O_NAME },
};

static char *who_maps(const struct object *o)
{
	char *buf = malloc(o->n_by * 12 + 1);
	size_t at = 0;

	for (size_t i = 0; buf && i < o->n_by; i++)
		at += (size_t)sprintf(buf + at, "%s%u", i ? "," : "", o->by[i].tgid);
	return buf;
}

static bool worth_showing(const struct object *o, const uint32_t *pids, size_t n)
{
	if (o->n_by < 2)
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < o->n_by; k++)
			if (o->by[k].tgid == pids[i])
				return true;
	return !n;
}

static int by_size(const void *a, const void *b)
{
	const struct object *x = a, *y = b;
	uint64_t rx = x->resident_known ? x->resident : x->size;
	uint64_t ry = y->resident_known ? y->resident : y->size;

	return (rx < ry) - (rx > ry);
}

static void json_object_row(struct json *j, const struct object *o)
{
	json_object(j, NULL);
	json_columns(j, object_columns, ARRAY_SIZE(object_columns), o);
	json_array(j, "pids");
	for (size_t i = 0; i < o->n_by; i++)
		json_uint(j, NULL, o->by[i].tgid);
	json_array_end(j);
	json_object_end(j);
}

static int print_json(const struct objects *all, const uint32_t *pids, size_t n)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "pages", "out of memory");
	json_object(j, NULL);
	pages_json_head(j);
	json_array(j, "objects");
	for (size_t i = 0; i < all->n; i++)
		if (worth_showing(&all->o[i], pids, n))
			json_object_row(j, &all->o[i]);
	json_array_end(j);
	json_object_end(j);
	return json_close(j) ? fail(EXIT_FAILED, "output", "cannot be written") : EXIT_DONE;
}

static int print_table(const struct pages_args *args, struct objects *all, const uint32_t *pids,
		       size_t n)
{
	struct view view = args->common.view;
	const char *bad = NULL;
	struct table *t;

	view.columns = NULL;
	t = table_new(object_columns, ARRAY_SIZE(object_columns),
		      "NATURE,SIZE,RESIDENT,SPACES,KEY,NATTCH,PIDS,NAME", &view, &bad);
	if (!t)
		return fail(EXIT_FAILED, "pages", "out of memory");
	for (size_t i = 0; i < all->n; i++) {
		if (!worth_showing(&all->o[i], pids, n))
			continue;
		all->o[i].who = who_maps(&all->o[i]);
		table_add(t, NULL, &all->o[i]);
	}
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

static void objects_deinit(struct objects *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->o[i].by);
		free(all->o[i].who);
	}
	free(all->o);
}

static int shared(const struct pages_args *args, const struct state *st, const uint32_t *pids,
		  size_t n)
{
	struct objects all = { 0 };
	uint64_t unseen = collect(&all, st);
	int status;

	ask_sysv(&all);
	if (all.n)
		qsort(all.o, all.n, sizeof(*all.o), by_size);
	status = args->common.view.json ? print_json(&all, pids, n)
					: print_table(args, &all, pids, n);
	objects_deinit(&all);
	if (unseen && status == EXIT_DONE)
		note("mappings", "of %llu spaces are not for you to see: run as root",
		     (unsigned long long)unseen);
	return status;
}

int pages_shared(const struct pages_args *args, int argc, char **argv)
{
	cleanup_free uint32_t *pids = calloc((size_t)argc + 1, sizeof(*pids));
	struct state st;
	int status = pids ? state_init(&st, &args->common, 0)
			  : (int)fail(EXIT_FAILED, "pages", "out of memory");

	if (status)
		return status;
	for (int i = 0; i < argc && !status; i++) {
		const struct task *t;
		const struct space *sp = NULL;

		status = state_task(&st, argv[i], &t);
		if (!status)
			sp = ledger_find(&st.ledger, task_space(t));
		if (!status && !sp)
			status = fail(EXIT_FAILED, argv[i], "has no address space");
		if (sp)
			pids[i] = space_member(&st.ledger, sp, 0)->key.tid;
	}
	if (!status)
		status = shared(args, &st, pids, (size_t)argc);
	state_deinit(&st);
	return status;
}
