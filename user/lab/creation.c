// SPDX-License-Identifier: GPL-2.0-only
/* What it costs to make a task: to its first instruction, and to its end as the maker sees it. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/lab.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define SAMPLES_MAX 400
#define STACK_SIZE  (64u << 10)

/* Written by the new task: the time of its first instruction. */
static uint64_t *born;

struct birth {
	uint64_t made;	/* the call returned to the maker */
	uint64_t first; /* first instruction; 0 where the new task cannot tell */
	uint64_t ended; /* joined or waited for */
};

static void *thread_main(void *arg)
{
	*born = lab_now();
	return arg;
}

static int make_thread(struct birth *b)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, thread_main, NULL);

	if (err)
		return -err;
	b->made = lab_now();
	pthread_join(t, NULL);
	return 0;
}

static int peer_main(void *arg)
{
	(void)arg;
	*born = lab_now();
	return 0;
}

static int make_peer(struct birth *b)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));
	pid_t pid = clone(peer_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	if (pid < 0)
		return -errno;
	b->made = lab_now();
	return lab_reap(pid) < 0 ? -ECHILD : 0;
}

/* As vfork(2), whose child must not return: the parent waits until it is gone. */
static int make_vfork(struct birth *b)
{
	pid_t pid = vfork();

	if (!pid) {
		*born = lab_now();
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	b->made = lab_now();
	return lab_reap(pid) < 0 ? -ECHILD : 0;
}

static int make_fork(struct birth *b)
{
	pid_t pid = fork();

	if (!pid) {
		*born = lab_now();
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	b->made = lab_now();
	return lab_reap(pid) < 0 ? -ECHILD : 0;
}

static int make_spawn(struct birth *b)
{
	char *argv[] = { (char *)"true", NULL }, *envp[] = { NULL };
	pid_t pid;
	int err = posix_spawnp(&pid, "true", NULL, NULL, argv, envp);

	if (err)
		return -err;
	b->made = lab_now();
	return lab_reap(pid) < 0 ? -ECHILD : 0;
}

static const struct maker {
	const char *name;
	int (*make)(struct birth *b);
} makers[] = {
	{ "thread", make_thread }, { "clone(CLONE_VM)", make_peer },
	{ "vfork", make_vfork },   { "posix_spawn", make_spawn },
	{ "fork", make_fork },
};

enum {
	MAKE_THREAD,
	MAKE_FORK = ARRAY_SIZE(makers) - 1
};

/* ns from the call to each moment, one column of samples each. */
struct births {
	double first[SAMPLES_MAX];
	double made[SAMPLES_MAX];
	double ended[SAMPLES_MAX];
	size_t n;
	int err; /* the first refusal: the experiment stops there */
};

static void birth_take(struct births *s, const struct maker *m)
{
	struct birth b = { 0 };
	uint64_t begin;

	*born = 0;
	begin = lab_now();
	s->err = m->make(&b);
	b.ended = lab_now();
	if (s->err)
		return;
	b.first = *born;
	s->first[s->n] = b.first ? (double)(b.first - begin) : 0;
	s->made[s->n] = (double)(b.made - begin);
	s->ended[s->n++] = (double)(b.ended - begin);
}

static void births_say(struct lab *l, struct births *s, const char *name)
{
	struct estimate first = estimate_of(s->first, s->n), made = estimate_of(s->made, s->n);
	struct estimate ended = estimate_of(s->ended, s->n);
	char what[96], a[16], b[16], c[16];

	if (!s->n)
		return lab_say(l, PROOF_CANNOT, "%s could not be made: %s", name,
			       strerror(-s->err));
	snprintf(what, sizeof(what), "create %s", name);
	lab_estimate(l, what, made, "ns");
	if (first.median > 0) {
		snprintf(what, sizeof(what), "first instruction %s", name);
		lab_estimate(l, what, first, "ns");
	}
	snprintf(what, sizeof(what), "create and end %s", name);
	lab_estimate(l, what, ended, "ns");
	lab_say(l, PROOF_SAW, "%s: the call %s, first instruction %s, to its end %s", name,
		text_ns(a, sizeof(a), (uint64_t)made.median),
		first.median > 0 ? text_ns(b, sizeof(b), (uint64_t)first.median) : "unknown",
		text_ns(c, sizeof(c), (uint64_t)ended.median));
	if (s->err)
		lab_say(l, PROOF_SAW, "%s: shrunk to %zu samples: %s (ulimit -u?)", name, s->n,
			strerror(-s->err));
}

/* Interleaved, so that a busy minute falls on all alike; the difference is paired for that. */
static void compare_makers(struct lab *l)
{
	static struct births of[ARRAY_SIZE(makers)];
	static double difference[SAMPLES_MAX];
	size_t rounds = l->quick ? 60 : SAMPLES_MAX, n;

	lab_say(l, PROOF_STEP,
		"create and end a task %zu times in each of %zu ways, interleaved, "
		"on CPU %d",
		rounds, ARRAY_SIZE(makers), l->cpu);
	for (size_t i = 0; i < rounds; i++)
		for (size_t m = 0; m < ARRAY_SIZE(makers); m++)
			if (!of[m].err)
				birth_take(&of[m], &makers[m]);
	n = of[MAKE_THREAD].n < of[MAKE_FORK].n ? of[MAKE_THREAD].n : of[MAKE_FORK].n;
	for (size_t i = 0; i < n; i++)
		difference[i] = of[MAKE_FORK].ended[i] - of[MAKE_THREAD].ended[i];
	for (size_t m = 0; m < ARRAY_SIZE(makers); m++)
		births_say(l, &of[m], makers[m].name);
	if (n)
		lab_estimate(l, "fork - thread", estimate_of(difference, n), "ns");
	lab_say(l, PROOF_TRY, "mmlens trace -- COMMAND");
}

/* Page tables of this process in KiB: what fork must copy. */
static double page_tables(void)
{
	cleanup_fclose FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	double kib;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPTE: %lf", &kib) == 1)
			return kib;
	return 0;
}

static void fork_with(struct lab *l, size_t mib, bool huge)
{
	static struct births s;
	size_t size = mib << 20, rounds = mib > 256 ? 15 : 40;
	char name[64], *p = NULL;

	memset(&s, 0, sizeof(s));
	if (size) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return lab_say(l, PROOF_SAW, "%zu MiB refused: %s; left out", mib,
				       strerror(errno));
		madvise(p, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		memset(p, 1, size);
	}
	for (size_t i = 0; i < (l->quick ? rounds / 4 + 4 : rounds) && !s.err; i++)
		birth_take(&s, &makers[MAKE_FORK]);
	snprintf(name, sizeof(name), "fork, %zu MiB%s", mib, huge ? " huge" : "");
	births_say(l, &s, name);
	snprintf(name, sizeof(name), "page tables, %zu MiB%s", mib, huge ? " huge" : "");
	lab_count(l, name, page_tables(), "KiB");
	if (size)
		munmap(p, size);
}

static void fork_by_memory(struct lab *l)
{
	static const size_t sizes[] = { 0, 1, 16, 64, 256, 1024 };
	size_t most = l->memory >> 20;

	lab_say(l, PROOF_STEP,
		"fork a process that has written 0 to 1024 MiB, in 4K and in huge "
		"pages: the page tables are what fork copies");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i] > most || (l->quick && sizes[i] > 64)) {
			lab_say(l, PROOF_SAW, "%zu MiB left out: %s", sizes[i],
				sizes[i] > most
					? "a quarter of the memory available here (or of its cgroup) is less"
					: "--quick");
			continue;
		}
		fork_with(l, sizes[i], false);
		if (sizes[i] >= 16)
			fork_with(l, sizes[i], true);
	}
	lab_say(l, PROOF_TRY, "mmlens pages PID");
}

void lab_creation(struct lab *l)
{
	born = lab_shared(sizeof(*born));
	if (!born)
		return lab_say(l, PROOF_CANNOT, "no shared memory for the new tasks' clock");
	compare_makers(l);
	fork_by_memory(l);
}
