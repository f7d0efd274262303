/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ids of those functions, tracepoints and variables of the kernel that anything here asks for.
 * Whoever goes through the kernel's types finds them all on the way, so that nobody goes twice.
 */
#ifndef MMLENS_SOURCE_BTF_IDS_H
#define MMLENS_SOURCE_BTF_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "source/kernel_btf.h"

/* 0 when the kernel has none, or does not tell. The name must be in the table of btf_ids.c. */
uint32_t btf_id(const char *name);

/* For who goes through the types anyway: how many names, each of them, and what was found. */
size_t btf_ids_count(void);
const char *btf_ids_name(size_t i);
void btf_ids_take(const char *name, uint32_t id, const struct btf_type *head);
void btf_ids_taken(void);

#endif
