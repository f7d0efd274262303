/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks the mappings of one space, or those that two have at the same addresses, and hands over
 * the pages piece by piece. Pages are read through a window of at most 32 KiB that grows where
 * memory is dense, begins again small where it is not, and reaches over small neighbours: what is
 * kept and what is read follow what is populated, not what is mapped.
 */
#ifndef MMLENS_SOURCE_PAGEWALK_H
#define MMLENS_SOURCE_PAGEWALK_H

#include "source/frames.h"
#include "source/giants.h"
#include "source/maps.h"
#include "source/pagemap.h"

#define PAGEWALK_PARTS 4 /* at most */

struct pagewalk_side {
	uint32_t pid;
	struct maps *maps;
	struct pagemap pagemap;
	struct region region; /* where the walk is */
	uint64_t *entries;
	int stat_fd;
	uint64_t faults; /* of the process, when last asked */
};

struct pagewalk {
	struct frames *frames;
	struct pagewalk_side a;
	struct pagewalk_side b; /* pid 0: only one space is walked */
	uint64_t *again;	/* the first side read once more */
	struct region region;	/* what both have: bounds; the rest is the first side's */
	uint64_t raced;		/* mappings that changed while they were read */
	uint64_t unread;	/* pages of this mapping that were too many to look for */
	struct giants giants;	/* of the first side, where the kernel cannot scan */
	uint64_t start;		/* the window */
	uint64_t stop;
	size_t room; /* pages of the next window */
	bool reread; /* `again` holds the window too */
	bool dense;  /* most of its pages are there */
	bool empty;  /* the first side has nothing in the window, the rest was not read */
	bool started;
	struct mergeable mergeable; /* of the first side */
};

struct piece {
	uint64_t va;
	size_t n;
	const uint64_t *a;
	const uint64_t *b;     /* NULL for one space */
	const uint64_t *again; /* `a` read after `b`; NULL when nothing can have changed */
};

/* b 0: one space. -errno, and *failed the pid that could not be opened. */
int pagewalk_open(struct pagewalk *w, struct frames *f, uint32_t a, uint32_t b, uint32_t *failed);
void pagewalk_close(struct pagewalk *w);

/* The next mapping into w->region: 1, 0 behind the last, -errno. */
int pagewalk_next(struct pagewalk *w);
/* Its pages. Stretches that the first side never touched may be left out. -errno. */
int pagewalk_pages(struct pagewalk *w, void (*fn)(const struct piece *p, void *arg), void *arg);

/*
 * A large mapping can be walked in parts, each in a thread of its own. Into how many it is worth to
 * cut the one at hand; 1: it is not.
 */
unsigned int pagewalk_parts(struct pagewalk *w);
/* The i-th of n. What is open is lent by `w`, which must stand still until the part is closed. -errno. */
int pagewalk_part(const struct pagewalk *w, unsigned int i, unsigned int n, struct pagewalk *part);
void pagewalk_part_close(struct pagewalk *part);

#endif
