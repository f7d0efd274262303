/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks that have ended leave the programs' table, so that a window may see any number of births:
 * their entries are kept here, and their places are given out anew.
 */
#ifndef MMLENS_SOURCE_BPF_DEAD_H
#define MMLENS_SOURCE_BPF_DEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "mmlens_event.h"
#include "source/bpf_stream.h"
#include "switch.skel.h"

/* The bound of memory: 64 MiB of entries. Who ends after that stays in the table. */
#define DEAD_MAX 262144

struct dead {
	struct mmlens_entry *entries; /* owned */
	size_t n;
	size_t room;

	struct mmlens_entry *table; /* mapped */
	size_t table_len;
	uint32_t places;
	int places_fd;
	int spare_fd;
	uint32_t *dying; /* places whose tasks were seen to have ended at the last look; owned */
	size_t n_dying;
	uint64_t entered;      /* how many had been entered at the last look */
	struct stream *stream; /* names tasks by their places, too; NULL: there is none */
};

/* Of a loaded object. -errno. */
int dead_init(struct dead *d, const struct switch_bpf *skel, struct stream *stream);
/*
 * To be called every now and then, when all that happened before the last call has been delivered;
 * `entered`: how many tasks the programs have entered by now.
 */
void dead_collect(struct dead *d, uint64_t entered);
void dead_deinit(struct dead *d);

#endif
