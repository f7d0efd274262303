// SPDX-License-Identifier: GPL-2.0-only
/* Who wakes whom, from which system call, counted by pair. */
#include "compat.bpf.h"
#include "mmlens_wakeups.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 watched[2]; /* tgids; 0: any */

__u64 lost;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WAKEUPS_MAX);
	__type(key, struct wakeup_key);
	__type(value, __u64);
} wakeups SEC(".maps");

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
	k.nr = compat_syscall(&k.arg);
	n = bpf_map_lookup_elem(&wakeups, &k);
	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&wakeups, &k, &one, BPF_NOEXIST))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
