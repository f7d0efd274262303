// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/kinds.h"

enum task_kind kind_of(const struct task *t, uint32_t first_tgid)
{
	if (t->flags & TASK_KTHREAD)
		return task_space(t) ? KIND_LOAN : KIND_KTHREAD;
	if (t->flags & (TASK_IO_WORKER | TASK_USER_WORKER))
		return KIND_WORKER;
	if (!task_res_known(t, RES_MM))
		return task_is_leader(t) ? KIND_UNKNOWN : KIND_THREAD;
	if (!task_space(t))
		return KIND_ZOMBIE;
	if (!task_is_leader(t))
		return KIND_THREAD;
	if (t->flags & TASK_VFORK)
		return KIND_VFORK;
	return t->key.tgid == first_tgid ? KIND_PROCESS : KIND_PEER;
}

void kinds_assign(struct ledger *l)
{
	struct snapshot *s = l->snapshot;

	for (size_t i = 0; i < s->n; i++)
		s->tasks[i].kind = kind_of(&s->tasks[i], 0);
	for (size_t i = 0; i < l->n; i++) {
		const struct space *sp = &l->spaces[i];
		uint32_t first = space_member(l, sp, 0)->key.tgid;

		for (size_t m = 0; m < sp->tasks; m++) {
			struct task *t = &s->tasks[sp->members[m]];

			t->kind = kind_of(t, first);
		}
	}
}
