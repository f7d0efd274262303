// SPDX-License-Identifier: GPL-2.0-only
/* Situations of namespaces and rights: each namespace left, pid namespaces nested, another user. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "subject.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct space_of_names {
	const char *name;
	int flag;
} namespaces[] = {
	{ "uts_ns", CLONE_NEWUTS },   { "ipc_ns", CLONE_NEWIPC },
	{ "mnt_ns", CLONE_NEWNS },    { "pid_ns", CLONE_NEWPID },
	{ "net_ns", CLONE_NEWNET },   { "time_ns", CLONE_NEWTIME },
	{ "user_ns", CLONE_NEWUSER }, { "cgroup_ns", CLONE_NEWCGROUP },
};

struct leave {
	int flag;
	int done; /* 1, or -errno */
	int inner;
};

/* A pid or time namespace is entered by the children of who unshared it, so all look the same. */
static void leave_ns(void *arg)
{
	struct leave *leave = arg;

	if (unshare(leave->flag)) {
		post_word(&leave->done, -errno);
		return;
	}
	/* A change of user namespace clears it. */
	die_with_parent();
	post_word(&leave->inner, fork_child(NULL, NULL));
	post_word(&leave->done, 1);
}

static void all_namespaces(int argc, char **argv)
{
	char absent[256] = "";

	(void)argc, (void)argv;
	say_task("pid", getpid(), "process");
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		struct leave *leave = shared_memory(sizeof(*leave));

		leave->flag = namespaces[i].flag;
		fork_child(leave_ns, leave);
		if (await_word(&leave->done) > 0)
			say_task(namespaces[i].name, leave->inner, "process");
		else
			snprintf(absent + strlen(absent), sizeof(absent) - strlen(absent),
				 "%s%s:%d", absent[0] ? "," : "", namespaces[i].name, -leave->done);
	}
	say("absent", "%s", absent[0] ? absent : "-");
	ready_and_hold();
}

/* ---- nested ---- */

#define MAX_DEPTH 32 /* the kernel's MAX_PID_NS_LEVEL */

struct nest {
	int left;
	int done;
};

static void deeper(void *arg)
{
	struct nest *nest = arg;

	if (!nest->left--)
		post_word(&nest->done, 1);
	else if (unshare(CLONE_NEWPID))
		post_word(&nest->done, -errno);
	else
		fork_child(deeper, nest);
}

/*
 * The pid of the deepest task as this namespace numbers it. Each level has one child, so the line
 * of children leads there.
 */
static pid_t deepest(pid_t pid)
{
	char path[64], buf[64];
	int next;

	for (;;) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
		if (!read_text(path, buf, sizeof(buf)) || sscanf(buf, "%d", &next) != 1)
			return pid;
		pid = next;
	}
}

static void nested(int argc, char **argv)
{
	struct nest *nest = shared_memory(sizeof(*nest));
	pid_t first, last;

	nest->left = (int)number(argc, argv, 1, 2);
	if (nest->left < 1 || nest->left > MAX_DEPTH)
		unavailable("a depth of 1 to %d", MAX_DEPTH);
	say("depth", "%d", nest->left);
	first = fork_child(deeper, nest);
	if (await_word(&nest->done) < 0)
		unavailable("unshare(CLONE_NEWPID): %s", strerror(-nest->done));
	last = deepest(first);
	say_task("pid", getpid(), "process");
	say_task("outer", first, "process");
	say_task("inner", last, "process");
	ready_and_hold();
}

/* ---- rights ---- */

#define NOBODY 65534

static void become_nobody(void *arg)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY)) {
		post_word(arg, -errno);
		return;
	}
	/* A change of credentials clears both; a user's ordinary task can be looked at by him. */
	die_with_parent();
	prctl(PR_SET_DUMPABLE, 1);
	post_word(arg, 1);
}

static void other_user(int argc, char **argv)
{
	int *done = shared_memory(sizeof(*done));
	pid_t child = fork_child(become_nobody, done);

	(void)argc, (void)argv;
	if (await_word(done) < 0)
		unavailable("setresuid: %s", strerror(-*done));
	say_task("pid", getpid(), "process");
	say_task("child", child, "process");
	say("uid", "%d", NOBODY);
	ready_and_hold();
}

static void allow_all(void *arg)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		post_word(arg, -errno);
	else
		post_word(arg, 1);
}

static void seccomp(int argc, char **argv)
{
	int *done = shared_memory(sizeof(*done));
	pid_t child = fork_child(allow_all, done);

	(void)argc, (void)argv;
	if (await_word(done) < 0)
		unavailable("seccomp: %s", strerror(-*done));
	say_task("pid", getpid(), "process");
	say_task("child", child, "process");
	ready_and_hold();
}

/* Nothing but reads and writes is allowed any more, so who waits for it must look from outside. */
static void allow_reads(void *arg)
{
	char c;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		fail("PR_SET_SECCOMP");
	while (read(*(int *)arg, &c, 1) < 0)
		;
}

static bool is_strict(pid_t pid)
{
	char path[32], status[4096];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return read_text(path, status, sizeof(status)) && strstr(status, "\nSeccomp:\t1\n");
}

static pid_t strict_child(int silent)
{
	pid_t child = fork_child(allow_reads, &silent);

	while (!is_strict(child))
		usleep(1000);
	return child;
}

static void strict(int argc, char **argv)
{
	int ends[2];

	(void)argc, (void)argv;
	if (pipe(ends))
		fail("pipe");
	say_task("pid", getpid(), "process");
	say_task("one", strict_child(ends[0]), "process");
	say_task("other", strict_child(ends[0]), "process");
	ready_and_hold();
}

const struct situation ns_situations[] = {
	{ "namespaces", "", "for each namespace a child that lives in another one",
	  all_namespaces },
	{ "nested-pid", "[DEPTH=2]", "a process DEPTH pid namespaces below", nested },
	{ "other-user", "", "a child that became another user", other_user },
	{ "seccomp", "", "a child with a seccomp filter", seccomp },
	{ "strict", "", "two children in strict mode, for which the kernel has no filter", strict },
	{ 0 },
};
