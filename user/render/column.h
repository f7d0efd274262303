/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One description of a row for every view: the name is the column of tables and of -o, the key is
 * the JSON key ("a.b" nests), and one getter serves both. A renderer is given rows; it opens no
 * file and reads no option of its own.
 */
#ifndef MMLENS_RENDER_COLUMN_H
#define MMLENS_RENDER_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
	VALUE_NULL,  /* not known: "-" in tables, null in JSON */
	VALUE_UINT,  /* a plain number */
	VALUE_COUNT, /* a number that people read: thousands are set apart */
	VALUE_ID,    /* opaque: a string in JSON; 0 is null */
	VALUE_SIZE,  /* bytes */
	VALUE_NS,
	VALUE_ADDR, /* hex in tables, a number in JSON */
	VALUE_REAL,
	VALUE_BOOL,
	VALUE_STR, /* borrowed, raw: the renderer escapes it */
};

struct value {
	enum value_type type;
	union {
		uint64_t u;
		double real;
		const char *str;
	};
	char room[64]; /* where a getter may build `str` */
};

enum column_flag {
	COL_RIGHT = 1u << 0, /* right-aligned */
	COL_TRUNC = 1u << 1, /* may be cut when the terminal is narrow */
	COL_WRAP = 1u << 2,
	COL_TREE = 1u << 3,
	COL_EMPTY = 1u << 4, /* left out where the terminal is narrow and no row fills it */
};

/* Left out where the terminal is still too narrow: rank 1 to 15, the highest first. */
#define COL_SPARE(rank)	    ((unsigned int)(rank) << 8)
#define COL_SPARE_OF(flags) ((flags) >> 8 & 15u)

struct column {
	const char *name; /* NULL: JSON alone */
	const char *key;  /* NULL: tables alone */
	const char *help;
	double width; /* as scols: below 1 a share of the terminal, else characters; 0 = auto */
	unsigned int flags;
	void (*get)(const void *row, int arg, struct value *v);
	int arg;	      /* for getters that serve several columns */
	enum value_type type; /* of its values, for the schema; VALUE_NULL: any */
};

static inline void value_uint(struct value *v, enum value_type type, uint64_t u)
{
	v->type = type;
	v->u = u;
}

static inline void value_str(struct value *v, const char *s)
{
	v->type = s ? VALUE_STR : VALUE_NULL;
	v->str = s;
}

/* The column of that name, `len` long, in whatever case; NULL if there is none. */
const struct column *column_find(const struct column *cols, size_t n, const char *name, size_t len);

/* The text of a value for a table: escaped, with units; `bytes` prints sizes and times exactly. */
char *value_text(char *buf, size_t n, const struct value *v, bool bytes);

#endif
