/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of tasks and the stream of events: how a task is entered and told, how records are
 * gathered and sent. The maps are of the one program that includes this.
 */
#ifndef MMLENS_STREAM_BPF_H
#define MMLENS_STREAM_BPF_H

#include "ids.bpf.h"

#define MAX_CPUS 4096

const volatile struct mmlens_switch_ask ask = {};

#define asked(what) bpf_core_enum_value(enum mmlens_asked, MMLENS_ASKED_##what)

/* Mapped by the inspector, which asks here which CPU has something to flush. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_CPUS); /* set to the number of possible CPUs before loading */
	__type(key, __u32);
	__type(value, struct mmlens_cpu);
} cpus SEC(".maps");

/* These three are as large as the number of tasks demands. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct mmlens_entry);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u32);
} places SEC(".maps");

/* Places where nobody is; filled by the inspector. (To count atomically needs 5.12.) */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16384);
	__type(value, __u32);
} spare SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* set by the inspector when events are asked for */
} ring SEC(".maps");

static __always_inline struct mmlens_cpu *this_cpu(void)
{
	__u32 id = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &id);
}

/* ---- who a task is ---- */

static __always_inline __u64 space_of(const struct task_struct *t)
{
	return BPF_CORE_READ(t, flags) & PF_KTHREAD ? 0 : space_id(&ask.keys, BPF_CORE_READ(t, mm));
}

/* The number of a task in the reader's pid namespace, 0 when it is not in there. */
static __always_inline __u32 reader_nr(const struct task_struct *t)
{
	return nr_in_ns(t, ask.ns_inum);
}

static __always_inline __u32 task_flags(const struct task_struct *t)
{
	__u32 flags = BPF_CORE_READ(t, flags);

	return (flags & PF_KTHREAD ? MMLENS_TASK_KTHREAD : 0) |
	       (flags & PF_IO_WORKER ? MMLENS_TASK_IO_WORKER : 0) |
	       (flags & PF_USER_WORKER && !(flags & PF_KTHREAD) ? MMLENS_TASK_USER_WORKER : 0) |
	       (flags & PF_EXITING ? MMLENS_TASK_EXITING : 0);
}

static __always_inline __u64 key_of(const struct task_struct *t)
{
	return mmlens_task_key(BPF_CORE_READ(t, pid), BPF_CORE_READ(t, start_boottime));
}

static __always_inline void read_comm(char *comm, const struct task_struct *t)
{
	bpf_core_read(comm, MMLENS_COMM_LEN, &t->comm);
}

static __always_inline void fill_entry(struct mmlens_entry *e, const struct task_struct *t)
{
	e->start_ns = BPF_CORE_READ(t, start_boottime);
	e->tgid = reader_nr(BPF_CORE_READ(t, group_leader));
	e->tid = reader_nr(t);
	e->ppid = reader_nr(BPF_CORE_READ(t, real_parent, group_leader));
	e->flags = task_flags(t);
	e->space = space_of(t);
	e->cgroup = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	e->nvcsw = BPF_CORE_READ(t, nvcsw);
	e->nivcsw = BPF_CORE_READ(t, nivcsw);
	e->before = e->nvcsw + e->nivcsw;
	read_comm(e->comm, t);
}

static __always_inline struct mmlens_entry *entry_at(__u32 at)
{
	return bpf_map_lookup_elem(&tasks, &at);
}

static __always_inline struct mmlens_entry *entry_find(__u64 key)
{
	__u32 *at = bpf_map_lookup_elem(&places, &key);

	return at ? entry_at(*at) : NULL;
}

/* The same at less price. Interrupts are off, or one could come between a key and its place. */
static __always_inline struct mmlens_entry *entry_near(struct mmlens_cpu *cpu, __u32 tid, __u64 key)
{
	struct mmlens_near *near = &cpu->near[tid % MMLENS_NEAR];
	__u32 *at;

	if (near->key != key) {
		at = bpf_map_lookup_elem(&places, &key);
		if (!at)
			return NULL;
		near->at = *at;
		near->told = 0;
		near->key = key;
	}
	return entry_at(near->at);
}

/* Enters a task that is not there yet, as it is now; NULL when the table is full. */
static __noinline struct mmlens_entry *entry_new(const struct task_struct *t, __u64 key)
{
	struct mmlens_cpu *cpu = this_cpu();
	struct mmlens_entry *e;
	__u32 at;

	if (!cpu || bpf_map_pop_elem(&spare, &at))
		return NULL;
	e = entry_at(at);
	if (!e)
		return NULL;
	fill_entry(e, t);
	e->key = key;
	e->id = at + 1;
	if (!bpf_map_update_elem(&places, &key, &at, BPF_NOEXIST)) {
		__sync_fetch_and_add(&cpu->entered, 1);
		return e;
	}
	/* another CPU was first */
	e->id = 0;
	bpf_map_push_elem(&spare, &at, 0);
	return entry_find(key);
}

/* ---- messages ---- */

/* The reader is woken by fill level: a wake-up for each event would be switches of its own making. */
#define WAKE_BYTES (256 << 10)

static __always_inline __u64 wake_flags(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= WAKE_BYTES ? BPF_RB_FORCE_WAKEUP
									 : BPF_RB_NO_WAKEUP;
}

