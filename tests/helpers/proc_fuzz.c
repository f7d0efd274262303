// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc_fuzz [-s SECONDS] [-S SEED]
 *
 * Calls every file of /proc/mmlens in every way a file can be called, at random: reads of all
 * lengths into good, bad and half good memory, seeks, pread, readv, dup, fork, splice, sendfile, mmap,
 * poll, ioctl, writes. The kernel is the judge of most of it (KASAN, lockdep, panic_on_warn); what
 * is judged here is that nothing but a read gives anything. Prints its seed; exit status 1 with one line.
 *
 * All that is random about a few calls comes from a tape of numbers. Where the kernel tells what
 * code was reached (KCOV), a tape that reached some for the first time is kept, and half of the
 * tapes are kept ones with a few numbers changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_cover.h"
#include "proc_rows.h"

#define FILES	   16
#define AREA	   (1 << 20)
#define TAPE	   32
#define TAPE_CALLS 4
#define KEPT	   512

static const char *const names[] = {
	PROC_TASKS, PROC_IDS_BIN, PROC_TASKS_BIN, PROC_STACKS_BIN, "/proc/mmlens/version",
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static int fds[FILES];
static char *area; /* AREA good bytes, then a page that faults */
static int pipes[2];
static int null;

static long tape[TAPE];
static int tape_at;
static long kept[KEPT][TAPE];
static int n_kept;

static long rnd(long below)
{
	return tape[tape_at++ % TAPE] % below;
}

static void fail(const char *what)
{
	fprintf(stderr, "proc_fuzz: %s: errno %d\n", what, errno);
	exit(1);
}

static int *any(void)
{
	return &fds[rnd(FILES)];
}

static off_t any_position(void)
{
	switch (rnd(6)) {
	case 0:
		return rnd(40000) * MMLENS_RECORD_SIZE;
	case 1:
		return rnd(40000) * MMLENS_RECORD_SIZE + rnd(MMLENS_RECORD_SIZE);
	case 2:
		return rnd(100000);
	case 3:
		return -rnd(1 << 30);
	case 4:
		return 0x7fffffffffffffffL - rnd(1000);
	default:
		return 0;
	}
}

static size_t any_length(void)
{
	return rnd(3) ? (size_t)rnd(2 * MMLENS_RECORD_SIZE) : (size_t)rnd(AREA);
}

/* Memory that is good, becomes bad half way, or is nobody's or the kernel's. */
static void *any_memory(size_t length)
{
	switch (rnd(8)) {
	case 0:
		return area + AREA - rnd(length + 1);
	case 1:
		return NULL;
	case 2:
		return (void *)-4096L;
	default:
		return area;
	}
}

static void do_open(void)
{
	int *fd = any();

	close(*fd);
	*fd = open(names[rnd(NAMES)], O_RDONLY | (rnd(4) ? 0 : O_NONBLOCK));
	if (*fd < 0)
		fail("open");
}

static void do_read(void)
{
	size_t length = any_length();
	ssize_t n = read(*any(), any_memory(length), length);

	if (n > (ssize_t)length)
		fail("read gave more than was asked for");
}

static void do_pread(void)
{
	size_t length = any_length();

	if (pread(*any(), any_memory(length), length, any_position()) > (ssize_t)length)
		fail("pread gave more than was asked for");
}

static void do_readv(void)
{
	struct iovec parts[4];
	int i;

	for (i = 0; i < 4; i++) {
		parts[i].iov_len = rnd(700);
		parts[i].iov_base = any_memory(parts[i].iov_len);
	}
	preadv(*any(), parts, rnd(5), rnd(2) ? -1 : any_position());
}

static void do_seek(void)
{
	lseek(*any(), any_position(), rnd(5));
}

static void do_dup(void)
{
	int from = *any(), *to = any();

	if (from != *to && dup2(from, *to) < 0)
		fail("dup2");
}

/* Parent and child read on through the same open file. */
static void do_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return;
	do_read();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static void drain(void)
{
	while (read(pipes[0], area, AREA) > 0)
		;
}

static void do_splice(void)
{
	off_t position = any_position();

	splice(*any(), rnd(2) ? &position : NULL, pipes[1], NULL, any_length(), SPLICE_F_NONBLOCK);
	if (rnd(3))
		drain();
}

static void do_sendfile(void)
{
	off_t position = any_position();

	sendfile(rnd(2) ? pipes[1] : null, *any(), rnd(2) ? &position : NULL, any_length());
	if (rnd(3))
		drain();
}

static void do_mmap(void)
{
	void *at = mmap(NULL, 4096, PROT_READ, rnd(2) ? MAP_SHARED : MAP_PRIVATE, *any(), 0);

	if (at != MAP_FAILED)
		fail("mmap");
}

static void do_poll(void)
{
	struct pollfd poll_one = { .fd = *any(), .events = POLLIN | POLLOUT };

	poll(&poll_one, 1, 0);
}

static void do_ioctl(void)
{
	if (ioctl(*any(), rnd(RAND_MAX), area) != -1)
		fail("ioctl");
}

static void do_write(void)
{
	const char *name = names[rnd(NAMES)];
	int fd = open(name, O_RDWR);

	if (write(*any(), area, 1 + rnd(600)) >= 0 || (fd >= 0 && write(fd, area, 10) >= 0))
		fail("write");
	if (fd >= 0)
		close(fd);
}

static void do_truncate(void)
{
	if (!ftruncate(*any(), rnd(1000)))
		fail("ftruncate");
}

static void (*const calls[])(void) = {
	do_open, do_read,   do_read,	 do_pread, do_pread, do_readv, do_seek,	 do_dup,
	do_fork, do_splice, do_sendfile, do_mmap,  do_poll,  do_ioctl, do_write, do_truncate,
};

static void prepare(void)
{
	int i;

	area = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || mprotect(area + AREA, 4096, PROT_NONE) ||
	    pipe2(pipes, O_NONBLOCK))
		fail("prepare");
	null = open("/dev/null", O_WRONLY);
	for (i = 0; i < FILES; i++) {
		fds[i] = open(names[i % NAMES], O_RDONLY);
		if (fds[i] < 0)
			fail(names[i % NAMES]);
	}
}

