/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A window in which switches are watched: for a time, for the life of a command, or until Ctrl-C.
 * stat and trace differ only in what they do with it.
 */
#ifndef MMLENS_CMD_WINDOW_H
#define MMLENS_CMD_WINDOW_H

#include "analysis/correlate.h"
#include "cmd/cmd.h"
#include "model/event.h"

/* What the command line says; the first member of the commands' blocks. */
struct window_args {
	struct common common;
	struct strings pids;
	uint64_t duration_ns; /* 0: no end of its own */
	bool tlb;	      /* stat: hold the loads against the processor's own */
};

#define WINDOW_OPTIONS                                                               \
	{ "pid",                                                                     \
	  'p',                                                                       \
	  "PID",                                                                     \
	  OPTION_LIST,                                                               \
	  offsetof(struct window_args, pids),                                        \
	  "only switches from or to this process and its descendants; repeatable" }, \
	{                                                                            \
		"duration", 'd', "SECONDS", OPTION_SECONDS,                          \
			offsetof(struct window_args, duration_ns),                   \
			"how long; without it until the command ends, or Ctrl-C"     \
	}

struct window {
	/* NULL: only count. Called while the window lasts. */
	void (*event)(const struct event *ev, void *arg);
	void (*tick)(void *arg); /* after each poll */
	void *arg;

	uint32_t *tgids; /* watched: those of -p and what descends from them; NULL: all */
	size_t n_tgids;
	struct snapshot before;
	struct snapshot after;
	struct switches switches;
	struct agreement agreement;
	bool command;	    /* a command was run */
	int command_status; /* as wait(2) has it */
};

/*
 * Runs the window. Returns 0 with the results in `w`, or the exit status, its line printed. `argv`
 * holds the command, argc 0: none.
 */
int window_run(struct window *w, const struct window_args *args, int argc, char **argv);
void window_deinit(struct window *w);

#endif
