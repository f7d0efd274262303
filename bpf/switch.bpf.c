// SPDX-License-Identifier: GPL-2.0-only
/*
 * sched_switch, classified by address space and counted in the kernel; and, when asked for, the
 * stream of switches, wake-ups, births, execs and exits.
 *
 * tp_btf is all that is needed: it came before anything else used here, and needs the BTF without
 * which nothing of this could be loaded. The end of a switch is seen by whichever of the programs
 * for it this kernel lets attach; the inspector loads one of them.
 */
#include "classify.bpf.h"
#include "stream.bpf.h"
#include "views.bpf.h"

/* Thread groups asked for, and those born of them: when their leader was born; 0: not known yet. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set when processes are asked for */
	__type(key, __u32);
	__type(value, __u64);
} watched SEC(".maps");

static __always_inline __u64 group_start(const struct task_struct *t)
{
	return BPF_CORE_READ(t, group_leader, start_boottime);
}

/* Another process may have the pid of one that was watched and has ended: the start tells. */
static __always_inline bool is_watched(const struct task_struct *t)
{
	__u32 tgid = tgid_in_ns(t, ask.ns_inum);
	__u64 *start = tgid ? bpf_map_lookup_elem(&watched, &tgid) : NULL;

	if (!start)
		return false;
	/* the inspector named it because it was there a moment ago */
	if (!*start)
		*start = group_start(t);
	return *start == group_start(t);
}

/* False: there is no room. */
static __always_inline bool watch(const struct task_struct *t)
{
	__u32 tgid = tgid_in_ns(t, ask.ns_inum);
	__u64 start = group_start(t);

	return !bpf_map_update_elem(&watched, &tgid, &start, BPF_ANY);
}

static __always_inline bool side_wanted(const struct task_struct *t)
{
	return (!asked(FILTER) || is_watched(t)) && (!(asked(WANTS) & WANTS_OF_SIDE) || passes(t));
}

static __always_inline bool cpu_wanted(void)
{
	return !(asked(WANTS) & 1u << MMLENS_WANT_CPU) ||
	       is_wanted(MMLENS_WANT_CPU, bpf_get_smp_processor_id(), 0);
}

static __always_inline bool chooses_sides(void)
{
	return asked(FILTER) || (asked(WANTS) & WANTS_OF_SIDE);
}

/* One side must pass all filters but that of the CPU, which is the switch's own. */
static __always_inline bool wanted(const struct switch_ctx *s)
{
	if (!cpu_wanted())
		return false;
	if (!chooses_sides())
		return true;
	return (s->prev_tid && side_wanted(s->prev)) || (s->next_tid && side_wanted(s->next));
}

/*
 * The task's own space, from sight. A dying task has given it back, but where nothing else has been
 * loaded since, its space is still there.
 */
static __always_inline __u64 side_space(const struct mm_struct *mm)
{
	if (!mm)
		return 0;
	if (compat_counts_spaces(mm))
		return space_of_ctx(mm->context.ctx_id);
	return keyed_id(&ask.keys, mm);
}

static __always_inline __u64 prev_space(const struct switch_ctx *s)
{
	if (s->prev->flags & PF_KTHREAD)
		return 0;
	if (s->prev->mm)
		return side_space(s->prev->mm);
	return s->prev_borrows ? 0 : side_space(s->prev->active_mm);
}

static __always_inline __u64 next_space(const struct switch_ctx *s)
{
	return !s->next_tid || (s->next->flags & PF_KTHREAD) ? 0 : side_space(s->next->mm);
}

/* A dying task comes back and another space than its own is loaded. Rare, so it may look it up. */
static __always_inline bool next_borrows(const struct switch_ctx *s)
{
	struct mmlens_entry *e;
	__u64 key;

	if (!s->next_tid || (s->next->flags & PF_KTHREAD) || s->next->mm)
		return false;
	key = mmlens_task_key(s->next_tid, s->next->start_boottime);
	e = entry_find(key);
	return !e || !e->space || e->space != side_space(s->prev->active_mm);
}

/*
 * Not so when switches were not seen in between: a sandbox or security module may hide those of the
 * tasks that it guards.
 */
