// SPDX-License-Identifier: GPL-2.0-only
/* Situations inside one process: threads, what a thread can leave, names that bite, masses. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

#define NAMED_THREADS 16 /* of a mass, so many get a role */

static void say_nth(const char *what, long n, pid_t tid, const char *kind)
{
	char role[32];

	snprintf(role, sizeof(role), "%s%ld", what, n);
	say_task(role, tid, kind);
}

static void say_thread(long n, pid_t tid)
{
	say_nth("tid", n, tid, "thread");
}

static void threads(int argc, char **argv)
{
	long count = number(argc, argv, 1, 3);

	say_task("pid", getpid(), "process");
	say("threads", "%ld", count);
	for (long n = 1; n <= count; n++) {
		pid_t tid = start_thread(NULL, NULL);

		if (n <= NAMED_THREADS)
			say_thread(n, tid);
	}
	ready_and_hold();
}

static void leave(void *arg)
{
	int flags = *(int *)arg;

	if (unshare(flags))
		fail("unshare");
}

static void one_left(int flags, const char *what)
{
	say_task("pid", getpid(), "process");
	say_thread(1, start_thread(NULL, NULL));
	say_thread(2, start_thread(leave, &flags));
	say("odd", "tid2");
	say("left", "%s", what);
	ready_and_hold();
}

static void unshare_files(int argc, char **argv)
{
	(void)argc, (void)argv;
	one_left(CLONE_FILES, "files");
}

static void unshare_fs(int argc, char **argv)
{
	(void)argc, (void)argv;
	one_left(CLONE_FS, "fs");
}

/* By system calls: the library would take all threads along. */
static void leave_group(void *arg)
{
	gid_t gid = *(gid_t *)arg;

	if (syscall(SYS_setresgid, gid, gid, gid))
		fail("setresgid");
}

/* A bit of the credentials that /proc does not tell. */
static void keep_caps(void *arg)
{
	(void)arg;
	if (prctl(PR_SET_KEEPCAPS, 1))
		fail("PR_SET_KEEPCAPS");
}

/* One thread with other credentials, and one whose others look the same from outside. */
static void own_creds(int argc, char **argv)
{
	gid_t gid = 65534;

	(void)argc, (void)argv;
	say_task("pid", getpid(), "process");
	say_thread(1, start_thread(NULL, NULL));
	say_thread(2, start_thread(leave_group, &gid));
	say_thread(3, start_thread(keep_caps, NULL));
	ready_and_hold();
}

/*
 * Names that break what prints them: table, JSON, terminal, awk. At most 15 bytes, so the last one is cut
 * in the middle of a character by the kernel.
 */
static const char *const hostile[] = {
	"a\nb\nready x=1",
	"\033[31mred\033]0;t\a",
	"\xff\xfe\x80\xc3(",
	"\"q\\u0022\\",
	"tab\there\r\v\f",
	"",
	") S 1 (x) R 2",
	"</script><b>",
	"\x7f\x1b\x9b"
	"2J",
	"a b  c ",
	"%s%n%d",
	"\xe2\x80\xae"
	"evil\xe2\x80\x8b",
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac",
};

static void take_name(void *name)
{
	prctl(PR_SET_NAME, name);
}

static void say_hex(const char *key, const char *name)
{
	char hex[2 * 15 + 1] = "";

	for (size_t i = 0; i < 15 && name[i]; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)name[i]);
	say(key, "%s", hex[0] ? hex : "-");
}

static void hostile_comm(int argc, char **argv)
{
	const size_t count = sizeof(hostile) / sizeof(hostile[0]);
	char key[32];

	(void)argc, (void)argv;
	prctl(PR_SET_NAME, hostile[0]);
	say_task("pid", getpid(), "process");
	say_hex("comm0", hostile[0]);
	for (size_t n = 1; n < count; n++) {
		say_thread((long)n, start_thread(take_name, (void *)hostile[n]));
		snprintf(key, sizeof(key), "comm%zu", n);
		say_hex(key, hostile[n]);
	}
	ready_and_hold();
}

/* ---- masses ---- */

