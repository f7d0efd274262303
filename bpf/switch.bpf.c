// SPDX-License-Identifier: GPL-2.0-only
/*
 * sched_switch, classified by address space and counted in the kernel.
 *
 * One handler serves two wrappers: tp_btf, where the verifier knows the arguments' types, and
 * raw_tp where it does not. The end of a switch is seen by whichever of the last programs this
 * kernel lets attach; the inspector loads one of each kind.
 */
#include "classify.bpf.h"
#include "ids.bpf.h"

const volatile struct mmlens_switch_ask ask = {};

#define MAX_CPUS 4096

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS); /* set to the number of possible CPUs before loading */
	__type(key, __u32);
	__type(value, struct mmlens_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384); /* set from the number of tasks */
	__type(key, __u64);
	__type(value, struct mmlens_entry);
} tasks SEC(".maps");

/* Thread groups asked for, and those born of them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* set by the inspector when events are asked for */
} ring SEC(".maps");

static const struct mmlens_entry blank;

static __always_inline __u64 side_space(const bool direct, struct mm_struct *mm)
{
	if (!mm)
		return 0;
	if (bpf_core_field_exists(mm->context.ctx_id))
		return space_of_ctx(GET(direct, mm, context.ctx_id));
	return keyed_id(&ask.keys, mm);
}

/*
 * The task's own space. A dying task has none any more, and what it holds may be borrowed: 0, and
 * the caller keeps what it knew.
 */
static __always_inline __u64 own_space(const bool direct, struct task_struct *t)
{
	if (GET(direct, t, flags) & PF_KTHREAD)
		return 0;
	return side_space(direct, GET(direct, t, mm));
}

static __always_inline bool is_watched(__u32 tgid)
{
	return bpf_map_lookup_elem(&watched, &tgid);
}

static __always_inline bool wanted(const bool direct, const struct switch_ctx *s)
{
	if (!ask.filter)
		return true;
	return (s->prev_tid && is_watched(GET(direct, s->prev, tgid))) ||
	       (s->next_tid && is_watched(GET(direct, s->next, tgid)));
}

static __always_inline void read_comm(char *comm, const struct task_struct *t)
{
	bpf_core_read(comm, MMLENS_COMM_LEN, &t->comm);
}

static __always_inline struct mmlens_entry *entry_new(const bool direct, const struct switch_ctx *s,
						      __u64 key, __u64 total)
{
	struct mmlens_entry *e;

	/* Too large for the stack beside what else lives there, so copied in two steps. */
	bpf_map_update_elem(&tasks, &key, &blank, BPF_NOEXIST);
	e = bpf_map_lookup_elem(&tasks, &key);
	if (!e)
		return NULL;
	e->start_ns = GET(direct, s->prev, start_boottime);
	e->tgid = GET(direct, s->prev, tgid);
	e->tid = s->prev_tid;
	e->before = total - 1;
	read_comm(e->comm, s->prev);
	return e;
}

/* Counts the switch for the task that leaves; returns why it left. */
static __always_inline enum mmlens_how count_task(const bool direct, const struct switch_ctx *s,
						  struct mmlens_cpu *cpu, enum mmlens_class class)
{
	__u64 nvcsw = GET(direct, s->prev, nvcsw);
	__u64 nivcsw = GET(direct, s->prev, nivcsw);
	__u64 key = mmlens_task_key(s->prev_tid, GET(direct, s->prev, start_boottime));
	struct mmlens_entry *e = bpf_map_lookup_elem(&tasks, &key);
	enum mmlens_how how = switch_how(s, e, nvcsw, nivcsw);
	__u64 space = own_space(direct, s->prev);

	if (!e)
		e = entry_new(direct, s, key, nvcsw + nivcsw);
	cpu->prev_space = space;
	if (!e) {
		cpu->tasks_full++;
		return how;
	}
	/* Another space means an exec, and with it another name. */
	if (space && e->space != space) {
		read_comm(e->comm, s->prev);
		e->space = space;
	}
	cpu->prev_space = e->space;
	e->nvcsw = nvcsw;
	e->nivcsw = nivcsw;
	e->count[class]++;
	e->how[how]++;
	return how;
}

static __always_inline void fill_side(const bool direct, struct mmlens_side *side,
				      struct task_struct *t, __u32 tid, __u64 space)
{
	side->tid = tid;
	side->tgid = GET(direct, t, tgid);
	side->space = space;
	read_comm(side->comm, t);
}

/* The reader is woken by fill level: a wake-up for each event would be switches of its own making. */
#define WAKE_BYTES (256 << 10)

static __always_inline __u64 wake_flags(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= WAKE_BYTES ? BPF_RB_FORCE_WAKEUP
									 : BPF_RB_NO_WAKEUP;
}

static __always_inline void send_event(struct mmlens_cpu *cpu, __u64 cost)
{
	cpu->held = 0;
	cpu->event.cost = cost;
	if (bpf_ringbuf_output(&ring, &cpu->event, sizeof(cpu->event), wake_flags()))
		cpu->ring_full++;
}

static __always_inline void make_event(const bool direct, const struct switch_ctx *s,
				       struct mmlens_cpu *cpu, enum mmlens_class class,
				       enum mmlens_how how)
{
	struct mmlens_ev_switch *ev = &cpu->event;

