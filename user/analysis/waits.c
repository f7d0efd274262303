// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "analysis/waits.h"
#include "lib/cleanup.h"
#include "model/histogram.h"

struct row {
	struct task_key key;
	uint64_t came; /* onto its CPU, 0: not seen */
	uint64_t left; /* 0: it does not wait */
	uint64_t woken;
	enum delay left_as;
	uint64_t ended[DELAY_NR]; /* of the wait before this run, counted with its end */
	bool waited[DELAY_NR];
	uint64_t on_cpu;
	uint64_t off[DELAY_NR];
};

struct waits {
	struct row *rows; /* by key */
	size_t n;
	struct histogram of[DELAY_NR];
};

/* The first member of struct task_switches and of struct row. */
static int by_key(const void *a, const void *b)
{
	return task_key_cmp(a, b);
}

/* How many switches the kernel made it grow by, between the first and the last that was seen. */
static bool is_whole(const struct task_switches *counted, const struct task_switches *seen)
{
	return seen && counted->after - counted->before == task_switches_total(seen);
}

struct waits *waits_new(const struct switches *counted, const struct switches *seen)
{
	cleanup_free struct task_switches *index = calloc(seen->n_tasks + 1, sizeof(*index));
	struct waits *w = calloc(1, sizeof(*w));

	if (w)
		w->rows = calloc(counted->n_tasks + 1, sizeof(*w->rows));
	if (!index || !w || !w->rows) {
		waits_free(w);
		return NULL;
	}
	for (size_t i = 0; i < seen->n_tasks; i++)
		index[i] = seen->tasks[i];
	qsort(index, seen->n_tasks, sizeof(*index), by_key);
	for (size_t i = 0; i < counted->n_tasks; i++) {
		const struct task_switches *t = &counted->tasks[i];

		if (is_whole(t, bsearch(&t->key, index, seen->n_tasks, sizeof(*index), by_key)))
			w->rows[w->n++].key = t->key;
	}
	qsort(w->rows, w->n, sizeof(*w->rows), by_key);
	return w;
}

static struct row *row_of(const struct waits *w, const struct cast *cast, uint32_t id)
{
	return bsearch(&cast_find(cast, id)->key, w->rows, w->n, sizeof(*w->rows), by_key);
}

static enum delay delay_of(const struct event_switch *sw)
{
	if (sw->how == HOW_PREEMPTED)
		return DELAY_RUNNABLE;
	switch (sw->state) {
	case 'R':
		return DELAY_RUNNABLE;
	case 'S':
		return DELAY_SLEEP;
	case 'D':
	case 'I':
		return DELAY_DISK;
	default:
		return DELAY_OTHER;
	}
}

static void count_ended(struct waits *w, struct row *r)
{
	for (int d = 0; d < DELAY_NR; d++) {
		if (!r->waited[d])
			continue;
		histogram_add(&w->of[d], r->ended[d]);
		r->off[d] += r->ended[d];
		r->waited[d] = false;
	}
}

static void leaves(struct waits *w, struct row *r, const struct event *ev, bool asked)
{
	count_ended(w, r);
	if (asked && r->came)
		r->on_cpu += ev->ts - r->came;
	r->came = 0;
	r->left = asked ? ev->ts : 0;
	r->woken = 0;
	r->left_as = delay_of(&ev->sw);
}

static void waited(struct row *r, enum delay d, uint64_t from, uint64_t to)
{
	r->ended[d] = to - from;
	r->waited[d] = to > from;
}

/* A sleep whose end is not told is none that could be told from the wait for a CPU behind it. */
static void comes(struct row *r, uint64_t now, bool asked)
{
	if (asked && r->left && r->left_as == DELAY_RUNNABLE) {
		waited(r, DELAY_RUNNABLE, r->left, now);
	} else if (asked && r->left && r->woken) {
		waited(r, r->left_as, r->left, r->woken);
		waited(r, DELAY_RUNNABLE, r->woken, now);
	}
	r->left = 0;
	r->came = now;
}

void waits_add(struct waits *w, const struct event *ev, const struct cast *cast, unsigned int sides)
{
	struct row *r;

	if (ev->type == EVENT_WAKE) {
		r = row_of(w, cast, ev->wake.wakee);
		if (r && r->left && !r->woken)
			r->woken = ev->ts;
	}
	if (ev->type != EVENT_SWITCH)
		return;
	r = row_of(w, cast, ev->sw.prev);
	if (r)
		leaves(w, r, ev, sides & EVENT_SIDE_ONE);
	r = row_of(w, cast, ev->sw.next);
	if (r)
		comes(r, ev->ts, sides & EVENT_SIDE_OTHER);
}

static void tell(struct task_switches *t, const struct row *r)
{
	t->on_cpu = r->on_cpu;
	t->delays_known = r->on_cpu;
	for (int d = 0; d < DELAY_NR; d++) {
		t->off[d] = r->off[d];
		t->delays_known |= r->off[d] != 0;
	}
}

void waits_read(struct waits *w, struct switches *out, bool all)
{
	for (size_t i = 0; all && i < w->n; i++)
		count_ended(w, &w->rows[i]);
	for (size_t i = 0; i < out->n_tasks; i++) {
		struct task_switches *t = &out->tasks[i];
		const struct row *r = bsearch(&t->key, w->rows, w->n, sizeof(*r), by_key);

		if (r)
			tell(t, r);
	}
	for (int d = 0; d < DELAY_NR; d++)
		out->delays[d] = histogram_cost(&w->of[d]);
	out->delays_known = true;
}

void waits_free(struct waits *w)
{
	if (w)
		free(w->rows);
	free(w);
}
