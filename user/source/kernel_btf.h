/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The running kernel's own description of its types, read as a stream. libbpf takes all of its
 * five megabytes into memory, twice a copy, to answer for a handful of names; here the names are
 * looked for as they go by, and of the types only those that were asked for are looked at again.
 */
#ifndef MMLENS_SOURCE_KERNEL_BTF_H
#define MMLENS_SOURCE_KERNEL_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf_type;
struct bytes;
struct kernel_btf;

/* A name that is looked for. */
struct btf_name {
	const char *name;
	uint32_t at;  /* its place among the kernel's names; 0: the kernel has none of that name */
	bool is_type; /* the caller's own: whether types of that name are what he looks for */
};

/* NULL where the kernel does not tell (errno); freed by kernel_btf_close(). */
struct kernel_btf *kernel_btf_open(void);
void kernel_btf_close(struct kernel_btf *k);

/* Finds the names' places and sorts by them; the same name twice is found once. 0 or -errno. */
int kernel_btf_names(struct kernel_btf *k, struct btf_name *names, size_t n);

/* The found name at that place, or NULL. */
const struct btf_name *kernel_btf_named(const struct btf_name *names, size_t n, uint32_t at);

/*
 * Goes through all types, once, and shows those that bear one of the names which
 * kernel_btf_names() found. 0 or -errno, also what `visit` says.
 */
struct btf_visit {
	int (*visit)(uint32_t id, const struct btf_type *head, const struct btf_name *name,
		     void *arg);
	void *arg;
};
int kernel_btf_types(struct kernel_btf *k, const struct btf_name *names, size_t n,
		     const struct btf_visit *v);

/*
 * What is below goes through the types no farther than it must: those that a task_struct leads to
 * come among the first in most kernels.
 */

/* The first structure of that name; 0: there is none. */
uint32_t kernel_btf_struct(struct kernel_btf *k, const char *name);

/* Appends the type with all that belongs to it. 0 or -errno. */
int kernel_btf_type(struct kernel_btf *k, uint32_t id, struct bytes *out);

/* Its head alone. 0 or -errno. */
int kernel_btf_head(struct kernel_btf *k, uint32_t id, struct btf_type *out);

/* The name at that place, until the next call; "" where there is none. */
const char *kernel_btf_string(struct kernel_btf *k, uint32_t at);

/* Bytes of a type with all that belongs to it; 0 for a kind that is not known. */
size_t kernel_btf_size(const struct btf_type *head);

#endif
