// SPDX-License-Identifier: GPL-2.0-only
/*
 * Storms: tasks that come and go without end while somebody reads. `calm` is alive throughout, so a
 * reader that misses it is wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subject.h"

static void *leave_at_once(void *arg)
{
	return arg;
}

static void thread_storm(void)
{
	pthread_t threads[16];
	int made = 0;

	while (made < 16 && !pthread_create(&threads[made], NULL, leave_at_once, NULL))
		made++;
	while (made)
		pthread_join(threads[--made], NULL);
}

static void reap(pid_t pid)
{
	if (pid > 0)
		waitpid(pid, NULL, 0);
	else
		usleep(1000);
}

static void fork_storm(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	reap(pid);
}

static void exec_storm(void)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/proc/self/exe", "subject", "nothing", NULL);
		_exit(1);
	}
	reap(pid);
}

static int leave_clone(void *arg)
{
	(void)arg;
	syscall(SYS_exit, 0);
	return 0;
}

static void vfork_storm(void)
{
	char stack[8192] __attribute__((aligned(16)));

	reap(clone(leave_clone, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

static void cred_storm(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(1);
		_exit(0);
	}
	reap(pid);
}

/* Its first child would be the init of the new namespace. */
static void pidns_visit(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return;
	pid = fork();
	if (!pid)
		_exit(0);
	reap(pid);
}

static void pidns_storm(void)
{
	pid_t pid = fork();

	if (!pid) {
		pidns_visit();
		_exit(0);
	}
	reap(pid);
}

static const struct storm {
	const char *name;
	void (*gust)(void);
} storms[] = {
	{ "thread", thread_storm }, { "fork", fork_storm }, { "exec", exec_storm },
	{ "vfork", vfork_storm },   { "cred", cred_storm }, { "pidns", pidns_storm },
};

#define STORMS (sizeof(storms) / sizeof(storms[0]))

struct weather {
	void (*gust)(void);
	unsigned long *gusts;
};

static void blow(void *arg)
{
	struct weather *w = arg;

	for (;;) {
		w->gust();
		__atomic_add_fetch(w->gusts, 1, __ATOMIC_RELAXED);
	}
}

static const struct storm *find_storm(const char *name)
{
	for (size_t i = 0; i < STORMS; i++)
		if (!strcmp(storms[i].name, name))
			return &storms[i];
	fprintf(stderr, "subject: no storm is called '%s'\n", name);
	_exit(2);
}

static void brew(const struct storm *storm, unsigned long *gusts)
{
	struct weather w = { storm->gust, gusts };

	fork_child(blow, &w);
}

static void storm(int argc, char **argv)
{
	unsigned long *gusts = shared_memory(sizeof(*gusts));

	say("pid", "%d", getpid());
	say_task("calm", fork_child(NULL, NULL), "process");
	say_task("calm_tid", start_thread(NULL, NULL), "thread");
	for (int i = 1; i < argc; i++)
		brew(find_storm(argv[i]), gusts);
	for (size_t i = 0; argc < 2 && i < STORMS; i++)
		brew(&storms[i], gusts);
	ready_and_hold();
	printf("done gusts=%lu\n", *gusts);
}

static void nothing(int argc, char **argv)
{
	(void)argc, (void)argv;
}

const struct situation storm_situations[] = {
	{ "storm", "[NAME...]", "thread fork exec vfork cred pidns: tasks come and go", storm },
	{ "nothing", "", "(a part of storm) ends at once", nothing },
	{ 0 },
};
