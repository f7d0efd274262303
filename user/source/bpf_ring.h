/* SPDX-License-Identifier: GPL-2.0-only */
/* The reader's end of the programs' ring: what the CPUs send, and what they hold back until asked. */
#ifndef MMLENS_SOURCE_BPF_RING_H
#define MMLENS_SOURCE_BPF_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "mmlens_event.h"
#include "source/bpf_stream.h"
#include "source/bpf_switch.h"
#include "switch.skel.h"

struct ring_buffer;

struct ring {
	struct ring_buffer *buffer;	  /* NULL: no ring was opened; owned */
	struct stream *stream;		  /* owned */
	const struct mmlens_cpu *per_cpu; /* mapped by the caller, until ring_close() */
	int cpus;
	int flush_fd;	/* the program that makes a CPU send */
	uint64_t limit; /* what was taken in is delivered up to here, and not done; 0: it is */
	bool all;	/* it was taken in from every CPU */
	uint64_t until; /* ring_drain() is given back then */
	bool (*takes)(int ms, void *arg);
	void *arg;
};

/*
 * Of a loaded object, which asks for events; they are told from ring_drain() and ring_rest(). -errno;
 * then to be closed.
 */
int ring_open(struct ring *r, const struct switch_bpf *skel, const struct mmlens_cpu *per_cpu,
	      int cpus, const struct switch_ask *ask);
/*
 * Takes in what comes until then, of CLOCK_MONOTONIC; or, if there is something to deliver, waits
 * until it is taken. -errno or 0.
 */
int ring_wait(struct ring *r, uint64_t until);
/*
 * Delivers all but what is so new that something older may still come, or as much as there is time
 * for: who prints it may be slow, and the caller has a clock to look at. -errno or 0; `all`: everything
 * that had happened when the last call returned has been delivered.
 */
int ring_drain(struct ring *r, bool *all);
/* Delivers the rest, when no program runs any more. -errno or 0. */
int ring_rest(struct ring *r);
void ring_close(struct ring *r);

#endif
