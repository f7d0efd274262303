// SPDX-License-Identifier: GPL-2.0-only
/* Thousands of threads in a page: tasks of one name, kind and state are one row with a count. */
#include <stdlib.h>
#include <string.h>

#include "cmd/show.h"
#include "lib/cleanup.h"
#include "render/tasks.h"

struct group {
	const struct task *first; /* the one with the lowest tid */
	size_t n;
	uint64_t nvcsw;
	uint64_t nivcsw;
};

enum {
	G_COUNT,
	G_NVCSW,
	G_NIVCSW,
	G_FIRST
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct group *g = row;

	switch (arg) {
	case G_COUNT:
		return value_uint(v, VALUE_COUNT, g->n);
	case G_NVCSW:
		return value_uint(v, VALUE_COUNT, g->nvcsw);
	case G_NIVCSW:
		return value_uint(v, VALUE_COUNT, g->nivcsw);
	default:
		return value_uint(v, VALUE_UINT, g->first->key.tid);
	}
}

static void get_kind(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, task_kind_name(((const struct group *)row)->first->kind));
}

static void get_state(const void *row, int arg, struct value *v)
{
	(void)arg;
	v->room[0] = ((const struct group *)row)->first->state;
	v->room[1] = '\0';
	value_str(v, v->room);
}

static void get_comm(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct group *)row)->first->comm);
}

static const struct column group_columns[] = {
	{ "COUNT", NULL, "tasks alike", 0, COL_RIGHT, get_number, G_COUNT },
	{ "KIND", NULL, "what they are", 0, 0, get_kind },
	{ "S", NULL, "their state", 0, 0, get_state },
	{ "NVCSW", NULL, "voluntary switches of all", 0, COL_RIGHT, get_number, G_NVCSW },
	{ "NIVCSW", NULL, "involuntary switches of all", 0, COL_RIGHT, get_number, G_NIVCSW },
	{ "FIRST", NULL, "the lowest tid", 0, COL_RIGHT, get_number, G_FIRST },
	{ "COMM", NULL, "their name", 0.3, COL_TRUNC, get_comm },
};

/* Names that differ in a trailing number are names of one pool: "worker-17" goes with "worker-3". */
static int name_cmp(const char *a, const char *b)
{
	static const char digits[] = "0123456789";
	size_t n = strlen(a), m = strlen(b);

	while (n && strchr(digits, a[n - 1]))
		n--;
	while (m && strchr(digits, b[m - 1]))
		m--;
	if (n != m)
		return n < m ? -1 : 1;
	return memcmp(a, b, n);
}

static int alike(const struct task *a, const struct task *b)
{
	int d = (int)a->kind - (int)b->kind;

	if (!d)
		d = (int)a->state - (int)b->state;
	return d ? d : name_cmp(a->comm, b->comm);
}

static int by_likeness(const void *a, const void *b)
{
	const struct task *x = *(const struct task *const *)a, *y = *(const struct task *const *)b;
	int d = alike(x, y);

	return d ? d : (x->key.tid > y->key.tid) - (x->key.tid < y->key.tid);
}

static void add_groups(struct table *t, const struct task **tasks, size_t n)
{
	for (size_t from = 0, to; from < n; from = to) {
		struct group g = { .first = tasks[from] };

		for (to = from; to < n && !alike(tasks[to], tasks[from]); to++) {
			g.n++;
			g.nvcsw += tasks[to]->nvcsw;
			g.nivcsw += tasks[to]->nivcsw;
		}
		table_add(t, NULL, &g);
	}
}

int show_groups(const struct state *st, const struct common *common, const struct program *p)
{
	cleanup_free const struct task **tasks = calloc(st->snapshot.n + 1, sizeof(*tasks));
	const char *bad = NULL;
	struct table *t = table_new(group_columns, ARRAY_SIZE(group_columns),
				    "COUNT,KIND,S,NVCSW,NIVCSW,FIRST,COMM", &common->view, &bad);
	size_t n = 0;

	if (!t || !tasks) {
		table_free(t);
		return fail(EXIT_FAILED, "show", "out of memory");
	}
	for (size_t i = 0; i < st->snapshot.n; i++)
		if (p->task[i])
			tasks[n++] = &st->snapshot.tasks[i];
	qsort(tasks, n, sizeof(*tasks), by_likeness);
	add_groups(t, tasks, n);
	table_print(t, stdout);
	table_free(t);
	printf("%zu tasks, grouped by name, kind and state; --all lists each.\n", n);
	return EXIT_DONE;
}
