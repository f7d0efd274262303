// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "analysis/groups.h"
#include "lib/cleanup.h"

static int by_cgroup(const void *a, const void *b)
{
	const struct task_switches *const *x = a, *const *y = b;

	return ((*x)->cgroup > (*y)->cgroup) - ((*x)->cgroup < (*y)->cgroup);
}

static int most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (x->switches < y->switches) - (x->switches > y->switches);
}

static void add(struct group *g, const struct task_switches *t)
{
	g->id = t->cgroup;
	g->member = t->key.tid;
	g->tasks++;
	g->switches += task_switches_total(t);
	for (int c = 0; c < CLASS_NR; c++)
		if (switch_class_loads(c))
			g->loads += t->count[c];
	g->delays_known |= t->delays_known;
	g->on_cpu += t->on_cpu;
	for (int d = 0; d < DELAY_NR; d++)
		g->off[d] += t->off[d];
}

int groups_by_cgroup(struct groups *g, const struct switches *sw)
{
	cleanup_free const struct task_switches **index = calloc(sw->n_tasks + 1, sizeof(*index));

	g->rows = calloc(sw->n_tasks + 1, sizeof(*g->rows));
	g->n = 0;
	if (!index || !g->rows) {
		groups_deinit(g);
		return -ENOMEM;
	}
	for (size_t i = 0; i < sw->n_tasks; i++)
		index[i] = &sw->tasks[i];
	qsort(index, sw->n_tasks, sizeof(*index), by_cgroup);
	for (size_t i = 0; i < sw->n_tasks; i++) {
		if (!i || index[i]->cgroup != index[i - 1]->cgroup)
			g->n++;
		add(&g->rows[g->n - 1], index[i]);
	}
	qsort(g->rows, g->n, sizeof(*g->rows), most_first);
	return 0;
}

void groups_deinit(struct groups *g)
{
	free(g->rows);
	*g = (struct groups){ 0 };
}
