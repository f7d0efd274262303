/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of the switch programs, read and added up. */
#ifndef MMLENS_SOURCE_BPF_COUNTS_H
#define MMLENS_SOURCE_BPF_COUNTS_H

#include "mmlens_event.h"
#include "model/switches.h"
#include "source/bpf_dead.h"
#include "switch.skel.h"

/* Adds to `out`, the dead included, whose delays_known and pairs_known say what there is. -errno. */
int bpf_counts_read(const struct switch_bpf *skel, const struct mmlens_cpu *per_cpu, int cpus,
		    const struct dead *dead, struct switches *out);

#endif
