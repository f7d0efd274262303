// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "analysis/tally.h"
#include "model/histogram.h"

/* The key is the two spaces, which stand first in the row. */
struct pair {
	struct pair_switches row;
	UT_hash_handle hh;
};

#define PAIR_KEY_LEN offsetof(struct pair_switches, count)

struct tally {
	uint64_t begin;
	uint64_t end;
	uint64_t lost;
	struct class_count classes[CLASS_NR];
	struct histogram costs[CLASS_NR];
	struct task_switches *tasks; /* by number of the stream */
	size_t n;
	struct pair *pairs;	   /* hashed by their spaces */
	struct cpu_switches *cpus; /* by CPU */
	size_t n_cpus;
};

struct tally *tally_new(void)
{
	return calloc(1, sizeof(struct tally));
}

static int room_for_task(struct tally *t, uint32_t id)
{
	size_t n = 2 * (size_t)id + 64;
	struct task_switches *tasks;

	if (id < t->n)
		return 0;
	tasks = realloc(t->tasks, n * sizeof(*tasks));
	if (!tasks)
		return -ENOMEM;
	memset(tasks + t->n, 0, (n - t->n) * sizeof(*tasks));
	t->tasks = tasks;
	t->n = n;
	return 0;
}

static int room_for_cpu(struct tally *t, uint32_t cpu)
{
	struct cpu_switches *cpus;

	if (cpu < t->n_cpus)
		return 0;
	cpus = realloc(t->cpus, (cpu + 1) * sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	t->cpus = cpus;
	for (; t->n_cpus <= cpu; t->n_cpus++)
		cpus[t->n_cpus] = (struct cpu_switches){ .cpu = (uint32_t)t->n_cpus };
	return 0;
}

/* The number of a task is only to be trusted when the stream has said who it is. */
static int count_task(struct tally *t, const struct event *ev, const struct event_task *who)
{
	struct task_switches *task;
	int err = who->key.tid ? room_for_task(t, who->id) : 0;

	if (err || !who->key.tid)
		return err;
	task = &t->tasks[who->id];
	task->key = who->key;
	task->space = who->space;
	task->cgroup = who->cgroup;
	memcpy(task->comm, who->comm, sizeof(task->comm));
	task->count[ev->sw.class]++;
	task->how[ev->sw.how]++;
	return 0;
}

static struct pair *pair_of(struct tally *t, const struct event_task *from,
			    const struct event_task *to)
{
	const uint64_t key[2] = { from->space, to->space };
	struct pair *p;

	static_assert(sizeof(key) == PAIR_KEY_LEN, "the spaces are the key");
	HASH_FIND(hh, t->pairs, key, sizeof(key), p);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->row.from = from->space;
	p->row.to = to->space;
	memcpy(p->row.from_comm, from->comm, sizeof(p->row.from_comm));
	memcpy(p->row.to_comm, to->comm, sizeof(p->row.to_comm));
	HASH_ADD(hh, t->pairs, row, PAIR_KEY_LEN, p);
	return p;
}

static int count_pair(struct tally *t, const struct event_switch *sw, const struct cast *cast)
{
	struct pair *p = pair_of(t, cast_find(cast, sw->prev), cast_find(cast, sw->next));

	if (!p)
		return -ENOMEM;
	p->row.count++;
	p->row.loads += switch_class_loads(sw->class);
	return 0;
}

static int count_switch(struct tally *t, const struct event *ev, const struct cast *cast)
{
	const struct event_switch *sw = &ev->sw;
	int err = count_task(t, ev, cast_find(cast, sw->prev));

	if (!err)
		err = count_pair(t, sw, cast);
	if (err)
		return err;
	t->classes[sw->class].how[sw->how]++;
	t->cpus[ev->cpu].how[sw->class][sw->how]++;
	if (sw->cost)
		histogram_add(&t->costs[sw->class], sw->cost);
	return 0;
}

int tally_add(struct tally *t, const struct event *ev, const struct cast *cast)
{
	int err = ev->type == EVENT_TASK ? 0 : room_for_cpu(t, ev->cpu);

	if (err || ev->type == EVENT_TASK)
		return err;
	if (!t->begin || ev->ts < t->begin)
		t->begin = ev->ts;
	if (ev->ts > t->end)
		t->end = ev->ts;
	if (ev->type == EVENT_LOST) {
		t->lost += ev->lost;
		t->cpus[ev->cpu].lost_ring += ev->lost;
	}
	return ev->type == EVENT_SWITCH ? count_switch(t, ev, cast) : 0;
}

static int by_switches(const void *a, const void *b)
{
	uint64_t x = task_switches_total(a), y = task_switches_total(b);

	return x != y ? (x < y ? 1 : -1)
		      : task_key_cmp(&((const struct task_switches *)a)->key,
				     &((const struct task_switches *)b)->key);
}

static int by_count(const void *a, const void *b)
{
	const struct pair_switches *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return memcmp(x, y, PAIR_KEY_LEN);
}

int tally_read_pairs(const struct tally *t, struct switches *out)
{
	const struct pair *p, *next;

	free(out->pairs);
	out->n_pairs = 0;
	out->pairs = calloc(HASH_COUNT(t->pairs) + 1, sizeof(*out->pairs));
	if (!out->pairs)
		return -ENOMEM;
	HASH_ITER (hh, t->pairs, p, next)
		out->pairs[out->n_pairs++] = p->row;
	qsort(out->pairs, out->n_pairs, sizeof(*out->pairs), by_count);
	out->pairs_known = true;
	return 0;
}

int tally_read(const struct tally *t, struct switches *out)
{
	out->tasks = calloc(t->n + 1, sizeof(*out->tasks));
	out->cpus = calloc(t->n_cpus + 1, sizeof(*out->cpus));
	if (!out->tasks || !out->cpus)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		if (task_switches_total(&t->tasks[i]))
			out->tasks[out->n_tasks++] = t->tasks[i];
	qsort(out->tasks, out->n_tasks, sizeof(*out->tasks), by_switches);
	for (size_t i = 0; i < t->n_cpus; i++)
		out->cpus[out->n_cpus++] = t->cpus[i];
	for (int c = 0; c < CLASS_NR; c++) {
		out->classes[c] = t->classes[c];
		out->classes[c].cost = histogram_cost(&t->costs[c]);
	}
	out->lost = t->lost;
	out->duration_ns = t->end - t->begin;
	return tally_read_pairs(t, out);
}

void tally_free(struct tally *t)
{
	struct pair *p, *next;

	if (!t)
		return;
	free(t->tasks);
	free(t->cpus);
	HASH_ITER (hh, t->pairs, p, next) {
		HASH_DEL(t->pairs, p);
		free(p);
	}
	free(t);
}
