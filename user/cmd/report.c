// SPDX-License-Identifier: GPL-2.0-only
/* mmlens report: a recorded window as stat and trace show it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/tally.h"
#include "analysis/waits.h"
#include "cmd/sift.h"
#include "cmd/state.h"
#include "cmd/statview.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/events.h"
#include "render/perfetto.h"
#include "render/switches.h"
#include "render/window.h"
#include "source/recording.h"

/* Of the window's arguments only the filters and the delays; first, so that their options find them. */
struct report_args {
	struct window_args window;
	const char *by;
	const char *perfetto;
	const char *html;
	bool trace;
};

/* What goes by while the events are replayed; each part but the cast only when it is asked for. */
struct pass {
	struct cast cast;
	struct sift *sift; /* NULL: all pass */
	struct tally *tally;
	struct waits *waits;
	struct json *json;
	bool text;
	struct event_style style;
	struct perfetto *perfetto;
	uint64_t switches;
};

static int on_event(const struct event *ev, void *arg)
{
	struct pass *p = arg;
	int err = cast_apply(&p->cast, ev);
	int sides = err ? err : p->sift ? sift_event(p->sift, ev, &p->cast) : EVENT_SIDES;

	if (p->waits && sides >= 0)
		waits_add(p->waits, ev, &p->cast, sides);
	if (sides <= 0)
		return sides;
	if (p->tally)
		err = tally_add(p->tally, ev, &p->cast);
	if (!err && p->perfetto)
		perfetto_event(p->perfetto, ev, &p->cast);
	if (err || ev->type == EVENT_TASK)
		return err;
	p->switches += ev->type == EVENT_SWITCH;
	if (!p->style.since)
		p->style.since = ev->ts;
	if (p->json)
		json_event(p->json, ev, &p->cast);
	else if (p->text)
		print_event(stdout, ev, &p->cast, &p->style);
	return 0;
}

static int replay(struct recording *r, struct pass *p, const char *path)
{
	int err = recording_replay(r, on_event, p);

	if (err == -EBADMSG || err == -EPROTO)
		return fail(EXIT_FAILED, path, "its events are %s",
			    err == -EPROTO ? "of a newer mmlens" : "damaged");
	return err ? fail(EXIT_FAILED, path, "%s", strerror(-err)) : 0;
}

/* ---- the lines of trace ---- */

static int print_trace(struct recording *r, const struct report_args *a, struct sift *sift,
		       const char *path)
{
	struct pass p = { .cast.calls = &r->calls,
			  .sift = sift,
			  .text = true,
			  .style.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") };
	int status;

	if (a->window.common.view.json)
		p.json = json_open(stdout, true);
	if (a->window.common.view.json && !p.json)
		return fail(EXIT_FAILED, path, "out of memory");
	status = replay(r, &p, path);
	if (!status && p.json) {
		json_object(p.json, NULL);
		if (r->counted)
			json_uint(p.json, "lost", r->switches.lost);
		else
			json_null(p.json, "lost");
		json_object_end(p.json);
	}
	if (p.json)
		status = json_finish(p.json, status);
	cast_deinit(&p.cast);
	return status;
}

/* ---- the tables of stat ---- */

static void print_head(const struct recording *r, const char *path)
{
	if (!r->complete)
		note(path, "%s: read up to the last whole block", r->end);
	if (!r->counted && r->events)
		note(path, "has no end of its window: counted from its events, no agreement");
}

/*
 * Where the window's own counts did not reach the file, or only some of its switches are asked
 * for, they are made of its events; and pairs always are.
 */
static int count(struct recording *r, struct sift *sift, bool counted, const char *path)
{
	struct pass p = { .sift = sift, .tally = tally_new() };
	int status, err;

	if (!p.tally)
		return fail(EXIT_FAILED, path, "out of memory");
	status = replay(r, &p, path);
	if (!counted) {
		switches_deinit(&r->switches);
		memset(&r->switches, 0, sizeof(r->switches));
	}
	err = counted ? tally_read_pairs(p.tally, &r->switches) : tally_read(p.tally, &r->switches);
	if (!status && err)
		status = fail(EXIT_FAILED, path, "out of memory");
	tally_free(p.tally);
	cast_deinit(&p.cast);
	return status;
}

/* The tasks whose switches are all there are found in a first pass, their waits in a second. */
static int follow_waits(struct recording *r, struct sift *sift, const char *path,
			struct waits **out)
{
	struct pass all = { .tally = tally_new() }, chosen = { .sift = sift };
	struct switches seen = { 0 };
	int status;

	if (!r->counted)
		status = fail(EXIT_FAILED, path,
			      "has no end of its window, without which nobody "
			      "knows whose switches are all there: no delays");
	else
		status = all.tally ? replay(r, &all, path) : -ENOMEM;
	if (!status && !tally_read(all.tally, &seen))
		chosen.waits = waits_new(&r->switches, &seen);
	if (!status)
		status = chosen.waits ? replay(r, &chosen, path) : -ENOMEM;
	*out = chosen.waits;
	cast_deinit(&all.cast);
	cast_deinit(&chosen.cast);
	tally_free(all.tally);
	switches_deinit(&seen);
	return status < 0 ? fail(EXIT_FAILED, path, "out of memory") : status;
}

static int print_json(const struct recording *r, const struct statview *v)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "report", "out of memory");
	json_object(j, NULL);
	json_head(j, "report", v->snapshot);
	json_bool(j, "complete", r->complete);
	statview_json(j, v);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static int write_html(const char *path, const struct statview *v)
{
	cleanup_fclose FILE *f = fopen(path, "we");
	cleanup_free char *summary = NULL;
	size_t n;
	FILE *words;

	if (!f)
		return fail(EXIT_FAILED, path, "cannot be written: %s", strerror(errno));
	words = open_memstream(&summary, &n);
	if (!words)
		return fail(EXIT_FAILED, path, "out of memory");
	statview_summary(words, v);
	if (fclose(words))
		return fail(EXIT_FAILED, path, "out of memory");
	html_window(f, v->switches, summary);
	return file_finish(f, path, EXIT_DONE);
}

