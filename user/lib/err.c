// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/text.h"

static void complain(const char *what, const char *fmt, va_list ap)
{
	char safe[160];
	char why[512];

	text_escape(safe, sizeof(safe), what);
	vsnprintf(why, sizeof(why), fmt, ap);
	fflush(stdout);
	fprintf(stderr, "mmlens: %s: %s\n", safe, why);
}

int fail(enum exit_status status, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(what, fmt, ap);
	va_end(ap);
	return status;
}

void note(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(what, fmt, ap);
	va_end(ap);
}

enum exit_status status_of(int err)
{
	switch (err) {
	case 0:
		return EXIT_DONE;
	case -EPERM:
	case -EACCES:
	case -ENOENT:
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -EPROTO:
		return EXIT_MISSING;
	default:
		return EXIT_FAILED;
	}
}
