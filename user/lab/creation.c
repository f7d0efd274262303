// SPDX-License-Identifier: GPL-2.0-only
/* What it costs to make a task: to its first instruction, and to its end as the maker sees it. */
#include <errno.h>
#include <math.h>
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

#include "lab/core.h"
#include "lab/lab.h"
#include "lab/stamp.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define SAMPLES_MAX 399
#define IN_A_ROW    3 /* a part of SAMPLES_MAX */
#define STACK_SIZE  (64u << 10)
#define MIB	    (1ul << 20)

/* A difference below this part of a thread's cost is none that matters. */
#define MARGIN 0.05

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

/* Of a new process that is to end at once; from the space of its maker or its own. */
static void __attribute__((noreturn)) process_main(void)
{
	*born = lab_now();
	_exit(0);
}

static int peer_main(void *arg)
{
	(void)arg;
	process_main();
}

/* The maker's side: errno is that of the call, where it failed. */
static int process_made(struct birth *b, pid_t pid)
{
	if (pid < 0)
		return -errno;
	b->made = lab_now();
	return lab_reap(pid) < 0 ? -ECHILD : 0;
}

static int make_peer(struct birth *b)
{
	static char stack[STACK_SIZE] __attribute__((aligned(16)));

	return process_made(b, clone(peer_main, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}

static int make_vfork(struct birth *b)
{
	pid_t pid = vfork();

	if (!pid)
		process_main();
	return process_made(b, pid);
}

static int make_fork(struct birth *b)
{
	pid_t pid = fork();

	if (!pid)
		process_main();
	return process_made(b, pid);
}

static int spawn(struct birth *b, const char *program)
{
	char *argv[] = { (char *)program, NULL }, *envp[] = { NULL };
	pid_t pid;
	int err = posix_spawnp(&pid, program, NULL, NULL, argv, envp);

	errno = err;
	return process_made(b, err ? -1 : pid);
}

/* Of a program's own first instruction, not that of its maker's copy. */
static struct stamp stamp;

static int make_stamp(struct birth *b)
{
	int err = spawn(b, stamp.path);

	if (!err)
		*born = stamp_read(&stamp);
	return err;
}

/* With what nearly every program pays before its main(): the dynamic linker. */
static int make_true(struct birth *b)
{
	return spawn(b, "true");
}

static const struct maker {
	const char *name;
	int (*make)(struct birth *b);
} makers[] = {
	{ "thread", make_thread },     { "clone(CLONE_VM)", make_peer },  { "vfork", make_vfork },
	{ "posix_spawn", make_stamp }, { "posix_spawn true", make_true }, { "fork", make_fork },
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
	double whole[SAMPLES_MAX]; /* as `ended`, in the order they came */
	size_t n;
	size_t total; /* with those that were not kept */
	int err;      /* the first refusal: the experiment stops there */
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
	s->total++;
	b.first = *born;
	s->first[s->n] = b.first ? (double)(b.first - begin) : 0;
	s->made[s->n] = (double)(b.made - begin);
	s->whole[s->n] = (double)(b.ended - begin);
	s->ended[s->n++] = (double)(b.ended - begin);
}

/*
 * The first in a row is not kept: after a fork its maker's pages are still to be had again, and that
 * bill is fork's, which `rewrite` tells.
 */
static void births_take(struct births *s, const struct maker *m)
{
	struct birth b;

	if (!s->err)
		s->err = m->make(&b);
	s->total += !s->err;
	for (int i = 0; !s->err && i < IN_A_ROW; i++)
		birth_take(s, m);
}

/* Where the time goes: the call copies, then the new task must get the core, run and be ended. */
static void say_phases(struct lab *l, const char *name, const struct estimate *first,
		       const struct estimate *made, const struct estimate *ended)
{
	char a[16], b[16], c[16];
	double begun = fmax(first->median, made->median);

	if (first->median > 0)
		return lab_say(l, PROOF_SAW,
			       "%s: %s to make and end: the call %s, first instruction after %s, "
			       "%.0f %% for its end",
			       name, text_ns(a, sizeof(a), (uint64_t)ended->median),
			       text_ns(b, sizeof(b), (uint64_t)made->median),
			       text_ns(c, sizeof(c), (uint64_t)first->median),
			       100 * (1 - begun / ended->median));
	lab_say(l, PROOF_SAW,
		"%s: %s to make and end, of which the call %s, until its exec; the dynamic linker, "
		"the program and its end make the rest",
		name, text_ns(a, sizeof(a), (uint64_t)ended->median),
		text_ns(b, sizeof(b), (uint64_t)made->median));
}

/* ns to make and end it; 0: it could not be made. */
static double births_say(struct lab *l, struct births *s, const char *name)
{
	struct estimate first = estimate_of(s->first, s->n), made = estimate_of(s->made, s->n);
	struct estimate ended = estimate_of(s->ended, s->n);
	char what[96];

	if (!s->n) {
		lab_say(l, PROOF_CANNOT, "%s could not be made: %s", name, strerror(-s->err));
		return 0;
	}
	snprintf(what, sizeof(what), "made %s", name);
	lab_count(l, what, (double)s->total, "tasks");
	snprintf(what, sizeof(what), "create %s", name);
	lab_estimate(l, what, made);
	if (first.median > 0) {
		snprintf(what, sizeof(what), "first instruction %s", name);
		lab_estimate(l, what, first);
	}
	snprintf(what, sizeof(what), "create and end %s", name);
	lab_estimate(l, what, ended);
	say_phases(l, name, &first, &made, &ended);
	if (s->err)
		lab_say(l, PROOF_SAW, "%s: shrunk to %zu samples: %s (ulimit -u?)", name, s->n,
			strerror(-s->err));
	return ended.median;
}

/* Paired for the noise that falls on both: neighbours in time. */
static void say_dearness(struct lab *l, struct births *of, const double *ended)
{
	static double difference[SAMPLES_MAX];
	size_t n = of[MAKE_THREAD].n < of[MAKE_FORK].n ? of[MAKE_THREAD].n : of[MAKE_FORK].n;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		difference[i] = of[MAKE_FORK].whole[i] - of[MAKE_THREAD].whole[i];
	lab_difference(l, "fork - thread", estimate_of(difference, n), MARGIN * ended[MAKE_THREAD]);
	lab_say(l, PROOF_CONCLUDED, "to make and end a process by fork takes %.1f times a thread",
		ended[MAKE_FORK] / ended[MAKE_THREAD]);
}

#define QUICK_MIB 64

/* Of what is written before a fork: said before any, for a machine that stalls may never come to it. */
static void describe_memory(struct lab *l)
{
	size_t allowed = l->memory / MIB;

	if (allowed < 1024 && (!l->quick || allowed < QUICK_MIB))
		lab_say(l, PROOF_SAW,
			"at most %zu MiB are written: a quarter of the memory available here, or of "
			"that of its cgroup, is no more",
			allowed);
	else if (l->quick)
		lab_say(l, PROOF_SAW, "at most %d MiB are written: --quick", QUICK_MIB);
}

/* Interleaved, so that a busy minute falls on all alike. */
static void compare_makers(struct lab *l)
{
	static struct births of[ARRAY_SIZE(makers)];
	size_t rounds = (l->quick ? 60 : SAMPLES_MAX) / IN_A_ROW;
	double ended[ARRAY_SIZE(makers)];
	uint64_t until = lab_share(l, 3);

	lab_say(l, PROOF_STEP,
		"create and end a task up to %zu times in each of %zu ways, "
		"interleaved by %d",
		rounds * IN_A_ROW, ARRAY_SIZE(makers), IN_A_ROW);
	lab_say(l, PROOF_SAW,
		"posix_spawn is of a static program of one page whose first instructions read the "
		"clock; posix_spawn true is of true(1)");
	core_describe(l);
	describe_memory(l);
	lab_say(l, PROOF_PROGRESS, "making tasks in %zu ways", ARRAY_SIZE(makers));
	for (size_t i = 0; lab_more(l, i * IN_A_ROW, rounds * IN_A_ROW, until); i++)
		for (size_t m = 0; m < ARRAY_SIZE(makers); m++)
			births_take(&of[m], &makers[m]);
	for (size_t m = 0; m < ARRAY_SIZE(makers); m++)
		ended[m] = births_say(l, &of[m], makers[m].name);
	say_dearness(l, of, ended);
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

/*
 * The bill that comes after fork: while the child lives, each page that is written again must be
 * copied first. Up to 16 MiB are, and at least one. ns a MiB, or 0.
 */
static double rewrite(char *p, size_t mib, uint64_t until)
{
	size_t done = 0, most = mib < 16 ? mib : 16;
	uint64_t begin;
	pid_t pid = lab_fork();
	double ns;

	if (!pid)
		for (;;)
			pause();
	if (pid < 0)
		return 0;
	begin = lab_now();
	for (; done < most && (!done || lab_now() < until); done++)
		for (size_t at = 0; at < MIB; at += 4096)
			((volatile char *)p)[done * MIB + at] = 2;
	ns = (double)(lab_now() - begin);
	kill(pid, SIGKILL);
	lab_reap(pid);
	return ns / (double)done;
}

struct load {
	size_t mib;
	bool huge;
};

/* ns to write one MiB of new memory, as last seen, in 4K and in huge pages; 0: not yet. */
static double to_write[2];

/* The memory written before, or NULL with its reason said. */
static char *written(struct lab *l, const struct load *w)
{
	size_t size = w->mib * MIB;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t begin;

	if (p == MAP_FAILED) {
		lab_say(l, PROOF_SAW, "%zu MiB refused: %s; left out", w->mib, strerror(errno));
		return NULL;
	}
	madvise(p, size, w->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	begin = lab_now();
	memset(p, 1, size);
	to_write[w->huge] = (double)(lab_now() - begin) / (double)w->mib;
	return p;
}

/* ns to make and end such a process; 0: not measured. */
static double fork_with(struct lab *l, const struct load *w, uint64_t until)
{
	static struct births s;
	char name[64], what[80], cost[16], *p = NULL;
	uint64_t rewriting;
	double ended, ns, tables;

	memset(&s, 0, sizeof(s));
	snprintf(name, sizeof(name), "fork, %zu MiB%s", w->mib, w->huge ? " huge" : "");
	lab_say(l, PROOF_PROGRESS, "%s", name);
	if (w->mib && !(p = written(l, w)))
		return 0;
	rewriting = lab_part(until, 2);
	while (!s.err && lab_more(l, s.n, w->mib > 256 ? 15 : 40, rewriting))
		birth_take(&s, &makers[MAKE_FORK]);
	ended = births_say(l, &s, name);
	tables = page_tables();
	snprintf(what, sizeof(what), "page tables, %zu MiB%s", w->mib, w->huge ? " huge" : "");
	lab_count(l, what, tables, "KiB");
	ns = p ? rewrite(p, w->mib, until) : 0;
	if (ns > 0) {
		snprintf(what, sizeof(what), "rewrite after %s", name);
		lab_count(l, what, ns, "ns/MiB");
		lab_say(l, PROOF_SAW,
			"%s: page tables of %.0f KiB%s; while the child lives, each MiB written "
			"again costs %s",
			name, tables, w->huge ? ", most in reserve and not copied" : "",
			text_ns(cost, sizeof(cost), (uint64_t)ns));
	}
	if (p)
		munmap(p, w->mib * MIB);
	return ended;
}

static const struct load loads[] = {
	{ 0, false }, { 1, false },   { 16, false }, { 16, true },    { 64, false },
	{ 64, true }, { 256, false }, { 256, true }, { 1024, false }, { 1024, true },
};

/* As describe_memory() has told. */
static bool allowed(const struct lab *l, const struct load *w)
{
	return w->mib <= l->memory / MIB && !(l->quick && w->mib > QUICK_MIB);
}

/* To write it is the least it takes. */
static bool in_time(const struct lab *l, const struct load *w)
{
	return lab_now() + (uint64_t)(to_write[w->huge] * (double)w->mib) < l->deadline;
}

/* By the largest that was measured; what is small is lost among the pages that any fork copies. */
static void conclude_growth(struct lab *l, const double *ended)
{
	size_t largest = 0;
	double more;

	for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
		if (ended[i] > 0 && !loads[i].huge)
			largest = i;
	if (!(ended[0] > 0) || loads[largest].mib < 16)
		return;
	more = ended[largest] - ended[0];
	if (more > 0)
		lab_say(l, PROOF_CONCLUDED,
			"each MiB written in 4K pages adds %.1f us to fork and end (by %zu MiB)",
			more / 1e3 / (double)loads[largest].mib, loads[largest].mib);
	else
		lab_say(l, PROOF_CONCLUDED,
			"to fork and end took no longer with %zu MiB written in 4K pages",
			loads[largest].mib);
}

static void fork_by_memory(struct lab *l)
{
	double ended[ARRAY_SIZE(loads)] = { 0 };

	lab_say(l, PROOF_STEP,
		"fork a process that has written 0 to 1024 MiB, in 4K and in huge "
		"pages: the page tables are what fork copies");
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		if (!allowed(l, &loads[i]))
			continue;
		if (!in_time(l, &loads[i]))
			lab_say(l, PROOF_SAW, "%zu MiB%s left out: " LAB_TIME_IS_UP, loads[i].mib,
				loads[i].huge ? " huge" : "");
		else
			ended[i] = fork_with(l, &loads[i], lab_share(l, ARRAY_SIZE(loads) - i));
	}
	conclude_growth(l, ended);
	lab_say(l, PROOF_TRY, "mmlens pages PID");
}

void lab_creation(struct lab *l)
{
	born = lab_shared(sizeof(*born));
	if (!born)
		return lab_say(l, PROOF_CANNOT, "no shared memory for the new tasks' clock");
	if (stamp_open(&stamp))
		lab_say(l, PROOF_SAW,
			"the program that tells its first instruction cannot be made");
	compare_makers(l);
	stamp_close(&stamp);
	fork_by_memory(l);
}
