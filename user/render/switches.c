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

static void cost_value(const struct cost *c, int arg, struct value *v)
{
	const uint64_t values[] = { c->n, c->mean, c->p50, c->p90, c->p99, c->max };

	if (c->n)
		value_uint(v, arg == COST_N ? VALUE_COUNT : VALUE_NS, values[arg]);
}

static void get_cost(const void *row, int arg, struct value *v)
{
	cost_value(&counts(row)->cost, arg, v);
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

static void get_on_cpu(const void *row, int arg, struct value *v)
{
	const struct task_switches *t = row;

	(void)arg;
	if (t->delays_known)
		value_uint(v, VALUE_NS, t->on_cpu);
}

static void get_off(const void *row, int arg, struct value *v)
{
	const struct task_switches *t = row;

	if (t->delays_known)
		value_uint(v, VALUE_NS, t->off[arg]);
}

static void get_cgroup(const void *row, int arg, struct value *v)
{
	const struct task_switches *t = row;

	(void)arg;
	if (t->cgroup)
		value_uint(v, VALUE_UINT, t->cgroup);
}

#define OFF(word, key, get, delay, text)                  \
	{                                                 \
		word, key, text, 0, COL_RIGHT, get, delay \
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
	{ "ON-CPU", "on_cpu_ns", "time on a CPU, up to its last switch (--delays)", 0, COL_RIGHT,
	  get_on_cpu },
	OFF("RUNNABLE", "runnable_ns", get_off, DELAY_RUNNABLE, "waited for a CPU (--delays)"),
	OFF("SLEEP", "sleep_ns", get_off, DELAY_SLEEP, "waited in state S (--delays)"),
	OFF("DISK", "disk_ns", get_off, DELAY_DISK, "waited in state D (--delays)"),
	OFF("STOPPED", "other_ns", get_off, DELAY_OTHER, "stopped, traced, parked (--delays)"),
	{ "CGROUP", "cgroup", "inode number of its cgroup", 0, COL_RIGHT, get_cgroup },
};

const size_t task_switches_columns_n = ARRAY_SIZE(task_switches_columns);

/* ---- by CPU ---- */

static void get_cpu(const void *row, int arg, struct value *v)
{
	const struct cpu_switches *c = row;
	const uint64_t values[] = { c->cpu, cpu_switches_total(c), cpu_switches_loads(c),
				    c->lost_tasks + c->lost_ring + c->lost_pairs };

	value_uint(v, arg ? VALUE_COUNT : VALUE_UINT, values[arg]);
}

static void get_cpu_how(const void *row, int arg, struct value *v)
{
	const struct cpu_switches *c = row;
	uint64_t sum = 0;

	for (int class = 0; class < CLASS_NR; class ++)
		sum += c->how[class][arg];
	value_uint(v, VALUE_COUNT, sum);
}

const struct column cpu_columns[] = {
	{ "CPU", "cpu", "the processor", 0, COL_RIGHT, get_cpu, 0 },
	{ "SWITCHES", "switches", "switches on it", 0, COL_RIGHT, get_cpu, 1 },
	{ "LOADS", "loads", "of these, with another address space loaded", 0, COL_RIGHT, get_cpu,
	  2 },
	{ "VOL", "voluntary", "the task waited", 0, COL_RIGHT, get_cpu_how, HOW_VOLUNTARY },
	{ "PREEMPT", "preempted", "the task could have run on", 0, COL_RIGHT, get_cpu_how,
	  HOW_PREEMPTED },
	{ "EXIT", "exit", "the task was dying", 0, COL_RIGHT, get_cpu_how, HOW_EXIT },
	{ "LOST", "lost", "switches and events dropped there", 0, COL_RIGHT, get_cpu, 3 },
};

const size_t cpu_columns_n = ARRAY_SIZE(cpu_columns);

/* ---- by pair of spaces ---- */

static void get_pair_space(const void *row, int arg, struct value *v)
{
	const struct pair_switches *p = row;

	value_uint(v, VALUE_ID, arg ? p->to : p->from);
}

static void get_pair_comm(const void *row, int arg, struct value *v)
{
	const struct pair_switches *p = row;

	if (arg ? p->to : p->from)
		value_str(v, arg ? p->to_comm : p->from_comm);
}

static void get_pair_count(const void *row, int arg, struct value *v)
{
	const struct pair_switches *p = row;

	value_uint(v, VALUE_COUNT, arg ? p->loads : p->count);
}

const struct column pair_columns[] = {
	{ "FROM", "from", "the space that was left; none: kernel or idle", 0, COL_RIGHT,
	  get_pair_space, 0 },
	{ "FROM-COMM", "from_comm", "a task of it", 0.1, COL_TRUNC, get_pair_comm, 0 },
	{ "TO", "to", "the space that came", 0, COL_RIGHT, get_pair_space, 1 },
	{ "TO-COMM", "to_comm", "a task of it", 0.1, COL_TRUNC, get_pair_comm, 1 },
	{ "COUNT", "count", "switches from the one to the other", 0, COL_RIGHT, get_pair_count, 0 },
	{ "LOADS", "loads", "of these, with the space loaded", 0, COL_RIGHT, get_pair_count, 1 },
};

const size_t pair_columns_n = ARRAY_SIZE(pair_columns);

/* ---- by cgroup ---- */

static void get_group(const void *row, int arg, struct value *v)
{
	const struct group *g = row;
	const uint64_t values[] = { g->id, g->tasks, g->switches, g->loads, g->on_cpu };

	if (arg == 4 && !g->delays_known)
		return;
	value_uint(v, arg == 4 ? VALUE_NS : arg ? VALUE_COUNT : VALUE_UINT, values[arg]);
}

static void get_group_off(const void *row, int arg, struct value *v)
{
	const struct group *g = row;

	if (g->delays_known)
		value_uint(v, VALUE_NS, g->off[arg]);
}

static void get_group_path(const void *row, int arg, struct value *v)
{
	const struct group *g = row;

	(void)arg;
	value_str(v, *g->path ? g->path : NULL);
}

const struct column cgroup_columns[] = {
	{ "CGROUP", "cgroup", "inode number of the cgroup", 0, COL_RIGHT, get_group, 0 },
	{ "TASKS", "tasks", "tasks in it that switched", 0, COL_RIGHT, get_group, 1 },
	{ "SWITCHES", "switches", "switches of them", 0, COL_RIGHT, get_group, 2 },
	{ "LOADS", "loads", "of these, to another address space", 0, COL_RIGHT, get_group, 3 },
	{ "ON-CPU", "on_cpu_ns", "their time on a CPU", 0, COL_RIGHT, get_group, 4 },
	OFF("RUNNABLE", "runnable_ns", get_group_off, DELAY_RUNNABLE, "waited for a CPU"),
	OFF("SLEEP", "sleep_ns", get_group_off, DELAY_SLEEP, "waited in state S"),
	OFF("DISK", "disk_ns", get_group_off, DELAY_DISK, "waited in state D"),
	{ "PATH", "path", "its path, while a member lives", 0.3, COL_TRUNC, get_group_path },
};

const size_t cgroup_columns_n = ARRAY_SIZE(cgroup_columns);

/* ---- delays ---- */

static void get_wait(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, delay_name(((const struct delay_row *)row)->delay));
}

static void get_delay(const void *row, int arg, struct value *v)
{
	const struct delay_row *r = row;

	cost_value(&r->all->delays[r->delay], arg, v);
}

#define DELAY(word, arg, text)                                 \
	{                                                      \
		word, NULL, text, 0, COL_RIGHT, get_delay, arg \
	}

const struct column delay_columns[] = {
	{ "WAIT", NULL, "what for", 0, 0, get_wait },
	DELAY("TIMES", COST_N, "waits that ended"),
	DELAY("MEAN", COST_MEAN, "mean"),
	DELAY("P50", COST_P50, "half of the waits were at most this long"),
	DELAY("P90", COST_P90, "nine of ten"),
	DELAY("P99", COST_P99, "ninety-nine of a hundred"),
	DELAY("MAX", COST_MAX, "the longest"),
};

const size_t delay_columns_n = ARRAY_SIZE(delay_columns);
