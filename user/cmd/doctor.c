// SPDX-License-Identifier: GPL-2.0-only
/* mmlens doctor: what is available here, why not, and whether the witnesses agree. */
#include <string.h>

#include "analysis/crosscheck.h"
#include "analysis/reach.h"
#include "cmd/state.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/probe.h"

#define WITNESSES_MAX 8
/* What changes while it is looked at is looked at again; a quiet system needs one round. */
#define ROUNDS 4
/* a line is ended behind this column: the longest fact still fits into 80 */
#define REACH_WIDTH 54

struct doctor_args {
	struct common common;
	struct strings against;
};

struct feature {
	const char *name;
	bool state;
	struct why why;
};

struct diagnosis {
	struct feature features[32];
	size_t n_features;
	struct state witness[WITNESSES_MAX];
	size_t n_witnesses;
	struct findings findings;
};

static void get_name(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct feature *)row)->name);
}

static void get_state(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct feature *)row)->state ? "yes" : "no");
}

static void get_why(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct feature *)row)->why.text);
}

static const struct column feature_columns[] = {
	{ "FEATURE", "name", "what was tried", 0, 0, get_name },
	{ "STATE", "state", "yes or no", 0, 0, get_state },
	{ "WHY", "why", "what it gives, or why not and how to get it", 0.5, COL_WRAP, get_why },
};

static const size_t feature_columns_n = ARRAY_SIZE(feature_columns);

static void find_features(struct diagnosis *d)
{
	for (size_t i = 0; i < probes_n && i < ARRAY_SIZE(d->features); i++) {
		struct feature *f = &d->features[d->n_features++];

		f->name = probes[i].name;
		f->state = probes[i].run(&f->why);
	}
}

static void dismiss(struct diagnosis *d)
{
	while (d->n_witnesses)
		state_deinit(&d->witness[--d->n_witnesses]);
}

static int call(struct diagnosis *d, const struct common *how)
{
	struct state *st = &d->witness[d->n_witnesses];
	int status;

	if (d->n_witnesses == WITNESSES_MAX)
		return fail(EXIT_USAGE, "--against", "no more than %d witnesses", WITNESSES_MAX);
	status = state_init(st, how, WANT_STACKS);
	d->n_witnesses += !status;
	return status;
}

static bool serves(const struct diagnosis *d, const char *name)
{
	for (size_t i = 0; i < d->n_features; i++)
		if (strcmp(d->features[i].name, name) == 0)
			return d->features[i].state;
	return false;
}

/* Who is named with --source must serve, and is asked alone. */
static bool is_called(const struct diagnosis *d, const struct common *common, const char *name)
{
	return strcmp(common->source, "auto") == 0 ? serves(d, name)
						   : strcmp(common->source, name) == 0;
}

/* The living sources, or the file of --from; then the files of --against. */
static int call_all(struct diagnosis *d, const struct doctor_args *args)
{
	static const char *const living[] = { "module", "bpf", "procfs" };
	struct common how = args->common;
	int status = how.from ? call(d, &how) : 0;

	for (size_t i = 0; !status && !args->common.from && i < ARRAY_SIZE(living); i++) {
		how.source = living[i];
		if (is_called(d, &args->common, living[i]))
			status = call(d, &how);
	}
	for (size_t i = 0; !status && i < args->against.n; i++) {
		how.from = args->against.s[i];
		status = call(d, &how);
	}
	return status;
}

static int compare_all(const struct diagnosis *d, struct findings *f)
{
	int err = 0;

	for (size_t a = 0; a < d->n_witnesses; a++)
		for (size_t b = a + 1; b < d->n_witnesses && !err; b++)
			err = crosscheck(&d->witness[a].snapshot, &d->witness[b].snapshot, f);
	return err ? fail(EXIT_FAILED, "doctor", "out of memory") : 0;
}

/* The first living witness once more: what it tells differently now was not standing still. */
static int forgive_changes(const struct diagnosis *d, const struct doctor_args *args,
			   struct findings *f)
{
	const struct snapshot *before = &d->witness[0].snapshot;
	struct common how = args->common;
	struct state after;
	int status, err;

	if (before->recorded || !f->n)
		return 0;
	how.source = before->source;
	status = state_init(&after, &how, WANT_STACKS);
	if (status)
		return status;
	err = findings_drop_changed(f, before, &after.snapshot);
	state_deinit(&after);
	return err ? fail(EXIT_FAILED, "doctor", "out of memory") : 0;
}

static int one_round(struct diagnosis *d, const struct doctor_args *args, struct findings *f)
{
	int status;

	dismiss(d);
	status = call_all(d, args);
	if (!status)
		status = compare_all(d, f);
	return status ? status : forgive_changes(d, args, f);
}

/* Only what every round found is a disagreement: the rest changed between two looks. */
static int examine(struct diagnosis *d, const struct doctor_args *args)
{
	int status = one_round(d, args, &d->findings);

	for (int i = 1; !status && d->findings.n && i < ROUNDS; i++) {
		struct findings again = { 0 };

		status = one_round(d, args, &again);
		findings_keep_common(&d->findings, &again);
		findings_deinit(&again);
	}
	return status;
}

static void json_disagreement(struct json *j, const struct disagreement *d)
{
	json_object(j, NULL);
	json_object(j, "task");
	json_uint(j, "tgid", d->key.tgid);
	json_uint(j, "tid", d->key.tid);
	json_uint(j, "start_ns", d->key.start_ns);
	json_str(j, "comm", d->comm);
	json_object_end(j);
	json_str(j, "field", d->field);
	json_object(j, "values");
	for (int i = 0; i < 2; i++)
		if (!i || strcmp(d->by[0], d->by[1]) != 0)
			json_str(j, d->by[i], d->value[i]);
		else
			json_str(j, "against", d->value[i]);
	json_object_end(j);
	json_object_end(j);
}

