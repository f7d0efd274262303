/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's types that one BPF object names, and no others. libbpf looks through all of
 * the kernel's 100,000 types anew for each type of the object, which is nine tenths of what
 * loading it takes; through these few hundred it is done at once.
 */
#ifndef MMLENS_SOURCE_BPF_TYPES_H
#define MMLENS_SOURCE_BPF_TYPES_H

#include <stddef.h>

#include "lib/cleanup.h"

struct bpf_types {
	int fd; /* -1: there is none, and libbpf looks through all */
	char path[32];
};

/* Of an object as its skeleton holds it (NAME__elf_bytes()). */
struct bpf_types bpf_types_new(const void *elf, size_t len);
void bpf_types_free(struct bpf_types *types);

#define cleanup_bpf_types cleanup(bpf_types_free)

/* For bpf_object_open_opts.btf_custom_path: NULL where there is none. */
const char *bpf_types_path(const struct bpf_types *types);

#endif
