// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "analysis/correlate.h"
#include "lib/cleanup.h"

static int by_key(const void *a, const void *b)
{
	const struct task_switches *const *x = a, *const *y = b;

	return task_key_cmp(&(*x)->key, &(*y)->key);
}

static const struct task_switches **index_tasks(const struct switches *sw)
{
	const struct task_switches **index = calloc(sw->n_tasks + 1, sizeof(*index));

	for (size_t i = 0; index && i < sw->n_tasks; i++)
		index[i] = &sw->tasks[i];
	if (index)
		qsort(index, sw->n_tasks, sizeof(*index), by_key);
	return index;
}

/* So far behind the true starts those of a snapshot may be; the programs know them to the ns. */
static uint64_t slack_of(const struct snapshot *s)
{
	return strcmp(s->source, "procfs") ? 1 : START_TICK_NS;
}

static bool is_start(uint64_t exact, uint64_t told, uint64_t slack)
{
	return exact - told < slack;
}

/* Of the task that has this key in a snapshot and was alive all the time; NULL: it did not switch. */
static const struct task_switches *find(const struct task_switches **index, size_t n,
					const struct task_key *key, uint64_t slack)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (task_key_cmp(&index[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == n || index[low]->key.tgid != key->tgid || index[low]->key.tid != key->tid ||
	    !is_start(index[low]->key.start_ns, key->start_ns, slack))
		return NULL;
	return index[low];
}

static bool watched(uint32_t tgid, const uint32_t *tgids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tgids[i] == tgid)
			return true;
	return !n;
}

static uint64_t total(const struct task *t)
{
	return t->nvcsw + t->nivcsw;
}

static bool agrees(const struct task *a, const struct task *b, const struct task_switches *sw)
{
	if (!sw)
		return total(a) == total(b);
	return task_switches_total(sw) == sw->after - sw->before && sw->before <= total(a) + 1 &&
	       sw->after >= total(b) && total(b) >= total(a);
}

/* A leader's last switch may come when the thread that took its pid has given it its own. */
static bool ended_as_another(const struct switches *sw, const struct task_key *leader,
			     uint64_t slack)
{
	for (size_t i = 0; i < sw->n_tasks; i++) {
		const struct task_switches *t = &sw->tasks[i];

		if (t->how[HOW_EXIT] && t->key.tgid == leader->tgid &&
		    is_start(t->key.start_ns, leader->start_ns, slack) && t->key.tid != leader->tid)
			return true;
	}
	return false;
}

/*
 * The leader had ended, and a thread that called exec took its pid, its start and its place: what
 * lives now has the counters of another task. Those of one task never fall.
 */
static bool was_taken_over(const struct task *a, const struct task *b,
			   const struct task_switches *counted, const struct switches *sw,
			   uint64_t slack)
{
	if (a->key.tid != a->key.tgid || b->state == 'Z' || b->state == 'X')
		return false;
	return a->state == 'Z' || (counted && counted->how[HOW_EXIT]) || total(b) < total(a) ||
	       (!agrees(a, b, counted) && ended_as_another(sw, &a->key, slack));
}

static void judge(const struct task *a, const struct task *b, const struct task_switches *sw,
		  struct agreement *out)
{
	struct disagreement *d;

	out->tasks++;
	if (agrees(a, b, sw)) {
		out->agree++;
		return;
	}
	if (out->n_worst == DISAGREEMENTS_MAX)
		return;
	d = &out->worst[out->n_worst++];
	d->key = a->key;
	memcpy(d->comm, a->comm, sizeof(d->comm));
	d->comm[sizeof(d->comm) - 1] = '\0';
	d->counted = sw ? task_switches_total(sw) : 0;
	d->grown = total(b) - total(a);
}

void correlate(const struct snapshot *before, const struct snapshot *after,
	       const struct switches *sw, const uint32_t *tgids, size_t n_tgids,
	       struct agreement *out)
{
	cleanup_free const struct task_switches **index = index_tasks(sw);
	const uint64_t slack = slack_of(before);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; index && i < before->n; i++) {
		const struct task *a = &before->tasks[i];
		const struct task *b = snapshot_find_key(after, &a->key);
		const struct task_switches *counted;

		if (!b || !(a->known & b->known & KNOWN_SWITCHES) || !(a->known & KNOWN_START) ||
		    !watched(a->key.tgid, tgids, n_tgids))
			continue;
		counted = find(index, sw->n_tasks, &a->key, slack);
		if (!was_taken_over(a, b, counted, sw, slack))
			judge(a, b, counted, out);
	}
}
