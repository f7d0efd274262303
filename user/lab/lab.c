// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/lab.h"
#include "lab/room.h"
#include "lib/cleanup.h"

static void send_record(struct lab *l, struct proof_record *r)
{
	r->claim = l->claim;
	while (send(l->fd, r, sizeof(*r), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

void lab_say(struct lab *l, enum proof_type type, const char *fmt, ...)
{
	struct proof_record r = { .type = type };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.text, sizeof(r.text), fmt, ap);
	va_end(ap);
	send_record(l, &r);
}

void lab_fact(struct lab *l, bool held, const char *fmt, ...)
{
	struct proof_record r = { .type = PROOF_MEASUREMENT, .unit = "fact", .value = held };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.name, sizeof(r.name), fmt, ap);
	va_end(ap);
	r.low = r.high = r.value;
	send_record(l, &r);
}

void lab_count(struct lab *l, const char *name, double value, const char *unit)
{
	struct proof_record r = {
		.type = PROOF_MEASUREMENT, .value = value, .low = value, .high = value
	};

	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.unit, sizeof(r.unit), "%s", unit);
	send_record(l, &r);
}

void lab_estimate(struct lab *l, const char *name, struct estimate e, const char *unit)
{
	struct proof_record r = {
		.type = PROOF_MEASUREMENT, .value = e.median, .low = e.low, .high = e.high, .n = e.n
	};

	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.unit, sizeof(r.unit), "%s", unit);
	send_record(l, &r);
}

uint64_t lab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

pid_t lab_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* the parent may have died before that */
	if (getppid() != parent)
		_exit(1);
	return 0;
}

int lab_reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

void *lab_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void lab_wait(uint32_t *word, uint32_t seen)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

void lab_post(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* The last CPU allowed: the first serves most interrupts. */
static void pin(struct lab *l)
{
	cpu_set_t set;

	l->cpu = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			l->cpu = cpu;
	CPU_ZERO(&set);
	if (l->cpu >= 0)
		CPU_SET(l->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		l->cpu = -1;
}

static void (*const experiments[CLAIM_NR])(struct lab *l) = {
	[CLAIM_DEFINITION] = lab_definition,
	[CLAIM_ISOLATION] = lab_isolation,
	[CLAIM_OVERHEAD] = lab_overhead,
	[CLAIM_COMMUNICATION] = lab_communication,
	[CLAIM_USES] = lab_uses,
};

/* Each claim in a child of its own: what one leaves behind cannot colour the next. */
static void run_claim(struct lab *l)
{
	pid_t pid = lab_fork();
	int status;

	if (!pid) {
		if (l->claim != CLAIM_USES)
			pin(l);
		experiments[l->claim](l);
		_exit(0);
	}
	status = pid < 0 ? pid : lab_reap(pid);
	if (pid < 0)
		lab_say(l, PROOF_CANNOT, "no child could be made: %s", strerror(-pid));
	else if (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		lab_say(l, PROOF_CANNOT, "the experiment ended early, by signal %d",
			status > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

void lab_run(struct lab *l, const bool *claims)
{
	for (int c = 0; c < CLAIM_NR; c++) {
		l->claim = (enum claim)c;
		if (claims[c])
			run_claim(l);
	}
}

void lab_overhead(struct lab *l)
{
	lab_creation(l);
	lab_pingpong(l);
}
