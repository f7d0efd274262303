/* SPDX-License-Identifier: GPL-2.0-only */
/* Counting the pages of one or two spaces, for `pages` and for the evidence of `compare`. */
#ifndef MMLENS_CMD_PAGECOUNT_H
#define MMLENS_CMD_PAGECOUNT_H

#include "source/pagewalk.h"

struct pagecount {
	struct frames frames;
	uint32_t a;
	uint32_t b;	/* 0: one space */
	bool one_space; /* of a and b: their pages are read once, and are the same */
	bool processes; /* a and b are processes, not tasks: what a leader that exited left counts */
	/* NULL: only the totals. Called per mapping, in the order of addresses. */
	void (*region)(const struct region *r, const struct page_counts *c, void *arg);
	void *arg;

	struct page_counts totals;
	uint64_t raced;
	uint32_t failed; /* the pid that could not be read */
};

/* The task whose entries in /proc are read for `pid`. */
uint32_t pagecount_reads(const struct pagecount *pc, uint32_t pid);
/* -errno: -ENODATA when a task has no mapping at all: a kernel thread, or a zombie. */
int pagecount_run(struct pagecount *pc);
/* Whether there is anything to count, before a document is begun: 0, or -errno and pc->failed. */
int pagecount_check(struct pagecount *pc);
/* The line and the exit status for an error of pagecount_run(). */
int pagecount_fail(const struct pagecount *pc, int err);

#endif
