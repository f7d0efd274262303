/* SPDX-License-Identifier: GPL-2.0-only */

#define MMLENS_ARCH_SPACE_COUNTER	1
#define MMLENS_ARCH_HAS_STACK_POINTERS	1

/* init_mm is born with this number (INIT_MM_CONTEXT); it is the kernel's own and nobody's space. */
#define MMLENS_INIT_MM_CTX_ID	1

/* ctx_id: "uniquely identifies this mm_struct", counted up from 2. */
static inline u64 mmlens_arch_space_counter(const struct mm_struct *mm)
{
	u64 id = mm->context.ctx_id;

	return id == MMLENS_INIT_MM_CTX_ID ? 0 : id;
}

static inline u64 mmlens_arch_space_counter_nofault(const struct mm_struct *mm)
{
	u64 id;

	if (copy_from_kernel_nofault(&id, &mm->context.ctx_id, sizeof(id)))
		return 0;
	return id == MMLENS_INIT_MM_CTX_ID ? 0 : id;
}

static inline int mmlens_arch_user_sp(struct task_struct *task, unsigned long *sp)
{
	return copy_from_kernel_nofault(sp, &task_pt_regs(task)->sp, sizeof(*sp));
}

static inline unsigned long mmlens_arch_kernel_sp(const struct task_struct *task)
{
	return READ_ONCE(task->thread.sp);
}
