// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "mmlens_event.h"
#include "model/histogram.h"
#include "source/bpf_counts.h"

_Static_assert((int)CLASS_NR == (int)MMLENS_CLASS_NR && (int)HOW_NR == (int)MMLENS_HOW_NR &&
		       (int)DELAY_NR == (int)MMLENS_DELAY_NR,
	       "the model's classes are the programs' own");

static void add_cost(struct histogram *sum, const struct mmlens_cost *c)
{
	sum->n += c->n;
	sum->sum += c->sum;
	sum->max = c->max > sum->max ? c->max : sum->max;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++)
		sum->bucket[b] += c->bucket[b];
}

static void add_cpu(struct switches *out, uint32_t id, const struct mmlens_cpu *cpu)
{
	struct cpu_switches *c = &out->cpus[out->n_cpus];

	c->cpu = id;
	c->lost_tasks = cpu->tasks_full;
	c->lost_ring = cpu->ring_full;
	c->lost_pairs = cpu->pairs_full;
	memcpy(c->how, cpu->count, sizeof(c->how));
	out->lost_tasks += c->lost_tasks;
	out->lost += c->lost_tasks + c->lost_ring + c->lost_pairs;
	out->tlb_loads += cpu->tlb_loads;
	out->tlb_flushed += cpu->tlb_flushed;
	for (int class = 0; class < CLASS_NR; class ++)
		for (int h = 0; h < HOW_NR; h++)
			out->classes[class].how[h] += c->how[class][h];
	out->n_cpus += cpu_switches_total(c) || c->lost_tasks || c->lost_ring;
}

static int read_cpus(const struct mmlens_cpu *cpu, int cpus, struct switches *out)
{
	cleanup_free struct histogram *sums = calloc(CLASS_NR, sizeof(*sums));

	out->cpus = calloc(cpus, sizeof(*out->cpus));
	if (!sums || !out->cpus)
		return -ENOMEM;
	for (uint32_t i = 0; i < (uint32_t)cpus; i++) {
		add_cpu(out, i, &cpu[i]);
		for (int c = 0; c < CLASS_NR; c++)
			add_cost(&sums[c], &cpu[i].cost[c]);
	}
	for (int c = 0; c < CLASS_NR; c++)
		out->classes[c].cost = histogram_cost(&sums[c]);
	return 0;
}

/* Of one that only made way for those that were chosen no time is. */
static bool has_times(const struct mmlens_entry *e)
{
	__u64 any = e->on_cpu;

	for (int d = 0; d < DELAY_NR; d++)
		any |= e->off[d];
	return any;
}

static void take_entry(struct task_switches *t, const struct mmlens_entry *e)
{
	t->key = (struct task_key){ e->tgid, e->tid, e->start_ns };
	t->space = e->space;
	t->before = e->before;
	t->after = e->nvcsw + e->nivcsw;
	memcpy(t->comm, e->comm, sizeof(t->comm));
	t->comm[sizeof(t->comm) - 1] = '\0';
	for (int c = 0; c < CLASS_NR; c++)
		t->count[c] = e->count[c];
	for (int h = 0; h < HOW_NR; h++)
		t->how[h] = e->how[h];
	for (int d = 0; d < DELAY_NR; d++)
		t->off[d] = e->off[d];
	t->on_cpu = e->on_cpu;
	t->delays_known = has_times(e);
	t->cgroup = e->cgroup;
}

/* One that was only seen to come or to be woken has no row. */
static bool has_left(const struct mmlens_entry *e)
{
	for (int h = 0; h < HOW_NR; h++)
		if (e->how[h])
			return true;
	return false;
}

static int by_switches(const void *a, const void *b)
{
	uint64_t x = task_switches_total(a), y = task_switches_total(b);

	return x != y ? (x < y ? 1 : -1)
		      : task_key_cmp(&((const struct task_switches *)a)->key,
				     &((const struct task_switches *)b)->key);
}

