/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a thread's user stack is and how it is used. Plain data; sizes in bytes. */
#ifndef MMLENS_MODEL_STACK_H
#define MMLENS_MODEL_STACK_H

#include "model/task.h"

/* Which allocation it is. */
enum stack_kind {
	STACK_UNKNOWN, /* the pointer is not known */
	STACK_MAIN,    /* [stack] */
	STACK_PTHREAD, /* the C library's descriptor of this very thread lies at its top */
	STACK_SIGNAL,  /* a handler runs on its sigaltstack: the kernel's frame there says so */
	STACK_OTHER,   /* not on a known stack: a coroutine's, a runtime's own */
	STACK_OUTSIDE, /* in no mapping at all */
	STACK_KIND_NR
};

enum stack_guard {
	GUARD_UNKNOWN,
	GUARD_VMA,  /* a mapping without rights right below */
	GUARD_MADV, /* MADV_GUARD_INSTALL */
	GUARD_GAP,  /* the kernel's stack_guard_gap */
	GUARD_NONE, /* growing too deep writes into something else */
	GUARD_NR
};

struct stack {
	const struct task *task;
	enum stack_kind kind;
	enum stack_guard guard_kind;
	uint64_t start;
	uint64_t end;
	uint64_t sp;
	uint64_t floor; /* how far down it may go: below `start` where it can still grow */
	uint64_t touched;
	uint64_t guard; /* its size, where known */
	bool touched_known;
	bool overlaps; /* with the stack of another thread of the space */
};

/* Its bounds are known to be those of a stack; of another mapping they would say nothing. */
static inline bool stack_is_bounded(const struct stack *s)
{
	return s->kind == STACK_MAIN || s->kind == STACK_PTHREAD || s->kind == STACK_SIGNAL;
}

const char *stack_kind_name(enum stack_kind kind);
const char *stack_guard_name(enum stack_guard guard);

#endif
