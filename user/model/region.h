/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapping of an address space, and what was counted over its pages. Addresses are in bytes,
 * counts in pages. Plain data.
 */
#ifndef MMLENS_MODEL_REGION_H
#define MMLENS_MODEL_REGION_H

#include <stdbool.h>
#include <stdint.h>

#define REGION_NAME_MAX 256

struct region {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	uint64_t inode; /* 0: anonymous, or the kernel's own */
	uint32_t major;
	uint32_t minor;
	char perms[5];		    /* as in maps: "rw-p" */
	char name[REGION_NAME_MAX]; /* as in maps, cut at its end if longer */
};

/* What backs a mapping; the words are those of the output. */
enum nature {
	NATURE_ANON,   /* private, no file */
	NATURE_HEAP,   /* the break */
	NATURE_STACK,  /* of the main thread */
	NATURE_SHARED, /* MAP_SHARED | MAP_ANONYMOUS */
	NATURE_MEMFD,
	NATURE_SHM, /* /dev/shm */
	NATURE_SYSV,
	NATURE_HUGETLB,
	NATURE_FILE,
	NATURE_KERNEL, /* vdso, vvar, vsyscall */
	NATURE_NR
};

enum nature region_nature(const struct region *r);
const char *nature_name(enum nature n);

static inline bool region_is_shared(const struct region *r)
{
	return r->perms[3] == 's';
}

/*
 * A page as /proc/PID/pagemap has it. Bits 59 and 60 and 57 are labels put there by
 * source/frames.c, which clears what the kernel keeps in them.
 */
#define PAGE_PRESENT   (1ULL << 63)
#define PAGE_SWAPPED   (1ULL << 62) /* or a page on its way to another frame */
#define PAGE_FILE      (1ULL << 61) /* of a file or of shared memory */
#define PAGE_HUGE      (1ULL << 60)
#define PAGE_KSM       (1ULL << 59)
#define PAGE_GUARD     (1ULL << 58) /* MADV_GUARD_INSTALL; since 6.15, see page_is_guard() */
#define PAGE_ZERO      (1ULL << 57) /* the zero page: nothing was ever written here */
#define PAGE_EXCLUSIVE (1ULL << 56) /* mapped this once only */
#define PAGE_FRAME     ((1ULL << 55) - 1)
#define PAGE_LABELS    (PAGE_HUGE | PAGE_KSM | PAGE_ZERO)

/*
 * The kernel keeps markers (linux/swapops.h: SWP_PTE_MARKER, 5.19) where a swapped page would be:
 * in the frame's bits, which only CAP_SYS_ADMIN sees, the last type of swap and as offset what is
 * marked. No page is behind one.
 */
#define PAGE_MARKER_TYPE    31u
#define PAGE_MARKER_GUARD   4u /* 6.13; PAGE_GUARD says it since 6.15 */
#define PAGE_MARKER_LIMIT   64u
#define PAGE_SWAP_TYPE(e)   ((e)&31u)
#define PAGE_SWAP_OFFSET(e) (((e)&PAGE_FRAME) >> 5)

static inline bool page_is_marker(uint64_t e)
{
	return (e & (PAGE_PRESENT | PAGE_SWAPPED)) == PAGE_SWAPPED &&
	       PAGE_SWAP_TYPE(e) == PAGE_MARKER_TYPE && PAGE_SWAP_OFFSET(e) < PAGE_MARKER_LIMIT;
}

static inline bool page_is_guard(uint64_t e)
{
	return e & PAGE_GUARD || (page_is_marker(e) && PAGE_SWAP_OFFSET(e) & PAGE_MARKER_GUARD);
}

static inline bool page_is_swapped(uint64_t e)
{
	return (e & (PAGE_PRESENT | PAGE_SWAPPED | PAGE_GUARD)) == PAGE_SWAPPED &&
	       !page_is_marker(e);
}

static inline bool page_is_populated(uint64_t e)
{
	return e & PAGE_PRESENT || page_is_swapped(e);
}

/* Not zero everywhere: in a new mapping the kernel calls holes soft-dirty (bit 55). */
static inline bool page_is_hole(uint64_t e)
{
	return !(e & (PAGE_PRESENT | PAGE_SWAPPED));
}

struct page_counts {
	uint64_t pages;
	uint64_t present;   /* of one space, or in both */
	uint64_t swapped;   /* of one space; of two: in one, and the other has it too */
	uint64_t file;	    /* present and of a file or of shared memory */
	uint64_t exclusive; /* present and mapped nowhere else */
	uint64_t same;	    /* the rest needs the right to see frames */
	uint64_t different;
	uint64_t absent;	 /* not in memory: of one space, or in at least one of two */
	uint64_t shared_by_fork; /* anonymous pages of a private mapping that another space has too */
	uint64_t ksm;
	uint64_t huge;
	uint64_t zero;
	uint64_t unread; /* of a giant mapping, on a kernel that cannot say where it is populated */
	uint64_t changed; /* pages that moved while two live spaces were read */
	bool pair;	  /* counted over two spaces */
	bool frames;	  /* frames could be seen */
	bool labels;	  /* ksm and huge could be told */
};

#endif
