// SPDX-License-Identifier: GPL-2.0-only
/* Who wakes whom, from which system call, counted by pair. */
#include "compat.bpf.h"
#include "mmlens_wakeups.h"

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs___x86 {
	unsigned long orig_ax;
	unsigned long di;
};

struct pt_regs___arm64 {
	__s32 syscallno;
	__u64 orig_x0;
};
#pragma clang attribute pop

const volatile __u32 watched[2]; /* tgids; 0: any */

__u64 lost;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WAKEUPS_MAX);
	__type(key, struct wakeup_key);
	__type(value, __u64);
} wakeups SEC(".maps");

/* A wake-up out of an interrupt in user mode has a vector there: below 0, as no call is. */
static __always_inline void read_call(struct wakeup_key *k, const struct task_struct *t)
{
	const struct pt_regs___x86 *x86 = NULL;
	const struct pt_regs___arm64 *arm = NULL;
	const void *regs;
	long nr = -1;

	k->nr = -1;
	if (!compat_has_helper(task_pt_regs))
		return;
	regs = (const void *)bpf_task_pt_regs((struct task_struct *)t);
	if (bpf_core_field_exists(x86->orig_ax)) {
		x86 = regs;
		nr = (long)BPF_CORE_READ(x86, orig_ax);
		k->arg = BPF_CORE_READ(x86, di);
	} else if (bpf_core_field_exists(arm->syscallno)) {
		arm = regs;
		nr = BPF_CORE_READ(arm, syscallno);
		k->arg = BPF_CORE_READ(arm, orig_x0);
	}
	k->nr = nr >= 0 && nr < 4096 ? (__s32)nr : -1;
	if (k->nr < 0)
		k->arg = 0;
}

static __always_inline bool wanted(__u32 waker, __u32 wakee)
{
	__u32 a = watched[0], b = watched[1];

	if (b)
		return (waker == a && wakee == b) || (waker == b && wakee == a);
	return waker == a || wakee == a;
}

SEC("tp_btf/sched_waking")
int mmlens_waking(__u64 *ctx)
{
	struct task_struct *p = (struct task_struct *)ctx[0];
	struct task_struct *me = bpf_get_current_task_btf();
	struct wakeup_key k = { 0 };
	__u64 one = 1, *n;

	k.waker = me->tgid;
	k.wakee = p->tgid;
	if (!wanted(k.waker, k.wakee))
		return 0;
	k.same = me->mm && me->mm == p->mm;
	read_call(&k, me);
	n = bpf_map_lookup_elem(&wakeups, &k);
	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&wakeups, &k, &one, BPF_NOEXIST))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
