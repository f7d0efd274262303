/* SPDX-License-Identifier: GPL-2.0-only */
/* procfs as a witness, in parts that tests can put over a tree of their own. */
#ifndef MMLENS_SOURCE_PROCFS_H
#define MMLENS_SOURCE_PROCFS_H

#include "model/snapshot.h"

/* The walk over ROOT/PID/task/TID: `lean` reads stat alone. -errno or 0; not yet sealed. */
int procfs_walk(const char *root, bool lean, struct snapshot *out);

/* Of all tasks these alone, and the leaders of their groups. -errno or 0; not yet sealed. */
int procfs_walk_few(const char *root, const uint32_t *tids, size_t n, struct snapshot *out);

/* The threads of a group at this moment, which the links of its directory `task` count; 0: not told. */
size_t procfs_threads(int fd);

/* The thread group of a task; 0: there is no such task, or none that we are shown. */
uint32_t procfs_group(const char *root, uint32_t tid);

/*
 * Whether a user's number in status stays what it is: those of a reader whose user namespace has no
 * map yet change when it gets one.
 */
bool procfs_ids_settled(const char *root);

/* Fields of a stat line and of a status file. -EPROTO when it is none. */
int procfs_parse_stat(struct task *t, const char *line);
void procfs_parse_status(struct task *t, const char *text);

/* From task->flags, of which a stat line tells these bits. */
void procfs_set_flags(struct task *t, uint64_t pf);

/*
 * Which tasks are vfork children: the newest child of a thread that is blocked in vfork(2), or in
 * clone(2) with CLONE_VFORK, and shares its space. Needs the spaces assigned.
 */
void procfs_mark_vfork(const char *root, struct snapshot *s);

#endif
