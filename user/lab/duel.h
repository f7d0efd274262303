/* SPDX-License-Identifier: GPL-2.0-only */
/* Two tasks that take turns: threads against processes, sample by sample. */
#ifndef MMLENS_LAB_DUEL_H
#define MMLENS_LAB_DUEL_H

#include "lab/lab.h"

#define DUEL_SAMPLES 64

enum way {
	WAY_FUTEX,
	WAY_PIPE,
	WAY_YIELD,
	WAY_NR
};

extern const char *const way_names[WAY_NR];

struct setting {
	enum way way;
	size_t set;	    /* bytes each touches in its turn */
	unsigned int turns; /* each player's in a batch, at least 2 */
};

/* ns a switch; each sample is the lower quartile of `pairs` batches, 4 to 32, of one pair of partners */
struct duel {
	size_t pairs;
	double thread[DUEL_SAMPLES];
	double process[DUEL_SAMPLES];
	double difference[DUEL_SAMPLES]; /* process - thread */
	double control[DUEL_SAMPLES];	 /* thread - thread: the noise */
	size_t n;
};

/* Up to `most` samples while there is time; -errno when partners could not be had. */
int duel_play(const struct lab *l, struct duel *d, const struct setting *s, size_t most,
	      uint64_t until);

#endif
