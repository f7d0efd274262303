// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc_storm: tasks that live throughout, so that each pass must find each of them, once. Of those
 * that sleep the row is also the same as it was in the calm before, field by field.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storm.h"

#define SLEEPERS      16
#define EXECERS	      4
#define MAX_THREADS   8192
#define CROWD_STACKS  (64 * 1024)
#define MAX_WITNESSES (SLEEPERS + EXECERS + 2 + MAX_THREADS)
#define MAX_ROUNDS    3000

struct witness {
	pid_t tid;
	bool still;		 /* sleeps: nothing of it changes */
	struct mmlens_task calm; /* without what may change */
};

static struct witness witness[MAX_WITNESSES];
static int witnesses;
static pid_t parents[SLEEPERS + EXECERS + 2];
static int n_parents;

/* Written by the crowd, read by who made it. */
static struct {
	pid_t tid[MAX_THREADS];
	int n;
} * crowd;

/* --- what may change while a task sleeps ---------------------------------------------------- */

static void forget_counts(struct mmlens_task *rec)
{
	/* Readers pin the space while they look; a sleeper is moved off a processor that goes. */
	rec->mm_users = 0;
	rec->mm_count = 0;
	rec->cpu = 0;
	rec->kstack_peak = 0;
	rec->known &= ~(MMLENS_KNOWN(KSTACK_PEAK));
}

/* Every load of the module has a key of its own. */
static void forget_keyed(struct mmlens_task *rec)
{
	__u64 *const keyed[] = {
		&rec->mm,     &rec->active_mm,	    &rec->files,
		&rec->fs,     &rec->signal,	    &rec->sighand,
		&rec->io,     &rec->sysvsem,	    &rec->cred,
		&rec->kstack, &rec->seccomp_filter,
	};

	for (size_t i = 0; i < sizeof(keyed) / sizeof(keyed[0]); i++)
		*keyed[i] = !!*keyed[i];
}

static struct mmlens_task calm_of(const struct mmlens_task *rec)
{
	struct mmlens_task calm = *rec;

	forget_counts(&calm);
	if (storm.module)
		forget_keyed(&calm);
	return calm;
}

/* What ids.bin does not tell. */
static void forget_stacks(struct mmlens_task *rec)
{
	rec->known &= ~(MMLENS_KNOWN(USER_SP) | MMLENS_KNOWN(USTACK) | MMLENS_KNOWN(KSTACK) |
			MMLENS_KNOWN(KSTACK_USED));
	rec->user_sp = 0;
	rec->ustack_start = 0;
	rec->ustack_end = 0;
	rec->ustack_guard = 0;
	rec->ustack_gap = 0;
	rec->ustack_flags = 0;
	rec->kstack_size = 0;
	rec->kstack_used = 0;
	rec->kstack = 0;
}

/* --- who was seen ---------------------------------------------------------------------------- */

static int by_tid(const void *a, const void *b)
{
	return ((const struct witness *)a)->tid - ((const struct witness *)b)->tid;
}

static const struct witness *witness_of(unsigned int tid)
{
	const struct witness wanted = { .tid = tid };

	return bsearch(&wanted, witness, witnesses, sizeof(witness[0]), by_tid);
}

/* The first word that differs, for who has to find out why. */
static long difference(const struct mmlens_task *a, const struct mmlens_task *b)
{
	const unsigned char *x = (const void *)a, *y = (const void *)b;
	size_t i = 0;

	while (i < sizeof(*a) && x[i] == y[i])
		i++;
	return i;
}

bool saw_record(const char *file, const struct mmlens_task *rec)
{
	const struct witness *w = witness_of(rec->tid);
	struct mmlens_task now, calm;

	if (!w)
		return false;
	if (w->calm.start_ns != rec->start_ns || w->calm.tgid != rec->tgid)
		fail(file, "another task has a witness's tid", rec->tid);
	/* A mapping's lock that a sibling holds for writing hides the stack of a sleeper, too. */
	if (!w->still || rec->ustack_flags & MMLENS_US_BUSY)
		return true;
	now = calm_of(rec);
	calm = w->calm;
	if (strcmp(file, PROC_IDS_BIN) == 0)
		forget_stacks(&calm);
	if (memcmp(&now, &calm, sizeof(now)))
		fail(file, "a sleeper's row changed at byte", difference(&now, &calm));
	return true;
}

bool saw_line(const char *file, const char *line)
{
	unsigned int tgid, tid;
	unsigned long long begin;
	const struct witness *w;
	char comm[80], state;

	if (sscanf(line, "%u %u %llu %79s %c", &tgid, &tid, &begin, comm, &state) != 5)
		fail(file, "not a row", 0);
	w = witness_of(tid);
	if (!w)
		return false;
	if (w->calm.start_ns != begin || w->calm.tgid != tgid)
		fail(file, "another task has a witness's tid", tid);
	if (w->still && (w->calm.state != state || strcmp((const char *)w->calm.comm, comm)))
		fail(file, "a sleeper's line changed", tid);
	return true;
}

