/* SPDX-License-Identifier: GPL-2.0-only */
/* Wake-ups counted by pair and system call. */
#ifndef MMLENS_MODEL_WAKEUPS_H
#define MMLENS_MODEL_WAKEUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wakeup {
	uint32_t waker; /* tgid */
	uint32_t wakee;
	int nr; /* system call, -1: none or not known */
	bool same_space;
	uint64_t arg;
	uint64_t count;
	char call[24];	  /* its name, or number where it has none here */
	char channel[96]; /* what its descriptor or address is; empty: not known */
};

struct signals {
	uint32_t sender; /* tgid */
	uint32_t receiver;
	int signo;
	char name[16];	 /* "SIGUSR1", "SIGRTMIN+2" */
	const char *how; /* which call sent it, or "kernel" */
	uint64_t count;
};

struct wakeups {
	struct wakeup *w; /* most first; owned */
	size_t n;
	struct signals *s; /* most first; owned */
	size_t n_signals;
	uint64_t lost;
	uint64_t duration_ns;
};

#endif
