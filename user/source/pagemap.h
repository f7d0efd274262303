/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/PID/pagemap in large pieces, and PAGEMAP_SCAN (since 6.7) to step over what was never
 * populated: sanitizers reserve tens of TiB that would be tens of GiB of zeros to read.
 */
#ifndef MMLENS_SOURCE_PAGEMAP_H
#define MMLENS_SOURCE_PAGEMAP_H

#include <stddef.h>

#include "model/region.h"

/*
 * Entries: a pread of 32 KiB is as fast as a larger one, stays in the nearest cache of a processor,
 * and to fault in a buffer eight times as large took longer than all the other calls it saved.
 */
#define PAGEMAP_CHUNK 4096u

/* What this kernel makes of MADV_GUARD_INSTALL (6.13). */
enum guard_sight {
	GUARDS_UNTRIED,
	GUARDS_NEVER,  /* there are none */
	GUARDS_SHOWN,  /* pagemap tells them: since 6.15, before that to CAP_SYS_ADMIN */
	GUARDS_HIDDEN, /* there may be some, and pagemap does not tell */
};

enum guard_sight pagemap_guard_sight(void);

struct pagemap {
	int fd;
	uint32_t pid;
	unsigned int page_shift;
	bool no_scan;	    /* the kernel has no PAGEMAP_SCAN */
	bool no_guard_scan; /* or one that does not know guard markers */
	enum guard_sight guards;
};

/* -errno: -ENODATA where the kernel says already here that there is no address space. */
int pagemap_open(struct pagemap *p, uint32_t pid);
void pagemap_close(struct pagemap *p);

/* `n` pages from `va` on; beyond the space they are zero. -errno. */
int pagemap_read(const struct pagemap *p, uint64_t va, size_t n, uint64_t *out);

/* The first page in memory or swapped in [*va, end): 1, 0: none, -EOPNOTSUPP before 6.7. */
int pagemap_seek(struct pagemap *p, uint64_t *va, uint64_t end);

/* The first guard markers in [*va, end): 1 and [*va, *stop), 0: none, -EOPNOTSUPP: not to be told. */
int pagemap_next_guard(struct pagemap *p, uint64_t *va, uint64_t end, uint64_t *stop);

#endif
