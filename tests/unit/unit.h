/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka's prerequisites, and tasks made by hand. */
#ifndef MMLENS_TESTS_UNIT_H
#define MMLENS_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/snapshot.h"

/* A user task in `space`; space 0 is a task without one. */
static inline struct task *add_task(struct snapshot *s, uint32_t tgid, uint32_t tid, uint64_t start,
				    uint64_t space)
{
	struct task *t = snapshot_add(s);

	assert_non_null(t);
	t->key = (struct task_key){ tgid, tid, start };
	t->known = KNOWN_START | KNOWN_STATE | KNOWN_FLAGS | KNOWN_VFORK;
	snprintf(t->comm, sizeof(t->comm), "t%u", tid);
	task_set_res(t, RES_MM, space);
	return t;
}

#endif
