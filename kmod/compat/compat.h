/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The past, and what configurations leave out. The rest of the module is written for the newest
 * kernel. What a kernel has is found by compat/probe at build time, never by its version; each
 * entry names the change that made it necessary.
 */
#ifndef MMLENS_COMPAT_H
#define MMLENS_COMPAT_H

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uio.h>

#include "compat_config.h"

/* 2f064a59a11f ("sched: Change task_struct::state"), 5.14: state became __state. */
static inline unsigned int mmlens_task_state(const struct task_struct *task)
{
#ifdef MMLENS_HAVE_TASK___STATE
	return READ_ONCE(task->__state);
#else
	return READ_ONCE(task->state);
#endif
}

/* Without CONFIG_SMP old kernels have no on_cpu: who looks is who runs. */
static inline bool mmlens_task_on_cpu(const struct task_struct *task)
{
#ifdef MMLENS_HAVE_TASK_ON_CPU
	return READ_ONCE(task->on_cpu);
#else
	return task == current;
#endif
}

/* 54e6842d0775 ("fork/vm: Move common PF_IO_WORKER behavior to new flag"), 6.4. */
#ifdef PF_USER_WORKER
#define MMLENS_PF_USER_WORKER	PF_USER_WORKER
#else
#define MMLENS_PF_USER_WORKER	0
#endif

/*
 * The mapping that holds @addr or is the next above, and of that the next below.
 * 763ecb035029 ("mm: remove the vma linked list"), 6.1.
 */
static inline struct vm_area_struct *mmlens_find_vma(struct mm_struct *mm, unsigned long addr,
						     struct vm_area_struct **below)
{
#ifdef MMLENS_HAVE_VMA_PREV
	VMA_ITERATOR(iter, mm, addr);
	struct vm_area_struct *vma = vma_next(&iter);

	*below = vma ? vma_prev(&iter) : NULL;
#else
	struct vm_area_struct *vma = find_vma(mm, addr);

	*below = vma ? vma->vm_prev : NULL;
#endif
	return vma;
}

/* fcb14cb1bdac ("new iov_iter flavour - ITER_UBUF"), 6.0. */
static inline bool mmlens_iter_is_user(const struct iov_iter *iter)
{
#ifdef MMLENS_HAVE_USER_BACKED_ITER
	return user_backed_iter(iter);
#else
	return iter_is_iovec(iter);
#endif
}

#endif /* MMLENS_COMPAT_H */
