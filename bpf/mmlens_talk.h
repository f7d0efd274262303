/* SPDX-License-Identifier: GPL-2.0-only */
/* The system calls of tasks that pass messages, counted by the name they were given for that. */
#ifndef MMLENS_TALK_H
#define MMLENS_TALK_H

#include <linux/types.h>

#define TALK_PREFIX "talk:"
#define TALK_COMM   16
#define TALK_MAX    1024

struct talk_key {
	char comm[TALK_COMM];
	__u32 nr;
	__u32 pad;
};

struct talk_count {
	__u64 calls;	/* that did not fail */
	__u64 returned; /* sum of what they returned */
	__u64 third;	/* sum of their third arguments: the size, of those that return 0 */
};

#endif
