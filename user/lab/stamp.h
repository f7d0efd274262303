/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smallest program there can be: it reads the clock as its very first act, tells it, and ends.
 * A static image of one page, so that what comes before is the exec alone and no linking.
 */
#ifndef MMLENS_LAB_STAMP_H
#define MMLENS_LAB_STAMP_H

#include <stdint.h>

#define STAMP_PATH 32

struct stamp {
	int image; /* the program, in memory */
	int told;  /* its words are read here */
	char path[STAMP_PATH];
};

/* -errno or 0. The caller's child may run `path`; the ends are closed by stamp_close(). */
int stamp_open(struct stamp *s);
/* When the last one that was run began, as lab_now(); it must have ended. 0: it has not told. */
uint64_t stamp_read(const struct stamp *s);
void stamp_close(struct stamp *s);

#endif
