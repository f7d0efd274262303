// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/source.h"

#define OPTIONS_MAX 64
/* getopt_long() values of options: above every letter */
#define OPTION_BASE 256
#define OPTION_HELP 1000

static const struct option_def common_options[] = {
	{ "json", 'J', NULL, OPTION_FLAG, offsetof(struct common, view.json),
	  "print JSON, complete, for programs" },
	{ "output", 'o', "COLUMNS", OPTION_STRING, offsetof(struct common, view.columns),
	  "columns to print; +COLUMNS adds to the usual ones" },
	{ "list-columns", 0, NULL, OPTION_FLAG, offsetof(struct common, list_columns),
	  "name the columns and what they mean" },
	{ "raw", 'r', NULL, OPTION_FLAG, offsetof(struct common, view.raw),
	  "plain values with one space between, for scripts" },
	{ "noheadings", 'n', NULL, OPTION_FLAG, offsetof(struct common, view.noheadings),
	  "no heading line" },
	{ "bytes", 'b', NULL, OPTION_FLAG, offsetof(struct common, view.bytes),
	  "exact numbers instead of 1.5M and 3.2us" },
	{ "source", 0, "SOURCE", OPTION_STRING, offsetof(struct common, source),
	  "who is asked: auto, module, bpf or procfs" },
	{ "from", 0, "FILE", OPTION_STRING, offsetof(struct common, from),
	  "the state in a file of mmlens record instead of the living one" },
};

struct parser {
	const struct command *cmd;
	const struct option_def *defs[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 2];
	char shorts[3 * OPTIONS_MAX + 4];
	size_t n;
};

static void parser_add(struct parser *p, const struct option_def *defs, size_t n)
{
	char *s = p->shorts + strlen(p->shorts);

	for (size_t i = 0; i < n && p->n < OPTIONS_MAX; i++) {
		const struct option_def *d = &defs[i];

		p->longs[p->n] = (struct option){ d->name, d->arg ? required_argument : no_argument,
						  NULL, OPTION_BASE + (int)p->n };
		if (d->letter) {
			*s++ = d->letter;
			if (d->arg)
				*s++ = ':';
		}
		p->defs[p->n++] = d;
	}
	*s = '\0';
}

static void parser_init(struct parser *p, const struct command *cmd)
{
	memset(p, 0, sizeof(*p));
	p->cmd = cmd;
	/* '+': operands end the options, so that a command's own options stay its own;
	 * ':': report a missing argument as such */
	strcpy(p->shorts, cmd->takes_command ? "+:h" : ":h");
	parser_add(p, cmd->options, cmd->n_options);
	parser_add(p, common_options, ARRAY_SIZE(common_options));
	p->longs[p->n] = (struct option){ "help", no_argument, NULL, OPTION_HELP };
}

static const struct option_def *parser_find(const struct parser *p, int c)
{
	if (c >= OPTION_BASE)
		return p->defs[c - OPTION_BASE];
	for (size_t i = 0; i < p->n; i++)
		if (p->defs[i]->letter == c)
			return p->defs[i];
	return NULL;
}

static int bad_argument(const struct option_def *d, const char *arg, const char *why)
{
	return fail(EXIT_USAGE, arg, "--%s takes %s", d->name, why);
}

static int store(const struct option_def *d, void *args, const char *arg)
{
	void *at = (char *)args + d->at;
	struct strings *list = at;
	uint64_t v;

	switch (d->type) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_STRING:
		*(const char **)at = arg;
		return 0;
	case OPTION_U32:
		if (parse_u64(arg, UINT32_MAX, &v))
			return bad_argument(d, arg, "a whole number");
		*(uint32_t *)at = (uint32_t)v;
		return 0;
	case OPTION_SECONDS:
		if (parse_seconds(arg, at))
			return bad_argument(d, arg, "seconds, more than 0");
		return 0;
	case OPTION_LIST:
		if (list->n == STRINGS_MAX)
			return bad_argument(d, arg, "no more of these");
		list->s[list->n++] = arg;
		return 0;
	}
	return 0;
}

