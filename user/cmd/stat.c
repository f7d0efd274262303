// SPDX-License-Identifier: GPL-2.0-only
/* mmlens stat: a window of context switches by class, counted in the kernel, with their cost. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/state.h"
#include "cmd/statview.h"
#include "cmd/window.h"
#include "lib/cleanup.h"
#include "render/switches.h"

/* The first member is the window's own, by which window.c knows it. */
struct stat_args {
	struct window_args window;
	const char *by;
};

/* One document; with -i one a line for the counts so far, and the last with what is known at the end. */
static int print_json(const struct window *w, const struct statview *v)
{
	struct json *j = json_open(stdout, w->interval_ns);

	if (!j)
		return fail(EXIT_FAILED, "stat", "out of memory");
	json_object(j, NULL);
	json_head(j, "stat", v->snapshot);
	statview_json(j, v);
	if (w->command && v->agreement)
		json_uint(j, "command_status", WEXITSTATUS(w->command_status));
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static int print_text(const struct window *w, const struct statview *v)
{
	int status = statview_text(v);

	if (status || v->view->raw || !w->command)
		return status;
	if (WIFSIGNALED(w->command_status))
		printf("The command was ended by signal %d.\n", WTERMSIG(w->command_status));
	else if (WEXITSTATUS(w->command_status))
		printf("The command ended with status %d.\n", WEXITSTATUS(w->command_status));
	return EXIT_DONE;
}

struct live {
	struct window w;
	struct statview v;
};

/* So far: from the beginning of the window, in place of what stood there where that is a terminal. */
static void refresh(const struct switches *sw, void *arg)
{
	const struct live *live = arg;
	struct statview v = live->v;

	v.switches = sw;
	v.snapshot = &live->w.before;
	v.agreement = NULL;
	if (v.view->json) {
		print_json(&live->w, &v);
		return;
	}
	if (isatty(STDOUT_FILENO))
		printf("\033[H\033[J");
	statview_text(&v);
	if (!isatty(STDOUT_FILENO))
		printf("\n");
	fflush(stdout);
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct stat_args *a = args;
	struct live live = { .w = { .interval_ns = a->window.interval_ns, .refresh = refresh } };
	struct window *w = &live.w;
	struct statview *v = &live.v;
	int status;

	*v = (struct statview){
		.switches = &w->switches,
		.agreement = &w->agreement,
		.snapshot = &w->after,
		.view = &a->window.common.view,
		.tlb_asked = a->window.tlb,
	};
	(void)cmd;
	status = statview_choose(a->by, v);
	if (status)
		return status;
	w->arg = &live;
	w->pairs = v->by[BY_PAIR] || v->view->json;
	w->cgroups = v->by[BY_CGROUP];
	if (a->by && v->view->json)
		w->pairs = v->by[BY_PAIR];
	status = window_run(w, &a->window, argc, argv);
	if (!status && w->interval_ns && !v->view->json && isatty(STDOUT_FILENO))
		printf("\033[H\033[J");
	if (!status)
		status = v->view->json ? print_json(w, v) : print_text(w, v);
	window_deinit(w);
	return status;
}

static const struct option_def options[] = {
	WINDOW_OPTIONS,
	{ "by", 0, "VIEW,...", OPTION_STRING, offsetof(struct stat_args, by),
	  "tables to print: class, task, pair, cpu, cgroup (default: class,task)" },
	{ "delays", 0, NULL, OPTION_FLAG, offsetof(struct window_args, delays),
	  "how long tasks waited for a CPU, and slept, by state (costs a little)" },
	{ "interval", 'i', "SECONDS", OPTION_SECONDS, offsetof(struct window_args, interval_ns),
	  "show the counts so far this often" },
	{ "tlb", 0, NULL, OPTION_FLAG, offsetof(struct window_args, tlb),
	  "count the loads that the processor reports as well (x86; costs a little)" },
};

const struct command cmd_stat = {
	.name = "stat",
	.no_file = "counts what happens now: mmlens report FILE tells what was recorded",
	.operands = "[-- COMMAND...]",
	.summary = "context switches by class, counted in the kernel, with their cost",
	.text = "A switch belongs to the task that leaves the CPU. Classes say what the CPU had to\n"
		"do: `process` and `back-other` load another address space, the others do not.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct stat_args),
	.columns = class_columns,
	.n_columns = &class_columns_n,
	.max_operands = UINT32_MAX,
	.takes_command = true,
	.run = run,
};
