// SPDX-License-Identifier: GPL-2.0-only
/* mmlens list: the ledger, one row per address space. */
#include <stdlib.h>

#include "cmd/state.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/spaces.h"
#include "source/source.h"

struct totals {
	size_t spaces;
	size_t tasks;
	struct memory memory; /* sums of what is known */
};

/* The spaces the operands ask for: all, or those of the named tasks. */
static int choose(struct state *st, int n, char **pids, bool *chosen)
{
	for (int i = 0; i < n; i++) {
		const struct task *t;
		struct space *sp;
		int status = state_task(st, pids[i], &t);

		if (status)
			return status;
		sp = ledger_find(&st->ledger, task_space(t));
		if (!sp)
			return fail(EXIT_FAILED, pids[i], "has no address space: it is a %s",
				    task_kind_name(t->kind));
		chosen[sp - st->ledger.spaces] = true;
	}
	for (size_t i = 0; !n && i < st->ledger.n; i++)
		chosen[i] = true;
	return 0;
}

static void sum(struct totals *sums, const struct space *sp)
{
	sums->spaces++;
	sums->tasks += sp->tasks;
	if (sp->memory.rss == MEMORY_UNKNOWN)
		return;
	sums->memory.rss += sp->memory.rss;
	sums->memory.claimed += sp->memory.claimed;
	sums->memory.pss += sp->memory.pss == MEMORY_UNKNOWN ? 0 : sp->memory.pss;
}

static int print_json(const struct state *st, const bool *chosen, const struct totals *sums)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "list", "out of memory");
	json_object(j, NULL);
	json_head(j, "list", &st->snapshot);
	json_array(j, "spaces");
	for (size_t i = 0; i < st->ledger.n; i++)
		if (chosen[i])
			json_space(j, &st->ledger, &st->ledger.spaces[i]);
	json_array_end(j);
	json_object(j, "totals");
	json_uint(j, "spaces", sums->spaces);
	json_uint(j, "tasks", sums->tasks);
	json_uint(j, "rss", sums->memory.rss);
	json_uint(j, "pss", sums->memory.pss);
	json_uint(j, "claimed", sums->memory.claimed);
	json_object_end(j);
	json_object_end(j);
	return json_close(j) ? fail(EXIT_FAILED, "output", "cannot be written") : EXIT_DONE;
}

static void print_totals(const struct state *st, const struct totals *sums)
{
	char rss[16], pss[16], claimed[16];

	printf("\n%zu spaces, %zu tasks: %s resident (%s proportional); per-pid tools add up to %s."
	       " Source: %s.\n",
	       sums->spaces, sums->tasks, text_size(rss, sizeof(rss), sums->memory.rss),
	       text_size(pss, sizeof(pss), sums->memory.pss),
	       text_size(claimed, sizeof(claimed), sums->memory.claimed), st->snapshot.source);
}

static int print_table(const struct state *st, const struct common *common, const bool *chosen,
		       const struct totals *sums)
{
	const char *bad = NULL;
	struct table *t =
		table_new(space_columns, space_columns_n,
			  "SPACE,PID,TASKS,RSS,PSS,CLAIMED,MEMBERS,COMM", &common->view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "list", "out of memory");
	for (size_t i = 0; i < st->ledger.n; i++) {
		struct space_row row = { &st->ledger, &st->ledger.spaces[i] };

		if (chosen[i])
			table_add(t, NULL, &row);
	}
	table_print(t, stdout);
	table_free(t);
	if (!common->view.raw && !common->view.noheadings)
		print_totals(st, sums);
	return EXIT_DONE;
}

static int list(struct state *st, const struct common *common, int argc, char **argv)
{
	cleanup_free bool *chosen = calloc(st->ledger.n + 1, sizeof(*chosen));
	struct totals sums = { 0 };
	int status;

	if (!chosen)
		return fail(EXIT_FAILED, "list", "out of memory");
	status = choose(st, argc, argv, chosen);
	if (status)
		return status;
	for (size_t i = 0; i < st->ledger.n; i++) {
		if (!chosen[i])
			continue;
		state_memory(st, &st->ledger.spaces[i]);
		sum(&sums, &st->ledger.spaces[i]);
	}
	return common->view.json ? print_json(st, chosen, &sums)
				 : print_table(st, common, chosen, &sums);
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct common *common = args;
	struct state st;
	int status = state_check_pids(argc, argv);

	(void)cmd;
	if (!status)
		status = state_init(&st, common, WANT_MEMORY | WANT_LEAN);
	if (status)
		return status;
	status = list(&st, common, argc, argv);
	state_deinit(&st);
	return status;
}

const struct command cmd_list = {
	.name = "list",
	.operands = "[PID...]",
	.summary = "every address space once, with its tasks and honest memory",
	.text = "CLAIMED is what tools that count per pid add up to; FACTOR how much too much that "
		"is.",
	.args_size = sizeof(struct common),
	.columns = space_columns,
	.n_columns = &space_columns_n,
	.max_operands = UINT32_MAX,
	.run = run,
};
