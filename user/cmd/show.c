// SPDX-License-Identifier: GPL-2.0-only
/* mmlens show: one program whole. */
#include <stdlib.h>

#include "cmd/atlas.h"
#include "cmd/show.h"
#include "lib/cleanup.h"
#include "render/spaces.h"
#include "render/tasks.h"
#include "source/source.h"

struct show_args {
	struct common common;
	bool all;
};

/* A program is everything in the spaces of the named thread groups, and their dead leaders. */
static void pick_group(const struct state *st, uint32_t tgid, bool *task, bool *space)
{
	for (size_t i = 0; i < st->snapshot.n; i++) {
		const struct task *t = &st->snapshot.tasks[i];
		const struct space *sp;

		if (t->key.tgid != tgid)
			continue;
		task[i] = true;
		sp = ledger_find(&st->ledger, task_space(t));
		if (sp)
			space[sp - st->ledger.spaces] = true;
	}
}

static void pick_members(const struct state *st, bool *task, const bool *space)
{
	for (size_t i = 0; i < st->ledger.n; i++)
		for (size_t m = 0; space[i] && m < st->ledger.spaces[i].tasks; m++)
			task[st->ledger.spaces[i].members[m]] = true;
}

static int choose(const struct state *st, int n, char **pids, struct program *p)
{
	for (int i = 0; i < n; i++) {
		const struct task *t;
		int status = state_task(st, pids[i], &t);

		if (status)
			return status;
		pick_group(st, t->key.tgid, p->task, p->space);
	}
	pick_members(st, p->task, p->space);
	return 0;
}

static void json_program(struct json *j, const struct state *st, const struct program *p)
{
	json_array(j, "tasks");
	for (size_t i = 0; i < st->snapshot.n; i++)
		if (p->task[i])
			json_task(j, NULL, &st->snapshot.tasks[i]);
	json_array_end(j);
	json_array(j, "spaces");
	for (size_t i = 0; i < st->ledger.n; i++)
		if (p->space[i])
			json_space(j, &st->ledger, &st->ledger.spaces[i]);
	json_array_end(j);
}

static int print_json(const struct state *st, const struct program *p)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "show", "out of memory");
	json_object(j, NULL);
	json_head(j, "show", &st->snapshot);
	json_program(j, st, p);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

/* What only the mappings and pages of the space tell; without the right to them it stays unknown. */
static void find_stacks(struct state *st, const struct space *sp)
{
	struct stack *s;
	size_t n;

	if (atlas_of(st, sp, &s, &n))
		return;
	atlas_apply(st, s, n);
	free(s);
}

static int show(struct state *st, const struct show_args *args, int argc, char **argv)
{
	cleanup_free bool *task = calloc(st->snapshot.n + 1, sizeof(*task));
	cleanup_free bool *space = calloc(st->ledger.n + 1, sizeof(*space));
	struct program p = { task, space, args->all };
	int status;

	if (!task || !space)
		return fail(EXIT_FAILED, "show", "out of memory");
	status = choose(st, argc, argv, &p);
	if (status)
		return status;
	for (size_t i = 0; i < st->ledger.n; i++)
		if (space[i]) {
			state_memory(st, &st->ledger.spaces[i]);
			/* a snapshot of the past has no living stacks */
			if (!args->common.from)
				find_stacks(st, &st->ledger.spaces[i]);
		}
	return args->common.view.json ? print_json(st, &p) : show_text(st, &args->common, &p);
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct show_args *a = args;
	struct state st;
	int status = state_check_pids(argc, argv);

	(void)cmd;
	if (!status)
		status = state_init_tasks(&st, &a->common, WANT_STACKS, argc, argv);
	if (status)
		return status;
	status = show(&st, a, argc, argv);
	state_deinit(&st);
	return status;
}

static const struct option_def options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct show_args, all),
	  "list each task, however many there are" },
};

const struct command cmd_show = {
	.name = "show",
	.operands = "PID...",
	.summary = "one program whole: space, members, stacks, resources, switches",
	.text = "A tid shows the program that the thread belongs to.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct show_args),
	.columns = task_columns,
	.n_columns = &task_columns_n,
	.min_operands = 1,
	.max_operands = UINT32_MAX,
	.run = run,
};
