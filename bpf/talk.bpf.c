// SPDX-License-Identifier: GPL-2.0-only
/* What the system calls of named tasks carried: for the copies that a message takes. */
#include "compat.bpf.h"
#include "mmlens_talk.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TALK_MAX);
	__type(key, struct talk_key);
	__type(value, struct talk_count);
} talk SEC(".maps");

static __always_inline bool named(const char *comm)
{
	static const char prefix[] = TALK_PREFIX;

	for (int i = 0; i < (int)sizeof(prefix) - 1; i++)
		if (comm[i] != prefix[i])
			return false;
	return true;
}

SEC("tp_btf/sys_exit")
int mmlens_talk(__u64 *ctx)
{
	long returned = (long)ctx[1];
	struct talk_key k = { 0 };
	struct talk_count zero = { 0 }, *n;
	__u64 first;
	__s32 nr;

	if (bpf_get_current_comm(k.comm, sizeof(k.comm)) || !named(k.comm) || returned < 0)
		return 0;
	nr = compat_syscall(&first);
	if (nr < 0)
		return 0;
	k.nr = (__u32)nr;
	n = bpf_map_lookup_elem(&talk, &k);
	if (!n) {
		bpf_map_update_elem(&talk, &k, &zero, BPF_NOEXIST);
		n = bpf_map_lookup_elem(&talk, &k);
	}
	if (!n)
		return 0;
	__sync_fetch_and_add(&n->calls, 1);
	__sync_fetch_and_add(&n->returned, (__u64)returned);
	__sync_fetch_and_add(&n->third, arch_third_argument((const void *)ctx[0]));
	return 0;
}
