/* SPDX-License-Identifier: GPL-2.0-only */
/* Two tasks judged resource by resource. */
#ifndef MMLENS_ANALYSIS_VERDICT_H
#define MMLENS_ANALYSIS_VERDICT_H

#include "model/task.h"

enum share {
	SHARE_UNKNOWN, /* the source cannot tell */
	SHARE_SHARED,
	SHARE_SEPARATE,
	SHARE_BOTH_NONE, /* neither has one: kcmp(2) would call it equal */
	SHARE_NR
};

enum verdict {
	VERDICT_UNKNOWN,
	VERDICT_SAME_TASK,
	VERDICT_THREADS,  /* one thread group */
	VERDICT_PEERS,	  /* two thread groups in one space */
	VERDICT_ISOLATED, /* two spaces, or none left */
	VERDICT_KERNEL,	  /* at least one is a kernel thread */
	VERDICT_NR
};

/*
 * By the ids of both; without them by what is certain all the same: a task shares with itself what
 * it has, different contents are of different credentials, and none is not one of unknown id.
 */
enum share resource_share(const struct task *a, const struct task *b, enum resource r);
/* The task is known to have none. */
bool resource_lacks(const struct task *t, enum resource r);
enum verdict verdict_of(const struct task *a, const struct task *b);

const char *share_name(enum share share);	/* the contract's word */
const char *verdict_name(enum verdict verdict); /* the contract's word, NULL for unknown */
/* One sentence about the two tasks. */
char *verdict_sentence(char *buf, size_t n, const struct task *a, const struct task *b);

#endif