static int add_task(struct switches *out, size_t *room, const struct mmlens_entry *e)
{
	if (out->n_tasks == *room) {
		size_t more = *room ? *room * 2 : 256;
		struct task_switches *tasks = realloc(out->tasks, more * sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		out->tasks = tasks;
		*room = more;
	}
	take_entry(&out->tasks[out->n_tasks++], e);
	return 0;
}

static int add_tasks(struct switches *out, size_t *room, const struct mmlens_entry *e, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (!e[i].id || !has_left(&e[i]))
			continue;
		err = add_task(out, room, &e[i]);
	}
	return err;
}

static int read_tasks(const struct dead *dead, struct switches *out)
{
	size_t room = 0;
	int err = add_tasks(out, &room, dead->table, dead->places);

	if (!err)
		err = add_tasks(out, &room, dead->entries, dead->n);
	if (out->n_tasks)
		qsort(out->tasks, out->n_tasks, sizeof(*out->tasks), by_switches);
	return err;
}

static int read_delays(const struct switch_bpf *skel, int cpus, struct switches *out)
{
	cleanup_free struct mmlens_waits *w = malloc(sizeof(*w));
	cleanup_free struct histogram *sums = calloc(DELAY_NR, sizeof(*sums));
	int fd = bpf_map__fd(skel->maps.waits);

	if (!w || !sums)
		return -ENOMEM;
	for (uint32_t i = 0; i < (uint32_t)cpus; i++) {
		if (bpf_map_lookup_elem(fd, &i, w))
			return -errno;
		for (int d = 0; d < DELAY_NR; d++)
			add_cost(&sums[d], &w->of[d]);
	}
	for (int d = 0; d < DELAY_NR; d++)
		out->delays[d] = histogram_cost(&sums[d]);
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct pair_switches *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->from != y->from ? (x->from < y->from ? -1 : 1)
				  : (x->to > y->to) - (x->to < y->to);
}

static void take_pair(struct pair_switches *to, const struct mmlens_pair_key *key,
		      const struct mmlens_pair *p)
{
	*to = (struct pair_switches){
		.from = key->from, .to = key->to, .count = p->count, .loads = p->loads
	};
	memcpy(to->from_comm, p->from, sizeof(to->from_comm) - 1);
	memcpy(to->to_comm, p->to, sizeof(to->to_comm) - 1);
}

static int read_pairs(const struct switch_bpf *skel, struct switches *out)
{
	int fd = bpf_map__fd(skel->maps.pairs);
	struct mmlens_pair_key key, *last = NULL, at;
	struct mmlens_pair p;
	size_t room = bpf_map__max_entries(skel->maps.pairs);

	out->pairs = calloc(room, sizeof(*out->pairs));
	if (!out->pairs)
		return -ENOMEM;
	while (out->n_pairs < room && !bpf_map_get_next_key(fd, last, &key)) {
		at = key;
		last = &at;
		if (!bpf_map_lookup_elem(fd, &key, &p))
			take_pair(&out->pairs[out->n_pairs++], &key, &p);
	}
	qsort(out->pairs, out->n_pairs, sizeof(*out->pairs), by_count);
	return 0;
}

int bpf_counts_read(const struct switch_bpf *skel, const struct mmlens_cpu *per_cpu, int cpus,
		    const struct dead *dead, struct switches *out)
{
	int err = read_cpus(per_cpu, cpus, out);

	if (!err)
		err = read_tasks(dead, out);
	if (!err && out->delays_known)
		err = read_delays(skel, cpus, out);
	if (!err && out->pairs_known)
		err = read_pairs(skel, out);
	return err;
}

uint64_t bpf_counts_missed(const struct switch_bpf *skel, const struct bpf_program *end)
{
	struct bpf_program *prog;
	uint64_t sum = 0;

	bpf_object__for_each_program(prog, skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (bpf_program__autoload(prog) && prog != end &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}
