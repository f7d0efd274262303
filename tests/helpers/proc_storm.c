// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc_storm [-r READERS] [-s SECONDS] [-t THREADS] [-n GOAL] [-u MODULE] [-g CGROUP] [-p]
 *
 * READERS processes read the module's tables with every size and seek, while tasks are made, exit,
 * exec, vfork, change credentials, enter and leave pid namespaces beside a crowd of THREADS that stays,
 * until GOAL threads were made and a pass came to its end, though no longer than MOST times SECONDS;
 * -u also unloads and loads the module, -g lets the readers' memory cgroup run short, -p takes a
 * processor away and gives it back. Exit status 1 and a line on stderr for the first row that is not
 * whole, not true, given twice in a pass, or missing though its task lived throughout.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "storm.h"

struct settings storm = { .readers = 64, .seconds = 10, .threads = 1000 };
struct counts *count;

/*
 * Where threads are slow to come, the storm rages so many times longer at most: one emulated processor
 * that has a quarter of a core needs more than a minute for what others do in ten seconds.
 */
#define MOST 20

static time_t began;

unsigned long rnd(unsigned long below)
{
	static __thread unsigned long long state;

	if (!state)
		state = getpid() * 2654435761ULL + time(NULL);
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

void fail(const char *file, const char *what, long detail)
{
	fprintf(stderr, "proc_storm: %s: %s (%ld)\n", file, what, detail);
	exit(1);
}

bool raging(void)
{
	const time_t since = time(NULL) - began;

	if (since < storm.seconds)
		return true;
	return since < (time_t)storm.seconds * MOST &&
	       (__atomic_load_n(&count->threads, __ATOMIC_RELAXED) < storm.goal ||
		!__atomic_load_n(&count->passes, __ATOMIC_RELAXED));
}

static void enter_cgroup(void)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", storm.cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail(path, "enter", errno);
	close(fd);
}

pid_t start(void (*work)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		fail("a part of the storm", "fork", errno);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (storm.cgroup)
		enter_cgroup();
	do
		work();
	while (raging());
	exit(0);
}

/* Where memory is short, the kernel may choose any of those who live there. */
static bool ended_well(int status)
{
	if (storm.cgroup && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool rage(void)
{
	bool well = true;
	int n, status;

	make_witnesses();
	began = time(NULL);
	n = start_churns();
	for (int i = 0; i < storm.readers; i++, n++)
		start(read_on);
	while (n--)
		if (wait(&status) > 0)
			well &= ended_well(status);
	end_witnesses();
	return well;
}

static void print_counts(void)
{
	printf("proc_storm: %d readers, %ld passes, %ld rows, every one whole, true and once; "
	       "%ld threads, %ld execs, %ld vforks, %ld creds, %ld namespaces, %ld reloads, "
	       "%ld hotplugs\n",
	       storm.readers, count->passes, count->rows, count->threads, count->execs,
	       count->vforks, count->creds, count->namespaces, count->reloads, count->hotplugs);
}

static int parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "r:s:t:n:u:g:pxe")) != -1) {
		switch (opt) {
		case 'r':
			storm.readers = atoi(optarg);
			break;
		case 's':
			storm.seconds = atoi(optarg);
			break;
		case 't':
			storm.threads = atoi(optarg);
			break;
		case 'n':
			storm.goal = atoi(optarg);
			break;
		case 'u':
			storm.module = optarg;
			break;
		case 'g':
			storm.cgroup = optarg;
			break;
		case 'p':
			storm.hotplug = true;
			break;
		case 'x': /* we are the program a churner runs */
			exit(0);
		case 'e': /* we are a witness that execs */
			exec_for_ever();
		default:
			return 2;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (parse(argc, argv))
		return 2;
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (count == MAP_FAILED || !rage())
		return 1;
	if (!count->passes)
		fail("/proc/mmlens", "not one pass came to its end", 0);
	print_counts();
	return 0;
}