#define MASS_STACK 4096
/* What pthread_create uses, without what needs a TLS of its own. */
#define MASS_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static int mass_arrived;

static int mass_main(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&mass_arrived, 1, __ATOMIC_RELEASE);
	sleep_for_ever();
}

static int mass_process(void *arg)
{
	die_with_parent();
	return mass_main(arg);
}

/*
 * 100,000 pthreads would need more mappings than vm.max_map_count allows; all stacks lie in one
 * mapping here, a page each.
 */
static void make_mass(long count, int (*fn)(void *), int flags, const char *role, const char *kind)
{
	size_t size = (size_t)count * MASS_STACK;
	char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stacks == MAP_FAILED)
		fail("stacks");
	for (long n = 1; n <= count; n++) {
		pid_t tid = clone(fn, stacks + n * MASS_STACK, flags, NULL);

		if (tid < 0)
			unavailable("only %ld of %ld tasks: %s (kernel.pid_max, threads-max)",
				    n - 1, count, strerror(errno));
		if (n <= NAMED_THREADS)
			say_nth(role, n, tid, kind);
	}
	while (__atomic_load_n(&mass_arrived, __ATOMIC_ACQUIRE) < count)
		usleep(1000);
	ready_and_hold();
}

static void mass(int argc, char **argv)
{
	long count = number(argc, argv, 1, 4000);

	say_task("pid", getpid(), "process");
	say("threads", "%ld", count);
	make_mass(count, mass_main, MASS_FLAGS, "tid", "thread");
}

/* In one space, so that they are no more dear than threads. */
static void mass_processes(int argc, char **argv)
{
	long count = number(argc, argv, 1, 4000);

	say_task("pid", getpid(), "process");
	say("processes", "%ld", count);
	make_mass(count, mass_process, MASS_FLAGS & ~(CLONE_THREAD | CLONE_SIGHAND), "peer",
		  "peer");
}

/* ---- threads that end before others ---- */

#define CALM_THREADS 300

static int fading;

/* The first at once, each other 100 us after the one before it. By system calls alone, as above. */
static int fade_main(void *arg)
{
	struct timespec delay = { .tv_nsec = (long)(uintptr_t)arg * 100000L % 1000000000L,
				  .tv_sec = (long)(uintptr_t)arg / 10000 };

	__atomic_add_fetch(&mass_arrived, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&fading, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &fading, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	nanosleep(&delay, NULL);
	syscall(SYS_exit, 0);
	return 0;
}

static int calm_main(void *arg)
{
	prctl(PR_SET_NAME, "calm");
	return mass_main(arg);
}

static void fade(int argc, char **argv)
{
	long count = number(argc, argv, 1, 2000), all = count + CALM_THREADS;
	char *stacks = mmap(NULL, (size_t)all * MASS_STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (stacks == MAP_FAILED)
		fail("stacks");
	say_task("pid", getpid(), "process");
	say("calm", "%d", CALM_THREADS);
	for (long n = 1; n <= all; n++)
		if (clone(n <= count ? fade_main : calm_main, stacks + n * MASS_STACK, MASS_FLAGS,
			  (void *)(uintptr_t)n) < 0)
			fail("clone");
	while (__atomic_load_n(&mass_arrived, __ATOMIC_ACQUIRE) < all)
		usleep(1000);
	ready_and_hold();
	__atomic_store_n(&fading, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &fading, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	hold();
}

const struct situation thread_situations[] = {
	{ "threads", "[N=3]", "a process with N more threads", threads },
	{ "unshare-files", "", "a thread that left its process's descriptor table", unshare_files },
	{ "unshare-fs", "", "a thread with a working directory and umask of its own", unshare_fs },
	{ "own-creds", "", "a thread of another group, and one with credentials that look the same",
	  own_creds },
	{ "hostile-comm", "", "threads whose names break what prints them", hostile_comm },
	{ "mass", "[N=4000]", "N threads with stacks of a page", mass },
	{ "mass-processes", "[N=4000]", "N processes in one space", mass_processes },
	{ "fade", "[N=2000]", "N threads that end one by one once told, and 300 younger that stay",
	  fade },
	{ 0 },
};
