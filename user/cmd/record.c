// SPDX-License-Identifier: GPL-2.0-only
/* mmlens record: the state of now in a file, and a window of events behind it. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/state.h"
#include "cmd/window.h"
#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "lib/text.h"
#include "source/clocks.h"
#include "source/recevents.h"
#include "source/recfile.h"
#include "source/snapfile.h"

/* A block is written when it has grown to this, or has waited that long. */
#define BLOCK_BYTES (64u << 10)
#define BLOCK_NS    1000000000ull

struct record_args {
	struct window_args window;
	const char *out;
};

struct recorder {
	const char *path;
	const struct snapshot *state; /* as it was at first */
	struct recfile *f;
	bool begun; /* the file is a new one */
	struct event_block block;
	struct bytes calls;	    /* the names that the events of the block need first */
	uint8_t told[CALL_MAX / 8]; /* bit per system call that has been named */
	uint64_t flushed_ns;
	uint64_t switches;
	int err; /* the first that writing met; nothing is written after it */
};

static int keep_memory(struct state *st)
{
	for (size_t i = 0; i < st->ledger.n; i++) {
		struct space *sp = &st->ledger.spaces[i];
		struct space_memory m = { .space = sp->id };
		char cgroup[4096];

		state_memory(st, sp);
		m.rss = sp->memory.rss;
		m.pss = sp->memory.pss;
		m.cgroup = state_cgroup(st, sp, cgroup, sizeof(cgroup)) ? NULL : cgroup;
		if (snapshot_add_memory(&st->snapshot, &m))
			return fail(EXIT_FAILED, "record", "out of memory");
	}
	return 0;
}

static void put_snapshot(struct recorder *r, const struct snapshot *s)
{
	struct bytes b = { 0 };

	snapfile_encode(&b, s);
	if (!r->err)
		r->err = recfile_put(r->f, REC_SNAPSHOT, SNAPFILE_VERSION, &b);
	bytes_deinit(&b);
}

static void flush(struct recorder *r)
{
	if (r->calls.n && !r->err)
		r->err = recfile_put(r->f, REC_CALLS, RECCALLS_VERSION, &r->calls);
	r->calls.n = 0;
	if (r->block.n && !r->err)
		r->err = recfile_put(r->f, REC_EVENTS, RECEVENTS_VERSION, &r->block.b);
	if (!r->err)
		r->err = recfile_flush(r->f);
	event_block_reset(&r->block);
	r->flushed_ns = clocks_monotonic();
}

static void name_call(struct recorder *r, int nr)
{
	char name[CALL_NAME_MAX];

	if (nr < 0 || nr >= CALL_MAX || r->told[nr / 8] & 1u << nr % 8)
		return;
	r->told[nr / 8] |= 1u << nr % 8;
	if (syscall_known(nr))
		reccalls_put(&r->calls, (uint32_t)nr, syscall_name(name, sizeof(name), nr));
}

static void on_event(const struct event *ev, void *arg)
{
	struct recorder *r = arg;

	r->switches += ev->type == EVENT_SWITCH;
	if (ev->type == EVENT_WAKE)
		name_call(r, ev->wake.call);
	event_block_put(&r->block, ev);
	if (r->block.b.n >= BLOCK_BYTES)
		flush(r);
}

/* Whoever kills the recorder loses at most what came since. */
static void on_tick(void *arg)
{
	struct recorder *r = arg;

	if (clocks_monotonic() - r->flushed_ns >= BLOCK_NS)
		flush(r);
}

static void put_counts(struct recorder *r, const struct window *w)
{
	struct bytes b = { 0 };

	recstat_encode(&b, &w->switches, w->tgids, w->n_tgids);
	if (!r->err)
		r->err = recfile_put(r->f, REC_STAT, RECSTAT_VERSION, &b);
	bytes_deinit(&b);
}

/* Where the file itself is the output, that is not the place for words. */
static FILE *words_for(const struct stat *file)
{
	struct stat out;
	bool same = !S_ISCHR(file->st_mode) && !fstat(STDOUT_FILENO, &out) &&
		    out.st_dev == file->st_dev && out.st_ino == file->st_ino;

	return same ? stderr : stdout;
}

static void print_summary(const struct recorder *r, const struct window *w)
{
	char seen[24], span[24], lost[24], size[24];
	struct stat st = { 0 };
	FILE *out;

	stat(r->path, &st);
	out = words_for(&st);
	fprintf(out, "%s switches in %s, %s lost", text_count(seen, sizeof(seen), r->switches),
		text_ns(span, sizeof(span), w->switches.duration_ns),
		text_count(lost, sizeof(lost), w->switches.lost));
	if (S_ISREG(st.st_mode))
		fprintf(out, "; %s in %s", text_size(size, sizeof(size), (uint64_t)st.st_size),
			r->path);
	fprintf(out, ".\n");
}

static int cannot_write(const struct recorder *r, int err)
{
	return fail(EXIT_FAILED, r->path, "cannot be written: %s", strerror(-err));
}

/* Not before all is ready for it: the file may be another recording. */
static int begin_file(void *arg)
{
	struct recorder *r = arg;

	r->begun = true;
	r->err = recfile_begin(r->f);
	put_snapshot(r, r->state);
	flush(r);
	return r->err ? cannot_write(r, r->err) : 0;
}

/* The end of the window is written with its counts; the file has its state and events already. */
static int record_window(struct recorder *r, struct window *w, const struct window_args *args,
			 int argc, char **argv)
{
	int status;

	w->ready = begin_file;
	w->event = on_event;
	w->tick = on_tick;
	w->arg = r;
	status = window_run(w, args, argc, argv);
	if (r->begun)
		flush(r);
	if (status)
		return status;
	put_snapshot(r, &w->before);
	put_snapshot(r, &w->after);
	put_counts(r, w);
	return 0;
}

static int finish(struct recorder *r, int status)
{
	int end = recfile_close(r->f);
	int err = r->err ? r->err : end;

	bytes_deinit(&r->block.b);
	bytes_deinit(&r->calls);
	return status || !err ? status : cannot_write(r, err);
}

static int write_file(const struct state *st, const struct record_args *a, int argc, char **argv)
{
	struct recorder r = { .path = a->out, .state = &st->snapshot };
	struct window w = { 0 };
	bool window = argc || window_asked(&a->window);
	int err = recfile_create(a->out, &r.f), status;

	if (err)
		return fail(EXIT_FAILED, a->out, "%s", strerror(-err));
	status = window ? record_window(&r, &w, &a->window, argc, argv) : begin_file(&r);
	status = finish(&r, status);
	if (!status && window)
		print_summary(&r, &w);
	window_deinit(&w);
	return status;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct record_args *a = args;
	struct state st;
	int status;

	if (!a->out)
		return fail(EXIT_USAGE, cmd->name, "needs -o FILE; see mmlens record --help");
	status = state_init(&st, &a->window.common, WANT_STACKS | WANT_MEMORY);
	if (status)
		return status;
	status = keep_memory(&st);
	if (!status)
		status = write_file(&st, a, argc, argv);
	state_deinit(&st);
	return status;
}

static const struct option_def options[] = {
	{ "output-file", 'o', "FILE", OPTION_STRING, offsetof(struct record_args, out),
	  "the file to make or overwrite" },
	WINDOW_OPTIONS,
};

const struct command cmd_record = {
	.name = "record",
	.operands = "[-- COMMAND...]",
	.summary = "state now into a file; with a window or a command also its events",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct record_args),
	.max_operands = UINT32_MAX,
	.takes_command = true,
	.run = run,
};
