// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "model/region.h"

static const char *const names[] = {
	[NATURE_ANON] = "anon",		 [NATURE_HEAP] = "heap",       [NATURE_STACK] = "stack",
	[NATURE_SHARED] = "shared-anon", [NATURE_MEMFD] = "memfd",     [NATURE_SHM] = "shm",
	[NATURE_SYSV] = "sysv",		 [NATURE_HUGETLB] = "hugetlb", [NATURE_FILE] = "file",
	[NATURE_KERNEL] = "kernel",
};

/* The kernel's own names for what has no path of its own; the first that fits decides. */
static const struct {
	const char *prefix;
	enum nature nature;
} by_name[] = {
	{ "[heap]", NATURE_HEAP },
	{ "[stack", NATURE_STACK },
	{ "[vdso]", NATURE_KERNEL },
	{ "[vvar", NATURE_KERNEL },
	{ "[vsyscall]", NATURE_KERNEL },
	{ "[vectors]", NATURE_KERNEL },
	{ "[sigpage]", NATURE_KERNEL },
	{ "[uprobes]", NATURE_KERNEL },
	{ "[anon_shmem:", NATURE_SHARED },
	{ "/dev/zero (deleted)", NATURE_SHARED },
	{ "/dev/zero", NATURE_ANON }, /* mapped private */
	{ "/memfd:", NATURE_MEMFD },
	{ "/secretmem", NATURE_MEMFD }, /* memfd_secret(2) */
	{ "/SYSV", NATURE_SYSV },
	{ "/dev/shm/", NATURE_SHM },
	{ "/anon_hugepage", NATURE_HUGETLB },
	{ "/dev/hugepages/", NATURE_HUGETLB },
};

enum nature region_nature(const struct region *r)
{
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (strncmp(r->name, by_name[i].prefix, strlen(by_name[i].prefix)) == 0)
			return by_name[i].nature;
	return r->inode ? NATURE_FILE : NATURE_ANON;
}

const char *nature_name(enum nature n)
{
	return n < NATURE_NR ? names[n] : NULL;
}
