/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab makes situations and measures them; it prints nothing and decides nothing. Everything
 * happens in one child of the command, the room: where the system lets us, the room has pid, ipc,
 * mount and network namespaces of its own, so that its end, however it comes, ends every task and
 * removes every queue, segment and file that an experiment made. Elsewhere names are unlinked as
 * soon as they are made and the command reaps what is left.
 */
#ifndef MMLENS_LAB_LAB_H
#define MMLENS_LAB_LAB_H

#include <sys/types.h>

#include "analysis/statistics.h"
#include "model/proof.h"

struct lab {
	int fd; /* records go here */
	bool quick;
	const char *source; /* as --source= */
	enum claim claim;   /* the one at work */
	int cpu;	    /* all experiments that measure run on it; -1: could not be pinned */
	int nice;	    /* of what measures */
	bool isolated;	    /* namespaces of its own */
	size_t memory;	    /* bytes an experiment may touch */
	uint64_t deadline;  /* as lab_now(): when the claim at work must be told */
};

struct lab_room {
	pid_t pid;
	int fd;
};

/* Starts the room, which runs the claims asked for. -errno or 0. */
int lab_start(struct lab_room *room, bool quick, const char *source, const bool *claims);
/* The next record: 1, 0 at the end, -EINTR after a signal, -EAGAIN after a while, or another -errno. */
int lab_next(struct lab_room *room, struct proof_record *r);
/* Ends and reaps every task of the room, whatever it was doing; the caller closes room->fd. */
void lab_stop(struct lab_room *room);

/* Removes what lab_remains() told of, if it is still there. */
void lab_remove(const struct proof_record *r);
/* Removes a directory and all in it. */
void lab_remove_directory(const char *path);

/* For the experiments. */
/*
 * Tells the command of a thing with a name before it is made, where the room has no namespaces of
 * its own: if we are killed in between, the command removes it. `kind` is "directory", "shm" or
 * "mqueue" with a name, "segment" or "queue" with a key of System V.
 */
void lab_remains(struct lab *l, const char *kind, const char *name, uint64_t key);
/* A directory of its own for an experiment; `path` has room for LAB_PATH bytes. -errno or 0. */
#define LAB_PATH 40
int lab_directory(struct lab *l, char *path);
#define LAB_PRINTF(a, b) __attribute__((format(printf, a, b)))
LAB_PRINTF(3, 4) void lab_say(struct lab *l, enum proof_type type, const char *fmt, ...);
LAB_PRINTF(3, 4) void lab_fact(struct lab *l, bool held, const char *fmt, ...);
void lab_count(struct lab *l, const char *name, double value, const char *unit);
void lab_estimate(struct lab *l, const char *name, struct estimate e); /* of ns */
/* A difference of costs, and the least that would matter. */
void lab_difference(struct lab *l, const char *name, struct estimate e, double margin);
uint64_t lab_now(void); /* CLOCK_MONOTONIC, ns */

/* Why something is left out, where an experiment's time is. */
#define LAB_TIME_IS_UP "no time was left for it"

/* When the next of `parts` equal parts must end, so that all end at `until`: now where that is past. */
uint64_t lab_part(uint64_t until, size_t parts);
/* The same up to the deadline of the claim. */
uint64_t lab_share(const struct lab *l, size_t parts);
/* Whether the claim at work has time left. */
bool lab_in_time(const struct lab *l);
/*
 * Whether to take another sample: up to `most` until a time, but while the claim has any left not
 * fewer than the least that an interval can be made of.
 */
bool lab_more(const struct lab *l, size_t taken, size_t most, uint64_t until);

/* fork(2) whose child dies with its parent. */
pid_t lab_fork(void);
/* Reaps, whatever interrupts. The wait status, or -errno. */
int lab_reap(pid_t pid);
/* The same with patience until a time; who has not ended by then is killed: -ETIMEDOUT. */
int lab_reap_until(pid_t pid, uint64_t until);
/*
 * Runs in a child what has no clock in it, as the loading of a BPF program, so that it can be
 * stopped at a time: -ETIMEDOUT. Another -errno, or 0.
 */
int lab_apart(struct lab *l, void (*part)(struct lab *l, void *arg), void *arg, uint64_t until);

/* Shared by the room and what it forks; zeroed. NULL when there is no memory. */
void *lab_shared(size_t size);
/* Futex words in lab_shared() memory: waits while *word == seen; sets and wakes. */
void lab_wait(uint32_t *word, uint32_t seen);
void lab_post(uint32_t *word, uint32_t value);

void lab_definition(struct lab *l);
void lab_isolation(struct lab *l);
void lab_overhead(struct lab *l);
void lab_communication(struct lab *l);
void lab_uses(struct lab *l);

/* The two halves of `overhead`. */
void lab_creation(struct lab *l);
void lab_switching(struct lab *l);

#endif
