// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each medium is used by two tasks that bear its number as their name: the pids the kernel's trace
 * sees are not those of the room's pid namespace.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lab/exchange.h"
#include "lab/toll.h"
#include "lib/cleanup.h"
#include "source/bpf_switch.h"
#include "source/bpf_talk.h"

#define ROUNDS 64
#define SIZE   4096

struct traced {
	size_t size;
	size_t messages;
	uint64_t moved;
};

static void name_of(char *name, size_t n, size_t medium)
{
	snprintf(name, n, TALK_NAME_PREFIX "%zu", medium);
}

/* In a child: both sides shall be new tasks, born with the name. */
static void talk(struct lab *l, size_t medium, struct traced *t)
{
	struct exchange *x = calloc(1, sizeof(*x));
	size_t most = media[medium].most;

	if (!x)
		return;
	*x = (struct exchange){ .lab = l,
				.medium = &media[medium],
				.size = most < SIZE ? most : SIZE,
				.most = ROUNDS,
				.until = l->deadline };
	exchange_run(x);
	if (!x->err)
		*t = (struct traced){ .size = x->size,
				      .messages = 2 * (x->n + 1),
				      .moved = x->moved };
	free(x);
}

static void talk_by_all(struct lab *l, struct traced *t)
{
	char name[16], before[16];

	prctl(PR_GET_NAME, before);
	for (size_t i = 0; i < MEDIA && lab_in_time(l); i++) {
		pid_t pid;

		name_of(name, sizeof(name), i);
		prctl(PR_SET_NAME, name);
		pid = lab_fork();
		if (!pid) {
			talk(l, i, &t[i]);
			_exit(0);
		}
		prctl(PR_SET_NAME, before);
		if (pid > 0)
			lab_reap(pid);
	}
}

static uint64_t switches_of(const struct switches *sw, const char *name)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sw->n_tasks; i++)
		if (!strcmp(sw->tasks[i].comm, name))
			n += task_switches_total(&sw->tasks[i]);
	return n;
}

static void charge(struct toll *toll, size_t medium, const struct traced *t,
		   const struct switches *sw, const struct talk_session *ts)
{
	double messages = (double)t->messages;
	char name[16];
	struct talk talk;

	name_of(name, sizeof(name), medium);
	/* no call at all: this kernel does not tell which one a task is in */
	if (!t->messages || talk_read(ts, name, &talk) || !talk.calls)
		return;
	*toll = (struct toll){
		.known = true,
		.size = t->size,
		.switches = (double)switches_of(sw, name) / messages,
		.calls = (double)talk.calls / messages,
		/* the last round trip came after `moved` was read */
		.copies = (double)talk.copied / messages / (double)t->size +
			  (double)t->moved / (messages - 2) / (double)t->size +
			  (double)talk.whole / messages,
	};
}

static int watch(struct lab *l, struct traced *t, struct toll *tolls, struct why *why)
{
	struct switch_ask window = { .tasks = 4096 };
	struct switch_session *ss = NULL;
	struct talk_session *ts = NULL;
	struct switches sw = { 0 };
	int err = switch_session_open(&ss, &window, why);

	if (err)
		return err;
	err = talk_open(&ts, why);
	if (!err)
		err = switch_session_start(ss, why);
	if (!err) {
		talk_by_all(l, t);
		err = switch_session_stop(ss, &sw);
	}
	for (size_t i = 0; !err && i < MEDIA; i++)
		charge(&tolls[i], i, &t[i], &sw, ts);
	talk_close(ts);
	switch_session_close(ss);
	switches_deinit(&sw);
	return err;
}

void toll_take(struct lab *l, struct toll *tolls)
{
	struct traced *t = lab_shared(MEDIA * sizeof(*t));
	struct why why = { "" };
	int err;

	lab_say(l, PROOF_STEP,
		"pass %d messages of %d bytes through each medium, every switch and every system "
		"call counted by eBPF",
		2 * ROUNDS, SIZE);
	lab_progress(l, "counting switches and copies");
	if (!t)
		return lab_say(l, PROOF_CANNOT, "no shared memory for the counts");
	err = watch(l, t, tolls, &why);
	if (err)
		lab_say(l, PROOF_SAW, "not traced, so copies are not known: %s",
			*why.text ? why.text : strerror(-err));
	munmap(t, MEDIA * sizeof(*t));
	lab_say(l, PROOF_TRY, "mmlens channels --watch 5 PID PID");
}
