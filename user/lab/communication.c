// SPDX-License-Identifier: GPL-2.0-only
/* What it costs to tell another task something, and whether a plain write is enough. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab/medium.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/bpf_switch.h"

#define SAMPLES_MAX 400

static const size_t sizes[] = { 1, 64, 4096, 64u << 10, 1u << 20 };

struct exchange {
	const struct medium *medium;
	struct medium_state m;
	size_t size;
	size_t rounds;
	double ns[SAMPLES_MAX]; /* one way: half of there and back */
	double switches;	/* of the first side, each message */
	int err;
};

/* The other side answers every message by one of the same size. */
static int answer(struct exchange *x)
{
	int err = 0;

	for (size_t i = 0; i < x->rounds && !err; i++) {
		err = x->medium->receive(&x->m, 1, x->size);
		if (!err)
			err = x->medium->send(&x->m, 1, x->size);
	}
	return err;
}

static void *answer_thread(void *arg)
{
	answer(arg);
	return NULL;
}

static long switches_of_mine(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw + u.ru_nivcsw;
}

static int ask(struct exchange *x)
{
	long before = switches_of_mine();

	for (size_t i = 0; i < x->rounds; i++) {
		uint64_t begin = lab_now();
		int err = x->medium->send(&x->m, 0, x->size);

		if (!err)
			err = x->medium->receive(&x->m, 0, x->size);
		if (err)
			return err;
		x->ns[i] = (double)(lab_now() - begin) / 2;
	}
	/* what leaves here comes back there: as many on the other side, over two messages */
	x->switches = (double)(switches_of_mine() - before) / (double)x->rounds;
	return 0;
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

static void exchange_run(struct exchange *x, struct lab *l)
{
	x->m = (struct medium_state){ .lab = l, .fds = { -1, -1, -1, -1 }, .queue = { -1, -1 } };
	x->m.turn = lab_shared(4096);
	for (int i = 0; i < 2; i++)
		x->m.own[i] = malloc(MESSAGE_MOST);
	x->err = -ENOMEM;
	if (x->m.turn && x->m.own[0] && x->m.own[1]) {
		memset(x->m.own[0], 1, MESSAGE_MOST);
		memset(x->m.own[1], 2, MESSAGE_MOST);
		x->err = x->medium->open(&x->m);
		if (!x->err)
			x->err = x->medium->threads ? with_thread(x) : with_process(x);
		x->medium->close(&x->m);
	}
	for (int i = 0; i < 2; i++)
		free(x->m.own[i]);
	if (x->m.turn)
		munmap(x->m.turn, 4096);
}

static void say_exchange(struct lab *l, struct exchange *x, char *line, size_t room)
{
	struct estimate e = estimate_of(x->ns, x->rounds);
	char name[64], size[16], ns[16];
	size_t used = strlen(line);

	text_size(size, sizeof(size), x->size);
	snprintf(name, sizeof(name), "latency %s, %s", x->medium->name, size);
	lab_estimate(l, name, e, "ns");
	snprintf(line + used, room - used, "  %s %s", size,
		 text_ns(ns, sizeof(ns), (uint64_t)e.median));
	if (x->size == MESSAGE_MOST && e.median > 0) {
		snprintf(name, sizeof(name), "throughput %s, %s", x->medium->name, size);
		lab_count(l, name, (double)x->size * 1e9 / e.median, "B/s");
	}
	if (x->size != 1)
		return;
	snprintf(name, sizeof(name), "switches %s", x->medium->name);
	lab_count(l, name, x->switches, "per message");
	snprintf(name, sizeof(name), "copies %s", x->medium->name);
	lab_count(l, name, x->medium->copies, "per byte");
	used = strlen(line);
	snprintf(line + used, room - used, " (%.1f switches, %d %s)", x->switches,
		 x->medium->copies, x->medium->copies == 1 ? "copy" : "copies");
}

static void measure_medium(struct lab *l, const struct medium *medium)
{
	struct exchange *x = calloc(1, sizeof(*x));
	char line[320];

	if (!x)
		return lab_say(l, PROOF_CANNOT, "%s: out of memory", medium->name);
	snprintf(line, sizeof(line), "%s:", medium->name);
	for (size_t i = 0; i < ARRAY_SIZE(sizes) && sizes[i] <= medium->most; i++) {
		*x = (struct exchange){ .medium = medium, .size = sizes[i] };
		x->rounds = (sizes[i] > 65536 ? 80 : SAMPLES_MAX) / (l->quick ? 4 : 1);
		exchange_run(x, l);
		if (x->err) {
			lab_say(l, PROOF_SAW, "%s: not possible here: %s", medium->name,
				strerror(-x->err));
			break;
		}
		say_exchange(l, x, line, sizeof(line));
	}
	if (!x->err)
		lab_say(l, PROOF_SAW, "%s", line);
	if (!medium->threads)
		lab_fact(l, !x->err, "%s carries messages between processes", medium->name);
	free(x);
}

static volatile int plain; /* a variable like any other */

static void *write_plain(void *arg)
{
	plain = 1;
	return arg;
}

static void plain_write(struct lab *l)
{
	pthread_t t;
	pid_t pid;

	lab_say(l, PROOF_STEP, "write a plain variable in a child process, then in a thread");
	plain = 0;
	pid = lab_fork();
	if (!pid) {
		write_plain(NULL);
		_exit(0);
	}
	if (pid < 0 || lab_reap(pid) < 0)
		return lab_say(l, PROOF_CANNOT, "no child could be made");
	lab_say(l, PROOF_SAW, "after the child wrote 1 we read %d", plain);
	lab_fact(l, plain == 0, "a child's plain write stays unseen");
	if (pthread_create(&t, NULL, write_plain, NULL))
		return lab_say(l, PROOF_CANNOT, "no thread could be made");
	pthread_join(t, NULL);
	lab_say(l, PROOF_SAW, "after the thread wrote 1 we read %d", plain);
	lab_fact(l, plain == 1, "a thread's plain write is seen");
	lab_say(l, PROOF_TRY, "mmlens pages PID PID");
}

/* The same by our own trace, when this kernel and user allow it. */
static void traced_switches(struct lab *l)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct switch_ask window = { .tasks = 4096 };
	struct switch_session *ss;
	struct switches sw = { 0 };
	struct why why = { "" };
	uint64_t mine = 0;

	lab_say(l, PROOF_STEP, "pass 400 one-byte messages by pipe, every switch counted by eBPF");
	prctl(PR_SET_NAME, "mmlens-talk");
	if (!x || switch_session_open(&ss, &window, &why)) {
		lab_say(l, PROOF_SAW, "not traced: %s", why.text);
		free(x);
		return;
	}
	*x = (struct exchange){ .medium = &media[1], .size = 1, .rounds = SAMPLES_MAX };
	if (!switch_session_start(ss, &why)) {
		exchange_run(x, l);
		switch_session_stop(ss, &sw);
		for (size_t i = 0; i < sw.n_tasks; i++)
			if (!strcmp(sw.tasks[i].comm, "mmlens-talk"))
				mine += task_switches_total(&sw.tasks[i]);
		lab_count(l, "traced switches pipe", (double)mine / (2.0 * SAMPLES_MAX),
			  "per message");
		lab_say(l, PROOF_SAW, "%llu switches for %d messages", (unsigned long long)mine,
			2 * SAMPLES_MAX);
	}
	switch_session_close(ss);
	switches_deinit(&sw);
	free(x);
	lab_say(l, PROOF_TRY, "mmlens channels PID PID");
}

void lab_communication(struct lab *l)
{
	plain_write(l);
	lab_say(l, PROOF_STEP,
		"pass messages of 1 byte to 1 MiB there and back on CPU %d; one way "
		"is half of it",
		l->cpu);
	for (size_t i = 0; i < media_n; i++)
		measure_medium(l, &media[i]);
	traced_switches(l);
}
