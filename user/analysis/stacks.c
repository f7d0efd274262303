// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "analysis/stacks.h"

static const char *const kinds[] = {
	[STACK_MAIN] = "main",
	[STACK_PTHREAD] = "pthread",
	[STACK_SIGNAL] = "sigaltstack",
	[STACK_OTHER] = "not on a known stack",
	[STACK_OUTSIDE] = "outside any mapping",
};

static const char *const guards[] = {
	[GUARD_VMA] = "vma",
	[GUARD_MADV] = "madvise",
	[GUARD_GAP] = "gap",
	[GUARD_NONE] = "none",
};

const char *stack_kind_name(enum stack_kind kind)
{
	return kind < STACK_KIND_NR ? kinds[kind] : NULL;
}

const char *stack_guard_name(enum stack_guard guard)
{
	return guard < GUARD_NR ? guards[guard] : NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* vfork(2) lends its child the very stack on which the parent waits. */
static bool lent(const struct stack *a, const struct stack *b)
{
	return a->start == b->start && a->end == b->end &&
	       (a->task->kind == KIND_VFORK || b->task->kind == KIND_VFORK);
}

size_t stacks_overlaps(struct stack *s, size_t n)
{
	struct stack *last = NULL; /* the one that reaches furthest */
	size_t found = 0;

	if (n)
		qsort(s, n, sizeof(*s), by_start);
	for (size_t i = 0; i < n; i++) {
		if (!stack_is_bounded(&s[i]))
			continue;
		if (last && s[i].start < last->end && !lent(last, &s[i])) {
			found += !last->overlaps + !s[i].overlaps;
			s[i].overlaps = last->overlaps = true;
		}
		if (!last || s[i].end > last->end)
			last = &s[i];
	}
	return found;
}

static uint64_t weight(const struct stack *s)
{
	return stack_is_bounded(s) && s->touched_known ? s->touched : 0;
}

static int by_use(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;
	uint64_t wx = weight(x), wy = weight(y);

	if (wx != wy)
		return wx < wy ? 1 : -1;
	return (x->task->key.tid > y->task->key.tid) - (x->task->key.tid < y->task->key.tid);
}

void stacks_sort(struct stack *s, size_t n)
{
	if (n)
		qsort(s, n, sizeof(*s), by_use);
}
