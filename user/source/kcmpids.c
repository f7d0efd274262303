// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/kcmpids.h"

static const struct {
	enum resource res;
	int type;
	bool group; /* clone(2) makes all living threads of a group share it */
} kcmp_types[] = {
	{ RES_MM, KCMP_VM, true },	  { RES_SIGHAND, KCMP_SIGHAND, true },
	{ RES_FILES, KCMP_FILES, false }, { RES_FS, KCMP_FS, false },
	{ RES_IO, KCMP_IO, false },	  { RES_SYSVSEM, KCMP_SYSVSEM, false },
};

int kcmp_system(uint32_t a, uint32_t b, enum resource r)
{
	for (size_t i = 0; i < ARRAY_SIZE(kcmp_types); i++) {
		long order;

		if (kcmp_types[i].res != r)
			continue;
		order = syscall(SYS_kcmp, a, b, kcmp_types[i].type, 0UL, 0UL);
		return order < 0 ? -errno : (int)order;
	}
	return -EINVAL;
}

uint64_t kcmpids_word(const struct task *user)
{
	return user->key.start_ns / START_TICK_NS << 22 | user->key.tid;
}

uint32_t kcmp_nobody_new(void)
{
	siginfo_t info;
	/* with vfork() nothing is copied, and nothing need be */
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	if (pid < 0)
		return 0;
	/* WNOWAIT leaves the zombie in place */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			return 0;
	return (uint32_t)pid;
}

void kcmp_nobody_free(uint32_t pid)
{
	if (pid)
		waitpid((pid_t)pid, NULL, 0);
}

/* One resource being numbered. */
struct numbering {
	struct snapshot *s;
	const struct kcmp_world *world;
	enum resource res;
	bool group;
	uint32_t *queue; /* tasks to be sorted, as indices */
	size_t n;
	uint32_t *first;  /* per task: the group's first, which it follows; itself when queued */
	uint8_t *trouble; /* per task: what went wrong with it, over all resources */
};

enum {
	TROUBLE_DENIED = 1,
	TROUBLE_GONE = 2
};

#define UNANSWERED UINT32_MAX

static int order(struct numbering *nr, uint32_t i, uint32_t k)
{
	const struct task *t = nr->s->tasks;

	return nr->world->compare(t[i].key.tid, t[k].key.tid, nr->res);
}

static bool is_gone(const struct task *t)
{
	return t->known & KNOWN_STATE && (t->state == 'Z' || t->state == 'X');
}

/* Whether the question can be put to the task at all, and whether it has the thing. */
static bool ask(struct numbering *nr, uint32_t i)
{
	struct task *t = &nr->s->tasks[i];
	int said;

	/* a zombie has given up all but its handlers, whoever asks */
	if (is_gone(t) && nr->res != RES_SIGHAND) {
		task_set_res(t, nr->res, 0);
		return false;
	}
	said = nr->world->compare(t->key.tid, nr->world->nobody, nr->res);
	if (said == -EPERM || said == -EACCES)
		nr->trouble[i] |= TROUBLE_DENIED;
	else if (said == -ESRCH)
		nr->trouble[i] |= TROUBLE_GONE;
	else if (!said && nr->res != RES_SIGHAND)
		task_set_res(t, nr->res, 0);
	return said > 0;
}

/* A thread that shares with its group's first needs no sorting. */
static bool follows(struct numbering *nr, uint32_t i, uint32_t first)
{
	if (first == UNANSWERED || nr->s->tasks[first].key.tgid != nr->s->tasks[i].key.tgid)
		return false;
	/* the rule of clone(2) holds for the living */
	if (nr->group && !is_gone(&nr->s->tasks[i]) && !(nr->s->tasks[i].flags & TASK_EXITING))
		return true;
	return order(nr, i, first) == 0;
}

