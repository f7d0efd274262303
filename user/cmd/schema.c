// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <string.h>

#include "cmd/schema.h"
#include "cmd/state.h"
#include "lib/cleanup.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

static void print_members(struct json *j, const struct shape *members, const struct shape *holder);

static const char *const words[] = {
	[SHAPE_ANY] = NULL,	[SHAPE_UINT] = "integer", [SHAPE_NUMBER] = "number",
	[SHAPE_STR] = "string", [SHAPE_BOOL] = "boolean", [SHAPE_OBJECT] = "object",
	[SHAPE_MAP] = "object", [SHAPE_LIST] = "array",	  [SHAPE_UINTS] = "array",
	[SHAPE_STRS] = "array",
};

static_assert(ARRAY_SIZE(words) == SHAPE_NR, "every type has its word");

/* What a column's value is in JSON. */
static enum shape_type column_shape(const struct column *c)
{
	switch (c->type) {
	case VALUE_UINT:
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_NS:
	case VALUE_ADDR:
		return SHAPE_UINT;
	case VALUE_REAL:
		return SHAPE_NUMBER;
	case VALUE_BOOL:
		return SHAPE_BOOL;
	case VALUE_ID:
	case VALUE_STR:
		return SHAPE_STR;
	case VALUE_NULL:
		break;
	}
	return SHAPE_ANY;
}

static void print_type(struct json *j, enum shape_type type, bool null)
{
	if (type == SHAPE_ANY) {
		json_array(j, "type");
		for (int t = SHAPE_NUMBER; t <= SHAPE_BOOL; t++)
			json_str(j, NULL, words[t]);
	} else if (null) {
		json_array(j, "type");
		json_str(j, NULL, words[type]);
	} else {
		json_str(j, "type", words[type]);
		return;
	}
	json_str(j, NULL, "null");
	json_array_end(j);
}

static void print_words(struct json *j, const struct shape *s)
{
	json_array(j, "enum");
	for (int n = 0; s->word(n); n++)
		json_str(j, NULL, s->word(n));
	if (s->flags & SHAPE_NULL)
		json_null(j, NULL);
	json_array_end(j);
}

static void print_items(struct json *j, const struct shape *s)
{
	json_object(j, "items");
	if (s->type == SHAPE_LIST) {
		json_str(j, "type", "object");
		print_members(j, s->members, s);
	} else {
		json_str(j, "type", s->type == SHAPE_UINTS ? "integer" : "string");
	}
	json_object_end(j);
}

static void print_shape(struct json *j, const struct shape *s)
{
	json_object(j, s->key);
	print_type(j, s->type, s->flags & SHAPE_NULL);
	json_str(j, "description", s->help);
	if (s->type == SHAPE_UINT)
		json_uint(j, "minimum", 0);
	if (s->word)
		print_words(j, s);
	switch (s->type) {
	case SHAPE_OBJECT:
		print_members(j, s->members, s);
		break;
	case SHAPE_MAP:
		json_object(j, "additionalProperties");
		print_type(j, SHAPE_STR, true);
		json_object_end(j);
		break;
	case SHAPE_LIST:
	case SHAPE_UINTS:
	case SHAPE_STRS:
		print_items(j, s);
		break;
	default:
		break;
	}
	json_object_end(j);
}

/* ---- columns: "a.b" is the member b of an object a, and such stand together ---- */

struct columns {
	const struct column *c;
	size_t n;
};

static struct columns columns_of(const struct shape *s)
{
	if (s && s->of)
		return (struct columns){ s->of->columns, *s->of->n_columns };
	if (s && s->cols)
		return (struct columns){ s->cols, *s->n_cols };
	return (struct columns){ NULL, 0 };
}

static size_t group_len(const struct column *c)
{
	const char *dot = c->key ? strchr(c->key, '.') : NULL;

	return dot ? (size_t)(dot - c->key) : 0;
}

static bool same_group(const struct column *a, const struct column *b)
{
	size_t n = group_len(a);

	return n && n == group_len(b) && strncmp(a->key, b->key, n) == 0;
}

static void print_column(struct json *j, const struct column *c)
{
	size_t n = group_len(c);

	json_object(j, c->key + n + !!n);
	/* any value may be unknown to some witness */
	print_type(j, column_shape(c), true);
	json_str(j, "description", c->help);
	json_object_end(j);
}

static void require_columns(struct json *j, struct columns all)
{
	for (size_t i = 0; i < all.n; i++) {
		const struct column *c = &all.c[i];
		char key[48];

		if (!c->key || (i && same_group(c, c - 1)))
			continue;
		snprintf(key, sizeof(key), "%.*s", group_len(c) ? (int)group_len(c) : 47, c->key);
		json_str(j, NULL, key);
	}
}

