// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lab/medium.h"
#include "lib/cleanup.h"

#define CHUNK 4096 /* of messages that queues carry: below every default limit */

/* Counted, for the bill of copies. */
static void copy(struct medium_state *m, void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
	__atomic_fetch_add(&m->board->moved, n, __ATOMIC_RELAXED);
}

/* Bytes through descriptors: side s reads fds[s] and writes fds[2 + !s]. */

static int send_bytes(struct medium_state *m, int from, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = write(m->fds[2 + !from], m->own[from] + done, n - done);

		if (put < 0 && errno != EINTR)
			return -errno;
		done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

static int receive_bytes(struct medium_state *m, int to, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = read(m->fds[to], m->own[to] + done, n - done);

		if (!got)
			return -EPIPE;
		if (got < 0 && errno != EINTR)
			return -errno;
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static void close_fds(struct medium_state *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->fds); i++) {
		for (size_t j = 0; j < i; j++)
			if (m->fds[j] == m->fds[i])
				m->fds[i] = -1;
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	}
}

static int open_pipe(struct medium_state *m)
{
	for (int i = 0; i < 2; i++) {
		int p[2];

		if (pipe2(p, O_CLOEXEC))
			return -errno;
		m->fds[i] = p[0];
		m->fds[2 + i] = p[1];
	}
	return 0;
}

static int open_fifo(struct medium_state *m)
{
	for (int i = 0; i < 2; i++) {
		char dir[LAB_PATH], path[LAB_PATH + 8];
		int err = lab_directory(m->lab, dir);

		if (err)
			return err;
		snprintf(path, sizeof(path), "%s/fifo", dir);
		if (!mkfifo(path, 0600))
			m->fds[i] = m->fds[2 + i] = open(path, O_RDWR | O_CLOEXEC);
		lab_remove_directory(dir);
		if (m->fds[i] < 0)
			return -EIO;
	}
	return 0;
}

static int open_socketpair(struct medium_state *m)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s))
		return -errno;
	m->fds[0] = m->fds[3] = s[0];
	m->fds[1] = m->fds[2] = s[1];
	return 0;
}

static int open_eventfd(struct medium_state *m)
{
	for (int i = 0; i < 2; i++) {
		m->fds[i] = m->fds[2 + i] = eventfd(0, EFD_CLOEXEC);
		if (m->fds[i] < 0)
			return -errno;
	}
	return 0;
}

static int send_event(struct medium_state *m, int from, size_t n)
{
	uint64_t one = 1;

	(void)n;
	return write(m->fds[2 + !from], &one, sizeof(one)) < 0 ? -errno : 0;
}

static int receive_event(struct medium_state *m, int to, size_t n)
{
	uint64_t v;

	(void)n;
	return read(m->fds[to], &v, sizeof(v)) < 0 ? -errno : 0;
}

/* Queues. */

struct msg {
	long type;
	char text[CHUNK];
};

/* A key that nobody uses, told before it is used; in the room's own ipc namespace none is needed. */
static key_t sysv_key(struct medium_state *m, const char *kind)
{
	key_t key = (key_t)((lab_now() ^ (uint64_t)getpid() << 16) & 0x7fffffff) | 1;

	if (m->lab->isolated)
		return IPC_PRIVATE;
	while (msgget(key, 0) >= 0 || shmget(key, 0, 0) >= 0)
		key += 2;
	lab_remains(m->lab, kind, NULL, (uint64_t)key);
	return key;
}

static int open_sysv_queue(struct medium_state *m)
{
	for (int i = 0; i < 2; i++) {
		m->queue[i] = msgget(sysv_key(m, "queue"), IPC_CREAT | IPC_EXCL | 0600);
		if (m->queue[i] < 0)
			return -errno;
	}
	return 0;
}

static int send_sysv(struct medium_state *m, int from, size_t n)
{
	struct msg msg = { .type = 1 };

	for (size_t done = 0; done < n; done += CHUNK) {
		size_t len = n - done < CHUNK ? n - done : CHUNK;

		copy(m, msg.text, m->own[from] + done, len);
		if (msgsnd(m->queue[!from], &msg, len, 0))
			return -errno;
	}
	return 0;
}

static int receive_sysv(struct medium_state *m, int to, size_t n)
{
	struct msg msg;

	for (size_t done = 0; done < n;) {
		ssize_t got = msgrcv(m->queue[to], &msg, CHUNK, 0, 0);

		if (got < 0)
			return -errno;
		copy(m, m->own[to] + done, msg.text, (size_t)got);
		done += (size_t)got;
	}
	return 0;
}

static void close_sysv(struct medium_state *m)
{
	for (int i = 0; i < 2; i++)
		if (m->queue[i] >= 0)
			msgctl(m->queue[i], IPC_RMID, NULL);
}

static int open_mqueue(struct medium_state *m)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = CHUNK };

	for (int i = 0; i < 2; i++) {
		char name[40];

		snprintf(name, sizeof(name), "/mmlens-%d-%d", getpid(), i);
		lab_remains(m->lab, "mqueue", name, 0);
		m->fds[i] = m->fds[2 + i] =
			mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
		if (m->fds[i] < 0)
			return -errno;
		mq_unlink(name);
	}
	return 0;
}

static int send_mqueue(struct medium_state *m, int from, size_t n)
{
	for (size_t done = 0; done < n; done += CHUNK)
		if (mq_send(m->fds[2 + !from], m->own[from] + done,
			    n - done < CHUNK ? n - done : CHUNK, 0))
			return -errno;
	return 0;
}

