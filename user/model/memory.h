/* SPDX-License-Identifier: GPL-2.0-only */
/* What an address space holds in memory, in bytes. A field not known is MEMORY_UNKNOWN. */
#ifndef MMLENS_MODEL_MEMORY_H
#define MMLENS_MODEL_MEMORY_H

#include <stdint.h>

#define MEMORY_UNKNOWN UINT64_MAX

struct memory {
	uint64_t rss;	  /* as VmRSS of /proc/PID/status: counted once for the space */
	uint64_t pss;	  /* as /proc/PID/smaps_rollup: each page divided by its mappers */
	uint64_t claimed; /* the sum that per-pid tools print: rss of every thread group */
};

#endif
