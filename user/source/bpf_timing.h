/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When the ends of switches are worth watching. A second program at every switch costs as much as
 * counting does, even if it has nothing to do; so at high rates it is attached only now and then.
 */
#ifndef MMLENS_SOURCE_BPF_TIMING_H
#define MMLENS_SOURCE_BPF_TIMING_H

#include <stdint.h>

#include "mmlens_event.h"
#include "model/switches.h"

/* Sums over all CPUs since the window began. */
struct timing_sums {
	uint64_t count[CLASS_NR];
	uint64_t timed[CLASS_NR];
};

/* Zeroed before the first use. */
struct timing {
	uint64_t last[CLASS_NR]; /* counts at the last question */
	uint32_t asked;
};

/* Of a window with few switches a machine can afford to time every one: so many a CPU and question. */
#define TIMING_FEW 500
/* A class that makes up an eighth of the switches is timed until it has so many. */
#define TIMING_ENOUGH 4096
/* After that during one of so many spans between questions. */
#define TIMING_EACH 16

/* Asked at regular intervals: which ends shall be watched until the next question? */
enum mmlens_timing timing_wanted(struct timing *t, const struct timing_sums *now, uint32_t cpus);

#endif
