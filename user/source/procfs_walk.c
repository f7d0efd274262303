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

/* Bits of field 9 of stat (include/linux/sched.h); these have not moved since they exist. */
static const struct {
	uint32_t pf;
	uint32_t flag;
} flag_map[] = {
	{ 0x00200000, TASK_KTHREAD },
	{ 0x00000010, TASK_IO_WORKER },
	{ 0x00004000, TASK_USER_WORKER },
	{ 0x00000004, TASK_EXITING },
};

static const struct {
	const char *name;
	enum resource res;
} ns_links[] = {
	{ "ns/uts", RES_UTS_NS },	{ "ns/ipc", RES_IPC_NS },   { "ns/mnt", RES_MNT_NS },
	{ "ns/pid", RES_PID_NS },	{ "ns/net", RES_NET_NS },   { "ns/time", RES_TIME_NS },
	{ "ns/cgroup", RES_CGROUP_NS }, { "ns/user", RES_USER_NS },
};

void procfs_set_flags(struct task *t, uint64_t pf)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_map); i++)
		if (pf & flag_map[i].pf)
			t->flags |= flag_map[i].flag;
	/* 0x4000 was PF_USED_ASYNC until 5.16, which workers of the kernel never had alone */
	if (t->flags & TASK_KTHREAD)
		t->flags &= ~TASK_USER_WORKER;
	t->known |= KNOWN_FLAGS;
}

/* What is asked of a stat line, by the number of its field in proc(5). */
enum {
	FIELD_STATE = 3,
	FIELD_PPID = 4,
	FIELD_FLAGS = 9,
	FIELD_START = 22,
	FIELD_CPU = 39,
	FIELDS
};

/* The fields behind the name. False when there are fewer. */
static bool split_fields(const char *at, const char **field)
{
	for (int i = FIELD_STATE; i < FIELDS; i++) {
		at += strspn(at, " ");
		if (!*at)
			return false;
		field[i] = at;
		at += strcspn(at, " ");
	}
	return true;
}

/* "TID (COMM) S PPID ...": the name may hold anything, so the last parenthesis ends it. */
int procfs_parse_stat(struct task *t, const char *line)
{
	const char *open = strchr(line, '('), *close = strrchr(line, ')');
	const char *field[FIELDS];
	size_t len;

	if (!open || !close || close < open || !isdigit((unsigned char)*line) ||
	    !split_fields(close + 1, field))
		return -EPROTO;
	len = (size_t)(close - open - 1);
	len = len < sizeof(t->comm) ? len : sizeof(t->comm) - 1;
	memcpy(t->comm, open + 1, len);
	t->comm[len] = '\0';
	t->key.tid = (uint32_t)strtoul(line, NULL, 10);
	t->key.start_ns = strtoull(field[FIELD_START], NULL, 10) *
			  (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	t->state = *field[FIELD_STATE];
	t->ppid = (uint32_t)strtoul(field[FIELD_PPID], NULL, 10);
	t->cpu = (int)strtol(field[FIELD_CPU], NULL, 10);
	t->known |= KNOWN_STATE | KNOWN_PPID | KNOWN_START | KNOWN_CPU;
	procfs_set_flags(t, strtoull(field[FIELD_FLAGS], NULL, 10));
	return 0;
}

static bool status_u64(const char *text, const char *key, uint64_t *out)
{
	const char *line = strstr(text, key);

	return line && sscanf(line + strlen(key), "%" SCNu64, out) == 1;
}

/* From `key` to the end of the line; NULL without it. FNV-1a. */
static const char *mix_line(uint64_t *word, const char *text, const char *key)
{
	const char *line = text ? strstr(text, key) : NULL;

	if (!line)
		return NULL;
	do
		*word = (*word ^ (unsigned char)*line++) * 0x100000001b3;
	while (*line && *line != '\n');
	return line;
}

/* What credentials allow, in the order in which status tells it. Without a line it proves nothing. */
static uint64_t cred_word(const char *text)
{
	static const char *const keys[] = { "\nUid:",	 "\nGid:",    "\nGroups:", "\nCapInh:",
					    "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:" };
	uint64_t word = 0xcbf29ce484222325;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		text = mix_line(&word, text, keys[i]);
	return text ? word : 0;
}

void procfs_parse_status(struct task *t, const char *text)
{
	uint64_t a, b;

	if (status_u64(text, "\nUid:", &a)) {
		t->uid = (uint32_t)a;
		t->known |= KNOWN_UID;
	}
	if (status_u64(text, "\nTracerPid:", &a) && a)
		t->flags |= TASK_TRACED;
	/* which filter it is, procfs does not say: only whether there is one */
	if (status_u64(text, "\nSeccomp_filters:", &a)) {
		if (a)
			t->flags |= TASK_FILTERED;
		else
			task_set_res(t, RES_SECCOMP, 0);
	}
	t->cred_word = cred_word(text);
	if (status_u64(text, "\nvoluntary_ctxt_switches:", &a) &&
	    status_u64(text, "\nnonvoluntary_ctxt_switches:", &b)) {
		t->nvcsw = a;
		t->nivcsw = b;
		t->known |= KNOWN_SWITCHES;
	}
}

/* "net:[4026531840]"; a zombie has left most of its namespaces. */
static void read_namespaces(int dir, struct task *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns_links); i++) {
		char text[64];
		ssize_t n = readlinkat(dir, ns_links[i].name, text, sizeof(text) - 1);
		uint64_t inode;

		if (n < 0 && errno == ENOENT && t->state == 'Z' && ns_links[i].res != RES_USER_NS)
			task_set_res(t, ns_links[i].res, 0);
		if (n < 0)
			continue;
		text[n] = '\0';
		if (strchr(text, '[') && sscanf(strchr(text, '['), "[%" SCNu64 "]", &inode) == 1)
			task_set_res(t, ns_links[i].res, inode);
	}
}

