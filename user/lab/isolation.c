// SPDX-License-Identifier: GPL-2.0-only
/* One address, two tasks: whether they see the same byte, the same frame, and each other's death. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/lab.h"
#include "lib/cleanup.h"

#define FRAME_MASK ((1ull << 55) - 1)

/* A page alone, so that nothing else moves its frame. */
static char global[4096] __attribute__((aligned(4096)));

/* 0 when the kernel hides frames from us. */
static uint64_t frame_of(pid_t pid, const void *at)
{
	cleanup_close int fd = -1;
	uint64_t entry = 0;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)at / 4096 * 8)) != 8)
		return 0;
	return entry & FRAME_MASK;
}

struct stage {
	uint32_t step; /* futex: 1 born, 2 may write, 3 has written, 4 may end */
	uintptr_t local;
};

static struct stage *stage;

static void reach(uint32_t step)
{
	lab_post(&stage->step, step);
}

static void await(uint32_t step)
{
	uint32_t now;

	while ((now = __atomic_load_n(&stage->step, __ATOMIC_ACQUIRE)) < step)
		lab_wait(&stage->step, now);
}

static void *writer(void *arg)
{
	char local;

	stage->local = (uintptr_t)&local;
	reach(1);
	await(2);
	global[0] = 'B';
	reach(3);
	await(4);
	return arg;
}

struct sight {
	bool same_before;
	bool same_after;
	bool frames_known;
	char value;
	uintptr_t local;
};

static void look(struct lab *l, const char *who, pid_t other, struct sight *s)
{
	uint64_t mine, theirs;

	await(1);
	mine = frame_of(getpid(), global);
	theirs = frame_of(other, global);
	s->frames_known = mine && theirs;
	s->same_before = mine == theirs;
	reach(2);
	await(3);
	s->value = global[0];
	s->local = stage->local;
	mine = frame_of(getpid(), global);
	theirs = frame_of(other, global);
	s->same_after = mine == theirs;
	lab_say(l, PROOF_SAW,
		"%s wrote 'B' at %p: we read '%c' there; frame %s before, %s after; "
		"its stack is near %#" PRIxPTR,
		who, (void *)global, s->value,
		!s->frames_known ? "hidden"
		: s->same_before ? "the same"
				 : "another",
		!s->frames_known ? "hidden"
		: s->same_after	 ? "the same"
				 : "another",
		s->local);
	reach(4);
}

static void judge_writes(struct lab *l, const struct sight *thread, const struct sight *child)
{
	uintptr_t mine = (uintptr_t)&mine;

	lab_fact(l, thread->value == 'B', "a thread's write to a global is ours");
	lab_fact(l, child->value == 'A', "a child's write to a global is its own");
	/* 64 KiB: less than any thread's stack, more than a call or two */
	lab_fact(l, thread->local + 65536 < mine || thread->local > mine + 65536,
		 "a thread's stack is elsewhere");
	if (!thread->frames_known || !child->frames_known)
		return lab_say(l, PROOF_SAW, "frames are hidden: run as root to see them");
	lab_fact(l, thread->same_after, "thread: one frame");
	lab_fact(l, child->same_before && !child->same_after,
		 "child: the parent's frame until it writes, then its own");
}

static void the_write(struct lab *l)
{
	struct sight thread = { 0 }, child = { 0 };
	pthread_t t;
	pid_t pid;

	lab_say(l, PROOF_STEP, "a thread and then a child write one global; look before and after");
	memset(stage, 0, sizeof(*stage));
	global[0] = 'A';
	if (pthread_create(&t, NULL, writer, NULL))
		return lab_say(l, PROOF_CANNOT, "no thread could be made");
	look(l, "a thread", getpid(), &thread);
	pthread_join(t, NULL);
	memset(stage, 0, sizeof(*stage));
	global[0] = 'A';
	pid = lab_fork();
	if (!pid) {
		writer(NULL);
		_exit(0);
	}
	if (pid < 0)
		return lab_say(l, PROOF_CANNOT, "no child could be made: %s", strerror(-pid));
	look(l, "a child", pid, &child);
	lab_reap(pid);
	judge_writes(l, &thread, &child);
	lab_say(l, PROOF_TRY, "mmlens pages PID PID --at ADDR");
	lab_say(l, PROOF_TRY, "mmlens stacks PID");
}

