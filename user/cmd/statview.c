// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "analysis/groups.h"
#include "cmd/state.h"
#include "cmd/statview.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/switches.h"
#include "source/procmeta.h"

#define ROWS_SHOWN 10

static const char *const views[] = {
	[BY_CLASS] = "class", [BY_TASK] = "task",     [BY_PAIR] = "pair",
	[BY_CPU] = "cpu",     [BY_CGROUP] = "cgroup",
};

_Static_assert(ARRAY_SIZE(views) == BY_NR, "every view has its word");

static int view_of(const char *word, size_t len)
{
	for (int i = 0; i < BY_NR; i++)
		if (strlen(views[i]) == len && strncmp(views[i], word, len) == 0)
			return i;
	return -1;
}

int statview_choose(const char *by, struct statview *v)
{
	const char *at = by ? by : "class,task";

	while (*at) {
		size_t len = strcspn(at, ",");
		int view = view_of(at, len);

		if (view < 0)
			return fail(EXIT_USAGE, at,
				    "no such view; there are class, task, pair, cpu and cgroup");
		v->by[view] = true;
		at += len;
		at += *at == ',';
	}
	return 0;
}

/* ---- JSON ---- */

static void json_cost(struct json *j, const char *key, const struct cost *c)
{
	if (!c->n)
		return json_null(j, key);
	json_object(j, key);
	json_uint(j, "n", c->n);
	json_uint(j, "mean", c->mean);
	json_uint(j, "p50", c->p50);
	json_uint(j, "p90", c->p90);
	json_uint(j, "p99", c->p99);
	json_uint(j, "max", c->max);
	json_object_end(j);
}