/* The inode of the last cgroup asked for: threads of one program mostly share theirs. */
struct cgroup_cache {
	char path[PATH_MAX];
	uint64_t inode; /* 0: cannot be told */
};

static void cgroup_inode(struct cgroup_cache *cache, const char *path)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char full[PATH_MAX + 32];
	struct stat st;

	snprintf(cache->path, sizeof(cache->path), "%s", path);
	cache->inode = 0;
	/* "/../x" lies outside our cgroup namespace: the mount does not show it */
	if (strncmp(path, "/..", 3) == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(mounts) && !cache->inode; i++) {
		snprintf(full, sizeof(full), "%s%s/cgroup.procs", mounts[i], path);
		/* the root has it too, and a tmpfs above a v1 hierarchy has not */
		if (access(full, F_OK))
			continue;
		full[strlen(full) - strlen("/cgroup.procs")] = '\0';
		if (stat(full, &st) == 0)
			cache->inode = st.st_ino;
	}
}

struct walk {
	struct snapshot *out;
	int root;
	bool lean;
	struct cgroup_cache cgroup;
	struct slurp file;
};

static void read_cgroup(struct walk *w, int dir, struct task *t)
{
	char *path;

	if (slurp_record_at(&w->file, dir, "cgroup"))
		return;
	path = strncmp(w->file.text, "0::", 3) == 0 ? w->file.text + 3
						    : strstr(w->file.text, "\n0::");
	if (!path)
		return;
	path += *path == '\n' ? 4 : 0;
	path[strcspn(path, "\n")] = '\0';
	if (strcmp(path, w->cgroup.path) != 0)
		cgroup_inode(&w->cgroup, path);
	if (w->cgroup.inode)
		task_set_res(t, RES_CGROUP, w->cgroup.inode);
}

static int read_rich(struct walk *w, struct task *t, int tasks, const char *tid)
{
	cleanup_close int dir = openat(tasks, tid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = dir < 0 ? -errno : slurp_record_at(&w->file, dir, "stat");

	if (!err)
		err = procfs_parse_stat(t, w->file.text);
	if (err)
		return err;
	/* the leading newline lets every key be found at the beginning of a line */
	if (slurp_record_at(&w->file, dir, "status") == 0)
		procfs_parse_status(t, w->file.text);
	read_namespaces(dir, t);
	read_cgroup(w, dir, t);
	return 0;
}

static int read_lean(struct walk *w, struct task *t, int tasks, const char *tid)
{
	char name[32];
	int err;

	snprintf(name, sizeof(name), "%.16s/stat", tid);
	err = slurp_record_at(&w->file, tasks, name);
	return err ? err : procfs_parse_stat(t, w->file.text);
}

/* Under hidepid a task has a name and nothing else; source/withheld.c counts those. */
static bool is_refused(int err)
{
	return err == -EACCES || err == -EPERM;
}

static int read_task(struct walk *w, int tasks, uint32_t tgid, uint32_t number)
{
	struct task *t = snapshot_add(w->out);
	char tid[16];
	int err;

	if (!t)
		return -ENOMEM;
	snprintf(tid, sizeof(tid), "%u", number);
	err = w->lean ? read_lean(w, t, tasks, tid) : read_rich(w, t, tasks, tid);
	t->key.tgid = tgid;
	if (err) {
		w->out->n--;
		w->out->raced += !is_refused(err);
	}
	return 0;
}

static int open_tasks(struct walk *w, uint32_t tgid)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%u/task", tgid);
	fd = openat(w->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		w->out->raced += !is_refused(-errno);
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

/* What the directory's links count besides "." and "..". */
static size_t threads_now(int fd)
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
		if (ts->n == threads_now(dirfd(dir)))
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
	for (size_t i = 0; i < ts->n && !err; i++)
		err = read_task(w, fd, tgid, ts->tid[i]);
	return err;
}

int procfs_walk(const char *root, bool lean, struct snapshot *out)
{
	cleanup_closedir DIR *dir = opendir(root);
	struct walk w = { .out = out, .root = dir ? dirfd(dir) : -1, .lean = lean };
	struct tids tids = { 0 };
	struct dirent *e;
	int err = dir ? 0 : -errno;

	while (!err && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			err = read_group(&w, &tids, (uint32_t)strtoul(e->d_name, NULL, 10));
	free(tids.tid);
	slurp_deinit(&w.file);
	return err;
}

/* 0: there is no such task, or none that we are shown. */
static uint32_t group_of(struct walk *w, uint32_t tid)
{
	const char *line;
	char name[32];

	snprintf(name, sizeof(name), "%u/status", tid);
	line = slurp_record_at(&w->file, w->root, name) ? NULL : strstr(w->file.text, "\nTgid:");
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
	return fd < 0 ? 0 : read_task(w, fd, tgid, tid);
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
	struct walk w = { .root = fd };
	uint32_t tgid = group_of(&w, tid);

	slurp_deinit(&w.file);
	return tgid;
}

int procfs_walk_few(const char *root, const uint32_t *tids, size_t n, struct snapshot *out)
{
	cleanup_close int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk w = { .out = out, .root = fd };
	int err = fd < 0 ? -errno : 0;

	for (size_t i = 0; i < n && !err; i++) {
		uint32_t tgid = group_of(&w, tids[i]);

		if (tgid)
			err = read_once(&w, tgid, tgid);
		if (tgid && !err)
			err = read_once(&w, tgid, tids[i]);
	}
	slurp_deinit(&w.file);
	return err;
}
