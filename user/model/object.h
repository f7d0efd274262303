/* SPDX-License-Identifier: GPL-2.0-only */
/* A memory object, and the address spaces that map it shared. Plain data; sizes in bytes. */
#ifndef MMLENS_MODEL_OBJECT_H
#define MMLENS_MODEL_OBJECT_H

#include <stddef.h>

#include "model/region.h"

struct mapper {
	uint64_t space;
	uint32_t tgid; /* a process that lives in it */
};

struct object {
	uint64_t device;
	uint64_t inode;		    /* of a SysV segment its shmid */
	char name[REGION_NAME_MAX]; /* as its first mapping has it */
	enum nature nature;
	uint64_t size;	   /* of its largest mapping */
	uint64_t resident; /* in memory, whoever put it there */
	bool resident_known;
	bool ours; /* SysV: a mapper is in our IPC namespace, so that the kernel lists it to us */
	uint32_t key; /* SysV, and so is the next */
	uint64_t nattch;
	bool sysv_known;
	struct mapper *by; /* owned; each space once */
	size_t n_by;
	char *who; /* owned; the pids as text, where a renderer wants them */
};

#endif
