/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and names as people read them. All functions end the string and never overrun `n`. */
#ifndef MMLENS_LIB_TEXT_H
#define MMLENS_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies `s` so that it cannot break a line, a terminal or UTF-8: control characters, invalid
 * UTF-8 and backslashes become \NNN in octal, as ls and /proc/mounts have it. (libsmartcols would
 * escape the backslash of a \xNN once more.) Returns `buf`.
 */
char *text_escape(char *buf, size_t n, const char *s);

/* Only what is not UTF-8 becomes \xNN: for JSON, which escapes control characters itself. */
char *text_utf8(char *buf, size_t n, const char *s);

/* "512B", "1.5K", "63.9M", "2.0G": bytes in powers of 1024. */
char *text_size(char *buf, size_t n, uint64_t bytes);
/* "310ns", "1.25us", "18.0ms", "2.50s". */
char *text_ns(char *buf, size_t n, uint64_t ns);
/* A difference, as "+2.44ms" or "-310ns". */
char *text_signed_ns(char *buf, size_t n, double ns);
/* "412,332" */
char *text_count(char *buf, size_t n, uint64_t value);

/* The letter that makes a word of so many: "%zu task%s", n, text_plural(n) */
const char *text_plural(uint64_t n);

/* Strict decimal: the whole string, no sign, no space, at most `max`. -EINVAL or -ERANGE. */
int parse_u64(const char *s, uint64_t max, uint64_t *out);
/* Decimal seconds with an optional fraction, into ns; more than 0. */
int parse_seconds(const char *s, uint64_t *ns);

#endif