static __always_inline void count_lost(struct mmlens_cpu *cpu, __u64 n)
{
	__sync_fetch_and_add(&cpu->ring_full, n);
}

static __always_inline void fill_head(struct mmlens_msg *m, const struct mmlens_cpu *cpu,
				      __u16 type, __u16 n)
{
	m->type = type;
	m->n = n;
	m->cpu = bpf_get_smp_processor_id();
	m->lost = cpu->ring_full;
}

/* Room for a message of its own, head filled; the loss is counted when there is none. */
#define message_new(cpu, struct_type, msg_type)                                 \
	({                                                                      \
		struct_type *__m = bpf_ringbuf_reserve(&ring, sizeof(*__m), 0); \
		if (__m)                                                        \
			fill_head(&__m->head, cpu, msg_type, 0);                \
		else                                                            \
			count_lost(cpu, 1);                                     \
		__m;                                                            \
	})

static __always_inline void message_send(void *m)
{
	bpf_ringbuf_submit(m, wake_flags());
}

static __noinline int tell(struct mmlens_cpu *cpu, struct mmlens_entry *e)
{
	struct mmlens_ev_task *m = message_new(cpu, struct mmlens_ev_task, MMLENS_MSG_TASK);

	if (!m)
		return 0;
	e->told = 1;
	m->start_ns = e->start_ns;
	m->space = e->space;
	m->cgroup = e->cgroup;
	m->id = e->id;
	m->tgid = e->tgid;
	m->tid = e->tid;
	m->ppid = e->ppid;
	m->flags = e->flags;
	m->pad = 0;
	__builtin_memcpy(m->comm, e->comm, sizeof(m->comm));
	message_send(m);
	return 0;
}

/* The number of a task for the stream, which has been told who that is. */
static __always_inline __u32 number(struct mmlens_cpu *cpu, struct mmlens_entry *e)
{
	if (!e)
		return MMLENS_NOBODY;
	if (!e->told)
		tell(cpu, e);
	return e->id;
}

/*
 * The number of a task that this CPU meets often, without a look at its entry: at a switch or a
 * wake-up each page more that is touched costs more than all that is done with it.
 */
static __always_inline __u32 number_near(struct mmlens_cpu *cpu, const struct task_struct *t)
{
	__u32 tid = t->pid;
	__u64 key = mmlens_task_key(tid, t->start_boottime);
	struct mmlens_near *near = &cpu->near[tid % MMLENS_NEAR];
	struct mmlens_entry *e;

	if (near->key == key && near->told)
		return near->at + 1;
	e = entry_near(cpu, tid, key);
	if (!e)
		return number(cpu, entry_new(t, key));
	number(cpu, e);
	if (near->key == key)
		near->told = e->told;
	return e->id;
}

/* The entry of a task, made if need be. */
static __always_inline struct mmlens_entry *entry_of(const struct task_struct *t)
{
	__u64 key = key_of(t);
	struct mmlens_entry *e = entry_find(key);

	return e ? e : entry_new(t, key);
}

/* ---- records, gathered ---- */

/* How many there are is read behind the mark: what interrupts here may have sent them just before. */
static __noinline int batch_send(struct mmlens_cpu *cpu)
{
	struct mmlens_batch *b = &cpu->batch;
	__u64 n;

	b->sending = 1;
	barrier();
	n = b->head.n;
	if (!n)
		goto out;
	/* or the two tests become one, of another register than the one that is multiplied */
	barrier_var(n);
	if (n <= MMLENS_BATCH) {
		fill_head(&b->head, cpu, MMLENS_MSG_BATCH, n);
		if (bpf_ringbuf_output(&ring, b, sizeof(b->head) + n * sizeof(b->rec[0]),
				       wake_flags()))
			count_lost(cpu, n);
	}
	b->head.n = 0;
	/* whose end was not seen by now has no cost, here and in the counts */
	if (b->held)
		cpu->since = 0;
	b->held = 0;
out:
	barrier();
	b->sending = 0;
	return 0;
}

/* The next free record; what waits for its cost goes without when there is none left. */
static __always_inline struct mmlens_rec *batch_next(struct mmlens_cpu *cpu)
{
	struct mmlens_batch *b = &cpu->batch;
	__u64 at = b->head.n;

	if (at >= MMLENS_BATCH) {
		batch_send(cpu);
		at = 0;
	}
	barrier_var(at);
	if (at >= MMLENS_BATCH)
		return NULL;
	b->head.n = at + 1;
	return &b->rec[at];
}

static __always_inline void batch_sent_if_full(struct mmlens_cpu *cpu)
{
	const struct mmlens_batch *b = &cpu->batch;

	if (b->head.n >= MMLENS_BATCH_SEND && !b->held)
		batch_send(cpu);
}

/*
 * The switch that waits has ended; 0: its end was not seen. False: it waits no more, for the reader
 * has fetched what there was, which may happen wherever interrupts are on.
 */
static __always_inline bool batch_release(struct mmlens_cpu *cpu, __u64 cost)
{
	struct mmlens_batch *b = &cpu->batch;
	__u64 at = b->held - 1;

	barrier_var(at);
	if (at >= MMLENS_BATCH)
		return false;
	b->rec[at].cost = cost > 0xffffffffu ? 0xffffffffu : cost;
	b->held = 0;
	batch_sent_if_full(cpu);
	return true;
}

#endif
