/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A subject makes one situation of tasks or of memory, prints what it made, and keeps it until its
 * standard input says otherwise. The output is one line:
 *
 *	ready subject=NAME ROLE=TID ... KEY=VALUE ... kinds=ROLE:KIND,...
 *
 * No value holds a space, so a shell can read it with `read` and python with split(). Every task
 * that a test may judge has a ROLE, and its kind as constructed (the words of `mmlens show`) is in
 * kinds=. What this machine cannot do is said as
 *
 *	unavailable REASON
 *
 * with exit status 77. Everything that was made dies with the subject, even if that is killed.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SUBJECT_UNAVAILABLE 77

struct situation {
	const char *name;
	const char *args; /* for the usage line */
	const char *what; /* one sentence */
	/* Makes the situation, says its tasks, calls ready() and returns when it may end. */
	void (*make)(int argc, char **argv);
};

/* Each ends with an entry without a name. */
extern const struct situation thread_situations[];
extern const struct situation clone_situations[];
extern const struct situation exit_situations[];
extern const struct situation ns_situations[];
extern const struct situation worker_situations[];
extern const struct situation mem_situations[];
extern const struct situation stack_situations[];
extern const struct situation switch_situations[];
extern const struct situation delay_situations[];
extern const struct situation storm_situations[];

/* Around make(): orphans become children of the subject, and at the end all are killed and reaped. */
void begin(void);
__attribute__((noreturn)) void end(void);

/* ---- what is said ---- */
void say(const char *key, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void say_task(const char *role, pid_t tid, const char *kind);
void say_range(const char *key, const void *start, size_t len);
/* Waits until no said task runs any more, then prints the line. */
void ready(void);
/* ready(), then waits for a line or the end of standard input. */
void ready_and_hold(void);
void hold(void);
__attribute__((noreturn, format(printf, 1, 2))) void unavailable(const char *fmt, ...);
__attribute__((noreturn)) void fail(const char *what);

/* ---- what it is made of ---- */
long number(int argc, char **argv, int at, long otherwise);
pid_t tid_now(void);
/* Sleeps for ever by system calls alone: usable where threads share one TLS. */
__attribute__((noreturn)) void sleep_for_ever(void);
/* Dies with the parent; call it first in every child. */
void die_with_parent(void);
/* A forked child that runs @fn and then sleeps for ever. */
pid_t fork_child(void (*fn)(void *), void *arg);
/* clone(2) with a stack of its own; the child runs @fn with system calls only. */
pid_t clone_child(int (*fn)(void *), void *arg, int flags);
/* A thread that runs @fn (may be NULL) and then sleeps for ever; returns its tid. */
pid_t start_thread(void (*fn)(void *), void *arg);
/* The same for an @fn that does not come back. */
pid_t launch_thread(void (*fn)(void *), void *arg);
/* Zeroed memory that children share. */
void *shared_memory(size_t size);
/* With more flags of mmap(2), as for where it is to lie. */
void *shared_memory_where(size_t size, int flags);
/* Waits until *@word is not zero (a child says it has arrived) and returns it. */
int await_word(int *word);
/* The same for the end of a workload, however long that takes: who started it knows when to give up. */
void await_end(int *word);
void post_word(int *word, int value);
/* @tid 0: the caller. */
void pin_to(pid_t tid, int cpu);
/* The last of those that the caller may run on. */
int last_cpu(void);
char task_state(pid_t tid);
void await_state(pid_t tid, const char *states);
bool read_text(const char *path, char *buf, size_t size);
bool write_text(const char *path, const char *text);
/* ksmd as fast as it can, and as it was before; the second also after a first that failed. */
bool ksm_hurry(void);
void ksm_calm(void);

#endif
