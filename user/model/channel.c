// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "model/channel.h"

struct endpoint *endpoints_add(struct endpoints *es)
{
	struct endpoint *e;

	if (es->n == es->room) {
		size_t room = es->room ? 2 * es->room : 256;
		struct endpoint *more = realloc(es->e, room * sizeof(*more));

		if (!more)
			return NULL;
		es->e = more;
		es->room = room;
	}
	e = &es->e[es->n++];
	memset(e, 0, sizeof(*e));
	e->fd = -1;
	return e;
}

void endpoints_deinit(struct endpoints *es)
{
	free(es->e);
	memset(es, 0, sizeof(*es));
}

const char *channel_type_name(enum channel_type type)
{
	static const char *const names[CHANNEL_NR] = {
		[CHANNEL_PIPE] = "pipe",
		[CHANNEL_FIFO] = "fifo",
		[CHANNEL_UNIX] = "unix",
		[CHANNEL_TCP] = "tcp",
		[CHANNEL_SYSV_QUEUE] = "sysv-queue",
		[CHANNEL_POSIX_QUEUE] = "posix-queue",
		[CHANNEL_SYSV_SHM] = "sysv-shm",
		[CHANNEL_POSIX_SHM] = "posix-shm",
		[CHANNEL_MEMFD] = "memfd",
		[CHANNEL_ANON_SHM] = "anon-shm",
		[CHANNEL_FILE] = "file",
		[CHANNEL_EVENTFD] = "eventfd",
		[CHANNEL_PTRACE] = "ptrace",
	};

	return names[type];
}

bool channel_is_memory(enum channel_type type)
{
	return type == CHANNEL_SYSV_SHM || type == CHANNEL_POSIX_SHM || type == CHANNEL_MEMFD ||
	       type == CHANNEL_ANON_SHM || type == CHANNEL_FILE;
}

const char *channel_direction(const struct channel *c)
{
	bool out = c->a->writes && (!c->b || c->b->reads);
	bool in = c->a->reads && (!c->b || c->b->writes);

	/* two that only write, as into one log, have an object in common but nothing is heard */
	return out && in ? "<->" : out ? "->" : in ? "<-" : "-";
}
