// SPDX-License-Identifier: GPL-2.0-only
/* mmlens: see what tasks really share, and what every switch between them costs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/schema.h"
#include "lib/cleanup.h"

#ifndef MMLENS_VERSION
#define MMLENS_VERSION "0"
#endif

const struct command *const commands[] = {
	/* clang-format off */
	&cmd_list,
	&cmd_show,
	&cmd_compare,
	&cmd_pages,
	&cmd_stacks,
	&cmd_stat,
	&cmd_trace,
	&cmd_prove,
	&cmd_channels,
	&cmd_record,
	&cmd_report,
	&cmd_doctor,
	NULL,
	/* clang-format on */
};

static int help(void)
{
	printf("usage: mmlens COMMAND [options] ...\n\n"
	       "See what tasks really share, and what every switch between them costs.\n\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n`mmlens COMMAND --help` tells more; `mmlens --json-schema` describes all JSON, "
	       "`mmlens --version` the program.\n");
	return EXIT_DONE;
}

static int version(void)
{
	printf("mmlens %s\n", MMLENS_VERSION);
	return EXIT_DONE;
}

static int schema(void)
{
	return schema_print(stdout);
}

static const struct {
	const char *word;
	int (*run)(void);
} words[] = {
	{ "--help", help },	  { "-h", help },    { "help", help },
	{ "--version", version }, { "-V", version }, { "--json-schema", schema },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* What could not be written was not done. */
static int told(int status)
{
	if (fflush(stdout) && status == EXIT_DONE)
		return fail(EXIT_FAILED, "output", "cannot be written: %m");
	return status;
}

static int command_run(const struct command *cmd, int argc, char **argv)
{
	cleanup_free void *args = calloc(1, cmd->args_size);
	int first = 0;
	int status;

	if (!args)
		return fail(EXIT_FAILED, cmd->name, "out of memory");
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--version") == 0)
			return version();
	status = options_parse(cmd, args, argc, argv, &first);
	if (status < 0)
		status = cmd->run(cmd, args, argc - first, argv + first);
	return told(status);
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	/* a closed pipe ends the program quietly, as it does cat(1) */
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2)
		return fail(EXIT_USAGE, "command",
			    "none is given; usage: mmlens COMMAND, see mmlens --help");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(argv[1], words[i].word) == 0)
			return told(words[i].run());
	cmd = command_find(argv[1]);
	if (!cmd)
		return fail(EXIT_USAGE, argv[1], "no such command; see mmlens --help");
	return command_run(cmd, argc - 1, argv + 1);
}
