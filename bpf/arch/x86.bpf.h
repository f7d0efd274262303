/* SPDX-License-Identifier: GPL-2.0-only */
/* What only x86 knows; the same questions are answered in arm64.bpf.h. */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_struct___x86 {
	unsigned long sp;
};

struct thread_info___x86 {
	__u32 status;
};

struct task_struct___x86 {
	struct thread_struct___x86 thread;
	struct thread_info___x86 thread_info;
};

struct pt_regs___x86 {
	unsigned long orig_ax;
	unsigned long di;
	unsigned long dx;
	unsigned long ip;
	unsigned long sp;
};

/* The count moved into pcpu_hot in 6.2 and out of it again in 6.15. */
struct pcpu_hot___x86 {
	int preempt_count;
};

#pragma clang attribute pop

/* The kernel stack pointer of a task that is switched out. */
static __always_inline __u64 arch_kernel_sp(const struct task_struct *t)
{
	const struct task_struct___x86 *x86 = (const void *)t;

	return x86->thread.sp;
}

static __always_inline __u64 arch_user_sp(const void *regs)
{
	const struct pt_regs___x86 *x86 = regs;

	return x86->sp;
}

static __always_inline __u64 arch_user_ip(const void *regs)
{
	const struct pt_regs___x86 *x86 = regs;

	return BPF_CORE_READ(x86, ip);
}

/*
 * The number of the system call and its first argument, from registers whose type the verifier
 * knows: each is one load. After an interrupt in user mode a vector, below 0 as no call is.
 */
static __always_inline long arch_syscall_of(const struct pt_regs___x86 *regs, __u64 *arg)
{
	if (arg)
		*arg = regs->di;
	return regs->orig_ax;
}

#define TS_COMPAT 0x2

/* What says of the current task that its call goes by the numbers of 32-bit programs. */
#define ARCH_TASK	     struct task_struct___x86
#define ARCH_CALL_STATUS     thread_info.status
#define ARCH_CALL_OF_32_BITS TS_COMPAT

/* The stack's size on kernels before 5.15, which have no helper that tells where the registers lie. */
#define ARCH_STACK_SIZE 16384

/* The same from the kernel stack. */
static __always_inline long arch_syscall(const void *stack, __u64 *arg)
{
	const struct pt_regs___x86 *x86 =
		stack + ARCH_STACK_SIZE - bpf_core_type_size(struct pt_regs___x86);

	if (arg)
		*arg = BPF_CORE_READ(x86, di);
	return BPF_CORE_READ(x86, orig_ax);
}

static __always_inline __u64 arch_third_argument(const void *regs)
{
	const struct pt_regs___x86 *x86 = regs;

	return BPF_CORE_READ(x86, dx);
}

extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot___x86 pcpu_hot __ksym __weak;

/* 0 also where the kernel does not show the count. */
static __always_inline __u32 arch_preempt_count(void)
{
	__u32 count = 0;

	if (&__preempt_count)
		count = *(const __u32 *)bpf_this_cpu_ptr(&__preempt_count);
	else if (&pcpu_hot)
		bpf_core_read(&count, sizeof(count),
			      &((const struct pcpu_hot___x86 *)bpf_this_cpu_ptr(&pcpu_hot))
				       ->preempt_count);
	return count;
}
