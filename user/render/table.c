// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include <libsmartcols/libsmartcols.h>

#include "lib/cleanup.h"
#include "render/table.h"

#define TABLE_COLUMNS_MAX 96
/* Rows of a stream that are laid out together, and are in memory at a time. */
#define STREAM_ROWS 2048
/* What is left of a column that may be cut should be readable. */
#define CUT_WIDTH 14

struct table {
	struct libscols_table *scols;
	const struct column *shown[TABLE_COLUMNS_MAX];
	size_t n;
	size_t usual; /* so many of them nobody named */
	struct extent {
		size_t widest;
		bool filled;
	} extent[TABLE_COLUMNS_MAX];
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
	t->usual = t->n;
	if (!err && wanted)
		err = table_pick(t, cols, n, wanted + (*wanted == '+'), bad);
	return err;
}

static int scols_flags(unsigned int flags)
{
	return (flags & COL_RIGHT ? SCOLS_FL_RIGHT : 0) | (flags & COL_TRUNC ? SCOLS_FL_TRUNC : 0) |
	       (flags & COL_WRAP ? SCOLS_FL_WRAP : 0) | (flags & COL_TREE ? SCOLS_FL_TREE : 0);
}

static int new_column(struct table *t, const struct column *c)
{
	struct libscols_column *made =
		scols_table_new_column(t->scols, c->name, c->width, scols_flags(c->flags));

	if (!made)
		return -ENOMEM;
	if (!(c->flags & COL_WRAP))
		return 0;
	/* only where wrap_words() has broken a line */
	scols_column_set_safechars(made, "\n");
	return scols_column_set_wrapfunc(made, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					 NULL);
}

static int table_setup(struct table *t, const struct view *view)
{
	int err = 0;

	scols_init_debug(0);
	t->scols = scols_new_table();
	if (!t->scols)
		return -ENOMEM;
	t->bytes = view->bytes || view->raw;
	t->raw = view->raw;
	scols_table_enable_raw(t->scols, view->raw);
	scols_table_enable_noheadings(t->scols, view->noheadings);
	for (size_t i = 0; i < t->n && !err; i++)
		err = new_column(t, t->shown[i]);
	return err;
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

static void measure(struct extent *e, const char *said)
{
	size_t len = strlen(said);

	if (len > e->widest)
		e->widest = len;
	e->filled |= len != 1 || (*said != '-' && *said != '0');
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
		const char *said;

		t->shown[i]->get(row, t->shown[i]->arg, &v);
		said = cell(t, &v, text, sizeof(text));
		measure(&t->extent[i], said);
		if (scols_line_set_data(line, i, said))
			return NULL;
	}
	return line;
}

/* ---- what the terminal has room for ---- */

static size_t width_of(const struct table *t, size_t i)
{
	const struct column *c = t->shown[i];
	size_t name = strlen(c->name), widest = t->extent[i].widest;

	if (c->flags & COL_TRUNC && widest > CUT_WIDTH)
		widest = CUT_WIDTH;
	return widest > name ? widest : name;
}

/* The next one to leave out, t->n: none can be spared. */
static size_t least(const struct table *t, const bool *out)
{
	size_t found = t->n;
	unsigned int rank = 0;

	for (size_t i = 0; i < t->usual; i++) {
		unsigned int flags = t->shown[i]->flags;
		unsigned int own =
			flags & COL_EMPTY && !t->extent[i].filled ? 16 : COL_SPARE_OF(flags);

		if (out[i] || own <= rank)
			continue;
		rank = own;
		found = i;
	}
	return found;
}

/* Breaks the text where a word would end behind `room`; one that is longer keeps a line of its own. */
static void break_lines(char *text, size_t room)
{
	char *line = text, *space = NULL;

	for (char *p = text; *p; p++) {
		if (*p == ' ')
			space = p;
		if ((size_t)(p - line) < room || !space)
			continue;
		*space = '\n';
		line = space + 1;
		space = NULL;
	}
}

/* libsmartcols itself would cut wherever the room ends. */
static void wrap_words(struct table *t, size_t column, size_t room)
{
	for (size_t i = 0; i < scols_table_get_nlines(t->scols); i++) {
		struct libscols_line *line = scols_table_get_line(t->scols, i);
		const char *said = scols_cell_get_data(scols_line_get_cell(line, column));
		char *text = said ? strdup(said) : NULL;

		if (!text)
			continue;
		break_lines(text, room);
		scols_line_refer_data(line, column, text);
	}
}

static void fit_text(struct table *t, size_t need, size_t columns)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t others = need - width_of(t, i) - 1;

		if (t->shown[i]->flags & COL_WRAP && others < columns)
			wrap_words(t, i, columns - others);
	}
}

static void fit(struct table *t, FILE *out)
{
	bool gone[TABLE_COLUMNS_MAX] = { false };
	struct winsize ws;
	size_t need = 0;

	if (t->raw || ioctl(fileno(out), TIOCGWINSZ, &ws) || !ws.ws_col)
		return;
	for (size_t i = 0; i < t->n; i++)
		need += width_of(t, i) + 1;
	fit_text(t, need, ws.ws_col);
	while (need > ws.ws_col + 1u) {
		size_t i = least(t, gone);
		struct libscols_column *c = scols_table_get_column(t->scols, i);

		if (i == t->n)
			return;
		gone[i] = true;
		need -= width_of(t, i) + 1;
		scols_column_set_flags(c, scols_column_get_flags(c) | SCOLS_FL_HIDDEN);
	}
}

int table_print(struct table *t, FILE *out)
{
	int err;

	scols_table_set_stream(t->scols, out);
	fit(t, out);
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
