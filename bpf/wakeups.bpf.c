// SPDX-License-Identifier: GPL-2.0-only
/* Who wakes whom, from which system call, and who signals whom, counted by pair. */
#include "compat.bpf.h"
#include "ids.bpf.h"
#include "mmlens_wakeups.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 watched[2]; /* tgids in the namespace below; 0: any */
const volatile __u32 ns_inum;	 /* the reader's pid namespace, 0: the initial one */

__u64 lost;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WAKEUPS_MAX);
	__type(key, struct wakeup_key);
	__type(value, __u64);
} wakeups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SIGNALS_MAX);
	__type(key, struct signal_key);
	__type(value, __u64);
} signals SEC(".maps");

static __always_inline bool wanted(__u32 waker, __u32 wakee)
{
	__u32 a = watched[0], b = watched[1];

	if (b)
		return (waker == a && wakee == b) || (waker == b && wakee == a);
	return waker == a || wakee == a;
}

static __always_inline void count(void *map, const void *key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(map, key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(map, key, &one, BPF_NOEXIST))
		__sync_fetch_and_add(&lost, 1);
}

SEC("tp_btf/sched_waking")
int mmlens_waking(__u64 *ctx)
{
	struct task_struct *p = (struct task_struct *)ctx[0];
	const struct task_struct *me = (const void *)bpf_get_current_task();
	const void *mm = BPF_CORE_READ(me, mm);
	struct wakeup_key k = { 0 };

	k.waker = tgid_in_ns(me, ns_inum);
	k.wakee = tgid_in_ns(p, ns_inum);
	if (!wanted(k.waker, k.wakee) || compat_awaits_spinlock(p))
		return 0;
	k.same = mm && mm == p->mm;
	k.nr = compat_syscall(&k.arg);
	count(&wakeups, &k);
	return 0;
}

/* The kernel passes 0 for "a user's" and 1 for "the kernel's" where it has nothing more to say. */
static __always_inline __s32 code_of(const struct kernel_siginfo *info)
{
	if ((__u64)info <= 1)
		return (__u64)info ? 0x80 : 0;
	return BPF_CORE_READ(info, si_code);
}

SEC("tp_btf/signal_generate")
int mmlens_signal(__u64 *ctx)
{
	struct task_struct *p = (struct task_struct *)ctx[2];
	const struct task_struct *me = (const void *)bpf_get_current_task();
	struct signal_key k = { 0 };

	k.sender = tgid_in_ns(me, ns_inum);
	k.receiver = tgid_in_ns(p, ns_inum);
	if (!wanted(k.sender, k.receiver))
		return 0;
	k.signo = (__s32)ctx[0];
	k.code = code_of((const void *)ctx[1]);
	count(&signals, &k);
	return 0;
}
