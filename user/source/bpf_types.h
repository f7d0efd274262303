/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's types that one BPF object names, and no others. libbpf looks through all of
 * the kernel's 100,000 types anew for each type of the object, which is nine tenths of what
 * loading it takes; through these few hundred it is done at once.
 *
 * libbpf wants the path when it opens an object and reads the file when it loads it. In between
 * the object can say what it names:
 *
 *	types = bpf_types_new();
 *	skel = NAME__open_opts(btf_custom_path = bpf_types_path(&types));
 *	err = bpf_types_load(&types, skel->skeleton);	instead of NAME__load()
 */
#ifndef MMLENS_SOURCE_BPF_TYPES_H
#define MMLENS_SOURCE_BPF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"

struct bpf_object;
struct bpf_object_skeleton;

struct bpf_types {
	int fd; /* -1: there is none, and libbpf looks through all */
	bool filled;
	char path[32];
	struct bytes types, strings; /* what is in the file */
};

/* A constant of the programs that is settled when they are loaded. */
struct bpf_constant {
	const char *name;
	uint32_t value;
};

struct bpf_types bpf_types_new(void);
void bpf_types_free(struct bpf_types *types);

#define cleanup_bpf_types cleanup(bpf_types_free)

/* For bpf_object_open_opts.btf_custom_path: NULL where there is none. */
const char *bpf_types_path(const struct bpf_types *types);

/* What the object names; once is enough for several openings of the same. 0 or -errno. */
int bpf_types_fill(struct bpf_types *types, const struct bpf_object *obj);

/*
 * Adds an enumeration to what was filled, in place of the last: bpf_core_enum_value() gives a
 * program the value that the constant of that name has here. It is in the instruction, so that a
 * program need not touch memory to know it. 0 or -errno.
 */
int bpf_types_set(struct bpf_types *types, const char *name, const struct bpf_constant *constants,
		  size_t n);

/* Fills and loads. 0 or -errno. */
int bpf_types_load(struct bpf_types *types, struct bpf_object_skeleton *skeleton);

#endif
