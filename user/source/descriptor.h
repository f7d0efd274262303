/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The C library's descriptor of a thread, in the memory of its process. It lies at the top of the
 * thread's stack, holds the thread's tid and, in glibc, which block of memory the stack is.
 */
#ifndef MMLENS_SOURCE_DESCRIPTOR_H
#define MMLENS_SOURCE_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

/* Static TLS may lie above the descriptor: it is within this of the stack's top. */
#define DESCRIPTOR_TOP 8192

struct descriptor_of {
	int mem;       /* /proc/PID/mem, or below 0: nothing is found */
	uint32_t tid;  /* as its own pid namespace has it */
	uint64_t sp;   /* its stack pointer */
	uint64_t page; /* size of one */
};

/* The guard is the block's first bytes. */
struct descriptor_block {
	uint64_t start;
	uint64_t size; /* 0: the library does not say */
	uint64_t guard;
};

bool descriptor_find(const struct descriptor_of *who, uint64_t from, uint64_t to,
		     struct descriptor_block *block);

#endif
