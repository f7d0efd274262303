/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clocks that the kernel counts by, in ns. A time namespace (time_namespaces(7)) shows its
 * tasks other ones, in clock_gettime(2) as in /proc, but not in what BPF programs and the module
 * tell; so whatever is held against those is read here.
 */
#ifndef MMLENS_SOURCE_CLOCKS_H
#define MMLENS_SOURCE_CLOCKS_H

#include <stdint.h>

uint64_t clocks_monotonic(void);
uint64_t clocks_boottime(void);
/* What this process's own CLOCK_BOOTTIME is ahead, modulo 2^64. */
uint64_t clocks_boottime_ahead(void);

/* One of the two from the text of /proc/PID/timens_offsets; 0 where it is not in there. */
uint64_t clocks_parse_offset(const char *text, const char *clock);

#endif
