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

#endif
