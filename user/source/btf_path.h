/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the running kernel keeps what a path names, as "mm->mm_users.counter" from a task_struct.
 * All but the first structure is found by its id from the one before, so that little of the
 * kernel's types is read and of their names only those of the members on the way.
 */
#ifndef MMLENS_SOURCE_BTF_PATH_H
#define MMLENS_SOURCE_BTF_PATH_H

#include <stdbool.h>
#include <stdint.h>

#define BTF_PATH_LEAPS 3

struct btf_place {
	uint32_t offset[BTF_PATH_LEAPS +
			1]; /* of the first; then of where the pointer before leads */
	uint32_t leaps;	    /* pointers that are followed */
	uint32_t size;	    /* bytes of what is there; of an array, one element's */
	bool is_pointer;
};

struct btf_paths;

/* NULL where the kernel does not tell (errno); freed by btf_paths_close(). */
struct btf_paths *btf_paths_open(void);
void btf_paths_close(struct btf_paths *p);

/*
 * From the structure `root`. -ENOENT: this kernel has no such member, or nobody was shown what the
 * pointer leads to. Other errors: its description cannot be read.
 */
int btf_path(struct btf_paths *p, const char *root, const char *path, struct btf_place *out);

#endif