int witnesses_total(void)
{
	return witnesses;
}

pid_t any_witness(void)
{
	const bool still = rnd(2);
	const struct witness *w;

	do
		w = &witness[rnd(witnesses)];
	while (w->still != still);
	return w->tid;
}

/* --- who they are ---------------------------------------------------------------------------- */

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void *exec_on(void *arg)
{
	execl("/proc/self/exe", "proc_storm", "-e", NULL);
	return arg;
}

/* A thread that is no leader execs, and after that its first other thread, and so on. */
void exec_for_ever(void)
{
	pthread_t thread;

	/* It never pauses, and is not to take the processors from all others. */
	setpriority(PRIO_PROCESS, 0, 10);
	/* An exec by a thread is without it until here. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1 || pthread_create(&thread, NULL, exec_on, NULL))
		_exit(1);
	for (;;)
		pause();
}

static void *crowd_thread(void *arg)
{
	const int place = __atomic_fetch_add(&crowd->n, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&crowd->tid[place], syscall(SYS_gettid), __ATOMIC_RELEASE);
	sleep_for_ever();
	return arg;
}

/* Many threads, whose leader ends before them: a zombie leader with living threads. */
static void be_crowd(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, CROWD_STACKS);
	for (int i = 0; i < storm.threads; i++)
		if (pthread_create(&thread, &attr, crowd_thread, NULL))
			fail("the crowd", "pthread_create", i);
	pthread_exit(NULL);
}

static pid_t child(void (*be)(void))
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be();
		_exit(1);
	}
	if (pid < 0)
		fail("a witness", "fork", errno);
	parents[n_parents++] = pid;
	return pid;
}

static void be_vfork_parent(void)
{
	pid_t pid = vfork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

static void add(pid_t tid, bool still)
{
	witness[witnesses++] = (struct witness){ .tid = tid, .still = still };
}

static void add_crowd(void)
{
	add(child(be_crowd), false);
	for (int i = 0; i < storm.threads; i++) {
		while (!__atomic_load_n(&crowd->tid[i], __ATOMIC_ACQUIRE))
			usleep(1000);
		add(crowd->tid[i], true);
	}
}

/*
 * On its way to sleep a task is still on its processor, for long where that is an emulated one; and
 * a sibling may hold the mapping's lock. Either hides a part of the row.
 */
static bool rests(const struct mmlens_task *rec)
{
	return rec->state == 'S' && !(rec->flags & MMLENS_F_ON_CPU) &&
	       !(rec->ustack_flags & MMLENS_US_BUSY);
}

/* At rest twice with the same counters: it has come to where it stays. */
static bool stands(struct witness *w, int fd)
{
	const off_t at = (off_t)w->tid * MMLENS_RECORD_SIZE;
	const struct mmlens_task before = w->calm;
	struct mmlens_task rec;

	if (pread(fd, &rec, sizeof(rec), at) != sizeof(rec) || rec.tid != (__u32)w->tid)
		fail(PROC_TASKS_BIN, "a new witness is missing", w->tid);
	w->calm = calm_of(&rec);
	return !w->still || (rests(&rec) && !memcmp(&before, &w->calm, sizeof(before)));
}

/* All between two pauses, as thousands one after another would take longer than the storm. */
static void let_stand(int fd)
{
	bool standing[MAX_WITNESSES] = { false };

	for (int left = witnesses, round = 0; left; round++, usleep(10000)) {
		if (round > MAX_ROUNDS)
			fail(PROC_TASKS_BIN, "witnesses do not come to rest", left);
		left = 0;
		for (int i = 0; i < witnesses; i++) {
			standing[i] = standing[i] || stands(&witness[i], fd);
			left += !standing[i];
		}
	}
}

void make_witnesses(void)
{
	int fd = open(PROC_TASKS_BIN, O_RDONLY);

	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (fd < 0 || crowd == MAP_FAILED || storm.threads > MAX_THREADS)
		fail(PROC_TASKS_BIN, "open", errno);
	for (int i = 0; i < SLEEPERS; i++)
		add(child(sleep_for_ever), true);
	add(child(be_vfork_parent), false);
	for (int i = 0; i < EXECERS; i++)
		add(child(exec_for_ever), false);
	add_crowd();
	let_stand(fd);
	close(fd);
	qsort(witness, witnesses, sizeof(witness[0]), by_tid);
}

void end_witnesses(void)
{
	for (int i = 0; i < n_parents; i++)
		kill(parents[i], SIGKILL);
	for (int i = 0; i < n_parents; i++)
		waitpid(parents[i], NULL, 0);
}
