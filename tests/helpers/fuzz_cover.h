/* SPDX-License-Identifier: GPL-2.0-only */
/* Which code of the module the calls of this thread reached, where the kernel has KCOV. */
#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <stdbool.h>

/* False where there is nothing to be had; then the others do nothing and say 0. */
bool cover_init(void);

/* Forgets what was reached since the last look; the next look is about what comes now. */
void cover_begin(void);

/* How many places of the code were reached that never were before. */
int cover_new(void);

/* All that were ever reached. */
int cover_total(void);

#endif /* FUZZ_COVER_H */