	ev->ts = s->now;
	ev->cpu = bpf_get_smp_processor_id();
	ev->state = s->state;
	ev->class = class;
	ev->how = how;
	fill_side(direct, &ev->prev, s->prev, s->prev_tid, s->prev_tid ? cpu->prev_space : 0);
	fill_side(direct, &ev->next, s->next, s->next_tid, own_space(direct, s->next));
	cpu->held = 1;
	if (!ask.cost)
		send_event(cpu, 0);
}

static __always_inline void account(const bool direct, const struct switch_ctx *s,
				    struct mmlens_cpu *cpu)
{
	enum mmlens_class class = classify(direct, s);
	enum mmlens_how how = s->preempt ? MMLENS_HOW_PREEMPTED : MMLENS_HOW_VOLUNTARY;

	if (s->prev_tid)
		how = count_task(direct, s, cpu, class);
	if (class >= MMLENS_CLASS_NR || how >= MMLENS_HOW_NR)
		return;
	cpu->count[class][how]++;
	cpu->waiting = class;
	cpu->since = s->now;
	if (ask.events)
		make_event(direct, s, cpu, class, how);
}

static __always_inline int on_switch(const bool direct, bool preempt, struct task_struct *prev,
				     struct task_struct *next)
{
	__u32 id = bpf_get_smp_processor_id();
	struct mmlens_cpu *cpu = bpf_map_lookup_elem(&cpus, &id);
	struct switch_ctx s = {
		.prev = prev,
		.next = next,
		.preempt = preempt,
		.now = bpf_ktime_get_ns(),
	};

	if (!cpu)
		return 0;
	/* A task's first run ends its switch elsewhere: what waited had no end. */
	if (cpu->held)
		send_event(cpu, 0);
	cpu->since = 0;
	s.prev_tid = GET(direct, prev, pid);
	s.next_tid = GET(direct, next, pid);
	s.state = switch_state(direct, prev);
	if (wanted(direct, &s))
		account(direct, &s, cpu);
	return 0;
}

SEC("tp_btf/sched_switch")
int mmlens_switch_btf(__u64 *ctx)
{
	return on_switch(true, ctx[0], (struct task_struct *)ctx[1], (struct task_struct *)ctx[2]);
}

SEC("raw_tp/sched_switch")
int mmlens_switch_raw(struct bpf_raw_tracepoint_args *ctx)
{
	return on_switch(false, ctx->args[0], (void *)ctx->args[1], (void *)ctx->args[2]);
}

/* Global, so that the verifier walks its branches once. */
__noinline __u32 bucket_of(__u64 ns)
{
	return hist_bucket(ns);
}

static __always_inline void add_cost(struct mmlens_cost *cost, __u64 ns)
{
	__u64 at = bucket_of(ns);

	/* The bound must hold for the register that is added, not for one the compiler made of it. */
	barrier_var(at);
	if (at >= HIST_BUCKETS)
		return;
	cost->n++;
	cost->sum += ns;
	cost->bucket[at]++;
	if (ns > cost->max)
		cost->max = ns;
}

static __always_inline int on_end(void)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 id = bpf_get_smp_processor_id();
	struct mmlens_cpu *cpu = bpf_map_lookup_elem(&cpus, &id);
	__u64 ns, class;

	if (!cpu || !cpu->since)
		return 0;
	ns = now - cpu->since;
	cpu->since = 0;
	class = cpu->waiting;
	barrier_var(class);
	if (class < MMLENS_CLASS_NR)
		add_cost(&cpu->cost[class], ns);
	if (cpu->held)
		send_event(cpu, ns);
	return 0;
}

SEC("tp_btf/sched_exit_tp")
int mmlens_end_exit_tp(__u64 *ctx)
{
	return on_end();
}

SEC("fentry/finish_task_switch")
int mmlens_end_fentry(__u64 *ctx)
{
	return on_end();
}

SEC("kprobe")
int mmlens_end_kprobe(struct pt_regs *ctx)
{
	return on_end();
}

/*
 * x86 tells each load of an address space by itself (TLB_FLUSH_ON_TASK_SWITCH is 0), and by `pages`
 * whether the TLB had to be flushed for it. Outside a counted switch it is an exec or a loan.
 */
SEC("tp_btf/tlb_flush")
int mmlens_tlb(__u64 *ctx)
{
	__u32 id = bpf_get_smp_processor_id();
	struct mmlens_cpu *cpu = bpf_map_lookup_elem(&cpus, &id);

	if (!cpu || !cpu->since || (__s32)ctx[0] != 0)
		return 0;
	cpu->tlb_loads++;
	if (ctx[1])
		cpu->tlb_flushed++;
	return 0;
}

static __always_inline int on_fork(const bool direct, struct task_struct *parent,
				   struct task_struct *child)
{
	__u32 tgid = GET(direct, child, tgid);

	if (is_watched(GET(direct, parent, tgid)))
		bpf_map_update_elem(&watched, &tgid, &tgid, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int mmlens_fork_btf(__u64 *ctx)
{
	return on_fork(true, (struct task_struct *)ctx[0], (struct task_struct *)ctx[1]);
}

SEC("raw_tp/sched_process_fork")
int mmlens_fork_raw(struct bpf_raw_tracepoint_args *ctx)
{
	return on_fork(false, (void *)ctx->args[0], (void *)ctx->args[1]);
}

/* The command is watched from here on, so that its measure begins with its own program. */
SEC("raw_tp/sched_process_exec")
int mmlens_exec_raw(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (ask.command && tgid == ask.command)
		bpf_map_update_elem(&watched, &tgid, &tgid, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
