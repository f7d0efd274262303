// SPDX-License-Identifier: GPL-2.0-only
/* mmlens trace: live switches, one line each, in the order in which they happened. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/state.h"
#include "cmd/window.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/events.h"

struct trace {
	struct json *json; /* NULL: text */
	struct cast cast;
	struct event_style style;
	uint64_t seen; /* switches */
	bool starved;  /* no memory to keep who is who */
};

static void on_event(const struct event *ev, void *arg)
{
	struct trace *t = arg;

	if (cast_apply(&t->cast, ev))
		t->starved = true;
	if (ev->type == EVENT_TASK)
		return;
	if (!t->style.since)
		t->style.since = ev->ts;
	t->seen += ev->type == EVENT_SWITCH;
	if (t->json)
		json_event(t->json, ev, &t->cast);
	else
		print_event(stdout, ev, &t->cast, &t->style);
}

/* A pager that nobody scrolls must neither prolong the window nor keep the ring from being read. */
static bool takes(int ms, void *arg)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	(void)arg;
	return poll(&out, 1, ms) != 0;
}

static void on_tick(void *arg)
{
	if (takes(0, arg))
		fflush(stdout);
}

static void print_summary(const struct trace *t, const struct window *w)
{
	char seen[24], lost[24], span[24];

	if (t->json) {
		json_object(t->json, NULL);
		json_uint(t->json, "lost", w->switches.lost);
		json_object_end(t->json);
		return;
	}
	printf("%s switches in %s, %s lost\n", text_count(seen, sizeof(seen), t->seen),
	       text_ns(span, sizeof(span), w->switches.duration_ns),
	       text_count(lost, sizeof(lost), w->switches.lost));
}

static int trace(struct trace *t, const struct window_args *args, int argc, char **argv)
{
	struct window w = {
		.event = on_event, .takes = takes, .tick = on_tick, .arg = t, .every = true
	};
	int status = window_run(&w, args, argc, argv);

	if (!status && t->starved)
		status = fail(EXIT_FAILED, "trace", "out of memory");
	if (!status)
		print_summary(t, &w);
	window_deinit(&w);
	cast_deinit(&t->cast);
	return status;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct window_args *a = args;
	struct trace t = { .style.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") };
	int status;

	(void)cmd;
	if (a->common.view.json) {
		t.json = json_open(stdout, true);
		if (!t.json)
			return fail(EXIT_FAILED, "trace", "out of memory");
	}
	status = trace(&t, a, argc, argv);
	return t.json ? json_finish(t.json, status) : status;
}

static const struct option_def options[] = { WINDOW_OPTIONS };

const struct command cmd_trace = {
	.name = "trace",
	.no_file = "prints what happens now: mmlens report FILE tells what was recorded",
	.operands = "[-- COMMAND...]",
	.summary = "live switches, one line each",
	.text = "Columns: seconds, CPU, class, cost, state of the task that leaves, then who leaves ->\n"
		"who comes, as name/tid @space.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct window_args),
	.max_operands = UINT32_MAX,
	.takes_command = true,
	.run = run,
};
