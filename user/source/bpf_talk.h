/* SPDX-License-Identifier: GPL-2.0-only */
/* What the system calls of tasks with a given name carried, counted in the kernel. */
#ifndef MMLENS_SOURCE_BPF_TALK_H
#define MMLENS_SOURCE_BPF_TALK_H

#include "source/source.h"

/* Only tasks whose name begins so are counted. */
#define TALK_NAME_PREFIX "talk:"

struct talk {
	uint64_t calls;	 /* but for those that failed, read the clock or set the name */
	uint64_t copied; /* bytes of messages that calls copied into the kernel or out of it */
	uint64_t whole;	 /* calls that carried one message of fixed size: signals */
};

struct talk_session;

/* -errno with its reason, or 0. */
int talk_open(struct talk_session **out, struct why *why);
/* Sums over all tasks that had the name. */
int talk_read(const struct talk_session *ts, const char *comm, struct talk *out);
void talk_close(struct talk_session *ts);

#endif
