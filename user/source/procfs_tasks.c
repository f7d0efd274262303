// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/procfs.h"
#include "source/procfs_tasks.h"

static const struct {
	const char *name;
	enum resource res;
} ns_links[] = {
	{ "ns/uts", RES_UTS_NS },	{ "ns/ipc", RES_IPC_NS },   { "ns/mnt", RES_MNT_NS },
	{ "ns/pid", RES_PID_NS },	{ "ns/net", RES_NET_NS },   { "ns/time", RES_TIME_NS },
	{ "ns/cgroup", RES_CGROUP_NS }, { "ns/user", RES_USER_NS },
};

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

static void find_cgroup(struct procfs_reader *r, const char *path)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char full[PATH_MAX + 32];
	struct stat st;

	snprintf(r->cgroup, sizeof(r->cgroup), "%s", path);
	r->cgroup_inode = 0;
	/* "/../x" lies outside our cgroup namespace: the mount does not show it */
	if (strncmp(path, "/..", 3) == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(mounts) && !r->cgroup_inode; i++) {
		snprintf(full, sizeof(full), "%s%s/cgroup.procs", mounts[i], path);
		/* the root has it too, and a tmpfs above a v1 hierarchy has not */
		if (access(full, F_OK))
			continue;
		full[strlen(full) - strlen("/cgroup.procs")] = '\0';
		if (stat(full, &st) == 0)
			r->cgroup_inode = st.st_ino;
	}
}

static int read_cgroup(struct procfs_reader *r, int dir, struct task *t)
{
	int err = slurp_record_at(&r->file, dir, "cgroup");
	char *path;

	if (err)
		return err;
	path = strncmp(r->file.text, "0::", 3) == 0 ? r->file.text + 3
						    : strstr(r->file.text, "\n0::");
	if (!path)
		return 0;
	path += *path == '\n' ? 4 : 0;
	path[strcspn(path, "\n")] = '\0';
	if (strcmp(path, r->cgroup) != 0)
		find_cgroup(r, path);
	if (r->cgroup_inode)
		task_set_res(t, RES_CGROUP, r->cgroup_inode);
	return 0;
}

/* The tasks of one group and a row for each: who has read one takes the next that nobody has. */
struct procfs_batch {
	int dir;
	bool lean;
	bool alone; /* there is one reader */
	uint32_t tgid;
	const uint32_t *tid;
	struct task *rows;
	size_t n;
	size_t next;
};

/* Of what one reader alone would have had enough. */
static bool is_short(const struct procfs_reader *r, int err)
{
	return !r->batch->alone && (err == -EMFILE || err == -ENFILE || err == -ENOMEM);
}

static int read_rich(struct procfs_reader *r, struct task *t, const char *tid)
{
	cleanup_close int dir = openat(r->batch->dir, tid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = dir < 0 ? -errno : slurp_record_at(&r->file, dir, "stat");

	if (!err)
		err = procfs_parse_stat(t, r->file.text);
	if (err)
		return err;
	err = slurp_record_at(&r->file, dir, "status");
	if (!err)
		procfs_parse_status(t, r->file.text);
	read_namespaces(dir, t);
	if (!is_short(r, err))
		err = read_cgroup(r, dir, t);
	return is_short(r, err) ? err : 0;
}

static int read_lean(struct procfs_reader *r, struct task *t, const char *tid)
{
	char name[32];
	int err;

	snprintf(name, sizeof(name), "%.16s/stat", tid);
	err = slurp_record_at(&r->file, r->batch->dir, name);
	return err ? err : procfs_parse_stat(t, r->file.text);
}

bool procfs_is_refused(int err)
{
	return err == -EACCES || err == -EPERM;
}

/* A row without a group is none. False: it was not to be read here and now. */
static bool read_row(struct procfs_reader *r)
{
	const struct procfs_batch *b = r->batch;
	struct task *t = memset(&b->rows[r->at], 0, sizeof(*t));
	char tid[16];
	int err;

	snprintf(tid, sizeof(tid), "%u", b->tid[r->at]);
	err = b->lean ? read_lean(r, t, tid) : read_rich(r, t, tid);
	if (is_short(r, err))
		return false;
	if (err)
		r->raced += !procfs_is_refused(err);
	else
		t->key.tgid = b->tgid;
	return true;
}

static void read_on(struct procfs_reader *r)
{
	struct procfs_batch *b = r->batch;

	while (r->at < b->n && read_row(r))
		r->at = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED);
}

static void *help(void *arg)
{
	struct procfs_reader *r = arg;

	r->tid = gettid();
	read_on(r);
	return NULL;
}

/* Who has been joined is still a task for a while; our own group must not be seen with it. */
static void await(const struct procfs_reader *r)
{
	pthread_join(r->thread, NULL);
	while (!tgkill(getpid(), r->tid, 0))
		sched_yield();
}

static void read_together(struct procfs_reader *readers, size_t n)
{
	size_t made = 1;

	while (made < n && !pthread_create(&readers[made].thread, NULL, help, &readers[made]))
		made++;
	read_on(&readers[0]);
	for (size_t i = 1; i < made; i++)
		await(&readers[i]);
}

/* So many tasks pay for one more thread. */
#define TASKS_EACH 128

static size_t readers_for(size_t tasks)
{
	size_t n = tasks / TASKS_EACH;
	cpu_set_t cpus;

	if (n < 2 || sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	n = n < PROCFS_READERS ? n : PROCFS_READERS;
	return n < (size_t)CPU_COUNT(&cpus) ? n : (size_t)CPU_COUNT(&cpus);
}

static void keep_read(struct snapshot *out, const struct task *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!rows[i].key.tgid)
			continue;
		if (&rows[i] != &out->tasks[out->n])
			out->tasks[out->n] = rows[i];
		out->n++;
	}
}

int procfs_tasks_read(struct procfs_readers *r, int tasks, uint32_t tgid, const uint32_t *tid,
		      size_t n, struct snapshot *out)
{
	size_t readers = readers_for(n);
	struct procfs_batch batch = {
		.dir = tasks,
		.lean = r->lean,
		.tgid = tgid,
		.tid = tid,
		.rows = snapshot_room(out, n),
		.n = n,
		.next = readers,
	};

	if (!n)
		return 0;
	if (!batch.rows)
		return -ENOMEM;
	for (size_t i = 0; i < readers; i++) {
		r->each[i].batch = &batch;
		r->each[i].at = i;
		r->each[i].raced = 0;
	}
	if (readers > 1)
		read_together(r->each, readers);
	/* all there is to do, and what no thread could be made for or no descriptor was left for */
	batch.alone = true;
	for (size_t i = 0; i < readers; i++) {
		read_on(&r->each[i]);
		out->raced += r->each[i].raced;
	}
	keep_read(out, batch.rows, n);
	return 0;
}

void procfs_readers_deinit(struct procfs_readers *r)
{
	for (size_t i = 0; i < PROCFS_READERS; i++)
		slurp_deinit(&r->each[i].file);
}
