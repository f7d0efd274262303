/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that a task copied because it wrote to what others still had. Plain data. */
#ifndef MMLENS_MODEL_FAULT_H
#define MMLENS_MODEL_FAULT_H

#include <stddef.h>
#include <stdint.h>

#define FAULT_DEPTH 16

struct fault {
	uint32_t tgid;
	uint32_t tid;
	uint64_t place;		     /* an address within the mapping */
	uint64_t count;		     /* pages */
	uint64_t stack[FAULT_DEPTH]; /* innermost first, 0 behind the last */
};

struct faults {
	struct fault *f; /* owned */
	size_t n;
	uint64_t lost; /* copies there was no room to count */
};

#endif
