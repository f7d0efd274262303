/* SPDX-License-Identifier: GPL-2.0-only */
/* What this machine gives this user, found by trying it, and why not. */
#ifndef MMLENS_SOURCE_PROBE_H
#define MMLENS_SOURCE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "source/source.h"

struct probe {
	const char *name;
	bool (*run)(struct why *why); /* `why` is set in both cases */
};

extern const struct probe probes[];
extern const size_t probes_n;

#endif
