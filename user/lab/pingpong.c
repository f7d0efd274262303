// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a switch costs: two tasks on one core that take turns, in one space or in two.
 *
 * A thread and a process, made alike, stand ready at once; batches of turns alternate between
 * them. A batch is shorter than a time slice, so that a busy machine spoils some of them and not
 * all: the lower quartile is what others' use of the core does not reach. One pair of partners is one sample: what their making decided
 * (which frames, which cache lines) is part of the noise. Half of the batches among threads are
 * held against the other half: what equal things differ by is the noise of the instrument, and
 * widens the interval.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab/duel.h"
#include "lib/cleanup.h"

#define LINE	    64
#define BATCHES_MAX 32
#define OVER	    UINT32_MAX

const char *const way_names[WAY_NR] = { "futex", "pipe", "yield" };

/* One table between two tasks; in shared memory, so that it serves threads and processes. */
struct game {
	uint32_t turn __attribute__((aligned(LINE)));
	uint32_t batch __attribute__((aligned(LINE))); /* that is asked for, or OVER */
	uint32_t played;			       /* the last one that has ended */
	uint32_t ready;
	struct setting s;
	int pipes[2][2];
};

struct player {
	struct game *g;
	uint32_t me; /* 0 serves */
	char *set;
};

static void touch(char *p, size_t size)
{
	for (size_t i = 0; i < size; i += LINE)
		((volatile char *)p)[i]++;
}

static void turn_futex(struct player *p)
{
	lab_wait(&p->g->turn, !p->me);
	touch(p->set, p->g->s.set);
	lab_post(&p->g->turn, !p->me);
}

static void turn_pipe(struct player *p)
{
	char c = 0;

	if (read(p->g->pipes[p->me][0], &c, 1) != 1)
		_exit(1);
	touch(p->set, p->g->s.set);
	if (write(p->g->pipes[!p->me][1], &c, 1) != 1)
		_exit(1);
}

static void turn_yield(struct player *p)
{
	touch(p->set, p->g->s.set);
	sched_yield();
}

static void (*const turns[WAY_NR])(struct player *p) = { turn_futex, turn_pipe, turn_yield };

static void play_batch(struct player *p, uint32_t batch)
{
	struct game *g = p->g;

	if (g->s.way == WAY_YIELD)
		while (__atomic_load_n(&g->played, __ATOMIC_RELAXED) != batch)
			turn_yield(p);
	else
		for (unsigned int i = 0; i < g->s.turns; i++)
			turns[g->s.way](p);
}

/* The partner's side: batch after batch, asleep in between. */
static void *play(void *arg)
{
	struct player *p = arg;
	uint32_t batch = 0;

	lab_post(&p->g->ready, 1);
	for (;;) {
		lab_wait(&p->g->batch, batch);
		batch = __atomic_load_n(&p->g->batch, __ATOMIC_ACQUIRE);
		if (batch == OVER)
			return NULL;
		play_batch(p, batch);
	}
}

static long switches_of_mine(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw + u.ru_nivcsw;
}

/* The server's side of one batch: ns a switch. The first turn wakes the partner, unmeasured. */
static double serve(struct player *p)
{
	struct game *g = p->g;
	uint32_t batch = g->batch + 1;
	long before, seen;
	uint64_t begin;
	double took;

	lab_post(&g->batch, batch);
	turns[g->s.way](p);
	before = switches_of_mine();
	begin = lab_now();
	for (unsigned int i = 1; i < g->s.turns; i++)
		turns[g->s.way](p);
	took = (double)(lab_now() - begin);
	seen = switches_of_mine() - before;
	__atomic_store_n(&g->played, batch, __ATOMIC_RELAXED);
	/* there and back; only a yield need not switch */
	if (g->s.way != WAY_YIELD)
		return took / (2.0 * (g->s.turns - 1));
	return seen > 0 ? took / (2.0 * (double)seen) : NAN;
}

/* A table with its server here and its partner there. */
struct seats {
	struct player players[2];
	bool process;
	pthread_t thread;
	pid_t pid;
	bool seated;
};

