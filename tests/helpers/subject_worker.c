// SPDX-License-Identifier: GPL-2.0-only
/* Situations of tasks that the kernel makes for a process: io_uring workers, vhost's threads. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "subject.h"

#define VHOST_SET_OWNER _IO(0xAF, 0x01)
#define RING_ENTRIES	4
#define TRIES		200

static bool comm_is(const char *dir, const char *name, const char *want)
{
	char path[320], comm[32];

	snprintf(path, sizeof(path), "%s/%s/comm", dir, name);
	return read_text(path, comm, sizeof(comm)) && !strncmp(comm, want, strlen(want));
}

/* The first entry of @dir, newer than @after, whose comm begins with @want; 0 without one. */
static pid_t find_comm(const char *dir, const char *want, pid_t after)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	pid_t found = 0;

	if (!d)
		return 0;
	while (!found && (e = readdir(d)))
		if (atoi(e->d_name) > after && comm_is(dir, e->d_name, want))
			found = atoi(e->d_name);
	closedir(d);
	return found;
}

/* A thread of ours on newer kernels, a kernel thread on older ones: says which it is. */
static pid_t await_worker(const char *own, const char *kernel, bool *ours)
{
	for (int i = 0; i < TRIES; i++, usleep(10000)) {
		pid_t tid = find_comm("/proc/self/task", own, 0);

		*ours = tid;
		if (!tid)
			tid = find_comm("/proc", kernel, getpid());
		if (tid)
			return tid;
	}
	return 0;
}

/* ---- io_uring ---- */

struct ring {
	int fd;
	unsigned *tail, *mask, *array;
	struct io_uring_sqe *sqes;
};

static void ring_init(struct ring *ring)
{
	struct io_uring_params p = { 0 };
	char *sq;

	ring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &p);
	if (ring->fd < 0)
		unavailable("io_uring_setup: %s", strerror(errno));
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE,
		  MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, p.sq_entries * sizeof(*ring->sqes), PROT_READ | PROT_WRITE,
			  MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || ring->sqes == MAP_FAILED)
		fail("mmap of the ring");
	ring->tail = (unsigned *)(sq + p.sq_off.tail);
	ring->mask = (unsigned *)(sq + p.sq_off.ring_mask);
	ring->array = (unsigned *)(sq + p.sq_off.array);
}

static void ring_submit(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned tail = *ring->tail, at = tail & *ring->mask;

	ring->sqes[at] = *sqe;
	ring->array[at] = at;
	__atomic_store_n(ring->tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) != 1)
		fail("io_uring_enter");
}

/*
 * Opening a FIFO that nobody writes blocks and cannot be polled, so a worker has to wait in it. The
 * name goes away at once; the worker has it by then.
 */
static void make_fifo(char *path, size_t size)
{
	snprintf(path, size, "/tmp/subject-fifo.%d", getpid());
	if (mkfifo(path, 0600))
		fail("mkfifo");
}

static void io_uring(int argc, char **argv)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_OPENAT, .flags = IOSQE_ASYNC };
	char fifo[64], own[32];
	struct ring ring;
	bool ours;
	pid_t worker;

	(void)argc, (void)argv;
	ring_init(&ring);
	make_fifo(fifo, sizeof(fifo));
	sqe.fd = AT_FDCWD;
	sqe.addr = (unsigned long)fifo;
	sqe.open_flags = O_RDONLY;
	ring_submit(&ring, &sqe);
	snprintf(own, sizeof(own), "iou-wrk-%d", getpid());
	worker = await_worker(own, "io_wqe_worker", &ours);
	if (worker)
		await_state(worker, "SD");
	unlink(fifo);
	if (!worker)
		unavailable("no io_uring worker came up");
	say_task("pid", getpid(), "process");
	say_task("worker", worker, "worker");
	say("thread_of_ours", "%d", ours);
	ready_and_hold();
}

/* ---- vhost: until 6.3 a kernel thread that adopts our space, later a thread of ours ---- */

static int open_vhost(void)
{
	static const char *const devices[] = { "/dev/vhost-vsock", "/dev/vhost-net" };

	if (access(devices[0], F_OK) && access(devices[1], F_OK) &&
	    system("modprobe -q vhost_vsock 2>/dev/null"))
		unavailable("no vhost device and no module that makes one");
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		int fd = open(devices[i], O_RDWR | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	unavailable("neither /dev/vhost-vsock nor /dev/vhost-net can be opened");
}

static void vhost(int argc, char **argv)
{
	int fd = open_vhost();
	char name[32];
	pid_t worker;
	bool ours;

	(void)argc, (void)argv;
	if (ioctl(fd, VHOST_SET_OWNER))
		fail("VHOST_SET_OWNER");
	snprintf(name, sizeof(name), "vhost-%d", getpid());
	worker = await_worker(name, name, &ours);
	if (!worker)
		unavailable("vhost made no worker before it has work (6.4 and later)");
	say_task("pid", getpid(), "process");
	say_task("worker", worker, ours ? "worker" : "loan");
	say("thread_of_ours", "%d", ours);
	ready_and_hold();
}

/* Woken each time before ksmd goes on. */
static void wake_and_sleep(void *arg)
{
	pin_to(0, *(int *)arg);
	for (;;)
		usleep(300);
}

/*
 * A kernel thread has a lazily held space only while it runs, that of who ran on its CPU before.
 * ksmd runs without a pause, on one CPU with a process that is awake for moments.
 */
static void lazy(int argc, char **argv)
{
	static const size_t size = 1 << 20;
	char *food = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t ksmd = find_comm("/proc", "ksmd", 0);
	int cpu = last_cpu();
	cpu_set_t before;

	(void)argc;
	(void)argv;
	if (!ksmd || food == MAP_FAILED || madvise(food, size, MADV_MERGEABLE))
		unavailable("no ksmd here");
	if (!cpu)
		unavailable("one processor: who looks is who runs");
	memset(food, 1, size);
	say_task("pid", fork_child(wake_and_sleep, &cpu), "process");
	say("ksmd", "%d", ksmd);
	if (sched_getaffinity(ksmd, sizeof(before), &before) || !ksm_hurry())
		unavailable("ksmd may not be set going");
	pin_to(ksmd, cpu);
	ready_and_hold();
	ksm_calm();
	sched_setaffinity(ksmd, sizeof(before), &before);
}

const struct situation worker_situations[] = {
	{ "io-uring", "", "an io_uring worker that waits in an open", io_uring },
	{ "vhost", "", "vhost's kernel thread on loan (to 6.3) or worker (from 6.4)", vhost },
	{ "lazy", "", "a kernel thread that holds a process's space lazily", lazy },
	{ 0 },
};
