// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "lib/text.h"
#include "render/json.h"

/* yajl hands over a few bytes at a time, a stream takes its lock for each. */
#define OUT_BYTES (64u << 10)

struct json {
	yajl_gen gen;
	FILE *out;
	bool lines;
	int depth;
	int err;
	size_t n;
	char buf[OUT_BYTES];
};

static void flush(struct json *j)
{
	if (fwrite(j->buf, 1, j->n, j->out) != j->n)
		j->err = -errno;
	j->n = 0;
}

static void write_out(void *ctx, const char *s, size_t n)
{
	struct json *j = ctx;

	while (n) {
		size_t part = n < OUT_BYTES - j->n ? n : OUT_BYTES - j->n;

		memcpy(j->buf + j->n, s, part);
		j->n += part;
		s += part;
		n -= part;
		if (j->n == OUT_BYTES)
			flush(j);
	}
}

struct json *json_open(FILE *out, bool lines)
{
	struct json *j = malloc(sizeof(*j));

	if (!j)
		return NULL;
	/* nothing of the buffer is touched that is not filled */
	memset(j, 0, offsetof(struct json, buf));
	j->gen = yajl_gen_alloc(NULL);
	if (!j->gen) {
		free(j);
		return NULL;
	}
	j->out = out;
	j->lines = lines;
	yajl_gen_config(j->gen, yajl_gen_print_callback, write_out, j);
	yajl_gen_config(j->gen, yajl_gen_beautify, !lines);
	yajl_gen_config(j->gen, yajl_gen_indent_string, "  ");
	return j;
}

int json_close(struct json *j)
{
	int err;

	flush(j);
	err = j->err;
	yajl_gen_free(j->gen);
	if (fflush(j->out))
		err = -errno;
	free(j);
	return err;
}

static void keep(struct json *j, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok && status != yajl_gen_generation_complete && !j->err)
		j->err = -EINVAL;
}

static void string(struct json *j, const char *s)
{
	keep(j, yajl_gen_string(j->gen, (const unsigned char *)s, strlen(s)));
}

static void member(struct json *j, const char *key)
{
	if (key)
		string(j, key);
}

void json_object(struct json *j, const char *key)
{
	member(j, key);
	keep(j, yajl_gen_map_open(j->gen));
	j->depth++;
}

void json_object_end(struct json *j)
{
	keep(j, yajl_gen_map_close(j->gen));
	if (--j->depth || !j->lines)
		return;
	/* yajl takes one document a generator; each line is one */
	yajl_gen_reset(j->gen, "");
	write_out(j, "\n", 1);
	flush(j);
}

void json_array(struct json *j, const char *key)
{
	member(j, key);
	keep(j, yajl_gen_array_open(j->gen));
	j->depth++;
}

void json_array_end(struct json *j)
{
	keep(j, yajl_gen_array_close(j->gen));
	j->depth--;
}

void json_null(struct json *j, const char *key)
{
	member(j, key);
	keep(j, yajl_gen_null(j->gen));
}

/* yajl's integers are signed; an address of the upper half is not. */
void json_uint(struct json *j, const char *key, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	member(j, key);
	keep(j, yajl_gen_number(j->gen, digits + at, sizeof(digits) - at));
}

void json_real(struct json *j, const char *key, double v)
{
	char digits[40];
	int n = snprintf(digits, sizeof(digits), "%.6g", v);

	member(j, key);
	if (isfinite(v))
		keep(j, yajl_gen_number(j->gen, digits, n));
	else
		keep(j, yajl_gen_null(j->gen));
}

void json_bool(struct json *j, const char *key, bool v)
{
	member(j, key);
	keep(j, yajl_gen_bool(j->gen, v));
}

void json_str(struct json *j, const char *key, const char *s)
{
	size_t room = s ? 4 * strlen(s) + 1 : 0;
	char small[512];
	char *buf = room <= sizeof(small) ? small : malloc(room);

	member(j, key);
	if (s && buf)
		string(j, text_utf8(buf, room, s));
	else
		keep(j, yajl_gen_null(j->gen));
	if (buf != small)
		free(buf);
}

void json_id(struct json *j, const char *key, uint64_t id)
{
	char hex[24];

	snprintf(hex, sizeof(hex), "%" PRIx64, id);
	json_str(j, key, id ? hex : NULL);
}

void json_value(struct json *j, const char *key, const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		return json_null(j, key);
	case VALUE_ID:
		return json_id(j, key, v->u);
	case VALUE_REAL:
		return json_real(j, key, v->real);
	case VALUE_BOOL:
		return json_bool(j, key, v->u);
	case VALUE_STR:
		return json_str(j, key, v->str);
	case VALUE_UINT:
	case VALUE_COUNT:
	case VALUE_SIZE:
	case VALUE_NS:
	case VALUE_ADDR:
		break;
	}
	json_uint(j, key, v->u);
}

void json_columns(struct json *j, const struct column *cols, size_t n, const void *row)
{
	char group[32] = "";

	for (size_t i = 0; i < n; i++) {
		const char *key = cols[i].key;
		const char *dot = key ? strchr(key, '.') : NULL;
		size_t len = dot ? (size_t)(dot - key) : 0;
		struct value v = { .type = VALUE_NULL };

		if (!key)
			continue;
		if (strlen(group) != len || strncmp(group, key, len)) {
			if (*group)
				json_object_end(j);
			snprintf(group, sizeof(group), "%.*s", (int)len, key);
			if (*group)
				json_object(j, group);
		}
		cols[i].get(row, cols[i].arg, &v);
		json_value(j, dot ? dot + 1 : key, &v);
	}
	if (*group)
		json_object_end(j);
}

void json_rows(struct json *j, const char *key, const struct column *cols, size_t n_cols,
	       const void *rows, size_t n, size_t size)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_columns(j, cols, n_cols, (const char *)rows + i * size);
		json_object_end(j);
	}
	json_array_end(j);
}
