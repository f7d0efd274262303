// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>

#include "analysis/reach.h"
#include "lib/cleanup.h"

/* Of whom it makes sense to ask. */
enum of {
	OF_ALL,
	OF_USER,   /* tasks with a space of their own */
	OF_KERNEL, /* kernel threads */
};

static const struct {
	const char *fact;
	uint32_t known;
	enum of of;
} facts[] = {
	{ "ppid", KNOWN_PPID, OF_ALL },
	{ "start_ns", KNOWN_START, OF_ALL },
	{ "state", KNOWN_STATE, OF_ALL },
	{ "nvcsw", KNOWN_SWITCHES, OF_ALL },
	{ "uid", KNOWN_UID, OF_ALL },
	{ "mm_users", KNOWN_MM_USERS, OF_USER },
	{ "vfork", KNOWN_VFORK, OF_USER },
	{ "loan", KNOWN_LOAN, OF_KERNEL },
	{ "user_stack.sp", KNOWN_USP, OF_USER },
	{ "kernel_stack.base", KNOWN_KSTACK, OF_ALL },
	{ "kernel_stack.used", KNOWN_KUSED, OF_ALL },
};

static_assert(ARRAY_SIZE(facts) + RES_NR <= REACH_MAX, "room for every fact");

static bool is_asked(const struct task *t, enum of of)
{
	if (of == OF_KERNEL)
		return t->flags & TASK_KTHREAD;
	return of == OF_ALL || (task_space(t) && !(t->flags & TASK_KTHREAD));
}

size_t reach_of(const struct snapshot *s, struct reach *out)
{
	size_t n = 0;

	for (size_t f = 0; f < ARRAY_SIZE(facts); f++, n++) {
		out[n] = (struct reach){ .fact = facts[f].fact };
		for (size_t i = 0; i < s->n; i++) {
			bool asked = is_asked(&s->tasks[i], facts[f].of);

			out[n].asked += asked;
			out[n].known += asked && s->tasks[i].known & facts[f].known;
		}
	}
	for (int r = 0; r < RES_NR; r++, n++) {
		out[n] = (struct reach){ .fact = resource_name(r), .asked = s->n };
		for (size_t i = 0; i < s->n; i++)
			out[n].known += task_res_known(&s->tasks[i], r);
	}
	return n;
}
