/* SPDX-License-Identifier: GPL-2.0-only */
/* Who copies pages on write, counted in the kernel: by task, mapping and user stack. */
#ifndef MMLENS_FAULTS_H
#define MMLENS_FAULTS_H

#include <linux/types.h>

#define FAULTS_WATCHED 1024  /* processes */
#define FAULTS_KEYS    65536 /* distinct keys */
#define FAULTS_STACKS  4096
#define FAULTS_DEPTH   16

/* Pids are those of the reader's pid namespace; 0: not in there. */
struct fault_key {
	__u32 tgid;
	__u32 tid;
	__u64 place; /* start of the mapping, or the page where the kernel could not tell */
	__s32 stack; /* id in the map of stacks, below 0: none */
	__u32 pad;
};

#endif
