// SPDX-License-Identifier: GPL-2.0-only
/* mmlens list: the ledger, one row per address space. */
#include <stdlib.h>

#include "analysis/totals.h"
#include "cmd/list.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/spaces.h"
#include "source/source.h"

static void json_sum(struct json *j, const char *key, const struct totals *sums,
		     const struct sum *sum)
{
	uint64_t bytes = totals_bytes(sums, sum);

	if (bytes == MEMORY_UNKNOWN)
		json_null(j, key);
	else
		json_uint(j, key, bytes);
}

static int print_json(const struct state *st, const struct choice *c, const struct totals *sums)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "list", "out of memory");
	json_object(j, NULL);
	json_head(j, "list", &st->snapshot);
	json_array(j, "spaces");
	for (size_t i = 0; i < c->n; i++)
		json_space(j, &st->ledger, c->spaces[i]);
	json_array_end(j);
	json_object(j, "totals");
	json_uint(j, "spaces", sums->spaces);
	json_uint(j, "tasks", sums->tasks);
	json_sum(j, "rss", sums, &sums->rss);
	json_sum(j, "pss", sums, &sums->pss);
	json_sum(j, "claimed", sums, &sums->claimed);
	json_uint(j, "rss_spaces", sums->rss.of);
	json_uint(j, "pss_spaces", sums->pss.of);
	json_object_end(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

/* "1.2G", "1.2G of 3 spaces" where not all are known, "unknown". */
static char *say_sum(char *buf, size_t n, const struct totals *sums, const struct sum *sum)
{
	uint64_t bytes = totals_bytes(sums, sum);
	char size[16];

	if (bytes == MEMORY_UNKNOWN)
		snprintf(buf, n, "unknown");
	else if (sum->of < sums->spaces)
		snprintf(buf, n, "%s of %zu space%s", text_size(size, sizeof(size), bytes), sum->of,
			 text_plural(sum->of));
	else
		text_size(buf, n, bytes);
	return buf;
}

/* How much too much that is, where both sums are of the same spaces. */
static void print_claimed(const struct totals *sums)
{
	char claimed[48];

	printf("Per-pid tools add up to %s",
	       say_sum(claimed, sizeof(claimed), sums, &sums->claimed));
	if (sums->rss.bytes && sums->rss.of == sums->claimed.of)
		printf(", %.1f times as much",
		       (double)sums->claimed.bytes / (double)sums->rss.bytes);
	printf(".\n");
}

static void print_totals(const struct totals *sums)
{
	char rss[48], pss[48];

	printf("\n%zu space%s, %zu task%s: %s resident (%s proportional).\n", sums->spaces,
	       text_plural(sums->spaces), sums->tasks, text_plural(sums->tasks),
	       say_sum(rss, sizeof(rss), sums, &sums->rss),
	       say_sum(pss, sizeof(pss), sums, &sums->pss));
	print_claimed(sums);
}

/* The space that the oldest task of this one was born from; NULL when it is not listed. */
static const struct space *parent_of(const struct state *st, const struct choice *c,
				     const struct space *sp)
{
	const struct task *first = space_member(&st->ledger, sp, 0);
	const struct task *parent = snapshot_find(&st->snapshot, first->ppid);

	for (size_t i = 0; parent && i < c->n; i++)
		if (c->spaces[i] != sp && c->spaces[i]->id == task_space(parent))
			return c->spaces[i];
	return NULL;
}

struct tree {
	const struct state *st;
	const struct choice *c;
	const struct space **parent; /* of each chosen space */
	bool *added;
	struct table *t;
};

/* Each space once, whatever parents a recorded file claims. */
static void add_below(struct tree *tree, struct libscols_line *line, const struct space *above)
{
	for (size_t i = 0; i < tree->c->n; i++) {
		struct space_row row = { &tree->st->ledger, tree->c->spaces[i] };

		if (tree->parent[i] != above || tree->added[i])
			continue;
		tree->added[i] = true;
		add_below(tree, table_add(tree->t, line, &row), row.space);
	}
}

static int add_tree(const struct state *st, const struct choice *c, struct table *t)
{
	cleanup_free const struct space **parent = calloc(c->n + 1, sizeof(*parent));
	cleanup_free bool *added = calloc(c->n + 1, sizeof(*added));
	struct tree tree = { st, c, parent, added, t };

	if (!parent || !added)
		return fail(EXIT_FAILED, "list", "out of memory");
	for (size_t i = 0; i < c->n; i++)
		parent[i] = parent_of(st, c, c->spaces[i]);
	add_below(&tree, NULL, NULL);
	/* circles of parents, which no kernel makes, are cut at their first */
	for (size_t i = 0; i < c->n; i++)
		if (!added[i]) {
			parent[i] = NULL;
			add_below(&tree, NULL, NULL);
		}
	return 0;
}

static int add_flat(const struct state *st, const struct choice *c, struct table *t)
{
	for (size_t i = 0; i < c->n; i++) {
		struct space_row row = { &st->ledger, c->spaces[i] };

		table_add(t, NULL, &row);
	}
	return 0;
}

static int print_table(const struct state *st, const struct list_args *args, const struct choice *c,
		       const struct totals *sums)
{
	const struct view *view = &args->common.view;
	const char *bad = NULL;
	struct table *t = table_new(space_columns, space_columns_n,
				    args->tree ? "TREE,PID,SPACE,TASKS,RSS,PSS,CLAIMED,MEMBERS"
					       : "SPACE,PID,TASKS,RSS,PSS,CLAIMED,MEMBERS,COMM",
				    view, &bad);
	int status;

	if (!t)
		return fail(EXIT_FAILED, "list", "out of memory");
	status = args->tree ? add_tree(st, c, t) : add_flat(st, c, t);
	table_print(t, stdout);
	table_free(t);
	if (!view->raw && !view->noheadings) {
		print_totals(sums);
		state_withheld(stdout, &st->snapshot);
		state_source(&st->snapshot);
	}
	return status;
}

static int list(struct state *st, const struct list_args *args, int argc, char **argv)
{
	struct choice c;
	struct totals sums = { 0 };
	int status = list_choose(st, args, argc, argv, &c);

	for (size_t i = 0; !status && i < c.n; i++)
		totals_add(&sums, c.spaces[i]);
	if (!status)
		status = args->common.view.json ? print_json(st, &c, &sums)
						: print_table(st, args, &c, &sums);
	choice_deinit(&c);
	return status;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct list_args *a = args;
	struct state st;
	int status = state_check_pids(argc, argv);

	(void)cmd;
	if (!status)
		status = list_check(a);
	if (!status)
		/* a recorded uid saves asking again, a container may be a pid namespace */
		status = state_init_tasks(&st, &a->common,
					  WANT_MEMORY | (a->user || a->container ? 0 : WANT_LEAN),
					  argc, argv);
	if (status)
		return status;
	status = list(&st, args, argc, argv);
	state_deinit(&st);
	return status;
}

#define OPT(word, key, arg, member, text)                                               \
	{                                                                               \
		word, key, arg, OPTION_STRING, offsetof(struct list_args, member), text \
	}

static const struct option_def options[] = {
	OPT("comm", 'c', "PATTERN", comm, "spaces with a task of that name (shell pattern)"),
	OPT("user", 'u', "USER", user, "spaces of that user, by name or number"),
	OPT("cgroup", 0, "PATH", cgroup, "spaces in that cgroup and below"),
	OPT("container", 0, "ID", container,
	    "spaces whose cgroup's path holds that id or name, or of that pid namespace"),
	OPT("sort", 's', "KEY", sort, "largest first: rss, pss, claimed, tasks or processes"),
	{ "tree", 't', NULL, OPTION_FLAG, offsetof(struct list_args, tree),
	  "below each space those that were born from it" },
};

const struct command cmd_list = {
	.name = "list",
	.operands = "[PID...]",
	.summary = "every address space once, with its tasks and honest memory",
	.text = "CLAIMED is what tools that count per pid add up to; FACTOR how much too much that "
		"is.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct list_args),
	.columns = space_columns,
	.n_columns = &space_columns_n,
	.max_operands = UINT32_MAX,
	.run = run,
};
