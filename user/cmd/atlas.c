// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/stacks.h"
#include "cmd/atlas.h"
#include "source/stackatlas.h"

int atlas_of(const struct state *st, const struct space *sp, struct stack **out, size_t *n)
{
	struct stack *s = calloc(sp->tasks + 1, sizeof(*s));
	uint32_t pid = 0;
	size_t used = 0;
	int err;

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < sp->tasks; i++) {
		const struct task *t = space_member(&st->ledger, sp, i);

		if (t->flags & TASK_KTHREAD)
			continue;
		pid = t->key.tid;
		s[used].task = t;
		s[used++].sp = t->known & KNOWN_USP ? t->user_stack.sp : 0;
	}
	err = used ? stackatlas_fill(pid, s, used) : -ESRCH;
	if (err) {
		free(s);
		return err;
	}
	stacks_overlaps(s, used);
	stacks_sort(s, used);
	*out = s;
	*n = used;
	return 0;
}

void atlas_apply(struct state *st, const struct stack *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct task *t = &st->snapshot.tasks[s[i].task - st->snapshot.tasks];

		if (s[i].kind == STACK_UNKNOWN)
			continue;
		t->user_stack.sp = s[i].sp;
		t->known |= KNOWN_USP;
		if (s[i].kind == STACK_OUTSIDE)
			continue;
		t->user_stack.start = s[i].start;
		t->user_stack.end = s[i].end;
		t->known |= KNOWN_USTACK;
		if (s[i].touched_known) {
			t->user_stack.touched = s[i].touched;
			t->known |= KNOWN_UTOUCHED;
		}
		if (s[i].guard_kind != GUARD_UNKNOWN) {
			t->user_stack.guard = s[i].guard;
			t->known |= KNOWN_UGUARD;
		}
	}
}
