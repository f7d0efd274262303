// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits of known length. `sleeper` sleeps 1 ms four times of five and 20 ms the fifth, and runs for
 * 2 ms each time it wakes up; `waiter` never sleeps, and is put aside for those 2 ms. Both are
 * real-time on one CPU, so that nobody else's waits are among theirs. `done` says what they saw of
 * it themselves, in ns: a wait that the kernel tells is no longer than what was seen around it.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

#define SHORT_NS     1000000
#define LONG_NS	     20000000
#define RUN_NS	     2000000
#define LONG_EACH    5
#define MAX_ROUNDS   1000
#define WAITER_FIRST 1 /* real-time priority; the sleeper's is one above */

struct seen {
	int cpu;
	int rounds;
	int start[2]; /* a pipe; whoever waits at it sleeps once, however long */
	int arrived;
	int waits; /* the waiter's arrival */
	int over;
	long slept[MAX_ROUNDS];
	long put_aside; /* the longest that the waiter did not run */
};

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void become_real_time(int above)
{
	const struct sched_param p = { .sched_priority = WAITER_FIRST + above };

	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p))
		_exit(1);
}

static void await_start(struct seen *s, int *arrived)
{
	char c;

	post_word(arrived, tid_now());
	if (read(s->start[0], &c, 1) != 1)
		_exit(1);
}

static void waiter(void *arg)
{
	struct seen *s = arg;
	long last, t;

	become_real_time(0);
	await_start(s, &s->waits);
	for (last = now(); !__atomic_load_n(&s->over, __ATOMIC_ACQUIRE); last = t) {
		t = now();
		s->put_aside = t - last > s->put_aside ? t - last : s->put_aside;
	}
}

static void nap(struct seen *s, int i)
{
	const struct timespec ts = { .tv_nsec = i % LONG_EACH ? SHORT_NS : LONG_NS };
	long begin = now(), end;

	nanosleep(&ts, NULL);
	end = now();
	s->slept[i] = end - begin;
	while (now() - end < RUN_NS)
		;
}

static void sleeper(void *arg)
{
	struct seen *s = arg;

	pin_to(0, s->cpu);
	launch_thread(waiter, s);
	become_real_time(1);
	await_start(s, &s->arrived);
	for (int i = 0; i < s->rounds; i++)
		nap(s, i);
	post_word(&s->over, 1);
}

static int by_length(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static void tell(struct seen *s)
{
	qsort(s->slept, s->rounds, sizeof(s->slept[0]), by_length);
	printf("done rounds=%d slept_p50=%ld slept_p90=%ld slept_max=%ld put_aside=%ld\n",
	       s->rounds, s->slept[s->rounds / 2], s->slept[s->rounds * 9 / 10],
	       s->slept[s->rounds - 1], s->put_aside);
	fflush(stdout);
}

static void delays(int argc, char **argv)
{
	struct seen *s = shared_memory(sizeof(*s));
	const struct sched_param p = { .sched_priority = WAITER_FIRST + 1 };
	const struct sched_param none = { 0 };
	pid_t pid;

	if (sched_setscheduler(0, SCHED_FIFO, &p) || sched_setscheduler(0, SCHED_OTHER, &none))
		unavailable("no task may be real-time here");
	s->rounds = (int)number(argc, argv, 1, 100);
	if (s->rounds < 1 || s->rounds > MAX_ROUNDS || pipe(s->start))
		fail("rounds");
	s->cpu = last_cpu();
	pid = fork_child(sleeper, s);
	await_word(&s->arrived);
	say_task("sleeper", pid, "process");
	say_task("waiter", await_word(&s->waits), "thread");
	ready();
	hold();
	if (write(s->start[1], "go", 2) != 2)
		fail("start");
	await_end(&s->over);
	tell(s);
	hold();
}

const struct situation delay_situations[] = {
	{ "delays", "[ROUNDS=100]", "a thread that sleeps for known times, and one it puts aside",
	  delays },
	{ 0 },
};
