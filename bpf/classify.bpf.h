/* SPDX-License-Identifier: GPL-2.0-only */
/* The class of a switch and why it happened, from the two tasks as they are at sched_switch. */
#ifndef MMLENS_CLASSIFY_BPF_H
#define MMLENS_CLASSIFY_BPF_H

#include "compat.bpf.h"
#include "mmlens_event.h"

#define TASK_DEAD 0x80

struct switch_ctx {
	struct task_struct *prev;
	struct task_struct *next;
	bool preempt;
	bool prev_borrows; /* dying, and what is loaded is not its own */
	bool next_borrows;
	__u32 state; /* of prev */
	__u32 prev_tid;
	__u32 next_tid;
	__u64 now;
	__u64 ran_since; /* when prev came; 0: not seen */
};

/*
 * User tasks are told by their flags: a dying one has no mm any more. The loaded space is
 * prev->active_mm, which a kernel thread has inherited and a dying task still holds. A dying task
 * that comes back onto a CPU gets no space loaded: unless its own happens to be there it runs on
 * loan as a kernel thread does, and is classed as one.
 */
static __always_inline enum mmlens_class classify(const struct switch_ctx *s)
{
	bool from_kernel = !s->prev_tid || (s->prev->flags & PF_KTHREAD) || s->prev_borrows;
	struct mm_struct *to;
	bool same;

	if (!s->next_tid)
		return MMLENS_CLASS_TO_IDLE;
	if ((s->next->flags & PF_KTHREAD) || s->next_borrows)
		return from_kernel ? MMLENS_CLASS_KERNEL : MMLENS_CLASS_TO_KERNEL;
	to = s->next->mm;
	same = !to || s->prev->active_mm == to;
	if (from_kernel)
		return same ? MMLENS_CLASS_BACK_SAME : MMLENS_CLASS_BACK_OTHER;
	if (!same)
		return MMLENS_CLASS_PROCESS;
	return s->prev->tgid == s->next->tgid ? MMLENS_CLASS_THREAD : MMLENS_CLASS_PEER;
}

/*
 * The kernel has incremented nvcsw or nivcsw just before the tracepoint. When their values at the
 * last sight are known, and no switch came in between, comparing tells which; a first switch ever
 * is told by nvcsw being 1. Only else it is concluded as the kernel concludes, from preempt and state, which errs where a
 * signal turned a sleep into a run (nvcsw moves, the state says running).
 */
static __always_inline enum mmlens_how
switch_how(const struct switch_ctx *s, const struct mmlens_entry *seen, __u64 nvcsw, __u64 nivcsw)
{
	if (s->state & TASK_DEAD)
		return MMLENS_HOW_EXIT;
	if (seen && nvcsw + nivcsw == seen->nvcsw + seen->nivcsw + 1)
		return nivcsw == seen->nivcsw ? MMLENS_HOW_VOLUNTARY : MMLENS_HOW_PREEMPTED;
	if (nvcsw + nivcsw == 1)
		return nvcsw ? MMLENS_HOW_VOLUNTARY : MMLENS_HOW_PREEMPTED;
	return !s->preempt && s->state ? MMLENS_HOW_VOLUNTARY : MMLENS_HOW_PREEMPTED;
}

#endif
