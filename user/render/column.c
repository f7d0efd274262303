// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"
#include "render/column.h"

const struct column *column_find(const struct column *cols, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (cols[i].name && strncasecmp(cols[i].name, name, len) == 0 && !cols[i].name[len])
			return &cols[i];
	return NULL;
}

static char *plain(char *buf, size_t n, const char *fmt, uint64_t u)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(buf, n, fmt, u);
#pragma GCC diagnostic pop
	return buf;
}

char *value_text(char *buf, size_t n, const struct value *v, bool bytes)
{
	switch (v->type) {
	case VALUE_NULL:
		return plain(buf, n, "-", 0);
	case VALUE_ID:
		return plain(buf, n, v->u ? "%" PRIx64 : "-", v->u);
	case VALUE_ADDR:
		return plain(buf, n, "%" PRIx64, v->u);
	case VALUE_SIZE:
		return bytes ? plain(buf, n, "%" PRIu64, v->u) : text_size(buf, n, v->u);
	case VALUE_NS:
		return bytes ? plain(buf, n, "%" PRIu64, v->u) : text_ns(buf, n, v->u);
	case VALUE_COUNT:
		return bytes ? plain(buf, n, "%" PRIu64, v->u) : text_count(buf, n, v->u);
	case VALUE_BOOL:
		return plain(buf, n, v->u ? "yes" : "no", 0);
	case VALUE_REAL:
		snprintf(buf, n, "%.2f", v->real);
		return buf;
	case VALUE_STR:
		return text_escape(buf, n, v->str);
	case VALUE_UINT:
		break;
	}
	return plain(buf, n, "%" PRIu64, v->u);
}
