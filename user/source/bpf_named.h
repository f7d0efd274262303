/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A few tasks, named by their tids, read by a program that is written for this kernel on the spot.
 * Loading the one that reads all tasks takes several times as long as everything else that a
 * command about two of them does.
 */
#ifndef MMLENS_SOURCE_BPF_NAMED_H
#define MMLENS_SOURCE_BPF_NAMED_H

#include "source/source.h"

/*
 * Adds to `out`, in ascending order of tids, those of src->about that are there. All others too,
 * without WANT_NO_OTHERS: of them who they are, their space, and what decides their kind. 0, or
 * -errno and `out` as it was: then the tasks are to be read in another way. User stacks are left
 * unknown, and `init_user` says that uids need no translation.
 */
int bpf_named_read(const struct source *src, unsigned int want, bool init_user,
		   struct snapshot *out);

#endif
