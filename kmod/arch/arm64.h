/* SPDX-License-Identifier: GPL-2.0-only */

/* context.id is the ASID, which is handed out again: no identity. */
#define MMLENS_ARCH_SPACE_COUNTER	0
#define MMLENS_ARCH_HAS_STACK_POINTERS	1

static inline u64 mmlens_arch_space_counter(const struct mm_struct *mm)
{
	return 0;
}

static inline u64 mmlens_arch_space_counter_nofault(const struct mm_struct *mm)
{
	return 0;
}

static inline int mmlens_arch_user_sp(struct task_struct *task, unsigned long *sp)
{
	return copy_from_kernel_nofault(sp, &task_pt_regs(task)->sp, sizeof(*sp));
}

static inline unsigned long mmlens_arch_kernel_sp(const struct task_struct *task)
{
	return READ_ONCE(task->thread.cpu_context.sp);
}
