/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts, per task and mapping, the pages that watched processes copy on write. */
#ifndef MMLENS_SOURCE_BPF_FAULTS_H
#define MMLENS_SOURCE_BPF_FAULTS_H

#include "model/fault.h"
#include "source/source.h"

/* What counts, as the output names it. */
#define FAULTWATCH_HOOK "exceptions:page_fault_user,page_fault_kernel with kmem:mm_page_alloc"

struct faultwatch;

/* -errno with its reason, or 0. */
int faultwatch_open(struct faultwatch **out, bool stacks, struct why *why);
void faultwatch_close(struct faultwatch *w);

/* The process, and what it forks from now on. */
int faultwatch_add(struct faultwatch *w, uint32_t tgid);
/* All since the watch was opened; `out` is the caller's to free with faults_deinit(). -ENOMEM. */
int faultwatch_read(const struct faultwatch *w, struct faults *out);
void faults_deinit(struct faults *f);

#endif
