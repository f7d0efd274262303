// SPDX-License-Identifier: GPL-2.0-only
/* mmlens stacks: every thread's stack, the largest first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/atlas.h"
#include "lib/cleanup.h"
#include "render/tasks.h"
#include "source/source.h"

enum {
	S_TID,
	S_START,
	S_END,
	S_SP,
	S_SIZE,
	S_USED,
	S_TOUCHED,
	S_HEADROOM,
	S_GUARD
};

static bool placed(const struct stack *s)
{
	return s->kind != STACK_UNKNOWN && s->kind != STACK_OUTSIDE;
}

static void get_address(const void *row, int arg, struct value *v)
{
	const struct stack *s = row;

	if (arg == S_TID)
		return value_uint(v, VALUE_UINT, s->task->key.tid);
	if (arg == S_SP && s->sp)
		return value_uint(v, VALUE_ADDR, s->sp);
	if (arg != S_SP && placed(s))
		value_uint(v, VALUE_ADDR, arg == S_START ? s->start : s->end);
}

static void get_size(const void *row, int arg, struct value *v)
{
	const struct stack *s = row;

	if (arg == S_TOUCHED && s->touched_known)
		return value_uint(v, VALUE_SIZE, s->touched);
	if (arg == S_GUARD && s->guard_kind != GUARD_UNKNOWN)
		return value_uint(v, VALUE_SIZE, s->guard);
	if (!stack_is_bounded(s))
		return;
	if (arg == S_SIZE)
		value_uint(v, VALUE_SIZE, s->end - s->start);
	else if (arg == S_USED)
		value_uint(v, VALUE_SIZE, s->end - s->sp);
	else if (arg == S_HEADROOM)
		value_uint(v, VALUE_SIZE, s->sp > s->floor ? s->sp - s->floor : 0);
}

enum {
	T_KIND,
	T_GUARD,
	T_COMM,
	T_NOTE
};

static const char *note_of(const struct stack *s)
{
	if (s->overlaps)
		return "OVERLAPS";
	if (s->kind == STACK_OUTSIDE)
		return "OUTSIDE";
	if (s->guard_kind == GUARD_NONE)
		return "NO GUARD";
	return s->task->flags & TASK_ON_CPU ? "stale SP" : NULL;
}

static void get_text(const void *row, int arg, struct value *v)
{
	const struct stack *s = row;

	switch (arg) {
	case T_KIND:
		return value_str(v, stack_kind_name(s->kind));
	case T_GUARD:
		return value_str(v, stack_guard_name(s->guard_kind));
	case T_COMM:
		return value_str(v, s->task->comm);
	}
	value_str(v, note_of(s));
}

/* An address only where the reader may see it; else the id that stands for it. */
static void get_kernel_base(const void *row, int arg, struct value *v)
{
	const struct task *t = ((const struct stack *)row)->task;

	(void)arg;
	if (t->known & KNOWN_KSTACK)
		value_uint(v, VALUE_ID, t->kernel_stack.base);
}

enum {
	K_SIZE,
	K_USED,
	K_DEEPEST
};

static void get_kernel(const void *row, int arg, struct value *v)
{
	const struct task *t = ((const struct stack *)row)->task;

	if (arg == K_SIZE && t->known & KNOWN_KSTACK)
		value_uint(v, VALUE_SIZE, t->kernel_stack.size);
	else if (arg == K_USED && t->known & KNOWN_KUSED)
		value_uint(v, VALUE_SIZE, t->kernel_stack.used);
	else if (arg == K_DEEPEST && t->known & KNOWN_KDEEPEST)
		value_uint(v, VALUE_SIZE, t->kernel_stack.deepest);
}

static void get_overlaps(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_BOOL, ((const struct stack *)row)->overlaps);
}

