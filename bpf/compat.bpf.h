/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels that the programs meet, asked of the running kernel's BTF and
 * never of its version. A flavour (struct name___past) tells libbpf where a field once was.
 */
#ifndef MMLENS_COMPAT_BPF_H
#define MMLENS_COMPAT_BPF_H

#include "kernel.bpf.h"

#if defined(__TARGET_ARCH_arm64)
#include "arch/arm64.bpf.h"
#else
#include "arch/x86.bpf.h"
#endif

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

/* int, then u8 from 7.2: libbpf makes the load as wide as the field is, if it is unsigned here. */
struct task_struct___on_cpu {
	unsigned int on_cpu;
};

#pragma clang attribute pop

/* Here and below the verifier knows the type of `t`: each field is one load. */
static __always_inline __u32 compat_state(const struct task_struct *t)
{
	const struct task_struct___state *old = (const void *)t;

	if (bpf_core_field_exists(t->__state))
		return t->__state;
	return old->state;
}

/*
 * A PREEMPT_RT kernel puts who waits for a spinlock to sleep (TASK_RTLOCK_WAIT): elsewhere it spins,
 * and nobody's waking it is a message.
 */
static __always_inline bool compat_awaits_spinlock(struct task_struct *t)
{
	return compat_state(t) & 0x1000;
}

static __always_inline __s32 compat_cpu(const struct task_struct *t)
{
	const struct task_struct___thread_info *in = (const void *)t;
	const struct task_struct___cpu *old = (const void *)t;

	if (bpf_core_field_exists(in->thread_info.cpu))
		return in->thread_info.cpu;
	if (bpf_core_field_exists(old->cpu))
		return old->cpu;
	return -1;
}

static __always_inline bool compat_on_cpu(const struct task_struct *t)
{
	const struct task_struct___on_cpu *f = (const void *)t;

	if (!bpf_core_field_exists(f->on_cpu))
		return false;
	return f->on_cpu;
}

/* What a configuration may leave out of a structure. */
#define compat_has_field(field) bpf_core_field_exists(field)

/* x86 counts its address spaces up and never gives a number again. */
#define compat_counts_spaces(mm) bpf_core_field_exists((mm)->context.ctx_id)

/* Of two kernels only one has the helper; the other's verifier never sees the dead call. */
#define compat_has_helper(fn) bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_##fn)

/* The current task, its flags and its mm. */
struct compat_me {
	const struct task_struct *task;
	__u32 flags;
	const struct mm_struct *mm;
};

static __always_inline struct compat_me compat_me(void)
{
	const struct task_struct *me;

	/* 3ca1032ab7ab ("bpf: Implement get_current_task_btf and RET_PTR_TO_BTF_ID", 5.11) */
	if (compat_has_helper(get_current_task_btf)) {
		me = bpf_get_current_task_btf();
		return (struct compat_me){ me, me->flags, me->mm };
	}
	me = (const void *)bpf_get_current_task();
	return (struct compat_me){ me, BPF_CORE_READ(me, flags), BPF_CORE_READ(me, mm) };
}

/*
 * The number of the system call that the current task is in and, where `arg` is not NULL, its
 * first argument; -1 when it is in none. After an interrupt in user mode a vector stands there,
 * below 0 as no call is. -1 also for the calls of 32-bit programs, which have numbers of their own.
 */
static __always_inline __s32 compat_syscall(__u64 *arg)
{
	const struct task_struct *me;
	__u64 status;
	long nr;

	/* dd6e10fbd9fb ("bpf: Add bpf_task_pt_regs() helper", 5.15): its result is of a known type */
	if (compat_has_helper(task_pt_regs)) {
		me = bpf_get_current_task_btf();
		status = ((const ARCH_TASK *)me)->ARCH_CALL_STATUS;
		nr = arch_syscall_of((const void *)bpf_task_pt_regs((void *)me), arg);
	} else {
		me = (const void *)bpf_get_current_task();
		status = BPF_CORE_READ((const ARCH_TASK *)me, ARCH_CALL_STATUS);
		nr = arch_syscall(BPF_CORE_READ(me, stack), arg);
	}
	if (nr >= 0 && nr < 4096 && !(status & ARCH_CALL_OF_32_BITS))
		return (__s32)nr;
	if (arg)
		*arg = 0;
	return -1;
}

/* Bits of preempt_count: NMI, hard interrupt, and one for a soft interrupt being served. */
#define COMPAT_IN_INTERRUPT 0x00ff0100u

/* False also where the kernel does not show the count. */
static __always_inline bool compat_in_interrupt(void)
{
	return arch_preempt_count() & COMPAT_IN_INTERRUPT;
}

#endif
