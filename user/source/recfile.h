/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of `mmlens record`: a header and then blocks, each whole or not there.
 *
 *   header  8 bytes "mmlens\r\n", u32 version of the container (1), u32 reserved (0)
 *   block   u32 0x4b4c424d "MBLK", u16 type, u16 version of the type, u32 length of the payload,
 *           u32 CRC-32C of the twelve bytes before it and of the payload; the payload; zeros up to
 *           a multiple of 8
 *
 * All numbers are little-endian. A reader skips types it does not know, and refuses versions of a
 * known type that are newer than itself. A writer that dies leaves a file that is good up to the
 * last block it flushed: a reader tells a file cut short (-ENODATA) from one that is wrong
 * (-EBADMSG). An ordinary file ends with an END block.
 *
 * What is in a payload is the business of those who write the type: snapfile.c for SNAPSHOT,
 * recevents.c for the rest.
 */
#ifndef MMLENS_SOURCE_RECFILE_H
#define MMLENS_SOURCE_RECFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"

enum rec_type {
	/* 1 and 3 were never written */
	REC_SNAPSHOT =
		2,	/* all tasks at one time: now, then the beginning and the end of a window */
	REC_EVENTS = 4, /* who is who, switches, wake-ups, births, deaths */
	REC_STAT = 5,	/* the aggregate of the whole window */
	REC_END = 6,	/* the writer finished */
	REC_CALLS = 7,	/* what the recorder's machine calls its system calls */
};

/* A payload larger than this is not ours; a snapshot of 100,000 tasks is a fifth of it. */
#define REC_PAYLOAD_MAX (256u << 20)

struct recfile; /* one side or the other */

struct rec_block {
	uint16_t type;
	uint16_t version;
	uint32_t len;
	const uint8_t *payload; /* valid until the next call */
};

/* Makes the file, or opens it as it is. -errno; *out is untouched on failure. */
int recfile_create(const char *path, struct recfile **out);
/* Empties it and begins anew; before the first block. -errno or 0. */
int recfile_begin(struct recfile *f);
/* Buffered; whole blocks reach the file in order. */
int recfile_put(struct recfile *f, enum rec_type type, uint16_t version, const struct bytes *b);
int recfile_flush(struct recfile *f);

/* -EMEDIUMTYPE: not such a file; -EPROTO: a container version this program does not know. */
int recfile_open(const char *path, struct recfile **out);
/* 1 and a block, 0 behind the last; -ENODATA: cut short here; -EBADMSG: damaged here. */
int recfile_next(struct recfile *f, struct rec_block *b);
/* 1 and the first block of that type from the beginning of the file on, else as recfile_next(). */
int recfile_find(struct recfile *f, enum rec_type type, struct rec_block *b);
int recfile_rewind(struct recfile *f);
/*
 * Ends a file being written with an END block and reports what could not be written. One that was not
 * begun stays as it was, or is not there again.
 */
int recfile_close(struct recfile *f);

/* Why an error of the reading functions happened, for `mmlens: FILE: why`. */
const char *recfile_why(int err);

#endif