/* The columns from `c` that are members of one object; how many. */
static size_t print_group(struct json *j, const struct column *c, size_t left)
{
	char key[48];
	size_t n = 0;

	snprintf(key, sizeof(key), "%.*s", (int)group_len(c), c->key);
	json_object(j, key);
	json_str(j, "type", "object");
	json_object(j, "properties");
	while (n < left && same_group(c, c + n))
		print_column(j, c + n++);
	json_object_end(j);
	json_array(j, "required");
	for (size_t i = 0; i < n; i++)
		json_str(j, NULL, c[i].key + group_len(c) + 1);
	json_array_end(j);
	json_object_end(j);
	return n;
}

static void print_columns(struct json *j, struct columns all)
{
	for (size_t i = 0; i < all.n;) {
		const struct column *c = &all.c[i];

		if (group_len(c)) {
			i += print_group(j, c, all.n - i);
			continue;
		}
		if (c->key)
			print_column(j, c);
		i++;
	}
}

/* ---- objects ---- */

static const struct shape none[] = { { 0 } };

static void print_members(struct json *j, const struct shape *members, const struct shape *holder)
{
	struct columns cols = columns_of(holder);

	members = members ? members : none;
	json_object(j, "properties");
	print_columns(j, cols);
	for (const struct shape *s = members; s->key; s++)
		print_shape(j, s);
	json_object_end(j);
	json_array(j, "required");
	if (holder && !(holder->flags & SHAPE_PARTIAL))
		require_columns(j, cols);
	for (const struct shape *s = members; s->key; s++)
		if (!(s->flags & SHAPE_OPTIONAL))
			json_str(j, NULL, s->key);
	json_array_end(j);
}

static const struct shape head[] = {
	{ "source", SHAPE_STR, 0, "who was asked: module, bpf or procfs" },
	{ "boot_id", SHAPE_STR, SHAPE_NULL, "the boot that ids and times belong to" },
	{ "withheld", SHAPE_UINT, SHAPE_NULL, "tasks that the reader may not see" },
	{ "withheld_why", SHAPE_STR, SHAPE_NULL, "why, and which right would show them" },
	{ "raced", SHAPE_UINT, 0, "tasks that vanished or changed while being read" },
	{ 0 },
};

static void print_document(struct json *j, const struct document *d)
{
	json_object(j, d->name);
	json_str(j, "description", d->help);
	json_str(j, "type", "object");
	if (d->schema) {
		json_array(j, "allOf");
		json_object(j, NULL);
		json_str(j, "$ref", "#/$defs/head");
		json_object_end(j);
		json_object(j, NULL);
		json_object(j, "properties");
		json_object(j, "schema");
		json_str(j, "const", d->schema);
		json_object_end(j);
		json_object_end(j);
		json_object_end(j);
		json_array_end(j);
	}
	print_members(j, d->members, NULL);
	json_object_end(j);
}

static void print_head(struct json *j)
{
	static const struct shape schema[] = {
		{ "schema", SHAPE_STR, 0, "mmlens.COMMAND/1: what the document is" },
	};

	json_object(j, "head");
	json_str(j, "description", "what every document begins with");
	json_str(j, "type", "object");
	json_object(j, "properties");
	print_shape(j, &schema[0]);
	for (const struct shape *s = head; s->key; s++)
		print_shape(j, s);
	json_object_end(j);
	json_array(j, "required");
	json_str(j, NULL, schema[0].key);
	for (const struct shape *s = head; s->key; s++)
		json_str(j, NULL, s->key);
	json_array_end(j);
	json_object_end(j);
}

static void print_defs(struct json *j)
{
	json_object(j, "$defs");
	print_head(j);
	for (size_t i = 0; i < documents_n; i++)
		print_document(j, &documents[i]);
	json_object_end(j);
}

int schema_print(FILE *out)
{
	struct json *j = json_open(out, false);
	char ref[64];

	if (!j)
		return fail(EXIT_FAILED, "schema", "out of memory");
	json_object(j, NULL);
	json_str(j, "$schema", DIALECT);
	json_str(j, "title", "what mmlens COMMAND --json prints");
	json_str(j, "description",
		 "Ids are strings, times nanoseconds, sizes bytes; null is what the source cannot "
		 "know. Members may be added; none changes its meaning.");
	json_array(j, "anyOf");
	for (size_t i = 0; i < documents_n; i++) {
		snprintf(ref, sizeof(ref), "#/$defs/%s", documents[i].name);
		json_object(j, NULL);
		json_str(j, "$ref", ref);
		json_object_end(j);
	}
	json_array_end(j);
	print_defs(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}