static int complain(const struct command *cmd, int c, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };

	if (optopt && optopt < OPTION_BASE)
		word = letter;
	return fail(EXIT_USAGE, word, "%s; see mmlens %s --help",
		    c == ':' ? "needs an argument" : "no such option", cmd->name);
}

static int parse_all(struct parser *p, void *args, int argc, char **argv)
{
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, p->shorts, p->longs, NULL)) != -1) {
		int status;

		if (c == '?' || c == ':')
			return complain(p->cmd, c, argv);
		if (c == 'h' || c == OPTION_HELP) {
			command_help(p->cmd);
			return EXIT_DONE;
		}
		status = store(parser_find(p, c), args, optarg);
		if (status)
			return status;
	}
	return -1;
}

static int check_columns(const struct command *cmd, const struct common *common)
{
	struct table *t;
	const char *bad = "";

	if (!common->view.columns)
		return -1;
	if (!cmd->columns)
		return fail(EXIT_USAGE, common->view.columns, "%s has no columns to choose",
			    cmd->name);
	t = table_new(cmd->columns, *cmd->n_columns, "", &common->view, &bad);
	if (!t && errno == EINVAL)
		return fail(EXIT_USAGE, bad, "no such column; see mmlens %s --list-columns",
			    cmd->name);
	table_free(t);
	return -1;
}

static int check_operands(const struct command *cmd, int n, char **operands)
{
	if ((unsigned int)n < cmd->min_operands)
		return fail(EXIT_USAGE, cmd->name, "takes %s; see mmlens %s --help", cmd->operands,
			    cmd->name);
	if ((unsigned int)n > cmd->max_operands)
		return fail(EXIT_USAGE, operands[cmd->max_operands],
			    "unexpected; see mmlens %s --help", cmd->name);
	return -1;
}

static int check(const struct command *cmd, struct common *common, int n, char **operands)
{
	int status;

	if (strcmp(common->source, "auto") != 0 && !source_by_name(common->source))
		return fail(EXIT_USAGE, common->source,
			    "no such source; there are auto, module, bpf and procfs");
	if (common->from && cmd->no_file)
		return fail(EXIT_USAGE, "--from", "%s %s", cmd->name, cmd->no_file);
	if (common->list_columns && !cmd->columns)
		return fail(EXIT_USAGE, "--list-columns", "%s has no columns", cmd->name);
	if (common->list_columns) {
		columns_describe(cmd->columns, *cmd->n_columns, stdout);
		return EXIT_DONE;
	}
	status = check_columns(cmd, common);
	return status >= 0 ? status : check_operands(cmd, n, operands);
}

int options_parse(const struct command *cmd, void *args, int argc, char **argv, int *first)
{
	struct common *common = args;
	struct parser p;
	int status;

	parser_init(&p, cmd);
	common->source = "auto";
	status = parse_all(&p, args, argc, argv);
	if (status >= 0)
		return status;
	*first = optind;
	return check(cmd, common, argc - optind, argv + optind);
}

static void help_options(const struct option_def *defs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct option_def *d = &defs[i];
		char word[48];

		snprintf(word, sizeof(word), "%s%s%s", d->name, d->arg ? " " : "",
			 d->arg ? d->arg : "");
		if (d->letter)
			printf("  -%c, --%-20s %s\n", d->letter, word, d->help);
		else
			printf("      --%-20s %s\n", word, d->help);
	}
}

void command_help(const struct command *cmd)
{
	printf("usage: mmlens %s [options]%s%s\n\n%s\n", cmd->name, *cmd->operands ? " " : "",
	       cmd->operands, cmd->summary);
	if (cmd->text)
		printf("\n%s\n", cmd->text);
	if (cmd->n_options) {
		printf("\nOptions:\n");
		help_options(cmd->options, cmd->n_options);
	}
	printf("\nCommon options:\n");
	help_options(common_options, ARRAY_SIZE(common_options));
	printf("  -h, --%-20s %s\n", "help", "this text");
}
