/* SPDX-License-Identifier: GPL-2.0-only */
/* What a running program consists of: spaces, tasks, memory, the channels between its processes. */
#ifndef MMLENS_LAB_CENSUS_H
#define MMLENS_LAB_CENSUS_H

#include "analysis/ledger.h"
#include "lab/program.h"
#include "model/channel.h"
#include "model/switches.h"
#include "source/source.h"

struct census {
	struct snapshot snap;
	struct ledger ledger;
	size_t *spaces; /* indices into the ledger: those of the program */
	size_t n_spaces;
	size_t tasks;
	size_t processes;
	size_t fullest; /* index into the ledger */
	uint64_t rss;	/* proportional, where the kernel tells */
	uint64_t claimed;
	size_t channels[CHANNEL_NR]; /* between two of its processes, by type */
	uint64_t shared;	     /* bytes of memory objects that several of them map */
};

/* Of the process `root` and all that descend from it. -errno with its reason, or 0. */
int census_take(struct census *c, const char *source, uint32_t root, struct why *why);
/* What is left of the tasks of a space, or of all for NULL, in a later census's eyes. */
size_t census_left(const struct census *before, const struct space *sp, const char *source);
void census_deinit(struct census *c);

#endif
