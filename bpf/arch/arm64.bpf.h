/* SPDX-License-Identifier: GPL-2.0-only */
/* What only arm64 knows; the same questions are answered in x86.bpf.h. */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cpu_context___own {
	unsigned long sp;
};

struct thread_struct___own {
	struct cpu_context___own cpu_context;
};

struct preempt___own {
	__u32 count;
};

struct thread_info___own {
	unsigned long flags;
	struct preempt___own preempt;
};

struct task_struct___own {
	struct thread_struct___own thread;
	struct thread_info___own thread_info;
};

/* libbpf has a pt_regs___arm64 of its own. */
struct pt_regs___own {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 orig_x0;
	__s32 syscallno;
};

#pragma clang attribute pop

/* The kernel stack pointer of a task that is switched out. */
static __always_inline __u64 arch_kernel_sp(const struct task_struct *t)
{
	const struct task_struct___own *own = (const void *)t;

	return own->thread.cpu_context.sp;
}

static __always_inline __u64 arch_user_sp(const void *regs)
{
	const struct pt_regs___own *own = regs;

	return own->sp;
}

static __always_inline __u64 arch_user_ip(const void *regs)
{
	const struct pt_regs___own *own = regs;

	return BPF_CORE_READ(own, pc);
}

/*
 * The number of the system call and its first argument, from registers whose type the verifier
 * knows: each is one load. After an interrupt in user mode -1.
 */
static __always_inline long arch_syscall_of(const struct pt_regs___own *regs, __u64 *arg)
{
	if (arg)
		*arg = regs->orig_x0;
	return regs->syscallno;
}

#define TIF_32BIT 22

/* What says of the current task that its calls go by the numbers of 32-bit programs. */
#define ARCH_TASK	     struct task_struct___own
#define ARCH_CALL_STATUS     thread_info.flags
#define ARCH_CALL_OF_32_BITS (1ul << TIF_32BIT)

/* The stack's size on kernels before 5.15, which have no helper that tells where the registers lie. */
#define ARCH_STACK_SIZE 16384

/* The same from the kernel stack. */
static __always_inline long arch_syscall(const void *stack, __u64 *arg)
{
	const struct pt_regs___own *own =
		stack + ARCH_STACK_SIZE - bpf_core_type_size(struct pt_regs___own);

	if (arg)
		*arg = BPF_CORE_READ(own, orig_x0);
	return BPF_CORE_READ(own, syscallno);
}

static __always_inline __u64 arch_third_argument(const void *regs)
{
	const struct pt_regs___own *own = regs;

	return BPF_CORE_READ(own, regs[2]);
}

static __always_inline __u32 arch_preempt_count(void)
{
	const struct task_struct___own *own = (const void *)bpf_get_current_task();

	return BPF_CORE_READ(own, thread_info.preempt.count);
}
