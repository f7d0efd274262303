/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for kernel objects that are comparable and are no addresses. */
#ifndef MMLENS_IDS_BPF_H
#define MMLENS_IDS_BPF_H

#include "compat.bpf.h"
#include "mmlens_event.h"

/* The space of no user: on x86 init_mm is born with this ctx_id (INIT_MM_CONTEXT). */
#define INIT_MM_CTX_ID 1

static __always_inline __u64 mix64(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

/*
 * A keyed permutation (two rounds of Even-Mansour): distinct objects never collide, and without
 * the keys, which live as long as the inspector's run, an id says nothing about the address.
 */
static __always_inline __u64 keyed_id(const volatile struct mmlens_keys *keys, const void *obj)
{
	__u64 x = (__u64)obj;

	if (!obj)
		return 0;
	/* The verifier lets nobody mix a pointer that it knows, but negated it takes it for a number. */
	asm volatile("%0 = -%0" : "+r"(x));
	x = mix64(x ^ keys->k[0]);
	x = mix64(x ^ keys->k[1]);
	return x ^ keys->k[2];
}

/* Of an mm whose ctx_id was read by the caller's own cheapest way. */
static __always_inline __u64 space_of_ctx(__u64 ctx_id)
{
	return ctx_id == INIT_MM_CTX_ID ? 0 : ctx_id;
}

static __always_inline __u64 space_id(const volatile struct mmlens_keys *keys,
				      const struct mm_struct *mm)
{
	if (!mm)
		return 0;
	if (compat_counts_spaces(mm))
		return space_of_ctx(BPF_CORE_READ(mm, context.ctx_id));
	return keyed_id(keys, mm);
}

/* linux/pid_namespace.h: MAX_PID_NS_LEVEL */
#define PID_NS_LEVELS 32

/*
 * The number of a task in the pid namespace `inum`, 0: the initial one; 0 when the task is not in
 * there. How deep that namespace lies is found here: to whoever has a /proc of his own no file says.
 */
static __always_inline __u32 nr_in_ns(const struct task_struct *t, __u32 inum)
{
	const struct pid *pid = BPF_CORE_READ(t, thread_pid);
	__u32 deepest;

	if (!inum)
		return BPF_CORE_READ(t, pid);
	if (!pid)
		return 0;
	deepest = BPF_CORE_READ(pid, level);
	for (__u32 i = 1; i <= PID_NS_LEVELS && i <= deepest; i++) {
		const struct upid *upid = (const void *)((const char *)&pid->numbers[0] +
							 i * bpf_core_type_size(struct upid));

		if (BPF_CORE_READ(upid, ns, ns.inum) == inum)
			return BPF_CORE_READ(upid, nr);
	}
	return 0;
}

/* The same of its process. */
static __always_inline __u32 tgid_in_ns(const struct task_struct *t, __u32 inum)
{
	return inum ? nr_in_ns(BPF_CORE_READ(t, group_leader), inum) : BPF_CORE_READ(t, tgid);
}

#endif
