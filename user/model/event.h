/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens between tasks, as one stream in the order of time: switches, wake-ups, births,
 * execs, exits, and how much was lost where.
 *
 * Events name tasks by number; who a number is, an EVENT_TASK tells once, before any other event
 * that uses it. Number 0 is idle, EVENT_NOBODY a task that found no room in the kernel's table.
 * struct cast keeps who is who while a stream goes by, live or from a file alike.
 *
 * Times are ns of CLOCK_MONOTONIC, start times of CLOCK_BOOTTIME. Pids are those of the reader's pid
 * namespace, 0 for what is not in there.
 */
#ifndef MMLENS_MODEL_EVENT_H
#define MMLENS_MODEL_EVENT_H

#include "model/switches.h"

#define EVENT_IDLE   0u
#define EVENT_NOBODY UINT32_MAX

enum event_type {
	EVENT_SWITCH,
	EVENT_WAKE,
	EVENT_FORK,
	EVENT_EXEC,
	EVENT_EXIT,
	EVENT_TASK,
	EVENT_LOST,
	EVENT_NR
};

struct event_switch {
	uint32_t prev;
	uint32_t next;
	uint32_t cost; /* saturated; 0: the end was not seen */
	uint8_t class; /* enum switch_class */
	uint8_t how;   /* enum switch_how */
	char state;    /* of prev, the letter of /proc/PID/stat */
};

struct event_wake {
	uint32_t waker; /* under `interrupt`: whom the interrupt met */
	uint32_t wakee;
	int32_t call; /* the waker's system call, -1: in none, or not known */
	bool same_space;
	bool interrupt;
	bool interrupt_known;
};

struct event_fork {
	uint32_t parent; /* who called */
	uint32_t child;
	uint64_t flags; /* CLONE_* */
};

struct event_exec {
	uint32_t task;
	uint32_t was;	/* its tid before, in the initial pid namespace */
	uint64_t space; /* the new one */
	char comm[16];
};

struct event_exit {
	uint32_t task;
	uint32_t code; /* as wait(2) has it */
	bool last;     /* of its thread group */
};

/* A task as it was when its number was given out; `ts` of the event is then. */
struct event_task {
	uint32_t id;
	uint32_t ppid;
	uint32_t flags; /* enum task_flag */
	struct task_key key;
	uint64_t space;
	uint64_t cgroup; /* inode number */
	char comm[16];
};

/* Of the two tasks of an event: who left or acted, and who came or was acted on. */
enum event_side {
	EVENT_SIDE_ONE = 1,
	EVENT_SIDE_OTHER = 2,
	EVENT_SIDES = EVENT_SIDE_ONE | EVENT_SIDE_OTHER,
};

struct event {
	uint64_t ts;
	uint32_t cpu;
	enum event_type type;
	union {
		struct event_switch sw;
		struct event_wake wake;
		struct event_fork fork;
		struct event_exec exec;
		struct event_exit exit;
		struct event_task task;
		uint64_t lost; /* events of this CPU that were dropped before `ts` */
	};
};

/* The largest number of a system call, and the longest name with its end, that are believed. */
#define CALL_MAX      4096
#define CALL_NAME_MAX 32

/* System calls of the machine on which a stream was recorded. */
struct call_names {
	char (*name)[CALL_NAME_MAX]; /* by number, empty: not told; owned */
	size_t n;
};

/* Of what is no name nothing is kept. -EBADMSG, -ENOMEM or 0. */
int call_names_add(struct call_names *c, uint64_t nr, const char *name);
/* NULL: not told */
const char *call_names_find(const struct call_names *c, int nr);
void call_names_deinit(struct call_names *c);

/* Who is who at this moment of the stream: comm and space change with exec. */
struct cast {
	struct event_task *tasks; /* by number; owned */
	size_t n;
	size_t room;
	const struct call_names *calls; /* not owned; NULL: the stream is of this machine */
};

/* Learns from EVENT_TASK and EVENT_EXEC, ignores the rest. -ENOMEM or 0. */
int cast_apply(struct cast *c, const struct event *ev);
/* Never NULL: idle and unknown numbers have a row of their own, with key.tid 0. */
const struct event_task *cast_find(const struct cast *c, uint32_t id);
void cast_deinit(struct cast *c);

/* The word of an event in JSON: "switch", "wake", "fork", "exec", "exit", "task", "lost". */
const char *event_type_name(enum event_type type);
/* What a birth shares, from CLONE_* flags: calls `say` with "memory", "files", ... */
void event_fork_shared(uint64_t flags, void (*say)(const char *what, void *arg), void *arg);

#endif
