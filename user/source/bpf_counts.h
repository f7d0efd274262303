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
/*
 * Runs that the kernel refused because one was under way on that CPU: losses that no map can count.
 * `end` is left out, NULL: there is none. Without its end a switch only has no cost, and a kprobe is
 * refused wherever a task was preempted within a system call of BPF.
 */
uint64_t bpf_counts_missed(const struct switch_bpf *skel, const struct bpf_program *end);

#endif
