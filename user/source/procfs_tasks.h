/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks of one group read from /proc. Where they are many each CPU reads some: what a task
 * takes is nearly all spent in the kernel, which lets several open and read at once.
 */
#ifndef MMLENS_SOURCE_PROCFS_TASKS_H
#define MMLENS_SOURCE_PROCFS_TASKS_H

#include <limits.h>
#include <pthread.h>

#include "lib/slurp.h"
#include "model/snapshot.h"

#define PROCFS_READERS 4

struct procfs_batch;

/* What one thread reads with; private to procfs_tasks.c. */
struct procfs_reader {
	struct procfs_batch *batch;
	size_t at; /* the task that is its to read */
	uint64_t raced;
	pthread_t thread;
	pid_t tid;
	struct slurp file;
	/* the inode of the last cgroup asked for: threads of one program mostly share theirs */
	char cgroup[PATH_MAX];
	uint64_t cgroup_inode; /* 0: cannot be told */
};

/* Zeroed is ready; its memory serves one group after another. `lean` reads stat alone. */
struct procfs_readers {
	bool lean;
	struct procfs_reader each[PROCFS_READERS];
};

/*
 * Appends to `out` those of the tasks `tid` that are there and shown, in their order; `tasks` is
 * the directory /proc/TGID/task. What has gone is counted in out->raced. -ENOMEM or 0.
 */
int procfs_tasks_read(struct procfs_readers *r, int tasks, uint32_t tgid, const uint32_t *tid,
		      size_t n, struct snapshot *out);
void procfs_readers_deinit(struct procfs_readers *r);

/* Under hidepid a task has a name and nothing else; source/withheld.c counts those. */
bool procfs_is_refused(int err);

#endif