static bool shows_pairs(const struct report_args *a, const struct statview *v)
{
	return v->by[BY_PAIR] || v->view->json || a->html;
}

static int print_counts(struct recording *r, const struct report_args *a, struct sift *sift,
			const char *path)
{
	bool counted = r->counted && !sift_chooses(sift), all = !r->switches.filtered;
	struct waits *waits = NULL;
	struct agreement agreement = { 0 };
	struct statview v = {
		.switches = &r->switches,
		.agreement = &agreement,
		.snapshot = r->snapshots == 3 ? &r->after : &r->state,
		.view = &a->window.common.view,
		.recorded = &r->state,
	};
	int status = statview_choose(a->by, &v);

	if (!status && a->window.delays)
		status = follow_waits(r, sift, path, &waits);
	if (!status && !(counted && (r->switches.pairs_known || !shows_pairs(a, &v))))
		status = count(r, sift, counted, path);
	if (!status && waits)
		waits_read(waits, &r->switches, all);
	waits_free(waits);
	if (status)
		return status;
	if (counted && r->snapshots == 3 && (r->n_tgids || !r->switches.filtered))
		correlate(&r->before, &r->after, &r->switches, r->tgids, r->n_tgids, &agreement);
	if (a->html)
		return write_html(a->html, &v);
	return a->window.common.view.json ? print_json(r, &v) : statview_text(&v);
}

/* ---- a trace for the Perfetto UI ---- */

static int write_perfetto(struct recording *r, const char *out, struct sift *sift, const char *path)
{
	cleanup_fclose FILE *f = fopen(out, "we");
	struct pass p = { .sift = sift };
	int status, err;

	if (!f)
		return fail(EXIT_FAILED, out, "cannot be written: %s", strerror(errno));
	p.perfetto = perfetto_new(f);
	if (!p.perfetto)
		return fail(EXIT_FAILED, out, "out of memory");
	status = replay(r, &p, path);
	err = perfetto_end(p.perfetto);
	if (err && !status)
		status = fail(EXIT_FAILED, out, "cannot be written: %s", strerror(-err));
	status = file_finish(f, out, status);
	cast_deinit(&p.cast);
	return status;
}

static int no_events(const struct recording *r, const char *path)
{
	return fail(EXIT_FAILED, path,
		    "holds the state of %zu tasks and no events: see it with list, show or compare "
		    "--from; record with -d or a command to have events",
		    r->state.n);
}

static int show(struct recording *r, const struct report_args *a, const char *path)
{
	cleanup_free struct sift *sift = calloc(1, sizeof(*sift));
	int status;

	if (!sift)
		return fail(EXIT_FAILED, path, "out of memory");
	status = sift_init(sift, &a->window, r->snapshots == 3 ? &r->before : &r->state);
	if (status)
		return status;
	if (a->perfetto)
		status = write_perfetto(r, a->perfetto, sift, path);
	else if (a->trace)
		status = print_trace(r, a, sift, path);
	else
		status = print_counts(r, a, sift, path);
	sift_deinit(sift);
	return status;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct report_args *a = args;
	struct recording r;
	struct why why = { "" };
	int status;

	(void)cmd;
	(void)argc;
	if (!!a->perfetto + !!a->html + a->trace > 1)
		return fail(EXIT_USAGE, "report", "takes one of --trace, --perfetto and --html");
	if (recording_open(&r, argv[0], &why))
		return fail(EXIT_FAILED, argv[0], "%s", why.text);
	print_head(&r, argv[0]);
	if (!r.events && !r.counted)
		status = no_events(&r, argv[0]);
	else
		status = show(&r, a, argv[0]);
	recording_close(&r);
	return status;
}

static const struct option_def options[] = {
	FILTER_OPTIONS,
	{ "by", 0, "VIEW,...", OPTION_STRING, offsetof(struct report_args, by),
	  "tables to print: class, task, pair, cpu, cgroup (default: class,task)" },
	{ "delays", 0, NULL, OPTION_FLAG, offsetof(struct report_args, window.delays),
	  "how long tasks waited for a CPU, and slept, by state" },
	{ "trace", 0, NULL, OPTION_FLAG, offsetof(struct report_args, trace),
	  "the events, one line each, as trace prints them" },
	{ "perfetto", 0, "OUT", OPTION_STRING, offsetof(struct report_args, perfetto),
	  "write a trace for the Perfetto UI" },
	{ "html", 0, "OUT", OPTION_STRING, offsetof(struct report_args, html),
	  "write the tables and the costs as one page" },
};

const struct command cmd_report = {
	.name = "report",
	.no_file = "takes the file as its operand: mmlens report FILE",
	.operands = "FILE",
	.summary = "a recorded window, as stat and trace show it",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct report_args),
	.columns = class_columns,
	.n_columns = &class_columns_n,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
