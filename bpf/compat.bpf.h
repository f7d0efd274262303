/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels that the programs meet, asked of the running kernel's BTF and
 * never of its version. A flavour (struct name___past) tells libbpf where a field once was.
 */
#ifndef MMLENS_COMPAT_BPF_H
#define MMLENS_COMPAT_BPF_H

#include "kernel.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* 2f064a59a11f ("sched: Change task_struct::state", 5.14) */
struct task_struct___state {
	long state;
};

/* bcf9033e5449 ("sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y", 5.16) */
struct task_struct___cpu {
	unsigned int cpu;
};

struct thread_info___cpu {
	unsigned int cpu;
};

struct task_struct___thread_info {
	struct thread_info___cpu thread_info;
};

/* int, then u8 from 7.2: the size must be asked as well as the offset. */
struct task_struct___on_cpu {
	int on_cpu;
};

/* The kernel stack pointer of a task that is switched out: x86, then arm64. */
struct thread_struct___x86 {
	unsigned long sp;
};

struct task_struct___x86 {
	struct thread_struct___x86 thread;
};

struct cpu_context___arm64 {
	unsigned long sp;
};

struct thread_struct___arm64 {
	struct cpu_context___arm64 cpu_context;
};

struct task_struct___arm64 {
	struct thread_struct___arm64 thread;
};

struct pt_regs___sp {
	unsigned long sp;
};

/* The system call that a task is in. */
struct pt_regs___x86 {
	unsigned long orig_ax;
	unsigned long di;
};

struct pt_regs___arm64 {
	__s32 syscallno;
	__u64 orig_x0;
};

/* The count of interrupts that a CPU is in: x86 (in pcpu_hot from 6.2 to 6.14), then arm64. */
struct pcpu_hot___preempt {
	int preempt_count;
};

struct preempt___arm64 {
	__u32 count;
};

struct thread_info___arm64 {
	struct preempt___arm64 preempt;
};

struct task_struct___preempt {
	struct thread_info___arm64 thread_info;
};

#pragma clang attribute pop

static __always_inline __u32 compat_state(const struct task_struct *t)
{
	const struct task_struct___state *old = (const void *)t;

	if (bpf_core_field_exists(t->__state))
		return BPF_CORE_READ(t, __state);
	return BPF_CORE_READ(old, state);
}

static __always_inline __s32 compat_cpu(const struct task_struct *t)
{
	const struct task_struct___thread_info *in = (const void *)t;
	const struct task_struct___cpu *old = (const void *)t;

	if (bpf_core_field_exists(in->thread_info.cpu))
		return BPF_CORE_READ(in, thread_info.cpu);
	if (bpf_core_field_exists(old->cpu))
		return BPF_CORE_READ(old, cpu);
	return -1;
}

static __always_inline bool compat_on_cpu(const struct task_struct *t)
{
	const struct task_struct___on_cpu *f = (const void *)t;
	__u32 v = 0;

	if (!bpf_core_field_exists(f->on_cpu))
		return false;
	bpf_core_read(&v, bpf_core_field_size(f->on_cpu) & 7, &f->on_cpu);
	return v;
}

/* 0 when this architecture keeps it somewhere unknown here. */
static __always_inline __u64 compat_kernel_sp(const struct task_struct *t)
{
	const struct task_struct___arm64 *arm = (const void *)t;
	const struct task_struct___x86 *x86 = (const void *)t;

	if (bpf_core_field_exists(x86->thread.sp))
		return BPF_CORE_READ(x86, thread.sp);
	if (bpf_core_field_exists(arm->thread.cpu_context.sp))
		return BPF_CORE_READ(arm, thread.cpu_context.sp);
	return 0;
}

/* Of two kernels only one has the helper; the other's verifier never sees the dead call. */
#define compat_has_helper(fn) bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_##fn)

/*
 * The number of the system call that the current task is in and its first argument; -1 when it is
 * in none or this kernel cannot tell (bpf_task_pt_regs() is since 5.15). After an interrupt in user
 * mode a vector stands there, below 0 as no call is.
 */
static __always_inline __s32 compat_syscall(__u64 *arg)
{
	const struct pt_regs___x86 *x86 = NULL;
	const struct pt_regs___arm64 *arm = NULL;
	const void *regs;
	long nr = -1;

	*arg = 0;
	if (!compat_has_helper(task_pt_regs))
		return -1;
	regs = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (bpf_core_field_exists(x86->orig_ax)) {
		x86 = regs;
		nr = (long)BPF_CORE_READ(x86, orig_ax);
		*arg = BPF_CORE_READ(x86, di);
	} else if (bpf_core_field_exists(arm->syscallno)) {
		arm = regs;
		nr = BPF_CORE_READ(arm, syscallno);
		*arg = BPF_CORE_READ(arm, orig_x0);
	}
	if (nr >= 0 && nr < 4096)
		return (__s32)nr;
	*arg = 0;
	return -1;
}

extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot___preempt pcpu_hot __ksym __weak;

/* Bits of preempt_count: NMI, hard interrupt, and one for a soft interrupt being served. */
#define COMPAT_IN_INTERRUPT 0x00ff0100u

/* False also where the kernel does not show the count. */
static __always_inline bool compat_in_interrupt(void)
{
	const struct task_struct___preempt *t = (const void *)bpf_get_current_task();
	__u32 count = 0;

	if (&__preempt_count)
		count = *(const __u32 *)bpf_this_cpu_ptr(&__preempt_count);
	else if (&pcpu_hot)
		bpf_core_read(&count, sizeof(count),
			      &((const struct pcpu_hot___preempt *)bpf_this_cpu_ptr(&pcpu_hot))
				       ->preempt_count);
	else if (bpf_core_field_exists(t->thread_info.preempt.count))
		count = BPF_CORE_READ(t, thread_info.preempt.count);
	return count & COMPAT_IN_INTERRUPT;
}

#endif
