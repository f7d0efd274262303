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
	struct strings tids, spaces, cgroups, comms, cpus, classes; /* filters */
	uint64_t duration_ns;					    /* 0: no end of its own */
	uint64_t interval_ns; /* stat: the counts so far are shown this often; 0: only at the end */
	bool delays;	      /* stat: waits as well */
	bool tlb;	      /* stat: hold the loads against the processor's own */
};

/* clang-format off */
#define WINDOW_LIST(name, letter, arg, member, help) \
	{ name, letter, arg, OPTION_LIST, offsetof(struct window_args, member), help }

/* Of every block whose first member is a struct window_args. */
#define FILTER_OPTIONS \
	WINDOW_LIST("pid", 'p', "PID", pids, \
		    "only switches from or to this process and its descendants; repeatable"), \
	WINDOW_LIST("tid", 't', "TID", tids, "only from or to this task; repeatable, as all filters"), \
	WINDOW_LIST("space", 0, "ID", spaces, "only from or to this address space, as list prints it"), \
	WINDOW_LIST("cgroup", 0, "PATH", cgroups, "only from or to tasks of this cgroup and those below"), \
	WINDOW_LIST("comm", 0, "NAME", comms, "only from or to tasks of this name"), \
	WINDOW_LIST("cpu", 0, "CPU", cpus, "only on this CPU"), \
	WINDOW_LIST("class", 0, "CLASS", classes, "only switches of this class")

#define WINDOW_OPTIONS \
	FILTER_OPTIONS, \
	{ "duration", 'd', "SECONDS", OPTION_SECONDS, offsetof(struct window_args, duration_ns), \
	  "how long; without it until the command ends, or Ctrl-C" }
/* clang-format on */

struct window {
	/* It has begun, and no event has been told. 0 or the exit status, its line printed. */
	int (*ready)(void *arg);
	/* NULL: only count. Called while the window lasts. */
	void (*event)(const struct event *ev, void *arg);
	bool (*takes)(int ms, void *arg); /* as of struct switch_ask */
	void (*tick)(void *arg);	  /* after each poll */
	/* Every interval_ns, if that is not 0: the counts so far. */
	void (*refresh)(const struct switches *sw, void *arg);
	uint64_t interval_ns;
	void *arg;
	bool pairs;   /* count pairs of spaces as well */
	bool every;   /* the cost of each switch, at any rate */
	bool cgroups; /* follow tasks that change theirs */

	uint32_t *tgids; /* watched: those of -p and what descends from them; NULL: all */
	size_t n_tgids;
	struct snapshot before;
	struct snapshot after;
	struct switches switches;
	struct agreement agreement;
	bool command;	    /* a command was run */
	int command_status; /* as wait(2) has it */
};

/* Whether the options speak of a window: of its length, or of what is watched in it. */
bool window_asked(const struct window_args *args);

/*
 * Runs the window. Returns 0 with the results in `w`, or the exit status, its line printed. `argv`
 * holds the command, argc 0: none.
 */
int window_run(struct window *w, const struct window_args *args, int argc, char **argv);
void window_deinit(struct window *w);

/*
 * The thread groups that the words of -p name, at most STRINGS_MAX, from a snapshot. 0 or the exit
 * status, its line printed.
 */
int window_tgids(const struct window_args *args, const struct snapshot *s, uint32_t *tgids);

#endif
