/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel says of physical frames (/proc/kpageflags, /proc/kpagecount): whether this
 * process may see them at all, and labels for the pages of a piece of pagemap.
 */
#ifndef MMLENS_SOURCE_FRAMES_H
#define MMLENS_SOURCE_FRAMES_H

#include <stddef.h>

#include "model/region.h"

struct frames {
	int flags_fd; /* -1: no right to it */
	int count_fd;
	bool visible;	 /* pagemap shows frames to this process */
	bool ksm;	 /* some page of this system is merged */
	bool ksm_of_all; /* kpageflags calls every anonymous page merged */
	size_t huge;	 /* pages of a huge page */
	uint64_t zero;	 /* frame of the zero page, 0 if not found */
	uint64_t key[2]; /* of the ids, new in each run */
};

void frames_init(struct frames *f);
void frames_deinit(struct frames *f);

/* Where pages of a process can be merged by KSM: to ask of each page would be dear. */
struct mergeable {
	struct mergeable_range {
		uint64_t start;
		uint64_t end;
	} * range;
	size_t n;
	bool anywhere; /* the kernel does not say where */
};

void frames_mergeable(const struct frames *f, uint32_t pid, struct mergeable *out);
void mergeable_deinit(struct mergeable *m);

/* Puts PAGE_LABELS into the `n` entries from `va` on; `m`: NULL, they are not merged. */
void frames_label(const struct frames *f, uint64_t va, size_t n, uint64_t *entries,
		  const struct mergeable *m);

/* Of one frame; false without the right. */
bool frames_flags(const struct frames *f, uint64_t frame, uint64_t *flags);
bool frames_count(const struct frames *f, uint64_t frame, uint64_t *count);
/* What stands for a frame in the output: the same frame has the same id throughout a run. */
uint64_t frames_id(const struct frames *f, uint64_t frame);

#endif
