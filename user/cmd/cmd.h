/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command: its words, its options as a table, and the function that does it. `main()` finds it
 * in the table of commands, parses the options into a zeroed block of `args_size` bytes whose first
 * member is `struct common`, and runs it. The return value is the exit status.
 */
#ifndef MMLENS_CMD_CMD_H
#define MMLENS_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "render/table.h"

/* What every command takes. */
struct common {
	struct view view;
	const char *source; /* "auto", "module", "bpf", "procfs" */
	const char *from;   /* a recorded file instead, or NULL */
	bool list_columns;
};

enum option_type {
	OPTION_FLAG,	/* bool */
	OPTION_STRING,	/* const char * */
	OPTION_U32,	/* uint32_t, decimal */
	OPTION_SECONDS, /* uint64_t ns, from decimal seconds */
	OPTION_LIST,	/* struct strings: may be given more than once */
};

#define STRINGS_MAX 256

struct strings {
	size_t n;
	const char *s[STRINGS_MAX];
};

struct option_def {
	const char *name;
	char letter;	 /* 0: long form only */
	const char *arg; /* NULL: takes none */
	enum option_type type;
	size_t at; /* offset in the command's block */
	const char *help;
};

struct command {
	const char *name;
	const char *operands; /* for the usage line */
	const char *summary;  /* one line */
	const char *text;     /* more for --help, or NULL */
	const struct option_def *options;
	size_t n_options;
	size_t args_size;
	const struct column *columns; /* for --list-columns and the check of -o, or NULL */
	const size_t *n_columns;
	unsigned int min_operands;
	unsigned int max_operands; /* beyond it the command line is wrong */
	const char *no_file;	   /* why --from is refused, or NULL */
	bool takes_command;	   /* operands behind "--" are a command to run */
	int (*run)(const struct command *cmd, void *args, int argc, char **argv);
};

extern const struct command cmd_list, cmd_show, cmd_compare, cmd_prove, cmd_stat, cmd_trace;
extern const struct command cmd_record, cmd_report, cmd_doctor, cmd_channels, cmd_pages, cmd_stacks;

/* NULL-terminated, in the order of the help. */
extern const struct command *const commands[];

/*
 * Parses argv (argv[0] is the command's name) into `args`, defaults included. Returns -1 when the
 * command shall run, with the operands left at argv + *first, else the exit status: the line
 * about bad usage, --help or --list-columns has been printed.
 */
int options_parse(const struct command *cmd, void *args, int argc, char **argv, int *first);
void command_help(const struct command *cmd);

#endif
