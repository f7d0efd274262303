// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain loops as lmbench has them, for what `prove` says of the same on the same core:
 *
 *	reference pipe|pipe-thread|stream|thread|vfork|spawn|fork N
 *
 * Prints the lower quartile and the median of N samples in ns. A sample of a pipe is one switch, by a
 * batch of 50 times there and back; of a stream, 1 MiB in pieces of 64 KiB; of the others, to make a task and see it end.
 */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 50

static int there[2], back[2];

static void die(const char *what)
{
	fprintf(stderr, "reference: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void *echo(void *arg)
{
	char c;

	while (read(there[0], &c, 1) == 1 && c)
		if (write(back[1], &c, 1) != 1)
			break;
	return arg;
}

static double pass(void)
{
	double begin = now();
	char c = 1;

	for (int i = 0; i < BATCH; i++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe");
	return (now() - begin) / BATCH / 2;
}

static char bytes[1 << 20];

/* Writes or reads all of it, in pieces of 64 KiB. */
static void move_all(int fd, ssize_t (*move)(int fd, void *at, size_t n))
{
	for (size_t done = 0; done < sizeof(bytes);) {
		size_t left = sizeof(bytes) - done;
		ssize_t n = move(fd, bytes + done, left < 65536 ? left : 65536);

		if (n <= 0)
			_exit(1);
		done += n;
	}
}

static ssize_t put(int fd, void *at, size_t n)
{
	return write(fd, at, n);
}

static void drain(void)
{
	for (;;) {
		move_all(there[0], read);
		if (write(back[1], "", 1) != 1)
			break;
	}
}

static double stream(void)
{
	double begin = now();
	char c;

	move_all(there[1], put);
	if (read(back[0], &c, 1) != 1)
		die("stream");
	return now() - begin;
}

static void *nothing(void *arg)
{
	return arg;
}

static double make_thread(void)
{
	double begin = now();
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, NULL))
		die("pthread_create");
	pthread_join(t, NULL);
	return now() - begin;
}

static double ended(double begin, pid_t pid)
{
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("child");
	return now() - begin;
}

static double make_fork(void)
{
	double begin = now();
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return ended(begin, pid);
}

static double make_vfork(void)
{
	double begin = now();
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	return ended(begin, pid);
}

static double make_spawn(void)
{
	char *argv[] = { "true", NULL }, *envp[] = { NULL };
	double begin = now();
	pid_t pid;

	if (posix_spawnp(&pid, "true", NULL, NULL, argv, envp))
		die("posix_spawn");
	return ended(begin, pid);
}

static const struct {
	const char *name;
	double (*sample)(void);
} loops[] = {
	{ "pipe", pass },	   { "pipe-thread", pass }, { "stream", stream },
	{ "thread", make_thread }, { "vfork", make_vfork }, { "spawn", make_spawn },
	{ "fork", make_fork },
};

static void partner(const char *name)
{
	pthread_t t;

	if (pipe(there) || pipe(back))
		die("pipe");
	if (!strcmp(name, "pipe-thread")) {
		if (pthread_create(&t, NULL, echo, NULL))
			die("pthread_create");
	} else if (!strcmp(name, "pipe") && !fork()) {
		close(there[1]);
		echo(NULL);
		_exit(0);
	} else if (!strcmp(name, "stream") && !fork()) {
		close(there[1]);
		drain();
		_exit(0);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;
	double *samples = n > 0 ? calloc(n, sizeof(*samples)) : NULL;

	for (size_t l = 0; samples && l < sizeof(loops) / sizeof(*loops); l++) {
		if (strcmp(argv[1], loops[l].name))
			continue;
		partner(argv[1]);
		/* the first is for the caches, and for pages that fork left to be copied */
		loops[l].sample();
		for (int i = 0; i < n; i++)
			samples[i] = loops[l].sample();
		qsort(samples, n, sizeof(*samples), by_value);
		printf("%.0f %.0f\n", samples[n / 4], samples[n / 2]);
		return 0;
	}
	fprintf(stderr, "usage: reference pipe|pipe-thread|stream|thread|vfork|spawn|fork N\n");
	return 2;
}
