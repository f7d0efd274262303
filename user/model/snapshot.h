/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All tasks one witness saw in one pass. The snapshot owns its array; sources fill it with
 * snapshot_add() and end with snapshot_seal(), which sorts by (tgid, tid) with the leader first.
 * A sealed snapshot is read-only but for the kinds that analysis/kinds.c writes into it.
 */
#ifndef MMLENS_MODEL_SNAPSHOT_H
#define MMLENS_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/task.h"

/* What /proc said of a space, for snapshots whose tasks are no longer there to be asked. */
struct space_memory {
	uint64_t space;
	uint64_t rss; /* or MEMORY_UNKNOWN of model/memory.h */
	uint64_t pss;
	char *cgroup; /* path, the snapshot's own; NULL when it is not known */
};

/* There are tasks that the reader is not shown, and nobody tells him how many. */
#define WITHHELD_UNKNOWN UINT64_MAX

struct snapshot {
	struct task *tasks;
	size_t n;
	size_t room;
	void *by_tid;	   /* index of a sealed snapshot, private to snapshot.c */
	void *reserved;	   /* the mapping that a large array lies in, private too */
	char source[16];   /* "module", "bpf", "procfs": who saw it */
	char boot_id[40];  /* /proc/sys/kernel/random/boot_id */
	uint64_t begin_ns; /* CLOCK_BOOTTIME around the pass */
	uint64_t end_ns;
	uint64_t withheld;	/* tasks that the reader may not see, or may see only in part */
	char withheld_why[160]; /* the right that would show them; empty when none is withheld */
	uint64_t raced;		/* tasks that vanished or changed while being read */
	bool recorded;		/* from a file: /proc of today knows nothing about it */
	struct space_memory *memory; /* as recorded, else none */
	size_t n_memory;
};

void snapshot_init(struct snapshot *s);
void snapshot_deinit(struct snapshot *s);
/* A zeroed new task in place, valid until the next call; NULL when out of memory. */
struct task *snapshot_add(struct snapshot *s);
/*
 * Room for `n` tasks behind the last, valid until the next call, with anything in it; NULL when out
 * of memory. Who fills it from its beginning raises s->n by what became tasks.
 */
struct task *snapshot_room(struct snapshot *s, size_t n);
/* Appends what was measured of a space, with a copy of the path; -ENOMEM or 0. */
int snapshot_add_memory(struct snapshot *s, const struct space_memory *m);
const struct space_memory *snapshot_memory(const struct snapshot *s, uint64_t space);
/*
 * Sorts and indexes; of two rows with one tid the one started later is kept and `raced` counts the
 * other. -ENOMEM or 0.
 */
int snapshot_seal(struct snapshot *s);

/* By tid, in a sealed snapshot; NULL if there is none. */
const struct task *snapshot_find(const struct snapshot *s, uint32_t tid);
const struct task *snapshot_find_key(const struct snapshot *s, const struct task_key *key);

#endif
