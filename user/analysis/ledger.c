// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/kinds.h"
#include "analysis/ledger.h"
#include "lib/cleanup.h"

/* One task with what decides its place, so that sorting looks nothing up. */
struct place {
	uint64_t space;
	uint64_t group_start;
	uint32_t tgid;
	uint32_t index; /* tasks of one group keep the snapshot's order: the leader first */
	bool late;	/* cannot be the space's process: vfork children, kernel threads on loan */
};

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int d = CMP(x->space, y->space);

	if (!d)
		d = CMP(x->late, y->late);
	if (!d)
		d = CMP(x->group_start, y->group_start);
	if (!d)
		d = CMP(x->tgid, y->tgid);
	return d ? d : CMP(x->index, y->index);
}

/* A leader may have exited before its threads; the group is as old as the leader all the same. */
static uint64_t group_start(const struct snapshot *s, const struct task *t)
{
	const struct task *leader = snapshot_find(s, t->key.tgid);

	return leader && leader->key.tgid == t->key.tgid ? leader->key.start_ns : t->key.start_ns;
}

static bool group_is_vfork(const struct snapshot *s, const struct task *t)
{
	const struct task *leader = snapshot_find(s, t->key.tgid);

	return leader && leader->flags & TASK_VFORK;
}

static size_t place_all(const struct snapshot *s, struct place *places)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct task *t = &s->tasks[i];

		if (!task_space(t))
			continue;
		places[n++] = (struct place){
			.space = task_space(t),
			.group_start = group_start(s, t),
			.tgid = t->key.tgid,
			.index = i,
			.late = t->flags & TASK_KTHREAD || group_is_vfork(s, t),
		};
	}
	qsort(places, n, sizeof(*places), by_place);
	return n;
}

static size_t count_spaces(const struct place *places, size_t n)
{
	size_t spaces = 0;

	for (size_t i = 0; i < n; i++)
		spaces += !i || places[i].space != places[i - 1].space;
	return spaces;
}

static void gather(struct ledger *l, const struct place *places, size_t n)
{
	struct space *sp = l->spaces - 1;

	for (size_t i = 0; i < n; i++) {
		bool new_space = !i || places[i].space != places[i - 1].space;
		bool user = !(l->snapshot->tasks[places[i].index].flags & TASK_KTHREAD);

		l->order[i] = places[i].index;
		if (new_space)
			*++sp = (struct space){ .id = places[i].space,
						.members = &l->order[i],
						.memory = { MEMORY_UNKNOWN, MEMORY_UNKNOWN,
							    MEMORY_UNKNOWN } };
		sp->tasks++;
		sp->processes += user && (new_space || places[i].tgid != places[i - 1].tgid);
	}
}

static int by_first_member(const void *a, const void *b, void *arg)
{
	const struct space *x = a, *y = b;
	const struct ledger *l = arg;

	return task_key_cmp(&space_member(l, x, 0)->key, &space_member(l, y, 0)->key);
}

int ledger_init(struct ledger *l, struct snapshot *s)
{
	cleanup_free struct place *places = calloc(s->n ? s->n : 1, sizeof(*places));
	size_t n;

	memset(l, 0, sizeof(*l));
	if (!places)
		return -ENOMEM;
	n = place_all(s, places);
	l->snapshot = s;
	l->n = count_spaces(places, n);
	l->order = calloc(n ? n : 1, sizeof(*l->order));
	l->spaces = calloc(l->n ? l->n : 1, sizeof(*l->spaces));
	if (!l->order || !l->spaces) {
		ledger_deinit(l);
		return -ENOMEM;
	}
	gather(l, places, n);
	qsort_r(l->spaces, l->n, sizeof(*l->spaces), by_first_member, l);
	kinds_assign(l);
	return 0;
}

void ledger_deinit(struct ledger *l)
{
	free(l->order);
	free(l->spaces);
	memset(l, 0, sizeof(*l));
}

struct space *ledger_find(const struct ledger *l, uint64_t id)
{
	for (size_t i = 0; id && i < l->n; i++)
		if (l->spaces[i].id == id)
			return &l->spaces[i];
	return NULL;
}
