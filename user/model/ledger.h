/* SPDX-License-Identifier: GPL-2.0-only */
/* The address spaces of a snapshot, each with its tasks; analysis/ledger.h makes them. */
#ifndef MMLENS_MODEL_LEDGER_H
#define MMLENS_MODEL_LEDGER_H

#include "model/memory.h"
#include "model/snapshot.h"

struct space {
	uint64_t id;
	const uint32_t
		*members; /* indices into the snapshot: oldest thread group first, leaders first */
	size_t tasks;
	size_t processes;     /* thread groups of user tasks; a kernel thread on loan is none */
	struct memory memory; /* filled by the caller, from source/procmem.h */
};

struct ledger {
	struct snapshot *snapshot;
	uint32_t *order;
	struct space *spaces; /* by the tgid of their first member */
	size_t n;
};

static inline const struct task *space_member(const struct ledger *l, const struct space *sp,
					      size_t i)
{
	return &l->snapshot->tasks[sp->members[i]];
}

#endif
