// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>

#include "analysis/statistics.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The lower rank of the interval: the binomial(n, 1/2) quantile of 2.5 %, normal approximation. */
static size_t lower_rank(size_t n)
{
	double rank = n / 2.0 - 1.96 * sqrt(n) / 2.0 - 0.5;

	return n < SAMPLES_MIN || rank < 0 ? 0 : (size_t)rank;
}

struct estimate estimate_of(double *samples, size_t n)
{
	struct estimate e = { .n = n };
	size_t rank = lower_rank(n);

	if (!n)
		return e;
	qsort(samples, n, sizeof(*samples), by_value);
	e.median = n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
	e.low = samples[rank];
	e.high = samples[n - 1 - rank];
	return e;
}

double lower_quartile(double *samples, size_t n)
{
	qsort(samples, n, sizeof(*samples), by_value);
	return samples[n / 4];
}

enum difference difference_of(double low, double high, double margin, size_t n)
{
	if (n < SAMPLES_MIN)
		return DIFFERENCE_FEW;
	if (low > 0 || high < 0)
		return low > 0 ? DIFFERENCE_MORE : DIFFERENCE_LESS;
	return low > -margin && high < margin ? DIFFERENCE_NONE : DIFFERENCE_HIDDEN;
}

struct estimate estimate_widened(struct estimate e, double noise)
{
	e.low -= noise;
	e.high += noise;
	return e;
}

const char *difference_word(enum difference d)
{
	static const char *const words[] = {
		[DIFFERENCE_HIDDEN] = "hidden by noise",
		[DIFFERENCE_NONE] = "no measurable difference",
		[DIFFERENCE_MORE] = "dearer",
		[DIFFERENCE_LESS] = "cheaper",
		[DIFFERENCE_FEW] = "not told by so few samples",
	};

	return words[d];
}
