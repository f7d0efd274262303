// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/text.h"

static bool continues(const unsigned char *s, int n)
{
	for (int i = 1; i <= n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* Length of the well-formed, printable UTF-8 sequence at `s`, 0 if there is none (Unicode 3.9). */
static int utf8_len(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '\\';
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		/* U+0080 to U+009F are control characters too */
		return continues(s, 1) && !(s[0] == 0xc2 && s[1] < 0xa0) ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		bool overlong = s[0] == 0xe0 && s[1] < 0xa0;
		bool surrogate = s[0] == 0xed && s[1] > 0x9f;
		/* bidirectional controls and separators reorder what the reader sees */
		bool reorders = s[0] == 0xe2 && ((s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) ||
						 (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));

		return continues(s, 2) && !overlong && !surrogate && !reorders ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		bool overlong = s[0] == 0xf0 && s[1] < 0x90;
		bool beyond = s[0] == 0xf4 && s[1] > 0x8f;

		return continues(s, 3) && !overlong && !beyond ? 4 : 0;
	}
	return 0;
}

static char *escape(char *buf, size_t n, const char *str, int (*keep)(const unsigned char *),
		    bool octal)
{
	const unsigned char *s = (const unsigned char *)str;
	size_t used = 0;

	if (!n)
		return buf;
	while (*s) {
		int len = keep(s);
		size_t need = len ? (size_t)len : 4;

		if (used + need >= n)
			break;
		if (len)
			memcpy(buf + used, s, len);
		else
			snprintf(buf + used, 5, octal ? "\\%03o" : "\\x%02x", *s);
		used += need;
		s += len ? len : 1;
	}
	buf[used] = '\0';
	return buf;
}

/* As utf8_len(), but for what ASCII has: JSON can write all of it. */
static int utf8_or_control(const unsigned char *s)
{
	return s[0] < 0x80 ? 1 : utf8_len(s);
}

char *text_escape(char *buf, size_t n, const char *s)
{
	return escape(buf, n, s, utf8_len, true);
}

char *text_utf8(char *buf, size_t n, const char *s)
{
	return escape(buf, n, s, utf8_or_control, false);
}

/* Three significant digits, the unit behind. */
static char *scaled(char *buf, size_t n, double v, const char *unit)
{
	int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

	snprintf(buf, n, "%.*f%s", decimals, v, unit);
	return buf;
}

char *text_size(char *buf, size_t n, uint64_t bytes)
{
	static const char *const units[] = { "B", "K", "M", "G", "T", "P", "E" };
	double v = bytes;
	size_t u = 0;

	while (v >= 1023.5 && u + 1 < ARRAY_SIZE(units)) {
		v /= 1024;
		u++;
	}
	snprintf(buf, n, "%.*f%s", u && v < 99.95 ? 1 : 0, v, units[u]);
	return buf;
}

char *text_ns(char *buf, size_t n, uint64_t ns)
{
	if (ns < 1000)
		snprintf(buf, n, "%uns", (unsigned int)ns);
	else if (ns < 999500)
		scaled(buf, n, ns / 1e3, "us");
	else if (ns < 999500000)
		scaled(buf, n, ns / 1e6, "ms");
	else
		scaled(buf, n, ns / 1e9, "s");
	return buf;
}

char *text_signed_ns(char *buf, size_t n, double ns)
{
	if (n < 2)
		return buf;
	buf[0] = ns < 0 ? '-' : '+';
	text_ns(buf + 1, n - 1, (uint64_t)(ns < 0 ? -ns : ns));
	return buf;
}

char *text_count(char *buf, size_t n, uint64_t value)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	size_t used = 0;

	for (int i = 0; i < len && used + 2 < n; i++) {
		if (i && (len - i) % 3 == 0)
			buf[used++] = ',';
		buf[used++] = digits[i];
	}
	if (n)
		buf[used] = '\0';
	return buf;
}

const char *text_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

int parse_u64(const char *s, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int parse_seconds(const char *s, uint64_t *ns)
{
	double v;
	char *end;

	if (!isdigit((unsigned char)*s) && *s != '.')
		return -EINVAL;
	v = strtod(s, &end);
	if (end == s || *end || !isfinite(v))
		return -EINVAL;
	if (v <= 0 || v > 1e9)
		return -ERANGE;
	*ns = (uint64_t)(v * 1e9);
	return *ns ? 0 : -ERANGE;
}
