/* SPDX-License-Identifier: GPL-2.0-only */
/* Samples to an honest number: the median and how far it can be trusted. */
#ifndef MMLENS_ANALYSIS_STATISTICS_H
#define MMLENS_ANALYSIS_STATISTICS_H

#include <stddef.h>

/* With fewer the chance that all samples lie on one side of the median is above 5 %. */
#define SAMPLES_MIN 6

struct estimate {
	double median;
	double low; /* 95 % confidence interval of the median, by order statistics: no shape assumed */
	double high;
	size_t n;
};

/* Sorts `samples`. Below 6 samples no interval of 95 % exists: low and high are the extremes. */
struct estimate estimate_of(double *samples, size_t n);

/* What noise, which only adds, reaches last. Sorts `samples`, of which there is at least one. */
double lower_quartile(double *samples, size_t n);

enum difference {
	DIFFERENCE_HIDDEN, /* the interval holds 0, and more than would matter: noise hides it */
	DIFFERENCE_NONE,   /* the interval holds 0 and nothing beyond what matters */
	DIFFERENCE_MORE,
	DIFFERENCE_LESS,
	DIFFERENCE_FEW, /* fewer than SAMPLES_MIN samples: nothing is said */
	DIFFERENCE_NR
};

/*
 * What an estimate of paired differences says. `margin` is the least difference that would matter;
 * 0 where any would, and then absence cannot be shown.
 */
enum difference difference_of(double low, double high, double margin, size_t n);

/* Farther from `e` on both sides by what two equal things were seen to differ. */
struct estimate estimate_widened(struct estimate e, double noise);
/* As a word about a cost: "dearer", "no measurable difference" ... */
const char *difference_word(enum difference d);

#endif
