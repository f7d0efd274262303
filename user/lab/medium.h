/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways two tasks can pass a message. A medium is opened before the second task is made, used
 * by both sides (0 and 1), and closed by the first. What has a name loses it at once.
 */
#ifndef MMLENS_LAB_MEDIUM_H
#define MMLENS_LAB_MEDIUM_H

#include <sys/types.h>

#include "lab/lab.h"

#define MESSAGE_MOST (1u << 20)

/* Between the two sides, in memory that both see. */
struct board {
	uint32_t turn[2]; /* futex words: a message lies ready for that side */
	uint32_t over;	  /* the next message is the last */
	uint32_t drained; /* the stream at work is the last */
	uint64_t moved;	  /* bytes that the two copied themselves, in user mode */
};

struct medium_state {
	struct lab *lab;
	struct board *board;
	int fds[4];
	int queue[2]; /* SysV */
	char *area;   /* the memory both see */
	pid_t pids[2];
	char *own[2]; /* each side's private message */
};

struct medium {
	const char *name;
	bool threads;			     /* between two threads instead of two processes */
	bool queues;			     /* holds messages that nobody has taken yet */
	size_t most;			     /* the largest message it carries */
	int (*open)(struct medium_state *m); /* -errno or 0 */
	int (*send)(struct medium_state *m, int from, size_t n);
	int (*receive)(struct medium_state *m, int to, size_t n);
	void (*close)(struct medium_state *m);
};

extern const struct medium media[];
#define MEDIA 13

#endif