static void write_tape(void)
{
	int i;

	tape_at = 0;
	if (n_kept && random() % 2) {
		memcpy(tape, kept[random() % n_kept], sizeof(tape));
		for (i = random() % 4; i >= 0; i--)
			tape[random() % TAPE] = random();
		return;
	}
	for (i = 0; i < TAPE; i++)
		tape[i] = random();
}

static void keep_tape(void)
{
	memcpy(kept[n_kept < KEPT ? n_kept++ : random() % KEPT], tape, sizeof(tape));
}

static void play_tape(void)
{
	int i;

	write_tape();
	cover_begin();
	for (i = 0; i < TAPE_CALLS; i++)
		calls[rnd(sizeof(calls) / sizeof(calls[0]))]();
	if (cover_new())
		keep_tape();
}

static void print_done(long tapes, bool covered)
{
	printf("proc_fuzz: %ld calls\n", tapes * TAPE_CALLS);
	if (covered)
		printf("proc_fuzz: %d places of the module reached, %d tapes kept\n", cover_total(),
		       n_kept);
}

int main(int argc, char **argv)
{
	bool covered;
	long seconds = 10, seed = time(NULL), done = 0;
	time_t end;
	int opt;

	while ((opt = getopt(argc, argv, "s:S:")) != -1) {
		if (opt == 's')
			seconds = atol(optarg);
		else if (opt == 'S')
			seed = atol(optarg);
		else
			return 2;
	}
	srandom(seed);
	printf("proc_fuzz: seed %ld\n", seed);
	fflush(stdout);
	prepare();
	covered = cover_init();
	for (end = time(NULL) + seconds; time(NULL) < end; done++)
		play_tape();
	print_done(done, covered);
	return 0;
}
