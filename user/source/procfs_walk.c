// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/slurp.h"
#include "lib/text.h"
#include "source/procfs.h"
#include "source/procfs_tasks.h"

struct walk {
	struct snapshot *out;
	int root;
	struct procfs_readers readers;
};

static int open_tasks(struct walk *w, uint32_t tgid)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%u/task", tgid);
	fd = openat(w->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		w->out->raced += !procfs_is_refused(-errno);
	return fd;
}

/* The threads of a group; its memory serves one group after another. */
struct tids {
	uint32_t *tid;
	size_t n, room;
};

static int add_tid(struct tids *ts, uint32_t tid)
{
	if (ts->n == ts->room) {
		size_t room = ts->room ? 2 * ts->room : 256;
		uint32_t *more = realloc(ts->tid, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		ts->tid = more;
		ts->room = room;
	}
	ts->tid[ts->n++] = tid;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void each_once(struct tids *ts)
{
	size_t kept = 0;

	if (ts->n)
		qsort(ts->tid, ts->n, sizeof(*ts->tid), by_number);
	for (size_t i = 0; i < ts->n; i++)
		if (!kept || ts->tid[kept - 1] != ts->tid[i])
			ts->tid[kept++] = ts->tid[i];
	ts->n = kept;
}

size_t procfs_threads(int fd)
{
	struct stat st;

	return fstat(fd, &st) || st.st_nlink < 2 ? 0 : st.st_nlink - 2;
}

#define LOOKS 4

/*
 * The kernel goes from thread to thread, and where the one it stands at has ended meanwhile it
 * counts from the first, or stops: as many that live are left out as have ended. So all are
 * listed before any is read, and where the number says that some ended or were born, again.
 */
static int list_group(DIR *dir, struct tids *ts)
{
	int err = 0;

	ts->n = 0;
	for (int look = 0; look < LOOKS && !err; look++) {
		struct dirent *e;

		if (look)
			rewinddir(dir);
		while (!err && (e = readdir(dir)))
			if (isdigit((unsigned char)e->d_name[0]))
				err = add_tid(ts, (uint32_t)strtoul(e->d_name, NULL, 10));
		each_once(ts);
		if (ts->n == procfs_threads(dirfd(dir)))
			break;
	}
	return err;
}

static int read_group(struct walk *w, struct tids *ts, uint32_t tgid)
{
	int fd = open_tasks(w, tgid), err;
	cleanup_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	err = list_group(dir, ts);
	return err ? err : procfs_tasks_read(&w->readers, fd, tgid, ts->tid, ts->n, w->out);
}

int procfs_walk(const char *root, bool lean, struct snapshot *out)
{
	cleanup_closedir DIR *dir = opendir(root);
	struct walk w = { .out = out, .root = dir ? dirfd(dir) : -1, .readers.lean = lean };
	struct tids tids = { 0 };
	struct dirent *e;
	int err = dir ? 0 : -errno;

	while (!err && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			err = read_group(&w, &tids, (uint32_t)strtoul(e->d_name, NULL, 10));
	free(tids.tid);
	procfs_readers_deinit(&w.readers);
	return err;
}

/* 0: there is no such task, or none that we are shown. */
static uint32_t group_of(int root, uint32_t tid)
{
	cleanup_slurp struct slurp file = { 0 };
	const char *line;
	char name[32];

	snprintf(name, sizeof(name), "%u/status", tid);
	line = slurp_record_at(&file, root, name) ? NULL : strstr(file.text, "\nTgid:");
	return line ? (uint32_t)strtoul(line + strlen("\nTgid:"), NULL, 10) : 0;
}

/* Once: a second row would go for that of another task with the same number. */
static int read_once(struct walk *w, uint32_t tgid, uint32_t tid)
{
	cleanup_close int fd = -1;

	for (size_t i = 0; i < w->out->n; i++)
		if (w->out->tasks[i].key.tid == tid)
			return 0;
	fd = open_tasks(w, tgid);
	return fd < 0 ? 0 : procfs_tasks_read(&w->readers, fd, tgid, &tid, 1, w->out);
}

/* A map is written once, and from then on stays. An absent one is of a kernel without such namespaces. */
bool procfs_ids_settled(const char *root)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	cleanup_slurp struct slurp file = { 0 };
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		int err;

		snprintf(path, sizeof(path), "%s/self/%s", root, maps[i]);
		err = slurp_at(&file, AT_FDCWD, path);
		if (err && err != -ENOENT)
			return false;
	}
	return true;
}

uint32_t procfs_group(const char *root, uint32_t tid)
{
	cleanup_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return group_of(fd, tid);
}

int procfs_walk_few(const char *root, const uint32_t *tids, size_t n, struct snapshot *out)
{
	cleanup_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk w = { .out = out, .root = fd };
	int err = fd < 0 ? -errno : 0;

	for (size_t i = 0; i < n && !err; i++) {
		uint32_t tgid = group_of(fd, tids[i]);

		if (tgid)
			err = read_once(&w, tgid, tgid);
		if (tgid && !err)
			err = read_once(&w, tgid, tids[i]);
	}
	procfs_readers_deinit(&w.readers);
	return err;
}
