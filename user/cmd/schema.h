/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The JSON of every command as a JSON Schema: `mmlens --json-schema`. A document is described by
 * the column tables that print its rows and, for what no column prints, by tables of members.
 */
#ifndef MMLENS_CMD_SCHEMA_H
#define MMLENS_CMD_SCHEMA_H

#include "cmd/cmd.h"

enum shape_type {
	SHAPE_ANY,    /* any scalar */
	SHAPE_UINT,   /* a whole number, 0 or more */
	SHAPE_NUMBER, /* a number */
	SHAPE_STR,
	SHAPE_BOOL,
	SHAPE_OBJECT,
	SHAPE_MAP,  /* an object whose keys are data; the values are strings */
	SHAPE_LIST, /* an array of objects */
	SHAPE_UINTS,
	SHAPE_STRS,
	SHAPE_NR
};

enum shape_flag {
	SHAPE_NULL = 1u << 0,	  /* null when not known */
	SHAPE_OPTIONAL = 1u << 1, /* absent when it makes no sense */
	SHAPE_PARTIAL = 1u << 2,  /* its columns are optional, each */
	SHAPE_OPEN = 1u << 3,	  /* of rows whose columns are told elsewhere */
};

struct shape {
	const char *key; /* NULL ends a table */
	enum shape_type type;
	unsigned int flags;
	const char *help;
	const struct shape *members; /* of an object or of each in a list, or NULL */
	const struct column *cols;   /* the same, as a table prints them */
	const size_t *n_cols;
	const struct command *of;   /* the same: the columns of a command */
	const char *(*word)(int n); /* the words a string may be, NULL behind the last */
};

/* A document; a command may print one of several. */
struct document {
	const char *name;   /* key in $defs */
	const char *schema; /* value of its member "schema", NULL when it has no head */
	const char *help;
	const struct shape *members;
};

extern const struct document documents[];
extern const size_t documents_n;

int schema_print(FILE *out);

#endif
