// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/family.h"
#include "cmd/child.h"
#include "cmd/filters.h"
#include "cmd/window.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/bpf_switch.h"
#include "source/clocks.h"

#define POLL_MS 50

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Waits end all the same, writes go on. A second Ctrl-C ends the program as if uncaught. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = (int)SA_RESETHAND | SA_RESTART };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int window_tgids(const struct window_args *args, const struct snapshot *s, uint32_t *tgids)
{
	for (size_t i = 0; i < args->pids.n; i++) {
		const struct task *t;
		uint64_t tid;
		int err = parse_u64(args->pids.s[i], UINT32_MAX, &tid);

		if (err == -EINVAL)
			return fail(EXIT_USAGE, args->pids.s[i],
				    "not a pid: a pid is a decimal number");
		t = err ? NULL : snapshot_find(s, (uint32_t)tid);
		if (!t)
			return fail(EXIT_FAILED, args->pids.s[i], "no such task");
		tgids[i] = t->key.tgid;
	}
	return 0;
}

static int snap(const struct window_args *args, struct snapshot *s)
{
	struct why why;
	int err = source_snapshot(args->common.source, 0, s, &why);

	return err ? fail(status_of(err), args->common.source, "%s", why.text) : 0;
}

static bool over(const struct window_args *args, uint64_t begin, struct child *c)
{
	if (interrupted)
		return true;
	if (args->duration_ns && clocks_monotonic() - begin >= args->duration_ns)
		return true;
	return c->pid && child_gone(c);
}

static int poll_ms(const struct window_args *args, uint64_t begin)
{
	uint64_t spent = clocks_monotonic() - begin;
	uint64_t left = args->duration_ns > spent ? args->duration_ns - spent : 0;

	return !args->duration_ns || left > POLL_MS * 1000000ull ? POLL_MS
								 : (int)(left / 1000000) + 1;
}

static void show_so_far(const struct window *w, struct switch_session *ss)
{
	struct switches sw;

	if (switch_session_read(ss, &sw))
		return;
	w->refresh(&sw, w->arg);
	switches_deinit(&sw);
}

/* -errno: events got lost on our side. */
static int wait_out(const struct window *w, const struct window_args *args,
		    struct switch_session *ss, struct child *c)
{
	uint64_t begin = clocks_monotonic(), shown = begin;

	while (!over(args, begin, c)) {
		int err = switch_session_poll(ss, poll_ms(args, begin));

		if (err && err != -EINTR)
			return err;
		if (w->tick)
			w->tick(w->arg);
		if (w->interval_ns && clocks_monotonic() - shown >= w->interval_ns) {
			shown += w->interval_ns;
			show_so_far(w, ss);
		}
	}
	return 0;
}

/*
 * Births are seen since the session started, so a snapshot taken now knows all who were born before
 * and whom nobody announced.
 */
static int watch_family(struct window *w, const struct window_args *args, struct switch_session *ss,
			const uint32_t *roots)
{
	int status = args->pids.n ? snap(args, &w->before) : 0;
	int err;

	if (status || !args->pids.n)
		return status;
	err = family(&w->before, roots, args->pids.n, &w->tgids, &w->n_tgids);
	if (!err)
		err = switch_session_watch(ss, w->tgids, w->n_tgids);
	snapshot_deinit(&w->before);
	return err ? fail(EXIT_FAILED, "bpf", "cannot watch: %s", strerror(-err)) : 0;
}

/* From the first snapshot to the last the programs count: that is what makes them comparable. */
static int observe(struct window *w, const struct window_args *args, struct switch_session *ss,
		   const uint32_t *roots, struct child *c, char **argv)
{
	struct why why;
	int err = switch_session_start(ss, &why);
	int status;

	if (err)
		return fail(status_of(err), "bpf", "%s", why.text);
	snapshot_deinit(&w->before);
	status = watch_family(w, args, ss, roots);
	if (!status)
		status = snap(args, &w->before);
	if (status)
		return status;
	err = c->pid ? child_go(c) : 0;
	if (err)
		return fail(EXIT_FAILED, argv[0], "cannot be run: %s", strerror(-err));
	status = w->ready ? w->ready(w->arg) : 0;
	if (status)
		return status;
	err = wait_out(w, args, ss, c);
	if (err)
		return fail(EXIT_FAILED, "bpf", "events cannot be read: %s", strerror(-err));
	status = snap(args, &w->after);
	if (status)
		return status;
	err = switch_session_stop(ss, &w->switches);
	return err ? fail(EXIT_FAILED, "bpf", "counts cannot be read: %s", strerror(-err)) : 0;
}

static int watch(struct window *w, const struct window_args *args, const struct filters *f,
		 const uint32_t *tgids, struct child *c, char **argv)
{
	struct switch_session *ss;
	struct switch_ask ask = {
		.tgids = tgids,
		.n_tgids = args->pids.n,
		.command = c->pid > 0 ? (uint32_t)c->pid : 0,
		.tasks = w->before.n,
		.tlb = args->tlb,
		.wakeups = true,
		.wants = f->wants,
		.n_wants = f->n,
		.classes = f->classes,
		.delays = args->delays,
		.pairs = w->pairs,
		.every = w->every,
		.cgroups = w->cgroups,
		.event = w->event,
		.takes = w->takes,
		.arg = w->arg,
	};
	struct why why;
	int err = switch_session_open(&ss, &ask, &why);
	int status;

	if (err)
		return fail(status_of(err), "bpf", "%s", why.text);
	status = observe(w, args, ss, tgids, c, argv);
	switch_session_close(ss);
	/* a filter of switches, not of processes, leaves no task with all of its own */
	if (!status && !c->pid && !f->n && !f->classes)
		correlate(&w->before, &w->after, &w->switches, w->tgids, w->n_tgids, &w->agreement);
	return status;
}

bool window_asked(const struct window_args *args)
{
	return args->duration_ns || args->pids.n || args->tids.n || args->spaces.n ||
	       args->cgroups.n || args->comms.n || args->cpus.n || args->classes.n;
}

int window_run(struct window *w, const struct window_args *args, int argc, char **argv)
{
	uint32_t tgids[STRINGS_MAX];
	struct child child = { 0 };
	struct filters filters = { 0 };
	int status = filters_parse(&filters, args);
	int err;

	if (!status)
		status = snap(args, &w->before);
	if (!status)
		status = window_tgids(args, &w->before, tgids);
	if (!status)
		status = filters_find_spaces(&filters, args, &w->before);
	if (status)
		return status;
	err = argc ? child_init(&child, argv) : 0;
	if (err)
		return fail(EXIT_FAILED, argv[0], "no process for it: %s", strerror(-err));
	catch_signals();
	status = watch(w, args, &filters, tgids, &child, argv);
	w->command = argc;
	child_deinit(&child);
	w->command_status = child.status;
	return status;
}

void window_deinit(struct window *w)
{
	free(w->tgids);
	switches_deinit(&w->switches);
	snapshot_deinit(&w->before);
	snapshot_deinit(&w->after);
}
