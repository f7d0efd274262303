/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory objects found through the mappings of living spaces, open descriptor or not: an object
 * is told by its inode (source/objectid.h), whatever name it once had.
 */
#ifndef MMLENS_SOURCE_OBJECTS_H
#define MMLENS_SOURCE_OBJECTS_H

#include "model/object.h"
#include "model/task.h"

struct objects {
	struct object **o;
	size_t n;
	size_t shown; /* the first of them that an output wants */
	size_t room;
	struct object_index *index; /* objects.c's own */
};

/* What the space of a task maps shared. -errno; -EACCES: its mappings are not for us. */
int objects_add_space(struct objects *all, const struct task *t);
/* Keys and attach counts of the SysV segments of our IPC namespace. */
void objects_add_sysv(struct objects *all);
void objects_deinit(struct objects *all);

#endif