static void enqueue(struct numbering *nr)
{
	uint32_t first = UNANSWERED;

	nr->n = 0;
	for (uint32_t i = 0; i < nr->s->n; i++) {
		nr->first[i] = UNANSWERED;
		if (follows(nr, i, first)) {
			nr->first[i] = first;
			continue;
		}
		if (!ask(nr, i))
			continue;
		nr->first[i] = i;
		nr->queue[nr->n++] = i;
		if (first == UNANSWERED || nr->s->tasks[first].key.tgid != nr->s->tasks[i].key.tgid)
			first = i;
	}
}

/* Tasks that vanish while they are sorted must leave the order total: they go by their index. */
static int by_object(const void *a, const void *b, void *arg)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int said = order(arg, i, k);

	if (said == 1 || said == 2)
		return said == 1 ? -1 : 1;
	return said < 0 ? (i > k) - (i < k) : 0;
}

static bool older(const struct task *a, const struct task *b)
{
	if (a->key.start_ns != b->key.start_ns)
		return a->key.start_ns < b->key.start_ns;
	return a->key.tid < b->key.tid;
}

static void name_class(struct numbering *nr, size_t from, size_t to)
{
	const struct task *oldest = &nr->s->tasks[nr->queue[from]];

	for (size_t q = from + 1; q < to; q++)
		if (older(&nr->s->tasks[nr->queue[q]], oldest))
			oldest = &nr->s->tasks[nr->queue[q]];
	for (size_t q = from; q < to; q++)
		task_set_res(&nr->s->tasks[nr->queue[q]], nr->res, kcmpids_word(oldest));
}

static void name_all(struct numbering *nr)
{
	size_t from = 0;

	for (size_t q = 1; q <= nr->n; q++) {
		int said = q < nr->n ? order(nr, nr->queue[q - 1], nr->queue[q]) : 1;

		if (said == 0)
			continue;
		name_class(nr, from, q);
		from = q;
	}
	for (uint32_t i = 0; i < nr->s->n; i++) {
		uint32_t f = nr->first[i];

		if (f != UNANSWERED && f != i && task_res_known(&nr->s->tasks[f], nr->res))
			task_set_res(&nr->s->tasks[i], nr->res, nr->s->tasks[f].res[nr->res]);
	}
}

/* Who vanished before the end has an order that means nothing. */
static void drop_vanished(struct numbering *nr)
{
	for (size_t q = 0; q < nr->n; q++) {
		uint32_t i = nr->queue[q];

		if (order(nr, i, i) != -ESRCH)
			continue;
		nr->trouble[i] |= TROUBLE_GONE;
		nr->s->tasks[i].res_known &= ~(1u << nr->res);
	}
}

static void number(struct numbering *nr)
{
	enqueue(nr);
	qsort_r(nr->queue, nr->n, sizeof(*nr->queue), by_object, nr);
	name_all(nr);
	drop_vanished(nr);
}

static void count_trouble(struct snapshot *s, const uint8_t *trouble)
{
	for (size_t i = 0; i < s->n; i++) {
		s->withheld += !!(trouble[i] & TROUBLE_DENIED);
		s->raced += trouble[i] == TROUBLE_GONE;
	}
}

int kcmpids_assign(struct snapshot *s, const struct kcmp_world *world, bool lean)
{
	cleanup_free uint32_t *queue = calloc(s->n + 1, sizeof(*queue));
	cleanup_free uint32_t *first = calloc(s->n + 1, sizeof(*first));
	cleanup_free uint8_t *trouble = calloc(s->n + 1, 1);

	if (!queue || !first || !trouble)
		return -ENOMEM;
	for (size_t k = 0; k < (lean ? 1 : ARRAY_SIZE(kcmp_types)); k++) {
		struct numbering nr = {
			s, world, kcmp_types[k].res, kcmp_types[k].group, queue, 0, first, trouble
		};

		number(&nr);
	}
	count_trouble(s, trouble);
	return 0;
}
