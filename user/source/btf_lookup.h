/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own search for one of its types, which takes a tenth of reading them all. */
#ifndef MMLENS_SOURCE_BTF_LOOKUP_H
#define MMLENS_SOURCE_BTF_LOOKUP_H

#include <stdint.h>

/* 0 when there is none of that name and kind (BTF_KIND_*), or the kernel does not search for us. */
uint32_t btf_lookup(const char *name, uint32_t kind);

#endif
