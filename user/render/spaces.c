// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "render/spaces.h"
#include "render/tasks.h"

static const struct task *first(const struct space_row *row)
{
	return space_member(row->ledger, row->space, 0);
}

static void get_space(const void *row, int arg, struct value *v)
{
	const struct space_row *r = row;

	(void)arg;
	value_uint(v, VALUE_ID, r->space->id);
}

static void get_pid(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_UINT, first(row)->key.tgid);
}

static void get_comm(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, first(row)->comm);
}

static void get_tasks(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_COUNT, ((const struct space_row *)row)->space->tasks);
}

static void get_processes(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_COUNT, ((const struct space_row *)row)->space->processes);
}

static void get_kinds(const void *row, int arg, struct value *v)
{
	const struct space_row *r = row;

	(void)arg;
	value_str(v, space_kinds(v->room, sizeof(v->room), r->ledger, r->space));
}

enum {
	M_RSS,
	M_PSS,
	M_CLAIMED
};

static void get_memory(const void *row, int arg, struct value *v)
{
	const struct memory *m = &((const struct space_row *)row)->space->memory;
	uint64_t bytes = arg == M_RSS ? m->rss : arg == M_PSS ? m->pss : m->claimed;

	if (bytes != MEMORY_UNKNOWN)
		value_uint(v, VALUE_SIZE, bytes);
}

static void get_factor(const void *row, int arg, struct value *v)
{
	const struct memory *m = &((const struct space_row *)row)->space->memory;

	(void)arg;
	if (m->rss == MEMORY_UNKNOWN || !m->rss)
		return;
	v->type = VALUE_REAL;
	v->real = (double)m->claimed / m->rss;
}

const struct column space_columns[] = {
	{ "SPACE", "space", "address space (mm_struct), the same id in every view", 0, COL_RIGHT,
	  get_space, 0, VALUE_ID },
	{ "PID", NULL, "its process: the oldest thread group in it", 0, COL_RIGHT, get_pid },
	{ "TASKS", "tasks", "tasks that run in it", 0, COL_RIGHT, get_tasks, 0, VALUE_COUNT },
	{ "PROCS", "processes", "thread groups among them", 0, COL_RIGHT, get_processes, 0,
	  VALUE_COUNT },
	{ "RSS", "rss", "memory it holds, counted once", 0, COL_RIGHT, get_memory, M_RSS,
	  VALUE_SIZE },
	{ "PSS", "pss", "the same, each page divided by its mappers", 0, COL_RIGHT, get_memory,
	  M_PSS, VALUE_SIZE },
	{ "CLAIMED", "claimed", "what per-pid tools add up to for it", 0, COL_RIGHT, get_memory,
	  M_CLAIMED, VALUE_SIZE },
	{ "FACTOR", "factor", "claimed over rss", 0, COL_RIGHT, get_factor, 0, VALUE_REAL },
	{ "MEMBERS", NULL, "its tasks by kind", 0.3, COL_TRUNC, get_kinds },
	{ "COMM", NULL, "name of its first task", 0.1, COL_TRUNC, get_comm },
	{ "TREE", NULL, "the same, drawn by parentage with --tree", 0, COL_TREE, get_comm },
};

const size_t space_columns_n = ARRAY_SIZE(space_columns);

static const char *const plurals[] = {
	[KIND_UNKNOWN] = "unknown",  [KIND_PROCESS] = "processes", [KIND_THREAD] = "threads",
	[KIND_VFORK] = "vforks",     [KIND_PEER] = "peers",	   [KIND_WORKER] = "workers",
	[KIND_KTHREAD] = "kthreads", [KIND_LOAN] = "loans",	   [KIND_ZOMBIE] = "zombies",
};

static_assert(ARRAY_SIZE(plurals) == KIND_NR, "every kind has a plural");

char *space_kinds(char *buf, size_t n, const struct ledger *l, const struct space *sp)
{
	size_t count[KIND_NR] = { 0 };
	size_t used = 0;

	*buf = '\0';
	for (size_t i = 0; i < sp->tasks; i++)
		count[space_member(l, sp, i)->kind]++;
	for (int k = 0; k < KIND_NR && used < n; k++)
		if (count[k])
			used += snprintf(buf + used, n - used, "%s%zu %s", used ? ", " : "",
					 count[k], count[k] > 1 ? plurals[k] : task_kind_name(k));
	return buf;
}

void json_space(struct json *j, const struct ledger *l, const struct space *sp)
{
	struct space_row row = { l, sp };

	json_object(j, NULL);
	json_columns(j, space_columns, space_columns_n, &row);
	json_array(j, "members");
	for (size_t i = 0; i < sp->tasks; i++)
		json_task_brief(j, NULL, space_member(l, sp, i));
	json_array_end(j);
	json_object_end(j);
}
