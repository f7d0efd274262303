/* SPDX-License-Identifier: GPL-2.0-only */

/* An architecture nobody has described yet: all that is not in its registers still works. */
#define MMLENS_ARCH_SPACE_COUNTER	0
#define MMLENS_ARCH_HAS_STACK_POINTERS	0

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
	return -EOPNOTSUPP;
}

static inline unsigned long mmlens_arch_kernel_sp(const struct task_struct *task)
{
	return 0;
}
