// SPDX-License-Identifier: GPL-2.0-only
/* mmlens compare: two tasks, resource by resource. */
#include "analysis/verdict.h"
#include "cmd/pagecount.h"
#include "cmd/state.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/regions.h"
#include "render/tasks.h"
#include "source/kcmpids.h"
#include "source/source.h"

struct pair {
	const struct task *a;
	const struct task *b;
	enum resource res;
};

static void get_name(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, resource_name(((const struct pair *)row)->res));
}

static void get_share(const void *row, int arg, struct value *v)
{
	const struct pair *p = row;

	(void)arg;
	value_str(v, share_name(resource_share(p->a, p->b, p->res)));
}

enum {
	SIDE_A,
	SIDE_B
};

static void get_id(const void *row, int arg, struct value *v)
{
	const struct pair *p = row;
	const struct task *t = arg == SIDE_A ? p->a : p->b;

	if (task_res_known(t, p->res))
		value_resource(v, p->res, t->res[p->res]);
}

static const struct column compare_columns[] = {
	{ "RESOURCE", "name", "what may be shared", 0, 0, get_name, 0, VALUE_STR },
	{ "STATE", "state", "shared, separate, both-none or unknown", 0, 0, get_share, 0,
	  VALUE_STR },
	{ "A", "a", "id of the first task's", 0, COL_RIGHT, get_id, SIDE_A, VALUE_ID },
	{ "B", "b", "id of the second task's", 0, COL_RIGHT, get_id, SIDE_B, VALUE_ID },
};

static const size_t compare_columns_n = ARRAY_SIZE(compare_columns);

struct compare_args {
	struct common common;
	bool verbose;
};

/* The evidence in the pages; false when there is none to be had. */
static bool evidence(const struct state *st, const struct task *a, const struct task *b,
		     struct page_counts *out)
{
	struct pagecount pc = { .a = a->key.tid, .b = b->key.tid };
	int err;

	/* who has these pids today is another matter */
	if (st->snapshot.recorded)
		return false;
	pc.one_space = kcmp_system(pc.a, pc.b, RES_MM) == 0;
	frames_init(&pc.frames);
	err = pagecount_run(&pc);
	frames_deinit(&pc.frames);
	*out = pc.totals;
	return !err;
}

static void print_evidence(const struct state *st, const struct task *a, const struct task *b)
{
	uint64_t page = (uint64_t)getpagesize();
	struct page_counts c;
	char same[16], different[16], absent[16];

	if (!evidence(st, a, b, &c) || !c.frames)
		return;
	printf("Pages at the same virtual address: %s in the same frame, %s in different frames, "
	       "%s absent in at least one.\n",
	       text_size(same, sizeof(same), c.same * page),
	       text_size(different, sizeof(different), c.different * page),
	       text_size(absent, sizeof(absent), c.absent * page));
}

static int print_json(const struct state *st, const struct task *a, const struct task *b)
{
	struct json *j = json_open(stdout, false);
	struct page_counts pages;
	char sentence[256];

	if (!j)
		return fail(EXIT_FAILED, "compare", "out of memory");
	json_object(j, NULL);
	json_head(j, "compare", &st->snapshot);
	json_task(j, "a", a);
	json_task(j, "b", b);
	json_str(j, "verdict", verdict_name(verdict_of(a, b)));
	json_str(j, "sentence", verdict_sentence(sentence, sizeof(sentence), a, b));
	json_array(j, "resources");
	for (int r = 0; r < RES_NR; r++) {
		struct pair row = { a, b, r };

		json_object(j, NULL);
		json_columns(j, compare_columns, compare_columns_n, &row);
		json_object_end(j);
	}
	json_array_end(j);
	if (evidence(st, a, b, &pages))
		json_page_counts(j, "pages", &pages, (uint32_t)getpagesize());
	else
		json_null(j, "pages");
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

/* What is unknown may be so for want of a right. */
static void print_withheld(const struct state *st, const struct task *a, const struct task *b)
{
	int r = 0;

	while (r < RES_NR && resource_share(a, b, r) != SHARE_UNKNOWN)
		r++;
	if (r < RES_NR)
		state_withheld(stdout, &st->snapshot);
}

static int print_table(const struct state *st, const struct compare_args *args,
		       const struct task *a, const struct task *b)
{
	const char *defaults = args->verbose ? "RESOURCE,STATE,A,B" : "RESOURCE,STATE";
	const char *bad = NULL;
	struct table *t =
		table_new(compare_columns, compare_columns_n, defaults, &args->common.view, &bad);
	char sentence[256];

	if (!t)
		return fail(EXIT_FAILED, "compare", "out of memory");
	if (!args->common.view.raw)
		printf("%s.\n\n", verdict_sentence(sentence, sizeof(sentence), a, b));
	for (int r = 0; r < RES_NR; r++) {
		struct pair row = { a, b, r };

		table_add(t, NULL, &row);
	}
	table_print(t, stdout);
	table_free(t);
	if (args->common.view.raw)
		return EXIT_DONE;
	printf("\n");
	print_evidence(st, a, b);
	print_withheld(st, a, b);
	state_source(&st->snapshot);
	return EXIT_DONE;
}

static int compare(const struct state *st, const struct compare_args *args, char **argv)
{
	const struct task *a, *b;
	int status = state_task(st, argv[0], &a);

	if (!status)
		status = state_task(st, argv[1], &b);
	if (status)
		return status;
	return args->common.view.json ? print_json(st, a, b) : print_table(st, args, a, b);
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct compare_args *a = args;
	/* an id that is shown must be the same in other commands, and a kind needs all tasks */
	const unsigned int want = a->common.view.json ? WANT_OTHERS_BRIEF
				  : a->verbose	      ? WANT_NO_OTHERS | WANT_LASTING_IDS
						      : WANT_NO_OTHERS;
	struct state st;
	int status = state_check_pids(2, argv);

	(void)cmd;
	if (!status)
		status = state_init_tasks(&st, &a->common, want, argc, argv);
	if (status)
		return status;
	status = compare(&st, args, argv);
	state_deinit(&st);
	return status;
}

static const struct option_def options[] = {
	{ "verbose", 'v', NULL, OPTION_FLAG, offsetof(struct compare_args, verbose),
	  "show the ids that were compared" },
};

const struct command cmd_compare = {
	.name = "compare",
	.operands = "TASK TASK",
	.summary = "what two tasks share, resource by resource, and the verdict",
	.text = "A task is the pid of a process or the tid of a thread.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct compare_args),
	.columns = compare_columns,
	.n_columns = &compare_columns_n,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
