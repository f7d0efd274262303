/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switches, counted in the kernel and streamed when asked. One session is one window: open, start,
 * poll while it lasts, stop, read. Errors are -errno with a reason in `why`.
 */
#ifndef MMLENS_SOURCE_BPF_SWITCH_H
#define MMLENS_SOURCE_BPF_SWITCH_H

#include "model/event.h"
#include "source/source.h"

/* A filter: of each kind that is given, one side of a switch (or its CPU) must have one value. */
enum switch_want_kind {
	WANT_SWITCH_TID,
	WANT_SWITCH_SPACE,
	WANT_SWITCH_CGROUP, /* inode number */
	WANT_SWITCH_COMM,
	WANT_SWITCH_CPU,
	WANT_SWITCH_NR
};

struct switch_want {
	enum switch_want_kind kind;
	uint64_t number;
	char comm[16]; /* zeros behind */
};

struct switch_ask {
	const uint32_t *tgids; /* watched, with their threads and later-born children */
	size_t n_tgids;	       /* 0 and no command: all switches of the machine */
	uint32_t command;      /* a pid, watched from its next exec on; 0: none */
	size_t tasks;	       /* about how many tasks there are: the size of the tables */
	bool tlb;	       /* hold the loads against the processor's own, where it tells */
	const struct switch_want *wants;
	size_t n_wants;
	uint32_t classes; /* bit per enum switch_class; 0: all */
	bool every;	  /* the cost of each switch, not of one in eight at high rates */
	bool delays;	  /* waits by kind, and for each task: some 0.1 us a switch more */
	bool pairs;	  /* by pair of spaces */
	bool cgroups;	  /* a task's cgroup is read at every switch, not at first sight */
	bool wakeups;	  /* with events: also who wakes whom */
	/*
	 * NULL: only count. Called from switch_session_poll() and _stop(), in the order of time and
	 * some 50 ms late; an EVENT_TASK comes before the first event that names its number.
	 */
	void (*event)(const struct event *ev, void *arg);
	/*
	 * Whether event() can tell some events within so many ms, and not wait for who reads them; it
	 * may wait for that. NULL: it always can.
	 */
	bool (*takes)(int ms, void *arg);
	void *arg;
};

struct switch_session;

int switch_session_open(struct switch_session **out, const struct switch_ask *ask, struct why *why);
/* More thread groups; those born of them from now on are watched too. -errno. */
int switch_session_watch(struct switch_session *ss, const uint32_t *tgids, size_t n);
int switch_session_start(struct switch_session *ss, struct why *why);
/*
 * Delivers events; returns after `ms`, a signal (-EINTR), or when delivering has taken some time, then
 * to go on with the next call. Another -errno: events were lost on the way from the ring.
 */
int switch_session_poll(struct switch_session *ss, int ms);
/* The counts as they stand, while the session goes on. */
int switch_session_read(struct switch_session *ss, struct switches *out);
/* Detaches, delivers what is left, and reads the counts into an initialised `out`. */
int switch_session_stop(struct switch_session *ss, struct switches *out);
void switch_session_close(struct switch_session *ss);

#endif
