// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who breaks what fork shared. A write to a page that is present but not writable traps; if the
 * kernel then takes a page without zeroing it, it copies, and if not, the writer was the last who
 * had it and keeps it. Both ends are tracepoints that exist on x86 from 5.10 on, and need neither
 * kprobes nor ftrace: exceptions:page_fault_{user,kernel} and kmem:mm_page_alloc.
 */
#include "compat.bpf.h"
#include "ids.bpf.h"
#include "mmlens_faults.h"

char LICENSE[] SEC("license") = "GPL";

/* arch/x86/include/asm/trap_pf.h */
#define FAULT_PRESENT 1
#define FAULT_WRITE   2
/* include/linux/gfp_types.h, the same since 5.10: what tells a copy from page tables and zeroes */
#define GFP_MOVABLE 0x08
#define GFP_ZERO    0x100

#define USER_HALF   (1ULL << 63)

const volatile bool want_stacks;
const volatile __u32 ns_inum; /* the reader's pid namespace; 0: the initial one */
const volatile __u32 page_size = 4096;

__u64 lost; /* copies for which there was no room */

/* A write fault that may become a copy; `ip` still in place says that it is not over. */
struct pending {
	__u64 address;
	__u64 regs;
	__u64 ip;
};

/* The oldest go: dead children are never taken out, and the reader renews the living. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FAULTS_WATCHED);
	__type(key, __u32);
	__type(value, __u8);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct pending);
} writes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FAULTS_KEYS);
	__type(key, struct fault_key);
	__type(value, __u64);
} copies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, FAULTS_STACKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FAULTS_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

static __always_inline int on_fault(__u64 *ctx)
{
	const void *regs = (const void *)ctx[1];
	struct pending p = { .address = ctx[0], .regs = (__u64)regs };
	__u64 both = FAULT_PRESENT | FAULT_WRITE, id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, tid = (__u32)id;

	if (ns_inum)
		tgid = tgid_in_ns((const void *)bpf_get_current_task(), ns_inum);
	if (p.address & USER_HALF || !bpf_map_lookup_elem(&watched, &tgid))
		return 0;
	if ((ctx[2] & both) != both) {
		bpf_map_delete_elem(&writes, &tid);
		return 0;
	}
	p.ip = arch_user_ip(regs);
	bpf_map_update_elem(&writes, &tid, &p, BPF_ANY);
	return 0;
}

SEC("tp_btf/page_fault_user")
int mmlens_fault_user(__u64 *ctx)
{
	return on_fault(ctx);
}

/* The kernel writing for a task: read(2) into a buffer that fork shared. */
SEC("tp_btf/page_fault_kernel")
int mmlens_fault_kernel(__u64 *ctx)
{
	return on_fault(ctx);
}

/* A child is watched from its first write on. */
SEC("tp_btf/sched_process_fork")
int mmlens_fork(__u64 *ctx)
{
	const struct task_struct *parent = (const void *)ctx[0], *child = (const void *)ctx[1];
	__u32 from = tgid_in_ns(parent, ns_inum), to = tgid_in_ns(child, ns_inum);
	__u8 yes = 1;

	if (from != to && bpf_map_lookup_elem(&watched, &from))
		bpf_map_update_elem(&watched, &to, &yes, BPF_ANY);
	return 0;
}

static __always_inline void count(const struct fault_key *k)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&copies, k);

	if (n)
		__sync_fetch_and_add(n, 1);
	else if (bpf_map_update_elem(&copies, k, &one, BPF_NOEXIST))
		__sync_fetch_and_add(&lost, 1);
}

/* The fault of this task that the page just taken is for. */
static __always_inline struct pending *copying(__u64 *ctx, __u32 tid)
{
	const void *regs;
	struct pending *p;

	/* order 0, and neither a page table nor a page of zeroes */
	if (ctx[1] || !(ctx[2] & GFP_MOVABLE) || ctx[2] & GFP_ZERO)
		return NULL;
	p = bpf_map_lookup_elem(&writes, &tid);
	if (!p)
		return NULL;
	regs = (const void *)p->regs;
	return arch_user_ip(regs) == p->ip ? p : NULL;
}

static __always_inline void begin_key(__u64 *ctx, struct fault_key *k, const struct pending *p)
{
	const struct task_struct *me = (const void *)bpf_get_current_task();

	k->tgid = tgid_in_ns(me, ns_inum);
	k->tid = nr_in_ns(me, ns_inum);
	k->place = p->address & ~(__u64)(page_size - 1);
	k->stack = want_stacks ? bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK) : -1;
}

static long take_start(struct task_struct *t, struct vm_area_struct *vma, void *data)
{
	((struct fault_key *)data)->place = BPF_CORE_READ(vma, vm_start);
	return 0;
}

static __always_inline int on_alloc(__u64 *ctx, bool find_vma)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct pending *p = copying(ctx, tid);
	struct fault_key k = { 0 };

	if (!p)
		return 0;
	begin_key(ctx, &k, p);
	if (find_vma)
		bpf_find_vma(bpf_get_current_task_btf(), p->address, take_start, &k, 0);
	count(&k);
	bpf_map_delete_elem(&writes, &tid);
	return 0;
}

SEC("tp_btf/mm_page_alloc")
int mmlens_copy(__u64 *ctx)
{
	return on_alloc(ctx, false);
}

/* A program of its own, because kernels without bpf_find_vma() (5.17) refuse its callbacks. */
SEC("tp_btf/mm_page_alloc")
int mmlens_copy_vma(__u64 *ctx)
{
	return on_alloc(ctx, true);
}
