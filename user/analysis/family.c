// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "analysis/family.h"

/* One leader, ordered by parent. */
struct child {
	uint32_t ppid;
	uint32_t tgid;
};

static int by_parent(const void *a, const void *b)
{
	const struct child *x = a, *y = b;

	if (x->ppid != y->ppid)
		return x->ppid < y->ppid ? -1 : 1;
	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

static size_t collect(const struct snapshot *s, struct child *children)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct task *t = &s->tasks[i];

		if (task_is_leader(t) && (t->known & KNOWN_PPID) && t->ppid)
			children[n++] = (struct child){ t->ppid, t->key.tgid };
	}
	if (n)
		qsort(children, n, sizeof(*children), by_parent);
	return n;
}

static size_t first_of(const struct child *children, size_t n, uint32_t ppid)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (children[mid].ppid < ppid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool has(const uint32_t *set, size_t n, uint32_t tgid)
{
	for (size_t i = 0; i < n; i++)
		if (set[i] == tgid)
			return true;
	return false;
}

/* The parents form a forest but for races, in which a tgid may come back: only roots may recur. */
static size_t spread(const struct child *children, size_t n, const uint32_t *roots, size_t n_roots,
		     uint32_t *set, size_t room)
{
	size_t n_set = 0;

	for (size_t i = 0; i < n_roots; i++)
		if (!has(set, n_set, roots[i]))
			set[n_set++] = roots[i];
	n_roots = n_set;
	for (size_t at = 0; at < n_set; at++)
		for (size_t i = first_of(children, n, set[at]);
		     i < n && children[i].ppid == set[at] && n_set < room; i++)
			if (!has(set, n_roots, children[i].tgid))
				set[n_set++] = children[i].tgid;
	return n_set;
}

int family(const struct snapshot *s, const uint32_t *roots, size_t n_roots, uint32_t **out,
	   size_t *n_out)
{
	struct child *children = malloc((s->n + 1) * sizeof(*children));
	uint32_t *set = malloc((s->n + n_roots + 1) * sizeof(*set));

	if (!children || !set) {
		free(children);
		free(set);
		return -ENOMEM;
	}
	*n_out = spread(children, collect(s, children), roots, n_roots, set, s->n + n_roots);
	*out = set;
	free(children);
	return 0;
}

static bool descends(const struct snapshot *s, const struct task *t, uint32_t from)
{
	/* parents read one after the other may form a ring */
	for (int depth = 0; t && depth < 64; depth++) {
		if (t->ppid == from)
			return true;
		t = t->ppid > 1 ? snapshot_find(s, t->ppid) : NULL;
	}
	return false;
}

const char *family_relation(const struct snapshot *s, const struct task *t, const struct task *me)
{
	if (t->key.tgid == me->key.tgid || t->flags & TASK_KTHREAD || !task_is_leader(t))
		return NULL;
	if (t->key.tgid == me->ppid)
		return "parent";
	if (t->ppid == me->key.tgid)
		return "child";
	if (t->ppid == me->ppid && me->ppid > 1)
		return "sibling";
	return descends(s, t, me->key.tgid) ? "descendant" : NULL;
}
