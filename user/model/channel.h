/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways out of a process: what it holds that another may hold the other end of. Two endpoints
 * meet where they name one object; for sockets, where one names the other as its peer.
 */
#ifndef MMLENS_MODEL_CHANNEL_H
#define MMLENS_MODEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_type {
	CHANNEL_PIPE,
	CHANNEL_FIFO,
	CHANNEL_UNIX,
	CHANNEL_TCP, /* loopback */
	CHANNEL_SYSV_QUEUE,
	CHANNEL_POSIX_QUEUE,
	CHANNEL_SYSV_SHM,
	CHANNEL_POSIX_SHM,
	CHANNEL_MEMFD,
	CHANNEL_ANON_SHM,
	CHANNEL_FILE, /* a regular file that at least one may write */
	CHANNEL_EVENTFD,
	CHANNEL_PTRACE,
	CHANNEL_NR
};

#define NAME_ROOM 96

struct endpoint {
	enum channel_type type;
	uint32_t tgid;
	int fd; /* -1: a mapping, or no descriptor at all */
	bool reads;
	bool writes;
	uint64_t size; /* bytes mapped of it, 0: by descriptor only */
	bool waited;   /* a task sleeps on a futex in it */
	uint64_t dev;
	uint64_t id;   /* inode, eventfd id, queue id or pid */
	uint64_t peer; /* of sockets: the id at the other end, 0 if not known */
	bool paired;   /* it has another end, whoever holds that */
	char name[NAME_ROOM];
};

struct endpoints {
	struct endpoint *e;
	size_t n;
	size_t room;
	uint64_t withheld; /* processes whose descriptors we may not see */
};

struct channel {
	const struct endpoint *a;
	const struct endpoint *b; /* NULL: nobody is seen at the other end */
};

struct endpoint *endpoints_add(struct endpoints *es); /* zeroed but for fd -1; NULL: no memory */
void endpoints_deinit(struct endpoints *es);
const char *channel_type_name(enum channel_type type);
/* Whether what is written is simply there for the other to read. */
bool channel_is_memory(enum channel_type type);

/* "->", "<-", "<->", or "-" where both only write; as seen from channel a, by a alone without b. */
const char *channel_direction(const struct channel *c);

#endif
