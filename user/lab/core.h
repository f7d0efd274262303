/* SPDX-License-Identifier: GPL-2.0-only */
/* The core that measures, and how much of it others had meanwhile: noise, measured and stated. */
#ifndef MMLENS_LAB_CORE_H
#define MMLENS_LAB_CORE_H

#include "lab/lab.h"

struct core_use {
	uint64_t total; /* ticks of the core since boot */
	uint64_t idle;
	uint64_t steal;
	double own; /* seconds of this process and its reaped children */
};

/* Pins the caller to the idlest core it may use; l->cpu is -1 where that is refused. */
void core_pin(struct lab *l);
/* What the core is: of how many, virtual or not, with or without its tick. */
void core_describe(struct lab *l);
void core_begin(const struct lab *l, struct core_use *u);
/* Since core_begin(): what was left for the experiment. */
void core_say(struct lab *l, const struct core_use *since);

#endif
