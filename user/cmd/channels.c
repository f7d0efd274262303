// SPDX-License-Identifier: GPL-2.0-only
/* mmlens channels: every way between two processes, or out of one. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "analysis/channels.h"
#include "cmd/state.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/channels.h"
#include "source/bpf_wakeups.h"
#include "source/endpoints.h"
#include "source/source.h"

struct channels_args {
	struct common common;
	uint64_t watch; /* ns, 0: not */
};

struct findings {
	struct endpoints endpoints;
	struct channels channels;
	struct wakeups wakeups;
	bool watched;
	bool same_space; /* every address is a channel */
};

static void json_watch(struct json *j, const struct wakeups *w)
{
	json_object(j, "watch");
	json_uint(j, "duration_ns", w->duration_ns);
	json_uint(j, "lost", w->lost);
	json_rows(j, "wakeups", wakeup_columns, wakeup_columns_n, w->w, w->n, sizeof(*w->w));
	json_rows(j, "signals", signal_columns, signal_columns_n, w->s, w->n_signals,
		  sizeof(*w->s));
	json_object_end(j);
}

static int print_json(const struct state *st, const struct findings *f)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "channels", "out of memory");
	json_object(j, NULL);
	json_head(j, "channels", &st->snapshot);
	json_uint(j, "withheld_processes", f->endpoints.withheld);
	json_bool(j, "same_space", f->same_space);
	json_rows(j, "channels", channel_columns, channel_columns_n, f->channels.c, f->channels.n,
		  sizeof(*f->channels.c));
	if (f->watched)
		json_watch(j, &f->wakeups);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static int print_rows(const struct view *given, const struct column *columns, size_t n_columns,
		      const char *shown, const void *rows, size_t size, size_t n)
{
	struct view view = *given;
	const char *bad = NULL;
	struct table *t;

	/* -o chooses among the columns of channels */
	view.columns = NULL;
	t = table_new(columns, n_columns, shown, &view, &bad);
	if (!t)
		return fail(EXIT_FAILED, "channels", "out of memory");
	for (size_t i = 0; i < n; i++)
		table_add(t, NULL, (const char *)rows + i * size);
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

static int print_watch(const struct view *view, const struct wakeups *w)
{
	int status;

	printf("\n%zu kinds of wake-ups, %llu lost\n", w->n, (unsigned long long)w->lost);
	status = print_rows(view, wakeup_columns, wakeup_columns_n,
			    "COUNT,WAKER,WAKEE,SPACE,CALL,THROUGH", w->w, sizeof(*w->w), w->n);
	if (status || !w->n_signals)
		return status;
	printf("\n%zu kinds of signals\n", w->n_signals);
	return print_rows(view, signal_columns, signal_columns_n, "COUNT,SENDER,RECEIVER,SIGNAL,BY",
			  w->s, sizeof(*w->s), w->n_signals);
}

static int print_text(const struct channels_args *args, const struct findings *f)
{
	const char *bad = NULL;
	struct table *t =
		table_new(channel_columns, channel_columns_n,
			  "TYPE,PID,FD,DIR,PEER,PEERFD,FUTEX,NAME", &args->common.view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "channels", "out of memory");
	if (f->same_space && !args->common.view.raw)
		printf("Both live in one space: every address is a channel.\n\n");
	for (size_t i = 0; i < f->channels.n; i++)
		table_add(t, NULL, &f->channels.c[i]);
	table_print(t, stdout);
	table_free(t);
	if (!f->channels.n && !f->same_space && !args->common.view.raw)
		printf("No channel to be seen.\n");
	if (f->endpoints.withheld)
		note("channels", "%llu processes withheld: run as root to see their descriptors",
		     (unsigned long long)f->endpoints.withheld);
	return f->watched ? print_watch(&args->common.view, &f->wakeups) : EXIT_DONE;
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Ctrl-C ends the watching, not the telling. */
static int watch(const struct channels_args *args, uint32_t a, uint32_t b, struct findings *f)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct why why = { "" };
	int err;

	if (!args->watch)
		return 0;
	sigaction(SIGINT, &sa, NULL);
	err = wakeups_watch(a, b, args->watch, &f->wakeups, &why);
	if (err)
		return fail(status_of(err), "--watch", "%s", *why.text ? why.text : strerror(-err));
	f->watched = true;
	return 0;
}

static int find(const struct state *st, const struct channels_args *args, int argc, char **argv,
		struct findings *f)
{
	const struct task *a, *b = NULL;
	uint32_t pid_a, pid_b;
	int status = state_task(st, argv[0], &a), err;

	if (!status && argc > 1)
		status = state_task(st, argv[1], &b);
	if (status)
		return status;
	pid_a = a->key.tgid;
	pid_b = b ? b->key.tgid : 0;
	f->same_space = b && state_space(st, a) && state_space(st, a) == state_space(st, b);
	status = watch(args, pid_a, pid_b, f);
	if (status)
		return status;
	err = endpoints_read(pid_a, pid_b, &f->endpoints);
	if (!err)
		err = channels_pair(&f->endpoints, pid_a, pid_b, &f->channels);
	if (err)
		return fail(EXIT_FAILED, argv[0], "channels cannot be read: %s", strerror(-err));
	return args->common.view.json ? print_json(st, f) : print_text(args, f);
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct channels_args *a = args;
	struct findings f = { 0 };
	struct state st;
	int status = state_init(&st, &a->common, 0);

	(void)cmd;
	if (status)
		return status;
	status = find(&st, a, argc, argv, &f);
	channels_deinit(&f.channels);
	endpoints_deinit(&f.endpoints);
	wakeups_deinit(&f.wakeups);
	state_deinit(&st);
	return status;
}

static const struct option_def options[] = {
	{ "watch", 'w', "SECONDS", OPTION_SECONDS, offsetof(struct channels_args, watch),
	  "count who wakes whom through what, and who signals whom, in the kernel" },
};

const struct command cmd_channels = {
	.name = "channels",
	.no_file = "reads living descriptors: a recorded file holds none",
	.operands = "PID [PID]",
	.summary = "every channel between two processes, or out of one",
	.text = "Pipes, FIFOs, unix sockets, loopback TCP, queues, shared memory of every kind, "
		"eventfds,\nshared files and ptrace; FUTEX tells where a task sleeps in shared memory.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct channels_args),
	.columns = channel_columns,
	.n_columns = &channel_columns_n,
	.min_operands = 1,
	.max_operands = 2,
	.run = run,
};