static int partner_start(struct seats *t)
{
	struct player *p = &t->players[1];

	if (!t->process)
		return -pthread_create(&t->thread, NULL, play, p);
	t->pid = lab_fork();
	if (t->pid)
		return t->pid < 0 ? t->pid : 0;
	/* its own memory, not what fork shares: no fault shall fall into the measured time */
	touch(p->set, p->g->s.set);
	play(p);
	_exit(0);
}

static int seats_open(struct seats *t, struct game *g, const struct setting *s, char *sets)
{
	int err;

	*g = (struct game){ .s = *s, .pipes = { { -1, -1 }, { -1, -1 } } };
	for (uint32_t i = 0; i < 2; i++)
		t->players[i] = (struct player){ g, i, sets + i * (s->set + LINE) };
	/* the ball lies with the server */
	if (s->way == WAY_PIPE && (pipe2(g->pipes[0], O_CLOEXEC) || pipe2(g->pipes[1], O_CLOEXEC) ||
				   write(g->pipes[0][1], "", 1) != 1))
		return -errno;
	err = partner_start(t);
	t->seated = !err;
	if (!err)
		lab_wait(&g->ready, 0);
	return err;
}

static void seats_close(struct seats *t)
{
	struct game *g = t->players[0].g;

	if (t->seated) {
		lab_post(&g->batch, OVER);
		if (t->process)
			lab_reap(t->pid);
		else
			pthread_join(t->thread, NULL);
	}
	for (int i = 0; g && i < 4; i++)
		if (g->pipes[i / 2][i % 2] >= 0)
			close(g->pipes[i / 2][i % 2]);
}

/* Batches in the order thread, process, process, thread: whoever goes first gains nothing. */
struct batches {
	double of[2][BATCHES_MAX]; /* [1]: the process */
	double first[BATCHES_MAX]; /* of the threads' batches one half, in both positions alike */
	double second[BATCHES_MAX];
	size_t n, n_first, n_second;
};

static void alternate(struct seats *two, size_t pairs, struct batches *b)
{
	for (b->n = 0; b->n < pairs; b->n++) {
		for (size_t i = 0; i < 2; i++) {
			size_t who = (b->n + i) % 2;

			b->of[who][b->n] = serve(&two[who].players[0]);
		}
		if (b->n % 4 < 2)
			b->first[b->n_first++] = b->of[0][b->n];
		else
			b->second[b->n_second++] = b->of[0][b->n];
	}
}

static int sample(struct duel *d, struct seats *two, struct batches *b)
{
	double thread, process;

	alternate(two, d->pairs, b);
	d->control[d->n] =
		lower_quartile(b->first, b->n_first) - lower_quartile(b->second, b->n_second);
	thread = lower_quartile(b->of[0], b->n);
	process = lower_quartile(b->of[1], b->n);
	/* a core that others crowd may never have yielded to the partner */
	if (isnan(thread) || isnan(process) || isnan(d->control[d->n]))
		return -EBUSY;
	d->thread[d->n] = thread;
	d->process[d->n] = process;
	d->difference[d->n++] = process - thread;
	return 0;
}

static int duel_round(struct duel *d, const struct setting *s)
{
	struct game *games = lab_shared(2 * sizeof(*games));
	struct seats two[2] = { { .process = false }, { .process = true } };
	cleanup_free char *sets = calloc(2, s->set + LINE);
	struct batches b = { .n = 0 };
	int err = games && sets ? 0 : -ENOMEM;

	if (!err) {
		touch(sets, 2 * (s->set + LINE));
		/* the process first: its making leaves the thread's pages to be had anew */
		err = seats_open(&two[1], &games[1], s, sets);
		if (!err)
			err = seats_open(&two[0], &games[0], s, sets);
		touch(sets, 2 * (s->set + LINE));
	}
	if (!err)
		err = sample(d, two, &b);
	for (int i = 0; i < 2; i++)
		seats_close(&two[i]);
	if (games)
		munmap(games, 2 * sizeof(*games));
	return err;
}

int duel_play(const struct lab *l, struct duel *d, const struct setting *s, size_t most,
	      uint64_t until)
{
	int err = 0;

	for (d->n = 0; !err && lab_more(l, d->n, most, until);)
		err = duel_round(d, s);
	return err;
}