static int receive_mqueue(struct medium_state *m, int to, size_t n)
{
	char text[CHUNK];

	for (size_t done = 0; done < n;) {
		ssize_t got = mq_receive(m->fds[to], text, sizeof(text), NULL);

		if (got < 0)
			return -errno;
		copy(m, m->own[to] + done, text, (size_t)got);
		done += (size_t)got;
	}
	return 0;
}

/* Memory that both see: the message is written into it, the turn is told by futex. */

static void hand_over(struct medium_state *m, int from)
{
	lab_post(&m->board->turn[!from], 1);
}

static int take_over(struct medium_state *m, int to, size_t n)
{
	(void)n;
	lab_wait(&m->board->turn[to], 0);
	__atomic_store_n(&m->board->turn[to], 0, __ATOMIC_RELAXED);
	return 0;
}

static int send_memory(struct medium_state *m, int from, size_t n)
{
	copy(m, m->area, m->own[from], n);
	hand_over(m, from);
	return 0;
}

/* Between threads, and for who reads another's memory, the message stays where it is. */
static int send_nothing(struct medium_state *m, int from, size_t n)
{
	(void)n;
	m->own[from][0]++;
	hand_over(m, from);
	return 0;
}

static int open_nothing(struct medium_state *m)
{
	(void)m;
	return 0;
}

static int map_fd(struct medium_state *m, int fd)
{
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, MESSAGE_MOST))
		return -errno;
	m->fds[0] = fd;
	m->area = mmap(NULL, MESSAGE_MOST, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return m->area == MAP_FAILED ? -errno : 0;
}

static int open_posix_shm(struct medium_state *m)
{
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "/mmlens-%d", getpid());
	lab_remains(m->lab, "shm", name, 0);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -errno;
	shm_unlink(name);
	return map_fd(m, fd);
}

static int open_memfd(struct medium_state *m)
{
	return map_fd(m, memfd_create("mmlens", MFD_CLOEXEC));
}

static int open_file(struct medium_state *m)
{
	return map_fd(m, open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

/* Marked for removal while attached: gone with its last user. */
static int open_sysv_shm(struct medium_state *m)
{
	int id = shmget(sysv_key(m, "segment"), MESSAGE_MOST, IPC_CREAT | IPC_EXCL | 0600);

	if (id < 0)
		return -errno;
	m->area = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	return m->area == (void *)-1 ? -errno : 0;
}

static void close_memory(struct medium_state *m)
{
	if (m->area && m->area != MAP_FAILED && munmap(m->area, MESSAGE_MOST))
		shmdt(m->area);
	close_fds(m);
}

static void close_shmat(struct medium_state *m)
{
	if (m->area && m->area != (void *)-1)
		shmdt(m->area);
}

/* process_vm_readv(2): both have the message at the same address, as the second was forked. */
static int open_readv(struct medium_state *m)
{
	(void)m;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	return 0;
}

static int receive_readv(struct medium_state *m, int to, size_t n)
{
	struct iovec here = { m->own[to], n }, there = { m->own[!to], n };

	take_over(m, to, n);
	return process_vm_readv(m->pids[!to], &here, 1, &there, 1, 0) == (ssize_t)n ? 0 : -errno;
}

/* Signals: a real-time one carries a word and is queued. */
static int open_signal(struct medium_state *m)
{
	sigset_t set;

	(void)m;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

static int send_signal(struct medium_state *m, int from, size_t n)
{
	(void)n;
	return sigqueue(m->pids[!from], SIGRTMIN, (union sigval){ 0 }) ? -errno : 0;
}

static int receive_signal(struct medium_state *m, int to, size_t n)
{
	sigset_t set;

	(void)m;
	(void)to;
	(void)n;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	while (sigwaitinfo(&set, NULL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void close_signal(struct medium_state *m)
{
	sigset_t set;

	(void)m;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

#define MOST MESSAGE_MOST
#define WORD 8 /* of an eventfd: it counts in words */

const struct medium media[] = {
	{ "shared variable", true, false, MOST, open_nothing, send_nothing, take_over, close_fds },
	{ "pipe", false, true, MOST, open_pipe, send_bytes, receive_bytes, close_fds },
	{ "FIFO", false, true, MOST, open_fifo, send_bytes, receive_bytes, close_fds },
	{ "socketpair", false, true, MOST, open_socketpair, send_bytes, receive_bytes, close_fds },
	{ "SysV queue", false, true, MOST, open_sysv_queue, send_sysv, receive_sysv, close_sysv },
	{ "POSIX queue", false, true, MOST, open_mqueue, send_mqueue, receive_mqueue, close_fds },
	{ "SysV shm", false, false, MOST, open_sysv_shm, send_memory, take_over, close_shmat },
	{ "POSIX shm", false, false, MOST, open_posix_shm, send_memory, take_over, close_memory },
	{ "memfd", false, false, MOST, open_memfd, send_memory, take_over, close_memory },
	{ "shared file", false, false, MOST, open_file, send_memory, take_over, close_memory },
	{ "eventfd", false, false, WORD, open_eventfd, send_event, receive_event, close_fds },
	{ "signal", false, false, 1, open_signal, send_signal, receive_signal, close_signal },
	{ "process_vm_readv", false, false, MOST, open_readv, send_nothing, receive_readv,
	  close_fds },
};

_Static_assert(ARRAY_SIZE(media) == MEDIA, "a medium for each place in the tables");
