// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
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

#include "lab/core.h"
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

void lab_remains(struct lab *l, const char *kind, const char *name, uint64_t key)
{
	struct proof_record r = { .type = PROOF_REMAINS, .n = key };

	snprintf(r.unit, sizeof(r.unit), "%s", kind);
	snprintf(r.text, sizeof(r.text), "%s", name ? name : "");
	if (!l->isolated)
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

void lab_difference(struct lab *l, const char *name, struct estimate e, double margin)
{
	struct proof_record r = { .type = PROOF_MEASUREMENT,
				  .unit = "ns",
				  .value = e.median,
				  .low = e.low,
				  .high = e.high,
				  .margin = margin,
				  .n = e.n };

	snprintf(r.name, sizeof(r.name), "%s", name);
	send_record(l, &r);
}

void lab_estimate(struct lab *l, const char *name, struct estimate e)
{
	lab_difference(l, name, e, 0);
}

uint64_t lab_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t lab_part(uint64_t until, size_t parts)
{
	uint64_t now = lab_now();

	return now < until ? now + (until - now) / (parts ? parts : 1) : now;
}

uint64_t lab_share(const struct lab *l, size_t parts)
{
	return lab_part(l->deadline, parts);
}

bool lab_in_time(const struct lab *l)
{
	return lab_now() < l->deadline;
}

bool lab_more(const struct lab *l, size_t taken, size_t most, uint64_t until)
{
	if (!taken)
		return true;
	return taken < most && lab_in_time(l) && (taken < SAMPLES_MIN || lab_now() < until);
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

int lab_reap_until(pid_t pid, uint64_t until)
{
	/* libc of the baseline has no wrapper for it */
	cleanup_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;

	while (fd >= 0 && (now = lab_now()) < until &&
	       poll(&p, 1, (int)((until - now) / 1000000) + 1) <= 0)
		;
	if (fd < 0 || p.revents)
		return lab_reap(pid);
	kill(pid, SIGKILL);
	lab_reap(pid);
	return -ETIMEDOUT;
}

int lab_apart(struct lab *l, void (*part)(struct lab *l, void *arg), void *arg, uint64_t until)
{
	pid_t pid = lab_fork();
	int status;

	if (!pid) {
		part(l, arg);
		_exit(0);
	}
	status = pid < 0 ? pid : lab_reap_until(pid, until);
	return status > 0 ? -ECHILD : status;
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

static void (*const experiments[CLAIM_NR])(struct lab *l) = {
	[CLAIM_DEFINITION] = lab_definition,
	[CLAIM_ISOLATION] = lab_isolation,
	[CLAIM_OVERHEAD] = lab_overhead,
	[CLAIM_COMMUNICATION] = lab_communication,
	[CLAIM_USES] = lab_uses,
};

/*
 * How the time is shared out: what one claim leaves goes to the next. A whole run of `overhead` has
 * a GiB to write, page by page, before it can fork it.
 */
static const unsigned int weights[][CLAIM_NR] = {
	[true] = { [CLAIM_DEFINITION] = 3,
		   [CLAIM_ISOLATION] = 1,
		   [CLAIM_OVERHEAD] = 3,
		   [CLAIM_COMMUNICATION] = 2,
		   [CLAIM_USES] = 4 },
	[false] = { [CLAIM_DEFINITION] = 3,
		    [CLAIM_ISOLATION] = 1,
		    [CLAIM_OVERHEAD] = 9,
		    [CLAIM_COMMUNICATION] = 2,
		    [CLAIM_USES] = 4 },
};

/* What an experiment may take beyond its time, for what has no clock in it. */
#define GRACE_QUICK_NS 1000000000ull
#define GRACE_NS       5000000000ull

static void say_end(struct lab *l, int status)
{
	if (status == -ETIMEDOUT)
		lab_say(l, PROOF_CANNOT, "the experiment did not end in its time and was stopped");
	else if (status < 0)
		lab_say(l, PROOF_CANNOT, "no child could be made: %s", strerror(-status));
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		lab_say(l, PROOF_CANNOT, "the experiment ended early, by signal %d",
			WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* Each claim in a child of its own: what one leaves behind cannot colour the next. */
static void run_claim(struct lab *l)
{
	pid_t pid = lab_fork();

	if (!pid) {
		/* the end of an experiment that got stuck is the end of its group */
		setsid();
		if (l->claim != CLAIM_USES)
			core_pin(l);
		experiments[l->claim](l);
		_exit(0);
	}
	if (pid < 0)
		return say_end(l, pid);
	say_end(l, lab_reap_until(pid, l->deadline + (l->quick ? GRACE_QUICK_NS : GRACE_NS)));
	kill(-pid, SIGKILL);
}

void lab_run(struct lab *l, const bool *claims)
{
	const unsigned int *weight = weights[l->quick];
	uint64_t end = l->deadline;
	size_t left = 0;

	for (int c = 0; c < CLAIM_NR; c++)
		left += claims[c] ? weight[c] : 0;
	for (int c = 0; c < CLAIM_NR; c++) {
		uint64_t now = lab_now();

		if (!claims[c])
			continue;
		l->claim = (enum claim)c;
		l->deadline = now < end ? now + (end - now) * weight[c] / left : now;
		left -= weight[c];
		run_claim(l);
	}
}

void lab_overhead(struct lab *l)
{
	uint64_t end = l->deadline;
	struct core_use use;

	core_begin(l, &use);
	/* a half, or two thirds where there is a GiB to write */
	l->deadline = l->quick ? lab_share(l, 2) : end - (lab_share(l, 3) - lab_now());
	lab_creation(l);
	l->deadline = end;
	lab_switching(l);
	core_say(l, &use);
}
