/* SPDX-License-Identifier: GPL-2.0-only */
/* Samples to an honest number: the median and how far it can be trusted. */
#ifndef MMLENS_ANALYSIS_STATISTICS_H
#define MMLENS_ANALYSIS_STATISTICS_H

#include <stddef.h>

struct estimate {
	double median;
	double low; /* 95 % confidence interval of the median, by order statistics: no shape assumed */
	double high;
	size_t n;
};

/* Sorts `samples`. Below 6 samples no interval of 95 % exists: low and high are the extremes. */
struct estimate estimate_of(double *samples, size_t n);

enum difference {
	DIFFERENCE_NONE, /* the interval holds 0: no measurable difference */
	DIFFERENCE_MORE,
	DIFFERENCE_LESS,
};

/* What an estimate of paired differences says. */
enum difference difference_of(double low, double high, size_t n);

#endif