static __always_inline bool came_last(const struct mmlens_cpu *cpu, const void *task)
{
	return cpu->came == (__u64)task;
}

/* The entry of the task that leaves; `*first`: until now nobody had seen it. */
static __always_inline struct mmlens_entry *prev_entry(const struct switch_ctx *s,
						       struct mmlens_cpu *cpu, bool *first)
{
	__u64 key = mmlens_task_key(s->prev_tid, s->prev->start_boottime);
	struct mmlens_entry *e = entry_near(cpu, s->prev_tid, key);

	*first = !e;
	if (e)
		return e;
	e = entry_new(s->prev, key);
	/* the kernel has counted this switch already */
	if (e)
		e->before--;
	return e;
}

static __always_inline void count_task(const struct switch_ctx *s, struct mmlens_entry *e,
				       enum mmlens_class class, enum mmlens_how how)
{
	__u64 space = prev_space(s);

	/* Another space means an exec, and with it another name. */
	if (space && e->space != space) {
		read_comm(e->comm, s->prev);
		e->space = space;
	}
	e->nvcsw = s->prev->nvcsw;
	e->nivcsw = s->prev->nivcsw;
	e->count[class]++;
	e->how[how]++;
	if (asked(CGROUPS))
		e->cgroup = cgroup_of(s->prev);
}

static __always_inline struct mmlens_entry *next_entry(const struct switch_ctx *s,
						       struct mmlens_cpu *cpu)
{
	__u64 key = mmlens_task_key(s->next_tid, s->next->start_boottime);
	struct mmlens_entry *e = entry_near(cpu, s->next_tid, key);

	return e ? e : entry_new(s->next, key);
}

static __always_inline void record(const struct switch_ctx *s, struct mmlens_cpu *cpu,
				   struct mmlens_entry *prev, enum mmlens_class class,
				   enum mmlens_how how)
{
	__u32 from = s->prev_tid ? number(cpu, prev) : 0;
	__u32 to = s->next_tid ? number_near(cpu, s->next) : 0;
	struct mmlens_rec *r = batch_next(cpu);

	cpu->running = to == MMLENS_NOBODY ? 0 : to;
	if (!r)
		return;
	r->ts = s->now;
	r->from = from;
	r->to = to;
	r->cost = 0;
	r->more = s->state;
	r->kind = MMLENS_REC_SWITCH;
	r->flags = class | how << 4;
	if (cpu->since)
		cpu->batch.held = cpu->batch.head.n;
	else
		batch_sent_if_full(cpu);
}

/*
 * Reading the clock is half of what stat costs. At a high rate the first switches of a class on a
 * CPU are all timed, then one of eight.
 */
static __always_inline bool is_timed(struct mmlens_cpu *cpu, enum mmlens_class class)
{
	__u32 n;

	if (asked(EVERY) || cpu->timing == MMLENS_TIMING_EVERY)
		return true;
	if (cpu->timing == MMLENS_TIMING_OFF)
		return false;
	n = cpu->seen[class]++;
	return n < MMLENS_TIMED_ALL || n % MMLENS_TIMED_EACH == 0;
}

/* Whoever came by a switch that was not chosen waits no more. */
static __always_inline void forget_wait(const struct switch_ctx *s)
{
	struct mmlens_entry *e = entry_find(mmlens_task_key(s->next_tid, s->next->start_boottime));

	if (e)
		e->left_at = 0;
}

/*
 * Times are told of the tasks that were chosen, not of those that they made way for or took the CPU
 * from: of these not every switch is seen. And of the waits of a task those that began and ended
 * with a switch that was chosen.
 */
static __always_inline void follow_waits(const struct switch_ctx *s, struct mmlens_cpu *cpu,
					 struct mmlens_entry *prev, enum mmlens_how how)
{
	if (prev && (!chooses_sides() || side_wanted(s->prev))) {
		if (s->ran_since)
			prev->on_cpu += s->now - s->ran_since;
		wait_begins(s, prev, how);
	}
	if (!s->next_tid)
		return;
	if (!chooses_sides() || side_wanted(s->next))
		wait_ends(s, next_entry(s, cpu));
	else
		forget_wait(s);
}

