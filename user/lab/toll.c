// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each medium is used by two tasks that bear its number in their name: the pids the kernel's trace
 * sees are not those of the room's pid namespace. Its calls are counted under the name that a
 * task has while messages pass, so that those before and after are not; its switches under either.
 */
#include <errno.h>
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

#define ROUNDS	     64
#define ROUNDS_QUICK 32
#define SIZE	     4096

static size_t rounds(const struct lab *l)
{
	return l->quick ? ROUNDS_QUICK : ROUNDS;
}

struct traced {
	size_t size;
	size_t messages;
	uint64_t moved;
};

#define BORN_PREFIX "born:"

struct names {
	char born[16];
	char talking[16];
};

static struct names names_of(size_t medium)
{
	struct names n;

	snprintf(n.born, sizeof(n.born), BORN_PREFIX "%zu", medium);
	snprintf(n.talking, sizeof(n.talking), TALK_NAME_PREFIX "%zu", medium);
	return n;
}

/* In a child: both sides shall be new tasks, born with the name. */
static void talk(struct lab *l, size_t medium, struct traced *t)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct names names = names_of(medium);
	size_t most = media[medium].most;

	if (!x)
		return;
	*x = (struct exchange){ .lab = l,
				.medium = &media[medium],
				.size = most < SIZE ? most : SIZE,
				.most = rounds(l),
				.until = UINT64_MAX,
				.alias = names.talking,
				.name = names.born };
	exchange_run(x);
	if (!x->err)
		*t = (struct traced){ .size = x->size,
				      .messages = 2 * (x->n + 1),
				      .moved = x->moved };
	free(x);
}

static void talk_by_all(struct lab *l, struct traced *t)
{
	char before[16];

	prctl(PR_GET_NAME, before);
	for (size_t i = 0; i < MEDIA; i++) {
		struct names names = names_of(i);
		pid_t pid;

		prctl(PR_SET_NAME, names.born);
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

static uint64_t switches_of(const struct switches *sw, const struct names *names)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sw->n_tasks; i++)
		if (!strcmp(sw->tasks[i].comm, names->born) ||
		    !strcmp(sw->tasks[i].comm, names->talking))
			n += task_switches_total(&sw->tasks[i]);
	return n;
}

static void charge(struct toll *toll, size_t medium, const struct traced *t,
		   const struct switches *sw, const struct talk_session *ts)
{
	double messages = (double)t->messages;
	struct names names = names_of(medium);
	struct talk talk;

	/* no call at all: this kernel does not tell which one a task is in */
	if (!t->messages || talk_read(ts, names.talking, &talk) || !talk.calls)
		return;
	*toll = (struct toll){
		.known = true,
		.size = t->size,
		.messages = t->messages,
		.switches = (double)switches_of(sw, &names) / messages,
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

static void trace(struct lab *l, void *tolls)
{
	struct traced *t = lab_shared(MEDIA * sizeof(*t));
	struct why why = { "" };
	int err = t ? watch(l, t, tolls, &why) : -ENOMEM;

	if (err)
		lab_say(l, PROOF_SAW, "not traced, so copies are not known: %s",
			*why.text ? why.text : strerror(-err));
}

void toll_take(struct lab *l, struct toll *tolls)
{
	int err;

	lab_say(l, PROOF_STEP,
		"pass %zu messages of %d bytes through each medium, every switch and every system "
		"call counted by eBPF",
		2 * (rounds(l) + 1), SIZE);
	lab_say(l, PROOF_PROGRESS, "counting switches and copies");
	/* two thirds: to load programs is most of it where that is slow */
	err = lab_apart(l, trace, tolls, l->deadline - (lab_part(l->deadline, 3) - lab_now()));
	if (err)
		lab_say(l, PROOF_SAW, "not traced, so copies are not known: %s",
			err == -ETIMEDOUT ? LAB_TIME_IS_UP : strerror(-err));
	lab_say(l, PROOF_TRY, "mmlens channels --watch 5 PID PID");
}