/* A sibling's local variable, and the stray write that hits it. */
static volatile uintptr_t victim_at;

static void *victim(void *arg)
{
	volatile char local = 'v';

	victim_at = (uintptr_t)&local;
	reach(1);
	await(2);
	*(char *)arg = local;
	return NULL;
}

static void *stray(void *arg)
{
	*(volatile char *)victim_at = 'X';
	return arg;
}

/* -errno or 0. */
static int strike(bool by_thread)
{
	pthread_t s;
	pid_t pid;
	int err;

	if (by_thread) {
		err = pthread_create(&s, NULL, stray, NULL);
		if (!err)
			pthread_join(s, NULL);
		return -err;
	}
	pid = lab_fork();
	if (!pid) {
		stray(NULL);
		_exit(0);
	}
	return pid < 0 ? pid : lab_reap(pid) < 0 ? -ECHILD : 0;
}

/* What the victim then finds, or 0 where there was no victim or nobody to strike. */
static char struck(bool by_thread)
{
	char left = 0;
	pthread_t v;
	int err;

	memset(stage, 0, sizeof(*stage));
	if (pthread_create(&v, NULL, victim, &left))
		return 0;
	await(1);
	err = strike(by_thread);
	reach(2);
	pthread_join(v, NULL);
	return err ? 0 : left;
}

static void the_stray_write(struct lab *l)
{
	char by_thread, by_child;

	lab_say(l, PROOF_STEP,
		"write to the address of a thread's local variable, from its sibling "
		"and from a child process");
	by_thread = struck(true);
	by_child = struck(false);
	if (!by_thread || !by_child)
		return lab_say(l, PROOF_CANNOT, "no %s could be made to write astray (ulimit -u?)",
			       by_thread ? "child" : "thread");
	lab_say(l, PROOF_SAW, "the variable was 'v'; after the sibling '%c', after the child '%c'",
		by_thread, by_child);
	lab_fact(l, by_thread == 'X', "a stray write in a thread corrupts its sibling");
	lab_fact(l, by_child == 'v', "a stray write in a process does not reach another");
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *crash(void *arg)
{
	static volatile uintptr_t nowhere = 8; /* volatile: the compiler shall not know */

	*(volatile char *)nowhere = 0;
	return arg;
}

/* Three threads of which one crashes. It exits where they could not be made. */
static void __attribute__((noreturn)) crowd(void)
{
	pthread_t t;

	signal(SIGSEGV, SIG_DFL);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&t, NULL, wait_for_ever, NULL))
			_exit(1);
	if (pthread_create(&t, NULL, crash, NULL))
		_exit(1);
	wait_for_ever(NULL);
	_exit(0);
}

static void judge_crash(struct lab *l, int status, bool alive)
{
	if (status < 0 || WIFEXITED(status))
		return lab_say(l, PROOF_CANNOT, "no threads could be made to crash (ulimit -u?)");
	lab_say(l, PROOF_SAW, "the process ended by signal %d with all its threads; its sibling %s",
		WTERMSIG(status), alive ? "lives" : "is gone");
	lab_fact(l, WTERMSIG(status) == SIGSEGV, "a crash in a thread takes its siblings");
	lab_fact(l, alive, "a crash spares other processes");
}

static void the_crash(struct lab *l)
{
	pid_t bystander, pid;
	int status;

	lab_say(l, PROOF_STEP, "crash one of four threads of a process that has a sibling process");
	bystander = lab_fork();
	if (!bystander)
		wait_for_ever(NULL);
	if (bystander < 0)
		return lab_say(l, PROOF_CANNOT, "no child could be made: %s", strerror(-bystander));
	pid = lab_fork();
	if (!pid)
		crowd();
	status = pid < 0 ? pid : lab_reap(pid);
	judge_crash(l, status, !waitpid(bystander, NULL, WNOHANG));
	kill(bystander, SIGKILL);
	lab_reap(bystander);
	lab_say(l, PROOF_TRY, "mmlens show PID");
}

void lab_isolation(struct lab *l)
{
	stage = lab_shared(sizeof(*stage));
	if (!stage)
		return lab_say(l, PROOF_CANNOT, "no shared memory to meet in");
	the_write(l);
	the_stray_write(l);
	the_crash(l);
}
