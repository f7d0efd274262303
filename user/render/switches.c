// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/switches.h"

static const struct class_count *counts(const void *row)
{
	const struct class_row *r = row;

	return &r->all->classes[r->class];
}

static void get_class(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, switch_class_name(((const struct class_row *)row)->class));
}

static void get_summary(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, switch_class_summary(((const struct class_row *)row)->class));
}

static void get_count(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_COUNT, class_total(counts(row)));
}

static void get_how(const void *row, int arg, struct value *v)
{
	value_uint(v, VALUE_COUNT, counts(row)->how[arg]);
}

static void get_share(const void *row, int arg, struct value *v)
{
	const struct class_row *r = row;
	uint64_t all = switches_total(r->all);

	(void)arg;
	if (!all)
		return;
	snprintf(v->room, sizeof(v->room), "%.1f%%", 100.0 * class_total(counts(row)) / all);
	value_str(v, v->room);
}

enum {
	COST_N,
	COST_MEAN,
	COST_P50,
	COST_P90,
	COST_P99,
	COST_MAX
};

static void get_cost(const void *row, int arg, struct value *v)
{
	const struct cost *c = &counts(row)->cost;
	const uint64_t values[] = { c->n, c->mean, c->p50, c->p90, c->p99, c->max };

	if (c->n)
		value_uint(v, arg == COST_N ? VALUE_COUNT : VALUE_NS, values[arg]);
}

#define COST(word, arg, text)                                 \
	{                                                     \
		word, NULL, text, 0, COL_RIGHT, get_cost, arg \
	}

/* The keys of `cost` are written by json_cost(): it is null as a whole. */
const struct column class_columns[] = {
	{ "CLASS", "class", "what the CPU had to do", 0, 0, get_class },
	{ "COUNT", "count", "switches", 0, COL_RIGHT, get_count },
	{ "SHARE", NULL, "part of all switches", 0, COL_RIGHT, get_share },
	{ "VOLUNTARY", "voluntary", "the task waited or yielded the CPU by waiting", 0, COL_RIGHT,
	  get_how, HOW_VOLUNTARY },
	{ "PREEMPTED", "preempted", "the task could have run on", 0, COL_RIGHT, get_how,
	  HOW_PREEMPTED },
	{ "EXIT", "exit", "the task was dying", 0, COL_RIGHT, get_how, HOW_EXIT },
	COST("COSTS", COST_N, "switches whose cost was measured"),
	COST("MEAN", COST_MEAN, "cost: mean"),
	COST("P50", COST_P50, "cost: half of the switches took at most this"),
	COST("P90", COST_P90, "cost: nine of ten"),
	COST("P99", COST_P99, "cost: ninety-nine of a hundred"),
	COST("MAX", COST_MAX, "cost: the longest"),
	{ "MEANING", NULL, "the class in words", 0.3, COL_TRUNC, get_summary },
};

const size_t class_columns_n = ARRAY_SIZE(class_columns);

static void get_tgid(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_UINT, ((const struct task_switches *)row)->key.tgid);
}

static void get_tid(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_UINT, ((const struct task_switches *)row)->key.tid);
}

static void get_start(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_NS, ((const struct task_switches *)row)->key.start_ns);
}

static void get_comm(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct task_switches *)row)->comm);
}

static void get_space(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_ID, ((const struct task_switches *)row)->space);
}

static void get_total(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_COUNT, task_switches_total(row));
}

static void get_task_class(const void *row, int arg, struct value *v)
{
	value_uint(v, VALUE_COUNT, ((const struct task_switches *)row)->count[arg]);
}

static void get_task_how(const void *row, int arg, struct value *v)
{
	value_uint(v, VALUE_COUNT, ((const struct task_switches *)row)->how[arg]);
}

#define CLASS(word, key, class)                                                              \
	{                                                                                    \
		word, key, "its switches of class " key, 0, COL_RIGHT, get_task_class, class \
	}

#define HOW(word, key, how, text)                                \
	{                                                        \
		word, key, text, 0, COL_RIGHT, get_task_how, how \
	}

const struct column task_switches_columns[] = {
	{ "TGID", "tgid", "thread group", 0, COL_RIGHT, get_tgid },
	{ "TID", "tid", "the task's own id", 0, COL_RIGHT, get_tid },
	{ "COMM", "comm", "its name", 0.1, COL_TRUNC, get_comm },
	{ "SPACE", "space", "its address space at its last switch", 0, COL_RIGHT, get_space },
	{ NULL, "start_ns", "its start, since boot", 0, COL_RIGHT, get_start },
	{ "SWITCHES", "switches", "times it left a CPU", 0, COL_RIGHT, get_total },
	CLASS("THREAD", "thread", CLASS_THREAD),
	CLASS("PEER", "peer", CLASS_PEER),
	CLASS("PROCESS", "process", CLASS_PROCESS),
	CLASS("TO-KERNEL", "to-kernel", CLASS_TO_KERNEL),
	CLASS("TO-IDLE", "to-idle", CLASS_TO_IDLE),
	CLASS("KERNEL", "kernel", CLASS_KERNEL),
	CLASS("BACK-SAME", "back-same", CLASS_BACK_SAME),
	CLASS("BACK-OTHER", "back-other", CLASS_BACK_OTHER),
	HOW("VOL", "voluntary", HOW_VOLUNTARY, "because it waited"),
	HOW("PREEMPT", "preempted", HOW_PREEMPTED, "though it could have run on"),
	HOW("EXIT", "exit", HOW_EXIT, "because it died"),
};

const size_t task_switches_columns_n = ARRAY_SIZE(task_switches_columns);
