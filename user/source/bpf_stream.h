/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader's side of the stream: messages of the ring into events in the order of time. CPUs fill
 * the ring in turns; each one's records are in order but for those that overtook a batch of its, so
 * they are merged, not sorted.
 */
#ifndef MMLENS_SOURCE_BPF_STREAM_H
#define MMLENS_SOURCE_BPF_STREAM_H

#include "model/event.h"

struct mmlens_rec;
struct stream;

/* `event` is called from stream_release(). NULL: out of memory. */
struct stream *stream_new(int cpus, void (*event)(const struct event *ev, void *arg), void *arg);
void stream_free(struct stream *s);

/* A message of the ring; what is not one of ours is ignored. -ENOMEM or 0. */
int stream_message(struct stream *s, const void *data, size_t size);
/* How many a CPU has dropped until now, where no message of its own can tell. -ENOMEM or 0. */
int stream_loss(struct stream *s, uint32_t cpu, uint64_t lost);
/*
 * Records that a CPU has not sent, taken from it; all that it sent before must have been given. Those
 * that were taken before or are sent later are not told again. -ENOMEM or 0.
 */
int stream_batch(struct stream *s, uint32_t cpu, const struct mmlens_rec *rec, size_t n);
/* The task of this place is no more, all its events are delivered, and the place may be another's. */
void stream_forget(struct stream *s, uint32_t place);
/*
 * Delivers, in order, what happened before `limit`; of which nothing may arrive any more. False:
 * `go_on`, asked every few events, said no, and there is more; NULL: it is not asked.
 */
bool stream_release(struct stream *s, uint64_t limit, bool (*go_on)(void *arg), void *arg);
/* How many records wait to be delivered. */
size_t stream_held(const struct stream *s);

#endif
