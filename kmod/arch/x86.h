/* SPDX-License-Identifier: GPL-2.0-only */

#define MMLENS_ARCH_SPACE_COUNTER	1
#define MMLENS_ARCH_HAS_STACK_POINTERS	1

/* ctx_id: "uniquely identifies this mm_struct", counted up from 1; init_mm has 0. */
static inline u64 mmlens_arch_space_counter(const struct mm_struct *mm)
{
	u64 id;

	return copy_from_kernel_nofault(&id, &mm->context.ctx_id, sizeof(id)) ? 0 : id;
}

static inline int mmlens_arch_user_sp(struct task_struct *task, unsigned long *sp)
{
	return copy_from_kernel_nofault(sp, &task_pt_regs(task)->sp, sizeof(*sp));
}

static inline unsigned long mmlens_arch_kernel_sp(const struct task_struct *task)
{
	return READ_ONCE(task->thread.sp);
}
