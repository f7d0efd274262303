// SPDX-License-Identifier: GPL-2.0-only
/* What the situations are made of: the ready line, children that cannot leak, and waiting. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

#define MAX_TASKS     64
#define CHILD_STACK   (256 * 1024)
#define PATIENCE_MSEC 20000

static char line[16384] = "ready";
static char kinds[4096];
static struct {
	pid_t tid;
	bool gone; /* a zombie sleeps in no system call */
} said[MAX_TASKS];
static size_t said_count;

static void append(char *buf, size_t size, const char *fmt, va_list args)
{
	size_t used = strlen(buf);

	vsnprintf(buf + used, size - used, fmt, args);
}

static void __attribute__((format(printf, 3, 4)))
appendf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append(buf, size, fmt, args);
	va_end(args);
}

void say(const char *key, const char *fmt, ...)
{
	va_list args;

	appendf(line, sizeof(line), " %s=", key);
	va_start(args, fmt);
	append(line, sizeof(line), fmt, args);
	va_end(args);
}

void say_task(const char *role, pid_t tid, const char *kind)
{
	if (tid <= 0)
		fail(role);
	say(role, "%d", tid);
	appendf(kinds, sizeof(kinds), "%s%s:%s", kinds[0] ? "," : "", role, kind);
	if (said_count == MAX_TASKS)
		fail("too many roles");
	said[said_count].tid = tid;
	said[said_count++].gone = !strcmp(kind, "zombie");
}

void say_range(const char *key, const void *start, size_t len)
{
	say(key, "%#lx-%#lx", (unsigned long)start, (unsigned long)start + len);
}

void ready(void)
{
	for (size_t i = 0; i < said_count; i++)
		if (said[i].tid != tid_now() && !said[i].gone)
			await_state(said[i].tid, "SDTtI");
	if (kinds[0])
		say("kinds", "%s", kinds);
	if (strlen(line) >= sizeof(line) - 1)
		fail("the ready line is too long");
	printf("%s\n", line);
	fflush(stdout);
}

void hold(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

void ready_and_hold(void)
{
	ready();
	hold();
}

static bool kill_children(void)
{
	char path[64], pids[4096], *save = NULL;
	bool any = false;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	if (!read_text(path, pids, sizeof(pids)))
		return false;
	for (char *pid = strtok_r(pids, " ", &save); pid; pid = strtok_r(NULL, " ", &save))
		any |= !kill(atoi(pid), SIGKILL);
	return any;
}

void begin(void)
{
	/* Orphans become ours, to be killed and reaped at the end. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		fail("PR_SET_CHILD_SUBREAPER");
}

/* Children of killed children become ours, so this goes round until there is none. */
void end(void)
{
	fflush(stdout);
	alarm(PATIENCE_MSEC / 1000);
	while (kill_children()) {
		while (waitpid(-1, NULL, __WALL) < 0 && errno == EINTR)
			;
		/* of a mass many have died by then */
		while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
			;
	}
	_exit(0);
}

void unavailable(const char *fmt, ...)
{
	va_list args;

	printf("unavailable ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(SUBJECT_UNAVAILABLE);
}

void fail(const char *what)
{
	fprintf(stderr, "subject: %s: %s\n", what, strerror(errno));
	_exit(1);
}

long number(int argc, char **argv, int at, long otherwise)
{
	char *end;
	long n;

	if (at >= argc)
		return otherwise;
	n = strtol(argv[at], &end, 0);
	if (*end || end == argv[at]) {
		fprintf(stderr, "subject: '%s' is not a number\n", argv[at]);
		_exit(2);
	}
	return n;
}

pid_t tid_now(void)
{
	return (pid_t)syscall(SYS_gettid);
}

void sleep_for_ever(void)
{
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

void die_with_parent(void)
{
	if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		_exit(1);
}

pid_t fork_child(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;
	die_with_parent();
	if (fn)
		fn(arg);
	sleep_for_ever();
}

struct clone_start {
	int (*fn)(void *);
	void *arg;
};

static int clone_main(void *p)
{
	struct clone_start *start = p;

	die_with_parent();
	start->fn(start->arg);
	sleep_for_ever();
}

pid_t clone_child(int (*fn)(void *), void *arg, int flags)
{
	/* Outlives the call: a child in the same space reads it when it pleases. */
	struct clone_start *start = malloc(sizeof(*start));
	char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t pid;

	if (!start || stack == MAP_FAILED)
		fail("memory for a child");
	*start = (struct clone_start){ fn, arg };
	pid = clone(clone_main, stack + CHILD_STACK, flags | SIGCHLD, start);
	if (pid < 0)
		fail("clone");
	return pid;
}

struct thread_start {
	void (*fn)(void *);
	void *arg;
	bool at_once; /* tell the tid before @fn runs, not after */
	int tid;
};

static void *thread_main(void *p)
{
	struct thread_start *start = p;

	if (start->at_once)
		post_word(&start->tid, tid_now());
	if (start->fn)
		start->fn(start->arg);
	post_word(&start->tid, tid_now());
	sleep_for_ever();
}

static pid_t thread(void (*fn)(void *), void *arg, bool at_once)
{
	struct thread_start *start = calloc(1, sizeof(*start));
	pthread_t thread;

	if (!start)
		fail("memory for a thread");
	*start = (struct thread_start){ fn, arg, at_once, 0 };
	errno = pthread_create(&thread, NULL, thread_main, start);
	if (errno)
		fail("pthread_create");
	return await_word(&start->tid);
}

pid_t start_thread(void (*fn)(void *), void *arg)
{
	return thread(fn, arg, false);
}

pid_t launch_thread(void (*fn)(void *), void *arg)
{
	return thread(fn, arg, true);
}

void *shared_memory_where(size_t size, int flags)
{
	void *p =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		fail("shared memory");
	return p;
}

void *shared_memory(size_t size)
{
	return shared_memory_where(size, 0);
}

static void nap(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

int await_word(int *word)
{
	int value;

	for (int i = 0; i < PATIENCE_MSEC; i++, nap()) {
		value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		if (value)
			return value;
	}
	errno = ETIMEDOUT;
	fail("a task of the situation did not arrive");
}

void await_end(int *word)
{
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE))
		nap();
}

void post_word(int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

bool read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

char task_state(pid_t tid)
{
	char path[64], buf[512], *end;

	/* /proc/TID answers for any thread, though readdir names leaders only. */
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (!read_text(path, buf, sizeof(buf)))
		return '\0';
	end = strrchr(buf, ')');
	return end ? end[2] : '\0';
}

void await_state(pid_t tid, const char *states)
{
	char state;

	for (int i = 0; i < PATIENCE_MSEC; i++, nap()) {
		state = task_state(tid);
		if (state && strchr(states, state))
			return;
	}
	errno = ETIMEDOUT;
	fail("a task did not reach its state");
}

void pin_to(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set))
		fail("sched_setaffinity");
}

int last_cpu(void)
{
	cpu_set_t set;
	int last = -1;

	if (sched_getaffinity(0, sizeof(set), &set))
		fail("sched_getaffinity");
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			last = i;
	return last;
}
