/* SPDX-License-Identifier: GPL-2.0-only */
/* Scope guards: what is acquired in a scope is released when the scope is left. */
#ifndef MMLENS_LIB_CLEANUP_H
#define MMLENS_LIB_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_p(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void cleanup_closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define cleanup(fn)	 __attribute__((__cleanup__(fn)))
#define cleanup_free	 cleanup(cleanup_free_p)
#define cleanup_close	 cleanup(cleanup_close_p)
#define cleanup_fclose	 cleanup(cleanup_fclose_p)
#define cleanup_closedir cleanup(cleanup_closedir_p)

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))

#endif
