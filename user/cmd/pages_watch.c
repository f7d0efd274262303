// SPDX-License-Identifier: GPL-2.0-only
/* Erosion as it happens: round by round what is left, and who copies on write. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/pages_breakers.h"
#include "cmd/pages_family.h"

struct watch {
	const struct pages_args *args;
	struct pagecount *pc;
	struct faultwatch *faults; /* NULL: this kernel cannot tell who */
	struct family family;
	struct breakers breakers;
	struct json *json;
	uint32_t round;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void stop_on_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void round_json(struct watch *w)
{
	struct json *j = w->json;

	json_object(j, NULL);
	pages_json_head(j);
	json_uint(j, "a", w->pc->a);
	json_uint(j, "round", w->round);
	family_json(j, &w->family);
	if (w->faults)
		breakers_json(j, &w->breakers);
	else
		json_null(j, "breakers");
	json_object_end(j);
}

static void round_text(const struct watch *w)
{
	if (w->round > 1)
		printf("\n");
	family_text(w->args, &w->family, w->pc->a);
	if (w->faults)
		breakers_text(&w->args->common.view, &w->breakers);
}

/* Whoever was forked before its parent was watched. */
static void watch_family(const struct watch *w)
{
	if (!w->faults)
		return;
	faultwatch_add(w->faults, w->pc->a);
	for (size_t i = 0; i < w->family.n; i++)
		faultwatch_add(w->faults, w->family.who[i].tgid);
}

static int one_round(struct watch *w)
{
	int err = family_measure(&w->family, w->pc, w->json || w->args->by_region),
	    status = EXIT_DONE;

	w->round++;
	watch_family(w);
	if (err)
		status = pagecount_fail(w->pc, err);
	else if (w->faults && breakers_read(&w->breakers, w->faults))
		status = fail(EXIT_FAILED, "pages", "out of memory");
	else if (w->json)
		round_json(w);
	else
		round_text(w);
	fflush(stdout);
	breakers_deinit(&w->breakers);
	family_deinit(&w->family);
	return status;
}

static void nap(uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&ts, NULL);
}

/* A process that has ended ends the watch; it is an error only where there was none. */
static int rounds(struct watch *w)
{
	int status = EXIT_DONE;

	while (!stop && status == EXIT_DONE) {
		if (w->round && pagecount_check(w->pc))
			break;
		status = one_round(w);
		if (w->args->count && w->round >= w->args->count)
			break;
		if (status == EXIT_DONE && !stop)
			nap(w->args->watch_ns);
	}
	return status;
}

static void open_faults(struct watch *w)
{
	struct why why = { "" };

	if (faultwatch_open(&w->faults, w->args->stacks, &why))
		note("who breaks it", "%s", why.text);
}

int pages_watch(const struct pages_args *args, struct pagecount *pc)
{
	struct watch w = { .args = args, .pc = pc };
	int status, err = pagecount_check(pc);

	if (err)
		return pagecount_fail(pc, err);
	if (!pc->frames.visible)
		return fail(EXIT_MISSING, "--watch",
			    "frames are hidden from you: run as root (CAP_SYS_ADMIN)");
	if (args->common.view.json) {
		w.json = json_open(stdout, true);
		if (!w.json)
			return fail(EXIT_FAILED, "pages", "out of memory");
	}
	stop_on_signals();
	open_faults(&w);
	status = rounds(&w);
	faultwatch_close(w.faults);
	return w.json ? json_finish(w.json, status) : status;
}