/* Of how many tasks each fact was known, of those that can have it. */
static void json_reach(struct json *j, const struct snapshot *s)
{
	struct reach r[REACH_MAX];
	size_t n = reach_of(s, r);

	json_object(j, "reach");
	for (size_t i = 0; i < n; i++) {
		json_object(j, r[i].fact);
		json_uint(j, "known", r[i].known);
		json_uint(j, "asked", r[i].asked);
		json_object_end(j);
	}
	json_object_end(j);
}

static void json_witnesses(struct json *j, const struct diagnosis *d)
{
	json_array(j, "witnesses");
	for (size_t i = 0; i < d->n_witnesses; i++) {
		const struct snapshot *s = &d->witness[i].snapshot;

		json_object(j, NULL);
		json_str(j, "source", s->source);
		json_uint(j, "tasks", s->n);
		if (s->withheld == WITHHELD_UNKNOWN)
			json_null(j, "withheld");
		else
			json_uint(j, "withheld", s->withheld);
		json_uint(j, "raced", s->raced);
		json_reach(j, s);
		json_object_end(j);
	}
	json_array_end(j);
}

static int print_json(const struct diagnosis *d)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "doctor", "out of memory");
	json_object(j, NULL);
	json_head(j, "doctor", &d->witness[0].snapshot);
	json_array(j, "features");
	for (size_t i = 0; i < d->n_features; i++) {
		json_object(j, NULL);
		json_columns(j, feature_columns, feature_columns_n, &d->features[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_witnesses(j, d);
	json_uint(j, "compared", d->findings.compared);
	json_uint(j, "changed", d->findings.changed);
	json_array(j, "disagreements");
	for (size_t i = 0; i < d->findings.n; i++)
		json_disagreement(j, &d->findings.d[i]);
	json_array_end(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static void print_reach(const struct snapshot *s)
{
	struct reach r[REACH_MAX];
	size_t n = reach_of(s, r);
	int at = 0;

	for (size_t i = 0; i < n; i++) {
		if (!r[i].asked || r[i].known == r[i].asked)
			continue;
		if (at > REACH_WIDTH)
			at = printf(",\n   ") - 2;
		else
			at += printf("%s", at ? "," : "  cannot tell:");
		at += printf(" %s", r[i].fact);
		if (r[i].known)
			at += printf(" (of %zu)", r[i].asked - r[i].known);
	}
	printf("%s", at ? "\n" : "");
}

static void print_witness(const struct snapshot *s)
{
	printf("%s saw %zu task%s (", s->source, s->n, text_plural(s->n));
	if (s->withheld == WITHHELD_UNKNOWN)
		printf("more are withheld");
	else
		printf("%llu withheld", (unsigned long long)s->withheld);
	printf(", %llu raced).\n", (unsigned long long)s->raced);
	print_reach(s);
	if (s->withheld)
		printf("  withheld: %s\n", s->withheld_why);
}

static void print_findings(const struct diagnosis *d)
{
	char comm[80], a[160], b[160];

	printf("\n");
	for (size_t i = 0; i < d->n_witnesses; i++)
		print_witness(&d->witness[i].snapshot);
	if (d->n_witnesses < 2)
		printf("There is one witness only: nothing to hold it against.\n");
	else
		printf("Held against each other, %zu disagreement%s.\n", d->findings.n,
		       text_plural(d->findings.n));
	if (d->findings.changed)
		printf("%zu difference%s in tasks that changed meanwhile: not judged.\n",
		       d->findings.changed, text_plural(d->findings.changed));
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct disagreement *x = &d->findings.d[i];

		printf("  %u (%s): %s: %s says %s, %s says %s\n", x->key.tid,
		       text_escape(comm, sizeof(comm), x->comm), x->field, x->by[0],
		       text_escape(a, sizeof(a), x->value[0]), x->by[1],
		       text_escape(b, sizeof(b), x->value[1]));
	}
}

static int print_text(const struct diagnosis *d, const struct common *common)
{
	const char *bad = NULL;
	struct table *t = table_new(feature_columns, feature_columns_n, "FEATURE,STATE,WHY",
				    &common->view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "doctor", "out of memory");
	for (size_t i = 0; i < d->n_features; i++)
		table_add(t, NULL, &d->features[i]);
	table_print(t, stdout);
	table_free(t);
	if (!common->view.raw)
		print_findings(d);
	return EXIT_DONE;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct doctor_args *a = args;
	struct diagnosis d = { .n_features = 0 };
	int status;

	(void)cmd;
	(void)argc;
	(void)argv;
	find_features(&d);
	status = examine(&d, a);
	if (!status)
		status = a->common.view.json ? print_json(&d) : print_text(&d, &a->common);
	if (!status && d.findings.n)
		status = EXIT_FAILED;
	dismiss(&d);
	findings_deinit(&d.findings);
	return status;
}

static const struct option_def options[] = {
	{ "against", 0, "FILE", OPTION_LIST, offsetof(struct doctor_args, against),
	  "hold a recorded file against the other witnesses too" },
};

const struct command cmd_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "what is available here, why not, and whether the witnesses agree",
	.text = "Exits with 1 when witnesses disagree about a task in every one of four looks.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct doctor_args),
	.columns = feature_columns,
	.n_columns = &feature_columns_n,
	.max_operands = 0,
	.run = run,
};
