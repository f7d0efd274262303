/* SPDX-License-Identifier: GPL-2.0-only */
/* How far the kernel is locked down against its own root. */
#ifndef MMLENS_SOURCE_LOCKDOWN_H
#define MMLENS_SOURCE_LOCKDOWN_H

#include <stdbool.h>

/* "integrity" or "confidentiality"; NULL for neither, or where it cannot be told (no securityfs). */
const char *lockdown_level(void);

/* Whether the kernel's memory may be read by no program, as the higher level has it. */
bool lockdown_hides_kernel(void);

#endif