static const struct column stack_columns[] = {
	{ "TID", "tid", "thread", 0, COL_RIGHT, get_address, S_TID },
	{ "START", "start", "lowest address of the stack", 0, COL_RIGHT | COL_SPARE(3), get_address,
	  S_START },
	{ "END", "end", "first address above it", 0, COL_RIGHT, get_address, S_END },
	{ "SP", "sp", "stack pointer", 0, COL_RIGHT | COL_SPARE(6), get_address, S_SP },
	{ "SIZE", "size", "of the stack", 0, COL_RIGHT | COL_SPARE(1), get_size, S_SIZE },
	{ "DEPTH", "used", "in use now", 0, COL_RIGHT, get_size, S_USED },
	{ "TOUCHED", "touched", "in memory or swap: ever used", 0, COL_RIGHT, get_size, S_TOUCHED },
	{ "HEADROOM", "headroom", "between pointer and guard, with what it can grow", 0, COL_RIGHT,
	  get_size, S_HEADROOM },
	{ "GUARD", "guard", "size of the guard", 0, COL_RIGHT | COL_SPARE(2), get_size, S_GUARD },
	{ "GUARD-KIND", "guard_kind", "vma, madvise, gap (stack_guard_gap) or none", 0, 0, get_text,
	  T_GUARD },
	{ "STACK", "kind", "main, pthread, sigaltstack, or not on a known stack", 0, 0, get_text,
	  T_KIND },
	{ "KBASE", "kernel_base", "address or id of the kernel stack", 0, COL_RIGHT,
	  get_kernel_base },
	{ "KSIZE", "kernel_size", "kernel stack", 0, COL_RIGHT | COL_SPARE(7), get_kernel, K_SIZE },
	{ "KUSED", "kernel_used", "of it in use", 0, COL_RIGHT | COL_SPARE(4), get_kernel, K_USED },
	{ "KDEEPEST", "kernel_deepest", "of it ever used", 0, COL_RIGHT | COL_EMPTY | COL_SPARE(5),
	  get_kernel, K_DEEPEST },
	{ NULL, "overlaps", "overlaps the stack of another thread", 0, 0, get_overlaps, 0 },
	{ "NOTE", "note", "what is alarming, or why a figure is not sure", 0, COL_EMPTY, get_text,
	  T_NOTE },
	{ "COMM", "comm", "name", 0.1, COL_TRUNC, get_text, T_COMM },
};

static const size_t stack_columns_n = ARRAY_SIZE(stack_columns);

static int print_json(const struct state *st, const struct stack *s, size_t n)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "stacks", "out of memory");
	json_object(j, NULL);
	json_head(j, "stacks", &st->snapshot);
	json_array(j, "stacks");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_columns(j, stack_columns, stack_columns_n, &s[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static int print_table(const struct common *common, const struct stack *s, size_t n)
{
	const char *bad = NULL;
	struct table *t = table_new(stack_columns, stack_columns_n,
				    "TID,START,SP,SIZE,DEPTH,TOUCHED,HEADROOM,GUARD,GUARD-KIND,"
				    "STACK,KSIZE,KUSED,KDEEPEST,NOTE,COMM",
				    &common->view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "stacks", "out of memory");
	for (size_t i = 0; i < n; i++)
		table_add(t, NULL, &s[i]);
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

static int stacks(const struct state *st, const struct common *common, const char *word)
{
	cleanup_free struct stack *s = NULL;
	const struct space *sp;
	const struct task *t;
	size_t n = 0;
	int status = state_task(st, word, &t), err;

	if (status)
		return status;
	sp = state_space(st, t);
	if (!sp && !(t->flags & TASK_KTHREAD) && !task_res_known(t, RES_MM))
		return fail(EXIT_MISSING, word,
			    "its address space is not for you to see: run as its user or as root");
	if (!sp)
		return fail(EXIT_FAILED, word, "has no address space, so no user stack");
	err = atlas_of(st, sp, &s, &n);
	if (err == -EACCES || err == -EPERM)
		return fail(EXIT_MISSING, word,
			    "its mappings are not for you to see: run as its user or as root");
	if (err)
		return fail(EXIT_FAILED, word, "its stacks cannot be read: %s", strerror(-err));
	return common->view.json ? print_json(st, s, n) : print_table(common, s, n);
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct common *common = args;
	struct state st;
	int status = state_init(&st, common, WANT_STACKS | WANT_KERNEL_DEEPEST);

	(void)cmd;
	(void)argc;
	if (status)
		return status;
	status = stacks(&st, common, argv[0]);
	state_deinit(&st);
	return status;
}

const struct command cmd_stacks = {
	.name = "stacks",
	.no_file =
		"reads living stacks: a recorded file holds their pointers alone, see mmlens show",
	.operands = "PID",
	.summary = "every thread's stack: where, how deep, how near its guard",
	.text = "A stack is a thread's own when the C library's descriptor of that thread lies at "
		"its top.\nDEPTH and HEADROOM are exact for a thread that waits.",
	.args_size = sizeof(struct common),
	.columns = stack_columns,
	.n_columns = &stack_columns_n,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
