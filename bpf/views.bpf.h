/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stat shows only when asked to: filters, delays, pairs of spaces. Each is behind a constant
 * of the load, so that the verifier takes out what was not asked for.
 */
#ifndef MMLENS_VIEWS_BPF_H
#define MMLENS_VIEWS_BPF_H

#include "classify.bpf.h"
#include "stream.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set when there are any */
	__type(key, struct mmlens_want);
	__type(value, __u32);
} wants SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set as that of cpus when delays are asked for */
	__type(key, __u32);
	__type(value, struct mmlens_waits);
} waits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set when pairs are asked for */
	__type(key, struct mmlens_pair_key);
	__type(value, struct mmlens_pair);
} pairs SEC(".maps");

/* ---- distributions ---- */

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

/* ---- filters ---- */

#define WANTS_OF_SIDE ((1u << MMLENS_WANT_NR) - 1 - (1u << MMLENS_WANT_CPU))

static __always_inline bool is_wanted(__u64 kind, __u64 v0, __u64 v1)
{
	struct mmlens_want w = { kind, { v0, v1 } };

	return bpf_map_lookup_elem(&wants, &w);
}

static __always_inline __u64 cgroup_of(const struct task_struct *t)
{
	return BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
}

/* Of each kind that was asked for the task must have one of the values. */
static __always_inline bool passes(const struct task_struct *t)
{
	__u64 comm[2] = {};

	if ((asked(WANTS) & 1u << MMLENS_WANT_TID) && !is_wanted(MMLENS_WANT_TID, reader_nr(t), 0))
		return false;
	if ((asked(WANTS) & 1u << MMLENS_WANT_SPACE) &&
	    !is_wanted(MMLENS_WANT_SPACE, space_of(t), 0))
		return false;
	if ((asked(WANTS) & 1u << MMLENS_WANT_CGROUP) &&
	    !is_wanted(MMLENS_WANT_CGROUP, cgroup_of(t), 0))
		return false;
	if (!(asked(WANTS) & 1u << MMLENS_WANT_COMM))
		return true;
	bpf_probe_read_kernel_str(comm, sizeof(comm), __builtin_preserve_access_index(&t->comm));
	return is_wanted(MMLENS_WANT_COMM, comm[0], comm[1]);
}

/* ---- delays ---- */

#define TASK_INTERRUPTIBLE   1
#define TASK_UNINTERRUPTIBLE 2

static __always_inline void wait_begins(const struct switch_ctx *s, struct mmlens_entry *e,
					enum mmlens_how how)
{
	e->left_at = s->now;
	e->woken_at = 0;
	if (how == MMLENS_HOW_PREEMPTED || !s->state)
		e->left_as = MMLENS_DELAY_RUNNABLE;
	else if (s->state & TASK_INTERRUPTIBLE)
		e->left_as = MMLENS_DELAY_SLEEP;
	else
		e->left_as =
			s->state & TASK_UNINTERRUPTIBLE ? MMLENS_DELAY_DISK : MMLENS_DELAY_OTHER;
}

static __always_inline void add_wait(struct mmlens_entry *e, __u64 kind, __u64 ns)
{
	__u32 id = bpf_get_smp_processor_id();
	struct mmlens_waits *w = bpf_map_lookup_elem(&waits, &id);

	barrier_var(kind);
	if (!w || kind >= MMLENS_DELAY_NR)
		return;
	add_cost(&w->of[kind], ns);
	e->off[kind] += ns;
}

/* A sleep ends with the wake-up, and the wait for a CPU begins; both are told when it runs again. */
static __always_inline void wait_ends(const struct switch_ctx *s, struct mmlens_entry *e)
{
	__u64 runnable;

	if (!e || !e->left_at)
		return;
	runnable = e->left_at;
	if (e->left_as != MMLENS_DELAY_RUNNABLE && e->woken_at > e->left_at) {
		runnable = e->woken_at;
		add_wait(e, e->left_as, runnable - e->left_at);
	}
	if (s->now > runnable)
		add_wait(e, MMLENS_DELAY_RUNNABLE, s->now - runnable);
	e->left_at = 0;
}

/* ---- pairs of spaces ---- */

static __noinline struct mmlens_pair *pair_new(const struct mmlens_pair_key *key,
					       const struct task_struct *from,
					       const struct task_struct *to)
{
	struct mmlens_pair p = {};

	read_comm(p.from, from);
	read_comm(p.to, to);
	bpf_map_update_elem(&pairs, key, &p, BPF_NOEXIST);
	return bpf_map_lookup_elem(&pairs, key);
}

/* Two CPUs may count for the same two spaces. */
static __always_inline void count_pair(const struct switch_ctx *s, struct mmlens_cpu *cpu,
				       __u64 from, __u64 to, enum mmlens_class class)
{
	struct mmlens_pair_key key = { from, to };
	struct mmlens_pair *p = bpf_map_lookup_elem(&pairs, &key);

	if (!p)
		p = pair_new(&key, s->prev, s->next);
	if (!p) {
		cpu->pairs_full++;
		return;
	}
	__sync_fetch_and_add(&p->count, 1);
	if (class == MMLENS_CLASS_PROCESS || class == MMLENS_CLASS_BACK_OTHER)
		__sync_fetch_and_add(&p->loads, 1);
}

#endif
