/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events and counts as payloads of a recorded file (recfile.h), and back. Numbers are varints, times
 * differences; a block stands for itself but for who the numbers of tasks are, which the EVENTS
 * blocks before it have told.
 *
 *   EVENTS 1  the time that the first event's difference counts from; then events: a byte of type
 *             and flags, the signed difference of time, the CPU if another than the event's before,
 *             and the fields of the type in the order of model/event.h
 *   CALLS 1   before the EVENTS block that uses them first: the number and the name of system calls,
 *             which differ from machine to machine. Files of before there were such blocks do not
 *             say whose the numbers are
 *   STAT 1    the counts of the window as the kernel's tables had them, and which thread groups
 *             were watched
 */
#ifndef MMLENS_SOURCE_RECEVENTS_H
#define MMLENS_SOURCE_RECEVENTS_H

#include "lib/bytes.h"
#include "model/event.h"

#define RECEVENTS_VERSION 1
#define RECCALLS_VERSION  1
#define RECSTAT_VERSION	  1
/* CPUs that a file may name; more is no machine but damage. */
#define RECEVENTS_CPUS 65536u

struct event_block {
	struct bytes b;
	uint64_t n; /* events in it */
	uint64_t ts;
	uint32_t cpu;
	uint32_t next; /* who came onto that CPU last */
};

void event_block_put(struct event_block *b, const struct event *ev);
/* Empties it for the next block; memory is kept. */
void event_block_reset(struct event_block *b);

struct event_reader {
	struct cursor c;
	uint64_t ts;
	uint32_t cpu;
	uint32_t next;
};

/* -EPROTO for a newer version, or 0. */
int event_reader_init(struct event_reader *r, const void *payload, size_t len, uint16_t version);
/* 1 and an event, 0 behind the last, -EBADMSG. */
int event_reader_next(struct event_reader *r, struct event *ev);

/* Appends one to the payload of a CALLS block. */
void reccalls_put(struct bytes *b, uint32_t nr, const char *name);
/* Adds those of a block. -EBADMSG, -EPROTO, -ENOMEM or 0. */
int reccalls_decode(struct cursor *c, uint16_t version, struct call_names *names);

void recstat_encode(struct bytes *b, const struct switches *sw, const uint32_t *tgids, size_t n);
/* Into zeroed outputs, the caller's to free whatever is returned. -EBADMSG, -EPROTO, -ENOMEM or 0. */
int recstat_decode(struct cursor *c, uint16_t version, struct switches *sw, uint32_t **tgids,
		   size_t *n);

#endif