/* Whether it is counted. */
static __always_inline bool account(struct switch_ctx *s, struct mmlens_cpu *cpu)
{
	enum mmlens_class class = classify(s);
	enum mmlens_how how = s->preempt ? MMLENS_HOW_PREEMPTED : MMLENS_HOW_VOLUNTARY;
	struct mmlens_entry *e = NULL;
	bool first, timed;

	if (asked(CLASSES) && !(asked(CLASSES) & 1u << class))
		return false;
	if (s->prev_tid) {
		e = prev_entry(s, cpu, &first);
		how = switch_how(s, first ? NULL : e, s->prev->nvcsw, s->prev->nivcsw);
	}
	if (class >= MMLENS_CLASS_NR || how >= MMLENS_HOW_NR)
		return false;
	if (e)
		count_task(s, e, class, how);
	else if (s->prev_tid)
		cpu->tasks_full++;
	cpu->count[class][how]++;
	if (asked(TLB))
		cpu->leaving = (__u64)s->prev;
	if (asked(DELAYS))
		follow_waits(s, cpu, e, how);
	if (asked(PAIRS))
		count_pair(s, cpu, s->prev_tid ? prev_space(s) : 0, next_space(s), class);
	timed = asked(COST) && is_timed(cpu, class);
	if (!timed && !asked(EVENTS))
		return true;
	/* What was counted until here is our doing and no part of the cost. */
	s->now = bpf_ktime_get_ns();
	if (timed) {
		cpu->waiting = class;
		cpu->since = s->now;
	}
	if (asked(EVENTS))
		record(s, cpu, e, class, how);
	return true;
}

SEC("tp_btf/sched_switch")
int mmlens_switch(__u64 *ctx)
{
	struct mmlens_cpu *cpu = this_cpu();
	struct switch_ctx s = {
		.prev = (struct task_struct *)ctx[1],
		.next = (struct task_struct *)ctx[2],
		.preempt = ctx[0],
		.now = asked(DELAYS) ? bpf_ktime_get_ns() : 0,
	};
	bool seen;

	if (!cpu)
		return 0;
	/* A task's first run ends its switch elsewhere: what waited had no end. */
	if (asked(EVENTS) && asked(COST))
		batch_release(cpu, 0);
	cpu->since = 0;
	if (asked(TLB))
		cpu->leaving = 0;
	if (asked(EVENTS))
		cpu->running = 0;
	s.prev_tid = s.prev->pid;
	s.next_tid = s.next->pid;
	s.state = compat_state(s.prev);
	/* or what is known of who runs here is not prev's */
	seen = came_last(cpu, s.prev);
	cpu->came = (__u64)s.next;
	if (asked(DELAYS)) {
		s.ran_since = seen ? cpu->ran_since : 0;
		cpu->ran_since = s.now;
	}
	s.prev_borrows = seen && cpu->borrows;
	s.next_borrows = next_borrows(&s);
	cpu->borrows = s.next_borrows;
	if (!(wanted(&s) && account(&s, cpu)) && asked(DELAYS))
		forget_wait(&s);
	return 0;
}

