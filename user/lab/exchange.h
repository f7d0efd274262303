/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of one size through one medium, there and back. */
#ifndef MMLENS_LAB_EXCHANGE_H
#define MMLENS_LAB_EXCHANGE_H

#include "lab/medium.h"

#define EXCHANGE_MOST	 400
#define EXCHANGE_STREAMS 9

struct exchange {
	struct lab *lab;
	const struct medium *medium;
	size_t size;
	size_t most;	   /* round trips, at most EXCHANGE_MOST */
	uint64_t until;	   /* as lab_now() */
	const char *alias; /* the two sides' name while messages pass, NULL: they keep theirs */
	const char *name;  /* and before and after */
	size_t streams;	   /* then so many streams one way, at most EXCHANGE_STREAMS */

	struct medium_state m;
	double ns[EXCHANGE_MOST];	 /* one way: half of there and back */
	size_t n;			 /* round trips made */
	uint64_t moved;			 /* bytes the two sides copied in user mode */
	size_t in_stream;		 /* messages of a stream */
	double stream[EXCHANGE_STREAMS]; /* ns of each, to the word that all has arrived */
	size_t n_streams;
	int err;
};

/* Makes the second task, passes messages, and ends it. */
void exchange_run(struct exchange *x);

#endif
