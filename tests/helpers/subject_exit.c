// SPDX-License-Identifier: GPL-2.0-only
/* Situations of tasks on their way out: zombies, dead leaders, a dying namespace, exec races. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subject.h"

/* What a stage says through shared memory. */
struct stage {
	int pid, tid, other;
};

static void gone(void *arg)
{
	(void)arg;
	_exit(0);
}

static void zombie(int argc, char **argv)
{
	pid_t child = fork_child(gone, NULL);

	(void)argc, (void)argv;
	await_state(child, "Z");
	say_task("pid", getpid(), "process");
	say_task("child", child, "zombie");
	ready_and_hold();
}

/* ---- a leader that exited before its threads ---- */

static void leaving_leader(void *arg)
{
	struct stage *stage = arg;

	post_word(&stage->tid, start_thread(NULL, NULL));
	post_word(&stage->other, start_thread(NULL, NULL));
	post_word(&stage->pid, getpid());
	pthread_exit(NULL);
}

static void leader_exited(int argc, char **argv)
{
	struct stage *stage = shared_memory(sizeof(*stage));

	(void)argc, (void)argv;
	fork_child(leaving_leader, stage);
	await_state(await_word(&stage->pid), "Z");
	say_task("pid", stage->pid, "zombie");
	say_task("tid1", await_word(&stage->tid), "thread");
	say_task("tid2", await_word(&stage->other), "thread");
	say("shares", "-");
	ready_and_hold();
}

/* ---- a task that has no space any more and is no zombie yet ---- */

static int enter_pid_ns(pid_t init)
{
	char path[64];
	FILE *ns;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	ns = fopen(path, "re");
	if (!ns || setns(fileno(ns), CLONE_NEWPID))
		return -errno;
	return fclose(ns);
}

/*
 * The first task of a pid namespace cannot finish its exit before every pid in it is free, and the
 * pid of a zombie whose parent lives outside is not: it waits in exit without an mm.
 */
static void dying(int argc, char **argv)
{
	pid_t init, inner;

	(void)argc, (void)argv;
	if (unshare(CLONE_NEWPID))
		unavailable("unshare(CLONE_NEWPID): %s", strerror(errno));
	init = fork_child(NULL, NULL);
	await_state(init, "S");
	if (enter_pid_ns(init))
		unavailable("setns into a pid namespace: %s", strerror(errno));
	inner = fork_child(gone, NULL);
	await_state(inner, "Z");
	kill(init, SIGKILL);
	/* Which sleep it is depends on the kernel; 6.1 even calls it idle. */
	await_state(init, "SDI");
	say_task("pid", getpid(), "process");
	say_task("dying", init, "zombie");
	say_task("child", inner, "zombie");
	ready_and_hold();
}

/* ---- ptrace ---- */

static void traceme(void *arg)
{
	(void)arg;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		fail("PTRACE_TRACEME");
	raise(SIGSTOP);
}

static void ptraced(int argc, char **argv)
{
	pid_t child = fork_child(traceme, NULL);

	(void)argc, (void)argv;
	await_state(child, "t");
	say_task("pid", getpid(), "process");
	say_task("child", child, "process");
	ready_and_hold();
}

/* ---- a task stuck half way through exec ---- */

static void exec_thread(void *arg)
{
	struct stage *stage = arg;

	post_word(&stage->other, tid_now());
	/* De_thread() waits for the traced sibling, which stops at its exit and stays. */
	execl("/proc/self/exe", "subject", "threads", "0", NULL);
}

static void exec_stage(void *arg)
{
	struct stage *stage = arg;

	post_word(&stage->tid, start_thread(NULL, NULL));
	post_word(&stage->pid, getpid());
}

static void exec_go_stage(void *arg)
{
	struct stage *stage = arg;

	exec_stage(arg);
	await_word(&stage[1].pid);
	launch_thread(exec_thread, stage);
}

static void attach(pid_t tid, long options)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, options))
		unavailable("PTRACE_SEIZE: %s", strerror(errno));
}

static void exec_stuck(int argc, char **argv)
{
	struct stage *stage = shared_memory(2 * sizeof(*stage));

	(void)argc, (void)argv;
	fork_child(exec_go_stage, stage);
	await_word(&stage->pid);
	attach(stage->tid, PTRACE_O_TRACEEXIT);
	post_word(&stage[1].pid, 1);
	await_word(&stage->other);
	await_state(stage->tid, "t");
	await_state(stage->other, "SD");
	/* The leader was killed to make room and its space with it. */
	await_state(stage->pid, "Z");
	say_task("pid", stage->pid, "zombie");
	say_task("leaving", stage->tid, "thread");
	say_task("execing", stage->other, "thread");
	ready_and_hold();
}

/* ---- a process whose threads exec without end: same pid, ever new spaces ---- */

static void exec_again(void *arg)
{
	char parent[16];

	(void)arg;
	usleep(2000);
	/* The signal belongs to the thread that asked for it, and this one will be all that is left. */
	die_with_parent();
	snprintf(parent, sizeof(parent), "%d", getppid());
	execl("/proc/self/exe", "subject", "exec-again", parent, NULL);
	fail("exec");
}

/* A parent that died between the exec and the question above has left us to somebody else. */
static void again(int argc, char **argv)
{
	if (getppid() != number(argc, argv, 1, 0))
		_exit(0);
	for (int i = 0; i < 3; i++)
		launch_thread(NULL, NULL);
	launch_thread(exec_again, NULL);
	sleep_for_ever();
}

static void exec_race_stage(void *arg)
{
	char parent[16];

	(void)arg;
	snprintf(parent, sizeof(parent), "%d", getppid());
	execl("/proc/self/exe", "subject", "exec-again", parent, NULL);
	fail("exec");
}

static void exec_race(int argc, char **argv)
{
	long count = number(argc, argv, 1, 1);

	say("pid", "%d", getpid());
	for (long n = 1; n <= count; n++) {
		char key[32];

		snprintf(key, sizeof(key), "racer%ld", n);
		say(key, "%d", fork_child(exec_race_stage, NULL));
	}
	ready_and_hold();
}

const struct situation exit_situations[] = {
	{ "zombie", "", "a child that exited and is not reaped", zombie },
	{ "leader-exited", "", "a zombie leader with living threads", leader_exited },
	{ "dying", "", "a task inside exit, without a space, and no zombie yet", dying },
	{ "ptraced", "", "a child stopped by its tracer", ptraced },
	{ "exec-stuck", "", "a thread in exec that waits for a sibling stopped in exit",
	  exec_stuck },
	{ "exec-race", "[N=1]", "N processes whose threads exec without end", exec_race },
	{ "exec-again", "", "(a part of exec-race)", again },
	{ 0 },
};
