// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <unistd.h>

#include "source/descriptor.h"

#define STEP_BYTES (64u << 10)
/* Fields of the descriptor lie within so many bytes of its start, the tid in the first ones. */
#define DESCRIPTOR 2304
#define TID_BYTES  1024
/* A larger block is no stack. */
#define BLOCK_MAX (1ULL << 30)
/* Three words in a row: start, size, size of the guard. */
#define BLOCK_BYTES 24

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool has_tid(const struct descriptor_of *who, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + sizeof(who->tid) <= n; i += sizeof(who->tid))
		if (!memcmp(p + i, &who->tid, sizeof(who->tid)))
			return true;
	return false;
}

/* Whether the words at `at` can be the block of a stack that holds both them and the pointer. */
static bool read_block(const struct descriptor_of *who, const uint8_t *p, uint64_t at,
		       struct descriptor_block *b)
{
	uint64_t start = word_at(p), size = word_at(p + 8), guard = word_at(p + 16);

	if (!start || !size || size > BLOCK_MAX || start > who->sp || start + size <= at ||
	    guard % who->page || guard >= size || start + size > at + DESCRIPTOR + DESCRIPTOR_TOP)
		return false;
	/* a block with a guard is the library's own; any other may be a piece of the heap */
	if ((start | size) % (guard ? who->page : sizeof(start)))
		return false;
	*b = (struct descriptor_block){ start, size, guard };
	return true;
}

/*
 * Where thread-local storage lies above the thread pointer (arm64) glibc's has no pointer to itself:
 * it is told by its link in the list of all threads, to which the next link points back, before the
 * tid.
 */
static bool is_linked(const struct descriptor_of *who, const uint8_t *p, uint64_t at)
{
	uint64_t next = word_at(p), back = 0;

	return has_tid(who, p + 16, sizeof(who->tid)) && next && next % 8 == 0 &&
	       pread(who->mem, &back, sizeof(back), (off_t)(next + 8)) == sizeof(back) &&
	       back == at;
}

/* Elsewhere it begins with a pointer to itself (so does that of musl) and holds the tid. */
static bool is_descriptor(const struct descriptor_of *who, const uint8_t *p, size_t n, uint64_t at)
{
	return (word_at(p) == at && has_tid(who, p + 16, (n < TID_BYTES ? n : TID_BYTES) - 16)) ||
	       is_linked(who, p, at);
}

static bool look(const struct descriptor_of *who, const uint8_t *buf, size_t n, uint64_t at,
		 struct descriptor_block *b)
{
	for (size_t i = 0; i + 64 <= n; i += 16) {
		if (!is_descriptor(who, buf + i, n - i, at + i))
			continue;
		for (size_t k = i; k + BLOCK_BYTES <= n && k < i + DESCRIPTOR; k += 8)
			if (read_block(who, buf + k, at + k, b))
				break;
		return true;
	}
	return false;
}

bool descriptor_find(const struct descriptor_of *who, uint64_t from, uint64_t to,
		     struct descriptor_block *block)
{
	uint8_t buf[STEP_BYTES];

	*block = (struct descriptor_block){ 0 };
	for (; from < to; from += STEP_BYTES - DESCRIPTOR) {
		size_t want = to - from < STEP_BYTES ? (size_t)(to - from) : STEP_BYTES;
		ssize_t got = who->mem < 0 ? 0 : pread(who->mem, buf, want, (off_t)from);
		size_t n = got > 0 ? (size_t)got : 0;

		if (look(who, buf, n, from, block))
			return true;
		if (n < want || to - from <= STEP_BYTES)
			break;
	}
	return false;
}