static __always_inline int on_end(void)
{
	struct mmlens_cpu *cpu = this_cpu();
	__u64 ns, class;

	/* most switches are not timed, and the clock is the dearest part */
	if (!cpu || !cpu->since)
		return 0;
	if (!came_last(cpu, (const void *)bpf_get_current_task())) {
		cpu->since = 0;
		return 0;
	}
	ns = bpf_ktime_get_ns() - cpu->since;
	/* in the stream 0 is a cost that was not seen */
	ns += !ns;
	cpu->since = 0;
	class = cpu->waiting;
	barrier_var(class);
	if (asked(EVENTS) && !batch_release(cpu, ns))
		return 0;
	if (class < MMLENS_CLASS_NR)
		add_cost(&cpu->cost[class], ns);
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
 * whether the TLB had to be flushed for it. Outside a counted switch it is an exec or a loan: who
 * leaves is the current task until the switch is done.
 */
SEC("tp_btf/tlb_flush")
int mmlens_tlb(__u64 *ctx)
{
	struct mmlens_cpu *cpu = this_cpu();

	if (!cpu || cpu->leaving != bpf_get_current_task() || (__s32)ctx[0] != 0)
		return 0;
	cpu->tlb_loads++;
	if (ctx[1])
		cpu->tlb_flushed++;
	return 0;
}

/* ---- what the stream tells beside switches ---- */

/*
 * Who causes what is told: the task that runs here. From within an interrupt it is whom the
 * interrupt met, and said to be so.
 */
static __always_inline struct mmlens_entry *current_entry(void)
{
	return bpf_get_current_pid_tgid() ? entry_of((const void *)bpf_get_current_task()) : NULL;
}

static __always_inline __u32 current_number(struct mmlens_cpu *cpu)
{
	return bpf_get_current_pid_tgid() ? number(cpu, current_entry()) : 0;
}

static __always_inline bool pair_wanted(const struct task_struct *a, const struct task_struct *b)
{
	return cpu_wanted() && (side_wanted(a) || side_wanted(b));
}

struct wake {
	__u32 from;
	__u32 to;
	__u8 flags;
	bool in_call; /* it may be looked up */
};

/* Most often the last switch here has left word of who runs. */
static __always_inline struct wake wake_of(struct mmlens_cpu *cpu, const struct task_struct *p,
					   const struct compat_me *me, __u8 context)
{
	bool user = !(me->flags & PF_KTHREAD);
	struct wake w = {
		.from = cpu->running && came_last(cpu, me->task) ? (__u32)cpu->running :
								   current_number(cpu),
		.to = number_near(cpu, p),
		.flags = context,
	};

	if (user && me->mm && me->mm == p->mm && !(p->flags & PF_KTHREAD))
		w.flags |= MMLENS_WAKE_SAME;
	w.in_call = user && !(context & MMLENS_WAKE_IRQ);
	return w;
}

static __always_inline void fill_wake(struct mmlens_rec *r, const struct wake *w)
{
	__s32 nr = w->in_call ? compat_syscall(NULL) : -1;

	r->ts = bpf_ktime_get_ns();
	r->from = w->from;
	r->to = w->to;
	r->cost = 0;
	r->kind = MMLENS_REC_WAKE;
	r->flags = w->flags;
	r->more = nr < 0 ? 0 : nr;
	if (nr >= 0)
		r->flags |= MMLENS_WAKE_IN_CALL;
}

/* While the batch of this CPU is sent, what interrupts that goes a way of its own. */
static __always_inline void send_alone(struct mmlens_cpu *cpu, const struct wake *w)
{
	struct {
		struct mmlens_msg head;
		struct mmlens_rec rec;
	} *m = bpf_ringbuf_reserve(&ring, sizeof(*m), 0);

	if (!m) {
		count_lost(cpu, 1);
		return;
	}
	fill_head(&m->head, cpu, MMLENS_MSG_BATCH, 1);
	fill_wake(&m->rec, w);
	message_send(m);
}

/*
 * Interrupts are off here but where a task wakes itself, that is, had not slept yet: of no
 * interest, and left out.
 */
static __always_inline int on_waking(struct task_struct *p, __u8 context)
{
	struct mmlens_cpu *cpu = this_cpu();
	struct compat_me me;
	struct mmlens_rec *r;
	struct wake w;

	if (!cpu || !cpu->all_watch)
		return 0;
	me = compat_me();
	if (p == me.task || !pair_wanted(p, me.task))
		return 0;
	w = wake_of(cpu, p, &me, context);
	if (cpu->batch.sending) {
		send_alone(cpu, &w);
		return 0;
	}
	r = batch_next(cpu);
	if (!r)
		return 0;
	fill_wake(r, &w);
	batch_sent_if_full(cpu);
	return 0;
}

SEC("tp_btf/sched_waking")
int mmlens_waking(__u64 *ctx)
{
	return on_waking((struct task_struct *)ctx[0],
			 compat_in_interrupt() ? MMLENS_WAKE_IRQ : MMLENS_WAKE_TASK);
}

/* For kernels that have the count of interrupts, but do not say where (no CONFIG_KALLSYMS_ALL). */
SEC("tp_btf/sched_waking")
int mmlens_waking_plain(__u64 *ctx)
{
	return on_waking((struct task_struct *)ctx[0], 0);
}

/* For delays alone: of tasks that are not in the table nobody has seen the beginning of the wait. */
SEC("tp_btf/sched_waking")
int mmlens_woken(__u64 *ctx)
{
	struct task_struct *p = (struct task_struct *)ctx[0];
	struct mmlens_entry *e = entry_find(mmlens_task_key(p->pid, p->start_boottime));

	if (e && e->left_at && !e->woken_at)
		e->woken_at = bpf_ktime_get_ns();
	return 0;
}

/* Every birth passes here, with its flags: fork, vfork, clone, kernel threads and workers. */
SEC("tp_btf/task_newtask")
int mmlens_newtask(__u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[0];
	const struct task_struct *me = (const void *)bpf_get_current_task();
	struct mmlens_cpu *cpu = this_cpu();
	struct mmlens_ev_fork *m;
	__u32 from, to;

	if (asked(FILTER)) {
		if (!is_watched(me))
			return 0;
		/* without room it is one of whom nothing will be seen */
		bool followed = watch(child);

		if (cpu)
			__sync_fetch_and_add(followed ? &cpu->born : &cpu->tasks_full, 1);
	}
	if (!asked(EVENTS) || !cpu || !cpu->all_watch || !pair_wanted(me, child))
		return 0;
	from = current_number(cpu);
	to = number(cpu, entry_of(child));
	m = message_new(cpu, struct mmlens_ev_fork, MMLENS_MSG_FORK);
	if (!m)
		return 0;
	m->ts = bpf_ktime_get_ns();
	m->flags = ctx[1];
	m->parent = from;
	m->child = to;
	message_send(m);
	return 0;
}

/* The command is watched from here on, so that its measure begins with its own program. */
SEC("tp_btf/sched_process_exec")
int mmlens_exec(__u64 *ctx)
{
	struct task_struct *t = (struct task_struct *)ctx[0];
	struct mmlens_cpu *cpu = this_cpu();
	struct mmlens_ev_exec *m;
	struct mmlens_entry *e;
	__u32 id;

	if (ask.command && tgid_in_ns(t, ask.ns_inum) == ask.command)
		watch(t);
	if (!asked(EVENTS) || !cpu || !cpu->all_watch || !cpu_wanted() || !side_wanted(t))
		return 0;
	/* one that is no leader has another tid from here on */
	cpu->running = 0;
	e = entry_of(t);
	if (!e)
		return 0;
	e->space = space_of(t);
	read_comm(e->comm, t);
	id = number(cpu, e);
	m = message_new(cpu, struct mmlens_ev_exec, MMLENS_MSG_EXEC);
	if (!m)
		return 0;
	m->ts = bpf_ktime_get_ns();
	m->space = e->space;
	m->task = id;
	m->was = ctx[1];
	__builtin_memcpy(m->comm, e->comm, sizeof(m->comm));
	message_send(m);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int mmlens_exit(__u64 *ctx)
{
	struct task_struct *t = (struct task_struct *)ctx[0];
	struct mmlens_cpu *cpu = this_cpu();
	struct mmlens_ev_exit *m;
	__u32 id;

	if (!cpu || !cpu->all_watch || !cpu_wanted() || !side_wanted(t))
		return 0;
	id = number(cpu, entry_of(t));
	m = message_new(cpu, struct mmlens_ev_exit, MMLENS_MSG_EXIT);
	if (!m)
		return 0;
	m->ts = bpf_ktime_get_ns();
	m->task = id;
	m->code = t->exit_code;
	m->last = BPF_CORE_READ(t, signal, live.counter) == 0;
	m->pad = 0;
	message_send(m);
	return 0;
}

/* Never attached: 1,000 readings of the clock, and how long they took. */
SEC("raw_tp/sched_switch")
int mmlens_clock(void *ctx)
{
	__u64 begin = bpf_ktime_get_ns(), now = begin;

	for (int i = 0; i < 1000; i++)
		now = bpf_ktime_get_ns();
	return now - begin;
}

/*
 * Never attached: the reader runs it on a CPU whose batch has waited long enough. What still waits for
 * its end then was a task's first run, which ends elsewhere.
 */
SEC("raw_tp/sched_switch")
int mmlens_flush(void *ctx)
{
	struct mmlens_cpu *cpu = this_cpu();

	if (cpu && !cpu->batch.sending)
		batch_send(cpu);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
