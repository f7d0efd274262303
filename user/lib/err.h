/* SPDX-License-Identifier: GPL-2.0-only */
/* How the program ends and complains: one line, by the layer that knows what the user wanted. */
#ifndef MMLENS_LIB_ERR_H
#define MMLENS_LIB_ERR_H

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,  /* the thing asked for failed or was not found */
	EXIT_USAGE = 2,	  /* the command line is wrong */
	EXIT_MISSING = 3, /* a privilege or kernel feature is missing; the message says which */
};

/*
 * "mmlens: what: why" on stderr. `what` comes from the user or from the system and is escaped;
 * returns `status`, so that a caller can `return fail(EXIT_FAILED, pid, "no such task")`.
 */
__attribute__((format(printf, 3, 4))) int fail(enum exit_status status, const char *what,
					       const char *fmt, ...);
/* The same line for something that is told and survived. */
__attribute__((format(printf, 2, 3))) void note(const char *what, const char *fmt, ...);

/* The exit status that an -errno of a source stands for. */
enum exit_status status_of(int err);

#endif
