// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc_storm [-r READERS] [-s SECONDS] [-w WITNESSES]
 *
 * Readers of tasks, tasks.bin and stacks.bin with every size and seek while tasks are made, exit,
 * exec (from leaders and from threads), vfork, change credentials and enter pid namespaces.
 * Exit status 1 and a line on stderr for the first row that is not whole, not true, given twice
 * in a pass, or missing though its task lived throughout.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proc_rows.h"

#define MAX_WITNESSES 256
#define BIG	      (16 << 20)

static int witnesses = 32;
static struct {
	pid_t pid;
	unsigned long long start;
} witness[MAX_WITNESSES];
static char *buffer; /* BIG bytes: one read */
static time_t deadline;

static unsigned long rnd(unsigned long below)
{
	static __thread unsigned long long state;

	if (!state)
		state = getpid() * 2654435761ULL + time(NULL);
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void fail(const char *file, const char *what, long detail)
{
	fprintf(stderr, "proc_storm: %s: %s (%ld)\n", file, what, detail);
	exit(1);
}

/* --- who is read ------------------------------------------------------------------------- */

static void *short_life(void *arg)
{
	return arg;
}

static void churn_threads(void)
{
	pthread_t thread[32];
	int i, n = 0;

	for (i = 0; i < 32; i++)
		if (!pthread_create(&thread[n], NULL, short_life, NULL))
			n++;
	while (n)
		pthread_join(thread[--n], NULL);
}

static void churn_forks(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void churn_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/proc/self/exe", "proc_storm", "-x", NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void *exec_now(void *arg)
{
	execl("/proc/self/exe", "proc_storm", "-x", NULL);
	return arg;
}

/* The exec of a thread that is no leader: its tid and start time become the leader's. */
static void churn_exec_by_thread(void)
{
	pid_t pid = fork();
	pthread_t thread;

	if (!pid) {
		if (!pthread_create(&thread, NULL, exec_now, NULL))
			pause();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void churn_cred(void)
{
	pid_t pid = fork();
	gid_t group;

	if (!pid) {
		for (group = 0; group < 50; group++)
			setgroups(1, &group);
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void churn_namespace(void)
{
	pid_t pid = fork();

	if (!pid) {
		if (!unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS))
			churn_forks();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void (*const churns[])(void) = {
	churn_threads, churn_forks, churn_vfork, churn_exec_by_thread, churn_cred, churn_namespace,
};

#define CHURNS (sizeof(churns) / sizeof(churns[0]))

/* --- who reads ---------------------------------------------------------------------------- */

struct pass {
	const char *file;
	unsigned int last; /* tid of the row before */
	int seen;	   /* witnesses */
	long rows;
};

static void saw(struct pass *pass, unsigned int tid, unsigned long long start)
{
	int i;

	if (tid <= pass->last)
		fail(pass->file, "tid twice or out of order", tid);
	pass->last = tid;
	pass->rows++;
	for (i = 0; i < witnesses; i++) {
		if ((unsigned int)witness[i].pid != tid)
			continue;
		if (witness[i].start != start)
			fail(pass->file, "another start time for the same task", tid);
		pass->seen++;
	}
}

static size_t pick_size(void)
{
	static const size_t sizes[] = { 1, 7, 511, 512, 513, 4096, 65536, BIG };

	return sizes[rnd(8)];
}

/* Gathers rows from reads of any size. */
static long bin_pass(const char *file)
{
	struct pass pass = { .file = file };
	union {
		struct mmlens_task rec;
		struct mmlens_header head;
		char bytes[512];
	} row;
	size_t have = 0, size = pick_size();
	int fd = open(file, O_RDONLY);
	const char *fault;
	bool first = true;
	ssize_t n, i;

	if (fd < 0)
		return errno == ENOENT ? 0 : (fail(file, "open", errno), 0);
	while ((n = read(fd, buffer, size)) > 0) {
		for (i = 0; i < n; i++) {
			row.bytes[have++] = buffer[i];
			if (have < sizeof(row))
				continue;
			fault = first ? header_fault(&row.head) : row_fault(&row.rec);
			if (fault)
				fail(file, fault, first ? 0 : row.rec.tid);
			if (!first)
				saw(&pass, row.rec.tid, row.rec.start_ns);
			first = false;
			have = 0;
		}
	}
	if (n < 0 || have)
		fail(file, n < 0 ? "read" : "half a row at the end", n < 0 ? errno : (long)have);
	if (pass.seen != witnesses)
		fail(file, "living tasks are missing", witnesses - pass.seen);
	close(fd);
	return pass.rows;
}

static void text_line(struct pass *pass, const char *line, size_t len)
{
	long tid = line_tid(line, len);
	unsigned long long start;

	if (tid < 0 || sscanf(line, "%*u %*u %llu", &start) != 1)
		fail(pass->file, "not a row", tid);
	saw(pass, tid, start);
}

static long text_pass(const char *file)
{
	struct pass pass = { .file = file };
	size_t have = 0, size = pick_size();
	int fd = open(file, O_RDONLY);
	bool first = true;
	char line[4096];
	ssize_t n, i;

	if (fd < 0)
		return errno == ENOENT ? 0 : (fail(file, "open", errno), 0);
	while ((n = read(fd, buffer, size)) > 0) {
		if (!rnd(4)) { /* as the shell's read does: give some back */
			long back = rnd(n + 1);

			if (lseek(fd, -back, SEEK_CUR) < 0)
				fail(file, "seek back", errno);
			n -= back;
		}
		for (i = 0; i < n; i++) {
			if (have == sizeof(line) - 1)
				fail(file, "line without end", have);
			line[have++] = buffer[i];
			if (buffer[i] != '\n')
				continue;
			line[--have] = 0;
			if (!first)
				text_line(&pass, line, have);
			first = false;
			have = 0;
		}
	}
	if (n < 0 || have)
		fail(file, n < 0 ? "read" : "half a line at the end", n < 0 ? errno : (long)have);
	if (pass.seen != witnesses)
		fail(file, "living tasks are missing", witnesses - pass.seen);
	close(fd);
	return pass.rows;
}

/* pread at a slot answers for its tid or the next; within a row nobody began it is refused. */
static long seek_pass(const char *file)
{
	struct mmlens_task rec;
	int fd = open(file, O_RDONLY), i;
	const char *fault;

	if (fd < 0)
		return errno == ENOENT ? 0 : (fail(file, "open", errno), 0);
	for (i = 0; i < 200; i++) {
		const pid_t tid = i & 1 ? witness[rnd(witnesses)].pid : (pid_t)rnd(40000) + 1;
		ssize_t n = pread(fd, &rec, sizeof(rec), (off_t)tid * sizeof(rec));

		if (n == 0 && !(i & 1))
			continue;
		if (n != sizeof(rec) || rec.tid < (__u32)tid || (i & 1 && rec.tid != (__u32)tid))
			fail(file, "pread at a tid", n);
		fault = row_fault(&rec);
		if (fault)
			fail(file, fault, rec.tid);
		if (pread(fd, &rec, 1, (off_t)(tid + 7) * sizeof(rec) + 1 + rnd(511)) != -1 &&
		    rec.tid != (__u32)tid + 7)
			fail(file, "a row begun in its middle", tid);
	}
	if (lseek(fd, -1, SEEK_SET) != -1 || lseek(fd, 0, SEEK_END) != -1)
		fail(file, "a seek to nowhere", 0);
	if (pread(fd, &rec, sizeof(rec), 0x7fffffffffffe000LL) != 0)
		fail(file, "a row behind the last", 0);
	close(fd);
	return 200;
}

static void read_on(void)
{
	long rows = 0;

	while (time(NULL) < deadline) {
		switch (rnd(4)) {
		case 0:
			rows += text_pass(PROC_TASKS);
			break;
		case 1:
			rows += bin_pass(PROC_STACKS_BIN);
			break;
		case 2:
			rows += bin_pass(PROC_TASKS_BIN);
			break;
		case 3:
			rows += seek_pass(PROC_TASKS_BIN);
			break;
		}
	}
	if (!rows)
		fail("/proc/mmlens", "not one row was read", 0);
	exit(0);
}

/* --- the storm ---------------------------------------------------------------------------- */

static void make_witnesses(void)
{
	struct mmlens_task rec;
	int i, fd = open(PROC_TASKS_BIN, O_RDONLY);

	if (fd < 0)
		fail(PROC_TASKS_BIN, "open", errno);
	for (i = 0; i < witnesses; i++) {
		witness[i].pid = fork();
		if (!witness[i].pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		if (pread(fd, &rec, sizeof(rec), (off_t)witness[i].pid * sizeof(rec)) !=
			    sizeof(rec) ||
		    rec.tid != (__u32)witness[i].pid)
			fail(PROC_TASKS_BIN, "a new child is missing", witness[i].pid);
		witness[i].start = rec.start_ns;
	}
	close(fd);
}

static pid_t start(void (*work)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (time(NULL) < deadline)
		work();
	exit(0);
}

static int storm(int readers)
{
	int status, failed = 0;
	size_t i;

	make_witnesses();
	for (i = 0; i < CHURNS; i++)
		start(churns[i]);
	for (i = 0; i < (size_t)readers; i++)
		start(read_on);
	for (i = 0; i < readers + CHURNS; i++) {
		if (wait(&status) < 0)
			break;
		failed |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
	for (i = 0; i < (size_t)witnesses; i++)
		kill(witness[i].pid, SIGKILL);
	return failed;
}

int main(int argc, char **argv)
{
	int opt, readers = 64, seconds = 10;

	while ((opt = getopt(argc, argv, "r:s:w:x")) != -1) {
		switch (opt) {
		case 'r':
			readers = atoi(optarg);
			break;
		case 's':
			seconds = atoi(optarg);
			break;
		case 'w':
			witnesses = atoi(optarg) < MAX_WITNESSES ? atoi(optarg) : MAX_WITNESSES;
			break;
		case 'x': /* we are the program a churner runs */
			return 0;
		default:
			return 2;
		}
	}
	buffer = malloc(BIG);
	deadline = time(NULL) + seconds;
	if (!buffer || storm(readers))
		return 1;
	printf("proc_storm: %d readers, %d seconds, every row whole, true and once\n", readers,
	       seconds);
	return 0;
}
