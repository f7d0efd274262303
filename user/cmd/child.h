/* SPDX-License-Identifier: GPL-2.0-only */
/* A command that is born stopped, so that it can be watched from its very first instruction. */
#ifndef MMLENS_CMD_CHILD_H
#define MMLENS_CMD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int go;	    /* written to let it run */
	int failed; /* has errno if the exec failed */
	int status; /* of the command itself, as wait(2) has it */
};

/* Forks the child, which waits. -errno or 0. */
int child_init(struct child *c, char **argv);
/* Lets it exec; -errno of the exec, or 0. */
int child_go(struct child *c);
/* Reaps what has ended; true once the command and all that came of it are gone. */
bool child_gone(struct child *c);
/* Ends a child that still runs. */
void child_deinit(struct child *c);

#endif
