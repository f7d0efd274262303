/* SPDX-License-Identifier: GPL-2.0-only */
/* Which memory object a shared mapping is of. */
#ifndef MMLENS_SOURCE_OBJECTID_H
#define MMLENS_SOURCE_OBJECTID_H

#include <stddef.h>

#include "model/region.h"

#define OBJECT_PATH_MAX 96

struct object_key {
	uint64_t device;
	uint64_t inode;
	uint64_t epoch; /* what device and inode do not tell apart */
};

/*
 * False: of none that can be told from others. Mappings of a character device are what its driver
 * makes of them, and all anonymous inodes (io_uring, perf) are one.
 */
bool objectid_of(uint32_t tid, const struct region *r, struct object_key *key);

/* Whether the task is in our IPC namespace, whose SysV segments /proc/sysvipc lists. */
bool objectid_ipc_is_ours(uint32_t tid);

/* The mapping's link to its object; to follow it needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN. */
void objectid_path(char path[OBJECT_PATH_MAX], uint32_t tid, const struct region *r);

#endif
