// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lab/exchange.h"

/* For who counts by name: what comes before and after the messages bears the old one. */
static void rename_to(const char *name)
{
	if (name)
		prctl(PR_SET_NAME, name);
}

/* Enough to make the wake-ups at both ends small, and little enough to end soon. */
static size_t in_stream(size_t size)
{
	size_t n = (1u << 20) / size;

	return n < 4 ? 4 : n > 256 ? 256 : n;
}

/* The other side takes each stream whole before it says so by one message. */
static void drain(struct exchange *x)
{
	bool last = false;

	while (!last) {
		for (size_t i = 0; i < in_stream(x->size); i++)
			if (x->medium->receive(&x->m, 1, x->size))
				return;
		last = __atomic_load_n(&x->m.board->drained, __ATOMIC_ACQUIRE);
		if (x->medium->send(&x->m, 1, x->size))
			return;
	}
}

static int pour(struct exchange *x)
{
	size_t most = x->streams < EXCHANGE_STREAMS ? x->streams : EXCHANGE_STREAMS;
	int err = 0;

	x->in_stream = in_stream(x->size);
	for (bool last = false; !err && !last;) {
		uint64_t begin = lab_now();

		last = x->n_streams + 1 == most || begin > x->until;
		__atomic_store_n(&x->m.board->drained, last, __ATOMIC_RELEASE);
		for (size_t i = 0; !err && i < x->in_stream; i++)
			err = x->medium->send(&x->m, 0, x->size);
		err = err ? err : x->medium->receive(&x->m, 0, x->size);
		x->stream[x->n_streams] = (double)(lab_now() - begin);
		x->n_streams += !err;
	}
	return err;
}

/* The other side answers every message by one of the same size, until it hears of the last. */
static void answer(struct exchange *x)
{
	uint32_t *over = &x->m.board->over;
	bool last = false;

	rename_to(x->alias);
	while (!last && !x->medium->receive(&x->m, 1, x->size)) {
		/* read before the answer: it lets the first side go on, and set it */
		last = __atomic_load_n(over, __ATOMIC_ACQUIRE);
		if (x->medium->send(&x->m, 1, x->size))
			break;
	}
	rename_to(x->name);
	if (x->streams)
		drain(x);
}

static void *answer_thread(void *arg)
{
	answer(arg);
	return NULL;
}

static int round_trip(struct exchange *x)
{
	int err = x->medium->send(&x->m, 0, x->size);

	return err ? err : x->medium->receive(&x->m, 0, x->size);
}

static int ask(struct exchange *x)
{
	int err = 0;

	rename_to(x->alias);
	while (!err && lab_more(x->lab, x->n, x->most, x->until)) {
		uint64_t begin = lab_now();

		err = round_trip(x);
		x->ns[x->n] = (double)(lab_now() - begin) / 2;
		x->n += !err;
	}
	x->moved = x->m.board->moved;
	__atomic_store_n(&x->m.board->over, 1, __ATOMIC_RELEASE);
	err = err ? err : round_trip(x);
	rename_to(x->name);
	return err || !x->streams ? err : pour(x);
}

static int with_thread(struct exchange *x)
{
	pthread_t t;
	int err = -pthread_create(&t, NULL, answer_thread, x);

	if (err)
		return err;
	err = ask(x);
	pthread_join(t, NULL);
	return err;
}

static int with_process(struct exchange *x)
{
	pid_t pid;
	int err;

	x->m.pids[0] = getpid();
	pid = lab_fork();
	if (!pid) {
		x->m.pids[1] = getpid();
		answer(x);
		/* its memory may yet be read */
		for (;;)
			pause();
	}
	if (pid < 0)
		return pid;
	x->m.pids[1] = pid;
	err = ask(x);
	kill(pid, SIGKILL);
	lab_reap(pid);
	return err;
}

static int prepare(struct exchange *x)
{
	struct medium_state *m = &x->m;

	*m = (struct medium_state){ .lab = x->lab,
				    .board = lab_shared(sizeof(*m->board)),
				    .fds = { -1, -1, -1, -1 },
				    .queue = { -1, -1 } };
	for (int i = 0; i < 2; i++) {
		m->own[i] = malloc(x->size);
		if (m->own[i])
			memset(m->own[i], i + 1, x->size);
	}
	return m->board && m->own[0] && m->own[1] ? 0 : -ENOMEM;
}

void exchange_run(struct exchange *x)
{
	x->err = prepare(x);
	if (!x->err) {
		x->err = x->medium->open(&x->m);
		if (!x->err)
			x->err = x->medium->threads ? with_thread(x) : with_process(x);
		x->medium->close(&x->m);
	}
	for (int i = 0; i < 2; i++)
		free(x->m.own[i]);
	if (x->m.board)
		munmap(x->m.board, sizeof(*x->m.board));
}
