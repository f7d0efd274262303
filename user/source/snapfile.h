/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot as the payload of a SNAPSHOT block of a recorded file (recfile.h), and back. Numbers
 * are varints.
 *
 *   version 1   source, boot id; begin, end, withheld, raced; number of tasks; the tasks; number of
 *               spaces measured; for each its id, rss and pss
 *   version 2   and behind it: why tasks are withheld; for each space measured, in the same order,
 *               the path of its cgroup, empty when that is not known
 *
 * A task is the fields of the table in snapfile.c in that order, its name, and the id of each
 * resource it knows. A later version appends fields and keeps reading the older ones: tests/data/
 * has a file of each.
 */
#ifndef MMLENS_SOURCE_SNAPFILE_H
#define MMLENS_SOURCE_SNAPFILE_H

#include "lib/bytes.h"
#include "source/source.h"

#define SNAPFILE_VERSION 2

void snapfile_encode(struct bytes *b, const struct snapshot *s);
/* Into an initialised, empty snapshot, sealed at the end. -EBADMSG, -EPROTO, -ENOMEM or 0. */
int snapfile_decode(struct cursor *c, uint16_t version, struct snapshot *s);

/* The first snapshot of a recorded file: the state at its beginning. `why` has the sentence. */
int snapfile_load(const char *path, struct snapshot *s, struct why *why);

#endif
