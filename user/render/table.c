// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "lib/cleanup.h"
#include "render/table.h"

#define TABLE_COLUMNS_MAX 96
/* Rows of a stream that are laid out together, and are in memory at a time. */
#define STREAM_ROWS 2048

struct table {
	struct libscols_table *scols;
	const struct column *shown[TABLE_COLUMNS_MAX];
	size_t n;
	bool bytes;
	bool raw; /* libsmartcols escapes by itself whatever is not printable ASCII */
	FILE *stream;
	size_t rows; /* of the stream, not yet printed */
};

static int table_pick(struct table *t, const struct column *cols, size_t n, const char *list,
		      const char **bad)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		const struct column *c = column_find(cols, n, list, len);

		if (!c || t->n == TABLE_COLUMNS_MAX) {
			*bad = list;
			return -EINVAL;
		}
		t->shown[t->n++] = c;
		list += len;
		list += *list == ',';
	}
	return 0;
}

static int table_choose(struct table *t, const struct column *cols, size_t n, const char *defaults,
			const char *wanted, const char **bad)
{
	int err = 0;

	if (!wanted || *wanted == '+')
		err = table_pick(t, cols, n, defaults, bad);
	if (!err && wanted)
		err = table_pick(t, cols, n, wanted + (*wanted == '+'), bad);
	return err;
}

static int scols_flags(unsigned int flags)
{
	return (flags & COL_RIGHT ? SCOLS_FL_RIGHT : 0) | (flags & COL_TRUNC ? SCOLS_FL_TRUNC : 0) |
	       (flags & COL_WRAP ? SCOLS_FL_WRAP : 0) | (flags & COL_TREE ? SCOLS_FL_TREE : 0);
}

static int table_setup(struct table *t, const struct view *view)
{
	scols_init_debug(0);
	t->scols = scols_new_table();
	if (!t->scols)
		return -ENOMEM;
	t->bytes = view->bytes || view->raw;
	t->raw = view->raw;
	scols_table_enable_raw(t->scols, view->raw);
	scols_table_enable_noheadings(t->scols, view->noheadings);
	for (size_t i = 0; i < t->n; i++)
		if (!scols_table_new_column(t->scols, t->shown[i]->name, t->shown[i]->width,
					    scols_flags(t->shown[i]->flags)))
			return -ENOMEM;
	return 0;
}

struct table *table_new(const struct column *cols, size_t n, const char *defaults,
			const struct view *view, const char **bad)
{
	struct table *t = calloc(1, sizeof(*t));
	int err = t ? table_choose(t, cols, n, defaults, view->columns, bad) : -ENOMEM;

	if (!err)
		err = table_setup(t, view);
	if (!err)
		return t;
	table_free(t);
	errno = -err;
	return NULL;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	scols_unref_table(t->scols);
	free(t);
}

static const char *cell(const struct table *t, const struct value *v, char *buf, size_t n)
{
	if (t->raw && v->type == VALUE_STR)
		return v->str;
	return value_text(buf, n, v, t->bytes);
}

void table_stream(struct table *t, FILE *out)
{
	t->stream = out;
}

/* No column becomes narrower than it was, so that the parts of a stream stand below each other. */
static void keep_widths(struct table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct libscols_column *c = scols_table_get_column(t->scols, i);

		if (scols_column_get_width(c) > 1)
			scols_column_set_whint(c, (double)scols_column_get_width(c));
	}
}

static void print_part(struct table *t)
{
	table_print(t, t->stream);
	keep_widths(t);
	scols_table_enable_noheadings(t->scols, 1);
}

struct libscols_line *table_add(struct table *t, struct libscols_line *parent, const void *row)
{
	struct libscols_line *line;

	if (t->stream && t->rows++ == STREAM_ROWS) {
		print_part(t);
		t->rows = 1;
	}
	line = scols_table_new_line(t->scols, parent);
	for (size_t i = 0; line && i < t->n; i++) {
		struct value v = { .type = VALUE_NULL };
		char text[1024];

		t->shown[i]->get(row, t->shown[i]->arg, &v);
		if (scols_line_set_data(line, i, cell(t, &v, text, sizeof(text))))
			return NULL;
	}
	return line;
}

int table_print(struct table *t, FILE *out)
{
	int err;

	scols_table_set_stream(t->scols, out);
	err = scols_print_table(t->scols);
	scols_table_remove_lines(t->scols);
	return err;
}

int table_rows(const struct column *cols, size_t n_cols, const char *shown, const struct view *view,
	       const void *rows, size_t n, size_t size, FILE *out)
{
	struct view own = *view;
	const char *bad = NULL;
	struct table *t;
	int err;

	own.columns = NULL;
	t = table_new(cols, n_cols, shown, &own, &bad);
	if (!t)
		return -errno;
	for (size_t i = 0; i < n; i++)
		table_add(t, NULL, (const char *)rows + i * size);
	err = table_print(t, out);
	table_free(t);
	return err;
}

void columns_describe(const struct column *cols, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++)
		if (cols[i].name)
			fprintf(out, "%-14s %s\n", cols[i].name, cols[i].help);
}
