/* SPDX-License-Identifier: GPL-2.0-only */
/* Watches wake-ups from or to one process, or between two, for a time. */
#ifndef MMLENS_SOURCE_BPF_WAKEUPS_H
#define MMLENS_SOURCE_BPF_WAKEUPS_H

#include "model/wakeups.h"
#include "source/source.h"

/* Ends early on a signal. -errno with its reason, or 0. */
int wakeups_watch(uint32_t a, uint32_t b, uint64_t ns, struct wakeups *out, struct why *why);
void wakeups_deinit(struct wakeups *w);

#endif
