/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON as it is produced, on yajl: memory does not grow with the document. A key is NULL inside
 * arrays. Writing errors are kept and returned by json_close().
 */
#ifndef MMLENS_RENDER_JSON_H
#define MMLENS_RENDER_JSON_H

#include <stdio.h>

#include "render/column.h"

struct json;

/* `lines`: one compact object a line (NDJSON) instead of one indented document. */
struct json *json_open(FILE *out, bool lines);
int json_close(struct json *j);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

void json_null(struct json *j, const char *key);
void json_uint(struct json *j, const char *key, uint64_t v);
void json_real(struct json *j, const char *key, double v);
void json_bool(struct json *j, const char *key, bool v);
void json_str(struct json *j, const char *key, const char *s); /* NULL becomes null */
void json_id(struct json *j, const char *key, uint64_t id);    /* 0 becomes null */
void json_value(struct json *j, const char *key, const struct value *v);

/* The members of the open object that a column table describes, dotted keys as nested objects. */
void json_columns(struct json *j, const struct column *cols, size_t n, const void *row);
/* An array of such objects from `n` rows of `size` bytes each. */
void json_rows(struct json *j, const char *key, const struct column *cols, size_t n_cols,
	       const void *rows, size_t n, size_t size);

#endif
