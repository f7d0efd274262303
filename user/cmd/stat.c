// SPDX-License-Identifier: GPL-2.0-only
/* mmlens stat: a window of context switches by class, counted in the kernel, with their cost. */
#include <sys/wait.h>

#include "cmd/state.h"
#include "cmd/window.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/switches.h"

#define TASKS_SHOWN 10

static void json_cost(struct json *j, const struct cost *c)
{
	if (!c->n)
		return json_null(j, "cost");
	json_object(j, "cost");
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
		json_cost(j, &sw->classes[c].cost);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_agreement(struct json *j, const struct agreement *a)
{
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

static void json_tasks(struct json *j, const struct switches *sw)
{
	json_array(j, "tasks");
	for (size_t i = 0; i < sw->n_tasks; i++) {
		json_object(j, NULL);
		json_columns(j, task_switches_columns, task_switches_columns_n, &sw->tasks[i]);
		json_object_end(j);
	}
	json_array_end(j);
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

static int print_json(const struct window *w)
{
	const struct switches *sw = &w->switches;
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "stat", "out of memory");
	json_object(j, NULL);
	json_head(j, "stat", &w->after);
	json_uint(j, "duration_ns", sw->duration_ns);
	json_uint(j, "switches", switches_total(sw));
	json_uint(j, "loads", switches_loads(sw));
	json_uint(j, "lost", sw->lost);
	json_tlb(j, sw);
	json_str(j, "cost_end", *sw->cost_end ? sw->cost_end : NULL);
	json_classes(j, sw);
	json_tasks(j, sw);
	json_agreement(j, &w->agreement);
	if (w->command)
		json_uint(j, "command_status", WEXITSTATUS(w->command_status));
	json_object_end(j);
	return json_close(j) ? fail(EXIT_FAILED, "output", "cannot be written") : EXIT_DONE;
}

static int print_classes(const struct window_args *args, const struct switches *sw)
{
	const char *bad = NULL;
	struct table *t = table_new(class_columns, class_columns_n,
				    "CLASS,COUNT,SHARE,VOLUNTARY,PREEMPTED,EXIT,P50,P99,MAX",
				    &args->common.view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "stat", "out of memory");
	for (int c = 0; c < CLASS_NR; c++) {
		struct class_row row = { sw, c };

		table_add(t, NULL, &row);
	}
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

static void print_tasks(const struct window_args *args, const struct switches *sw)
{
	struct view view = args->common.view;
	const char *bad = NULL;
	struct table *t;

	view.columns = NULL;
	t = table_new(task_switches_columns, task_switches_columns_n,
		      "TID,COMM,SPACE,SWITCHES,THREAD,PEER,PROCESS,TO-KERNEL,TO-IDLE,PREEMPT",
		      &view, &bad);
	if (!t)
		return;
	for (size_t i = 0; i < sw->n_tasks && i < TASKS_SHOWN; i++)
		table_add(t, NULL, &sw->tasks[i]);
	printf("\n");
	table_print(t, stdout);
	table_free(t);
	if (sw->n_tasks > TASKS_SHOWN)
		printf("... and %zu more tasks (--json has all)\n", sw->n_tasks - TASKS_SHOWN);
}

static void print_summary(const struct window *w)
{
	const struct switches *sw = &w->switches;
	char total[24], loads[24], lost[24], span[24];

	printf("\n%s switches in %s, %s of them loaded another address space; %s lost.\n",
	       text_count(total, sizeof(total), switches_total(sw)),
	       text_ns(span, sizeof(span), sw->duration_ns),
	       text_count(loads, sizeof(loads), switches_loads(sw)),
	       text_count(lost, sizeof(lost), sw->lost));
	if (*sw->cost_end)
		printf("Cost: from sched_switch to %s.\n", sw->cost_end);
	else
		printf("Cost: not measured, this kernel shows no end of a switch.\n");
	if (w->agreement.tasks)
		printf("%zu of %zu tasks agree with the kernel's own counters (%s).\n",
		       w->agreement.agree, w->agreement.tasks, w->after.source);
}

static void print_tlb(const struct window_args *args, const struct switches *sw)
{
	char loads[24], flushed[24];

	if (sw->tlb_known)
		printf("The processor itself reports %s loads, %s of them with a TLB flush.\n",
		       text_count(loads, sizeof(loads), sw->tlb_loads),
		       text_count(flushed, sizeof(flushed), sw->tlb_flushed));
	else if (args->tlb)
		printf("The processor's own count of loads is not told by this kernel.\n");
}

static void print_disagreements(const struct agreement *a)
{
	for (size_t i = 0; i < a->n_worst; i++) {
		char comm[68];

		printf("  %s/%u: counted %llu, the kernel %llu\n",
		       text_escape(comm, sizeof(comm), a->worst[i].comm), a->worst[i].key.tid,
		       (unsigned long long)a->worst[i].counted,
		       (unsigned long long)a->worst[i].grown);
	}
}

static int print_text(const struct window_args *args, const struct window *w)
{
	int status = print_classes(args, &w->switches);

	if (status || args->common.view.raw)
		return status;
	print_tasks(args, &w->switches);
	print_summary(w);
	print_tlb(args, &w->switches);
	print_disagreements(&w->agreement);
	if (w->command && WIFSIGNALED(w->command_status))
		printf("The command was ended by signal %d.\n", WTERMSIG(w->command_status));
	else if (w->command && WEXITSTATUS(w->command_status))
		printf("The command ended with status %d.\n", WEXITSTATUS(w->command_status));
	return EXIT_DONE;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct window_args *a = args;
	struct window w = { 0 };
	int status = window_run(&w, a, argc, argv);

	(void)cmd;
	if (!status)
		status = a->common.view.json ? print_json(&w) : print_text(a, &w);
	window_deinit(&w);
	return status;
}

static const struct option_def options[] = {
	WINDOW_OPTIONS,
	{ "tlb", 0, NULL, OPTION_FLAG, offsetof(struct window_args, tlb),
	  "count the loads that the processor reports as well (x86; costs a little)" },
};

const struct command cmd_stat = {
	.name = "stat",
	.operands = "[-- COMMAND...]",
	.summary = "context switches by class, counted in the kernel, with their cost",
	.text = "A switch belongs to the task that leaves the CPU. Classes say what the CPU had to\n"
		"do: `process` and `back-other` load another address space, the others do not.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct window_args),
	.columns = class_columns,
	.n_columns = &class_columns_n,
	.max_operands = UINT32_MAX,
	.takes_command = true,
	.run = run,
};