static void json_classes(struct json *j, const struct switches *sw)
{
	json_array(j, "classes");
	for (int c = 0; c < CLASS_NR; c++) {
		struct class_row row = { sw, c };

		json_object(j, NULL);
		json_columns(j, class_columns, class_columns_n, &row);
		json_cost(j, "cost", &sw->classes[c].cost);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_agreement(struct json *j, const struct agreement *a)
{
	if (!a)
		return json_null(j, "agreement");
	json_object(j, "agreement");
	json_uint(j, "tasks", a->tasks);
	json_uint(j, "agree", a->agree);
	json_array(j, "disagree");
	for (size_t i = 0; i < a->n_worst; i++) {
		json_object(j, NULL);
		json_uint(j, "tgid", a->worst[i].key.tgid);
		json_uint(j, "tid", a->worst[i].key.tid);
		json_str(j, "comm", a->worst[i].comm);
		json_uint(j, "counted", a->worst[i].counted);
		json_uint(j, "grown", a->worst[i].grown);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

/* Held against `loads`: null when not asked for or not told by this machine. */
static void json_tlb(struct json *j, const struct switches *sw)
{
	if (!sw->tlb_known)
		return json_null(j, "tlb");
	json_object(j, "tlb");
	json_uint(j, "loads", sw->tlb_loads);
	json_uint(j, "flushed", sw->tlb_flushed);
	json_object_end(j);
}

static void json_delays(struct json *j, const struct switches *sw)
{
	if (!sw->delays_known)
		return json_null(j, "delays");
	json_object(j, "delays");
	for (int d = 0; d < DELAY_NR; d++)
		json_cost(j, delay_name(d), &sw->delays[d]);
	json_object_end(j);
}

/*
 * The id that the recorded state has of a task's space: another witness than that of the events may
 * have given it, and only on x86 all give the kernel's own number.
 */
static uint64_t recorded_space(const struct snapshot *recorded, const struct task_switches *t)
{
	const struct task *known = snapshot_find_key(recorded, &t->key);

	return known ? task_space(known) : t->space;
}

/* By a space that the recorded state has the path of. */
static void name_recorded(const struct statview *v, struct group *g)
{
	for (size_t i = 0; i < v->switches->n_tasks; i++) {
		const struct task_switches *t = &v->switches->tasks[i];
		const struct space_memory *m =
			t->cgroup == g->id
				? snapshot_memory(v->recorded, recorded_space(v->recorded, t))
				: NULL;

		if (m && m->cgroup) {
			snprintf(g->path, sizeof(g->path), "%s", m->cgroup);
			return;
		}
	}
}

/* The paths of the groups whose members still live, or lived when they were recorded. */
static void name_groups(const struct statview *v, struct groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct group *row = &g->rows[i];

		if (v->recorded)
			name_recorded(v, row);
		else if (procmeta_cgroup(row->member, row->path, sizeof(row->path)))
			row->path[0] = '\0';
	}
}

static void json_cgroups(struct json *j, const struct statview *v)
{
	struct groups g = { 0 };

	if (groups_by_cgroup(&g, v->switches))
		return json_null(j, "cgroups");
	name_groups(v, &g);
	json_rows(j, "cgroups", cgroup_columns, cgroup_columns_n, g.rows, g.n, sizeof(*g.rows));
	groups_deinit(&g);
}

static double per_second(uint64_t n, uint64_t ns)
{
	return ns ? (double)n * 1e9 / (double)ns : 0;
}

/* The members of an open object behind its head. */
void statview_json(struct json *j, const struct statview *v)
{
	const struct switches *sw = v->switches;

	json_uint(j, "duration_ns", sw->duration_ns);
	json_uint(j, "switches", switches_total(sw));
	json_uint(j, "loads", switches_loads(sw));
	json_real(j, "loads_per_second", per_second(switches_loads(sw), sw->duration_ns));
	json_uint(j, "lost", sw->lost);
	json_tlb(j, sw);
	json_str(j, "cost_end", *sw->cost_end ? sw->cost_end : NULL);
	if (sw->clock_ns)
		json_uint(j, "clock_ns", sw->clock_ns);
	else
		json_null(j, "clock_ns");
	json_classes(j, sw);
	json_rows(j, "tasks", task_switches_columns, task_switches_columns_n, sw->tasks,
		  sw->n_tasks, sizeof(*sw->tasks));
	json_rows(j, "cpus", cpu_columns, cpu_columns_n, sw->cpus, sw->n_cpus, sizeof(*sw->cpus));
	if (sw->pairs_known)
		json_rows(j, "pairs", pair_columns, pair_columns_n, sw->pairs, sw->n_pairs,
			  sizeof(*sw->pairs));
	else
		json_null(j, "pairs");
	json_cgroups(j, v);
	json_delays(j, sw);
	json_agreement(j, v->agreement);
}

/* ---- text ---- */

static int print_classes(const struct statview *v)
{
	const char *bad = NULL;
	struct table *t = table_new(class_columns, class_columns_n,
				    "CLASS,COUNT,SHARE,VOLUNTARY,PREEMPTED,EXIT,P50,P90,P99,MAX",
				    v->view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "stat", "out of memory");
	for (int c = 0; c < CLASS_NR; c++) {
		struct class_row row = { v->switches, c };

		table_add(t, NULL, &row);
	}
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

/* The first rows of a table of its own columns; -o is about the classes. */
static void print_rows(const struct statview *v, const struct column *cols, size_t n_cols,
		       const char *defaults, const void *rows, size_t n, size_t size)
{
	struct view view = *v->view;
	const char *bad = NULL;
	struct table *t;

	view.columns = NULL;
	t = table_new(cols, n_cols, defaults, &view, &bad);
	if (!t)
		return;
	for (size_t i = 0; i < n && i < ROWS_SHOWN; i++)
		table_add(t, NULL, (const char *)rows + i * size);
	printf("\n");
	table_print(t, stdout);
	table_free(t);
	if (n > ROWS_SHOWN)
		printf("... and %zu more (--json has all)\n", n - ROWS_SHOWN);
}

static void print_tasks(const struct statview *v)
{
	const struct switches *sw = v->switches;

	print_rows(v, task_switches_columns, task_switches_columns_n,
		   sw->delays_known ? "TID,COMM,SPACE,SWITCHES,PREEMPT,ON-CPU,RUNNABLE,SLEEP,DISK"
				    : "TID,COMM,SPACE,SWITCHES,THREAD,PEER,PROCESS,TO-KERNEL,"
				      "TO-IDLE,PREEMPT",
		   sw->tasks, sw->n_tasks, sizeof(*sw->tasks));
}

static void print_cgroups(const struct statview *v)
{
	struct groups g = { 0 };

	if (groups_by_cgroup(&g, v->switches))
		return;
	name_groups(v, &g);
	print_rows(v, cgroup_columns, cgroup_columns_n,
		   v->switches->delays_known ? "CGROUP,TASKS,SWITCHES,LOADS,ON-CPU,RUNNABLE,PATH"
					     : "CGROUP,TASKS,SWITCHES,LOADS,PATH",
		   g.rows, g.n, sizeof(*g.rows));
	groups_deinit(&g);
}

static void print_delays(const struct statview *v)
{
	struct delay_row rows[DELAY_NR];

	if (!v->switches->delays_known)
		return;
	for (int d = 0; d < DELAY_NR; d++)
		rows[d] = (struct delay_row){ v->switches, d };
	print_rows(v, delay_columns, delay_columns_n, "WAIT,TIMES,MEAN,P50,P90,P99,MAX", rows,
		   DELAY_NR, sizeof(*rows));
}

static void print_loss(FILE *out, const struct switches *sw)
{
	for (size_t i = 0; i < sw->n_cpus; i++) {
		const struct cpu_switches *c = &sw->cpus[i];

		if (c->lost_tasks || c->lost_ring || c->lost_pairs)
			fprintf(out,
				"  CPU %u lost: %llu for a full table of tasks, %llu for a full ring, "
				"%llu for a full table of pairs\n",
				c->cpu, (unsigned long long)c->lost_tasks,
				(unsigned long long)c->lost_ring,
				(unsigned long long)c->lost_pairs);
	}
	if (sw->missed)
		fprintf(out, "  %llu runs of the programs were refused by the kernel\n",
			(unsigned long long)sw->missed);
}

static void print_summary(FILE *out, const struct statview *v)
{
	const struct switches *sw = v->switches;
	char total[24], loads[24], lost[24], span[24], clock[24];

	fprintf(out, "%s switches in %s, %s lost",
		text_count(total, sizeof(total), switches_total(sw)),
		text_ns(span, sizeof(span), sw->duration_ns),
		text_count(lost, sizeof(lost), sw->lost));
	if (v->agreement && v->agreement->tasks)
		fprintf(out, ", %s of %s tasks agree with the kernel's own counters (%s)",
			text_count(loads, sizeof(loads), v->agreement->agree),
			text_count(clock, sizeof(clock), v->agreement->tasks), v->snapshot->source);
	fprintf(out, ".\n%s of them loaded another address space, %.0f a second.\n",
		text_count(loads, sizeof(loads), switches_loads(sw)),
		per_second(switches_loads(sw), sw->duration_ns));
	print_loss(out, sw);
	if (!*sw->cost_end)
		fprintf(out,
			"Cost: not measured, this kernel shows no end of a switch that is safe to watch.\n");
	else if (sw->clock_ns)
		fprintf(out,
			"Cost: from sched_switch to %s; one reading of the clock, %s, is part of it.\n",
			sw->cost_end, text_ns(clock, sizeof(clock), sw->clock_ns));
	else
		fprintf(out, "Cost: from sched_switch to %s.\n", sw->cost_end);
}

static void print_tlb(FILE *out, const struct statview *v)
{
	const struct switches *sw = v->switches;
	char loads[24], flushed[24];

	if (sw->tlb_known)
		fprintf(out,
			"The processor itself reports %s loads, %s of them with a TLB flush.\n",
			text_count(loads, sizeof(loads), sw->tlb_loads),
			text_count(flushed, sizeof(flushed), sw->tlb_flushed));
	else if (v->tlb_asked)
		fprintf(out, "The processor's own count of loads is not told by this kernel.\n");
}

static void print_disagreements(FILE *out, const struct agreement *a)
{
	for (size_t i = 0; i < a->n_worst; i++) {
		char comm[68];

		fprintf(out, "  %s/%u: counted %llu, the kernel %llu\n",
			text_escape(comm, sizeof(comm), a->worst[i].comm), a->worst[i].key.tid,
			(unsigned long long)a->worst[i].counted,
			(unsigned long long)a->worst[i].grown);
	}
}

void statview_summary(FILE *out, const struct statview *v)
{
	print_summary(out, v);
	print_tlb(out, v);
	if (!v->agreement)
		return;
	print_disagreements(out, v->agreement);
	if (v->agreement->tasks)
		state_withheld(out, v->snapshot);
}

int statview_text(const struct statview *v)
{
	const struct switches *sw = v->switches;
	int status = v->by[BY_CLASS] ? print_classes(v) : EXIT_DONE;

	if (status || v->view->raw)
		return status;
	if (v->by[BY_TASK])
		print_tasks(v);
	if (v->by[BY_PAIR])
		print_rows(v, pair_columns, pair_columns_n, "FROM,FROM-COMM,TO,TO-COMM,COUNT,LOADS",
			   sw->pairs, sw->n_pairs, sizeof(*sw->pairs));
	if (v->by[BY_CPU])
		print_rows(v, cpu_columns, cpu_columns_n,
			   "CPU,SWITCHES,LOADS,VOL,PREEMPT,EXIT,LOST", sw->cpus, sw->n_cpus,
			   sizeof(*sw->cpus));
	if (v->by[BY_CGROUP])
		print_cgroups(v);
	print_delays(v);
	printf("\n");
	statview_summary(stdout, v);
	return EXIT_DONE;
}
