// SPDX-License-Identifier: GPL-2.0-only
/* mmlens trace: live switches, one line each, in the order in which they happened. */
#include <stdlib.h>
#include <time.h>

#include "cmd/window.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/switches.h"

/*
 * CPUs fill the ring in turns, so events of two CPUs arrive out of order by less than a switch
 * takes. Held back this long they are sorted; it is also how long a line waits to be seen.
 */
#define HOLD_NS 20000000ull

struct trace {
	struct json *json; /* NULL: text */
	struct switch_event *held;
	size_t n;
	size_t room;
	uint64_t since; /* of the first event */
	uint64_t seen;
	uint64_t dropped; /* no memory to hold them */
};

static int by_time(const void *a, const void *b)
{
	const struct switch_event *x = a, *y = b;

	return x->ts != y->ts ? (x->ts < y->ts ? -1 : 1) : (x->cpu > y->cpu) - (x->cpu < y->cpu);
}

static void show(struct trace *t, const struct switch_event *ev)
{
	if (!t->seen++)
		t->since = ev->ts;
	if (t->json)
		json_switch(t->json, ev);
	else
		print_switch(stdout, ev, t->since);
}

/* Prints what is older than `limit`, in order. */
static void release(struct trace *t, uint64_t limit)
{
	size_t shown = 0;

	if (t->n)
		qsort(t->held, t->n, sizeof(*t->held), by_time);
	while (shown < t->n && t->held[shown].ts < limit)
		show(t, &t->held[shown++]);
	for (size_t i = shown; i < t->n; i++)
		t->held[i - shown] = t->held[i];
	t->n -= shown;
	fflush(stdout);
}

static void on_event(const struct switch_event *ev, void *arg)
{
	struct trace *t = arg;

	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 4096;
		struct switch_event *held = realloc(t->held, room * sizeof(*held));

		if (!held) {
			t->dropped++;
			return;
		}
		t->held = held;
		t->room = room;
	}
	t->held[t->n++] = *ev;
}

static void on_tick(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	release(arg, (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec - HOLD_NS);
}

static void print_summary(const struct trace *t, const struct window *w)
{
	uint64_t lost = w->switches.lost + t->dropped;
	char seen[24], lost_text[24], span[24];

	if (t->json) {
		json_object(t->json, NULL);
		json_uint(t->json, "lost", lost);
		json_object_end(t->json);
		return;
	}
	printf("%s switches in %s, %s lost\n", text_count(seen, sizeof(seen), t->seen),
	       text_ns(span, sizeof(span), w->switches.duration_ns),
	       text_count(lost_text, sizeof(lost_text), lost));
}

static int trace(struct trace *t, const struct window_args *args, int argc, char **argv)
{
	struct window w = { .event = on_event, .tick = on_tick, .arg = t };
	int status = window_run(&w, args, argc, argv);

	release(t, UINT64_MAX);
	if (!status)
		print_summary(t, &w);
	window_deinit(&w);
	free(t->held);
	return status;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct window_args *a = args;
	struct trace t = { 0 };
	int status;

	(void)cmd;
	if (a->common.view.json) {
		t.json = json_open(stdout, true);
		if (!t.json)
			return fail(EXIT_FAILED, "trace", "out of memory");
	}
	status = trace(&t, a, argc, argv);
	if (t.json && json_close(t.json) && !status)
		return fail(EXIT_FAILED, "output", "cannot be written");
	return status;
}

static const struct option_def options[] = { WINDOW_OPTIONS };

const struct command cmd_trace = {
	.name = "trace",
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
