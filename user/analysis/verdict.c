// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <stdio.h>

#include "analysis/verdict.h"
#include "lib/cleanup.h"

static const char *const share_names[] = {
	[SHARE_UNKNOWN] = "unknown",
	[SHARE_SHARED] = "shared",
	[SHARE_SEPARATE] = "separate",
	[SHARE_BOTH_NONE] = "both-none",
};

static_assert(ARRAY_SIZE(share_names) == SHARE_NR, "every state has its word");

static const char *const verdict_names[] = {
	[VERDICT_UNKNOWN] = NULL,  [VERDICT_SAME_TASK] = "same-task", [VERDICT_THREADS] = "threads",
	[VERDICT_PEERS] = "peers", [VERDICT_ISOLATED] = "isolated",   [VERDICT_KERNEL] = "kernel",
};

static_assert(ARRAY_SIZE(verdict_names) == VERDICT_NR, "every verdict has its word");

const char *share_name(enum share share)
{
	return share_names[share];
}

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

static bool is_same(const struct task *a, const struct task *b)
{
	return a->key.tid == b->key.tid && a->key.start_ns == b->key.start_ns;
}

bool resource_lacks(const struct task *t, enum resource r)
{
	return task_res_known(t, r) && !t->res[r];
}

/* It has one, though which may be unknown: no task is ever without credentials and a group. */
static bool has(const struct task *t, enum resource r)
{
	return (task_res_known(t, r) && t->res[r]) || r == RES_CRED || r == RES_SIGNAL ||
	       (r == RES_SECCOMP && t->flags & TASK_FILTERED);
}

/* What can be told where not both are known by an id. */
static enum share share_unnamed(const struct task *a, const struct task *b, enum resource r)
{
	if (is_same(a, b))
		return has(a, r) ? SHARE_SHARED : SHARE_UNKNOWN;
	if (r == RES_CRED && task_creds_differ(a, b))
		return SHARE_SEPARATE;
	return (has(a, r) && resource_lacks(b, r)) || (resource_lacks(a, r) && has(b, r))
		       ? SHARE_SEPARATE
		       : SHARE_UNKNOWN;
}

enum share resource_share(const struct task *a, const struct task *b, enum resource r)
{
	if (!task_res_known(a, r) || !task_res_known(b, r))
		return share_unnamed(a, b, r);
	if (!a->res[r] && !b->res[r])
		return SHARE_BOTH_NONE;
	return a->res[r] == b->res[r] ? SHARE_SHARED : SHARE_SEPARATE;
}

enum verdict verdict_of(const struct task *a, const struct task *b)
{
	if (is_same(a, b))
		return VERDICT_SAME_TASK;
	if ((a->flags | b->flags) & TASK_KTHREAD)
		return VERDICT_KERNEL;
	if (a->key.tgid == b->key.tgid)
		return VERDICT_THREADS;
	switch (resource_share(a, b, RES_MM)) {
	case SHARE_SHARED:
		return VERDICT_PEERS;
	case SHARE_SEPARATE:
	case SHARE_BOTH_NONE:
		return VERDICT_ISOLATED;
	default:
		return VERDICT_UNKNOWN;
	}
}

static bool is_gone(const struct task *t)
{
	return task_res_known(t, RES_MM) && !task_space(t);
}

static const char *const sentences[] = {
	[VERDICT_UNKNOWN] = "Whether %u and %u share memory cannot be told from here",
	[VERDICT_SAME_TASK] = "%u and %u are the same task",
	[VERDICT_THREADS] =
		"%u and %u are threads of one process: each sees every byte the other writes",
	[VERDICT_PEERS] = "%u and %u are two processes in one address space: each sees every byte "
			  "the other writes, though per-process tools show them apart",
	[VERDICT_ISOLATED] =
		"%u and %u are isolated processes: each has memory of its own, and the other sees only "
		"what both map as shared",
	[VERDICT_KERNEL] = "Of %u and %u at least one is a kernel thread: it runs in the kernel, "
			   "not in a process's memory",
};

/* Of tasks of which at least one has given up its memory: no byte of it is seen by anyone. */
static char *sentence_of_ended(char *buf, size_t n, enum verdict v, const struct task *a,
			       const struct task *b)
{
	const struct task *gone = is_gone(a) ? a : b;
	int used = snprintf(buf, n, "%u and %u are %s; ", a->key.tid, b->key.tid,
			    v == VERDICT_THREADS ? "threads of one process" : "two processes");

	if (used < 0 || (size_t)used >= n)
		return buf;
	if (is_gone(a) && is_gone(b))
		snprintf(buf + used, n - used, "both have exited and given up their memory");
	else
		snprintf(buf + used, n - used, "%u has exited and given up its memory",
			 gone->key.tid);
	return buf;
}

char *verdict_sentence(char *buf, size_t n, const struct task *a, const struct task *b)
{
	enum verdict v = verdict_of(a, b);

	if ((v == VERDICT_ISOLATED || v == VERDICT_THREADS) && (is_gone(a) || is_gone(b)))
		return sentence_of_ended(buf, n, v, a, b);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(buf, n, sentences[v], a->key.tid, b->key.tid);
#pragma GCC diagnostic pop
	return buf;
}
