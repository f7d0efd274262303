// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/maps.h"
#include "source/pagemap.h"
#include "source/stackatlas.h"

/* The descriptor is within this of the stack's top; what lies above it is static TLS padding. */
#define TOP_BYTES 8192
/* Where the stack's top is not the mapping's, it is looked for so far above the pointer. */
#define SEEK_BYTES (1u << 20)
#define STEP_BYTES (64u << 10)
/* Fields of the descriptor lie within so many bytes of its start. */
#define DESCRIPTOR 2304
/* A larger mapping is no stack, and counting its pages would take its time. */
#define STACK_MAX (1ULL << 30)
#define GAP_PAGES 256

struct atlas {
	int mem;
	struct pagemap pagemap;
	bool pages;
	uint64_t page;
	uint64_t *entries;
};

static int by_sp(const void *a, const void *b)
{
	const struct stack *x = a, *y = b;

	return (x->sp > y->sp) - (x->sp < y->sp);
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool has_tid(const uint8_t *p, size_t n, uint32_t tid)
{
	for (size_t i = 16; i + 4 <= n && i < 1024; i += 4)
		if (!memcmp(p + i, &tid, sizeof(tid)))
			return true;
	return false;
}

/* The C library's own word: block, size and size of the guard, three words in a row. */
static bool take_block(struct stack *s, const uint8_t *p, size_t n, uint64_t self, uint64_t page)
{
	for (size_t i = 0; i + 24 <= n && i < DESCRIPTOR; i += 8) {
		uint64_t block = word_at(p + i), size = word_at(p + i + 8);
		uint64_t guard = word_at(p + i + 16);

		if (!block || block % page || !size || size % page || size > STACK_MAX ||
		    block > s->sp || block + size <= self || guard % page || guard >= size ||
		    block + size > self + DESCRIPTOR + TOP_BYTES)
			continue;
		s->start = block + guard;
		s->end = block + size;
		s->guard = guard;
		return true;
	}
	return false;
}

/* A descriptor begins with a pointer to itself (so does that of musl) and holds the tid. */
static bool find_descriptor(const struct atlas *a, struct stack *s, uint64_t from, uint64_t to)
{
	uint8_t buf[STEP_BYTES];

	for (; from < to; from += STEP_BYTES - DESCRIPTOR) {
		size_t want = to - from < STEP_BYTES ? (size_t)(to - from) : STEP_BYTES;
		ssize_t got = pread(a->mem, buf, want, (off_t)from);

		for (ssize_t i = 0; i + 64 <= got; i += 16) {
			size_t left = (size_t)(got - i);

			if (word_at(buf + i) != from + (uint64_t)i ||
			    !has_tid(buf + i, left, s->task->key.tid))
				continue;
			take_block(s, buf + i, left, from + (uint64_t)i, a->page);
			return true;
		}
		if (got < (ssize_t)want || to - from <= STEP_BYTES)
			break;
	}
	return false;
}

static bool is_pthread(const struct atlas *a, struct stack *s)
{
	uint64_t from = s->sp & ~15ULL, top = s->end - TOP_BYTES;

	if (a->mem < 0)
		return false;
	if (from < top && find_descriptor(a, s, top, s->end))
		return true;
	if (s->end - from > SEEK_BYTES)
		return find_descriptor(a, s, from, from + SEEK_BYTES);
	return find_descriptor(a, s, from, s->end);
}

/* Guard markers split a mapping into the stacks that lie in it. */
static bool find_marker(struct atlas *a, struct stack *s)
{
	uint64_t va = s->start, stop, low = 0;
	bool found = false;

	while (a->pages && pagemap_next_guard(&a->pagemap, &va, s->sp, &stop) == 1) {
		found = true;
		low = stop;
		s->guard = stop - va;
		va = stop;
	}
	if (found && low > s->start)
		s->start = low;
	return found;
}

static void find_guard(struct atlas *a, struct stack *s, const struct region *below)
{
	bool vma = below->end == s->start && !strncmp(below->perms, "---", 3);

	if (s->kind == STACK_MAIN) {
		s->guard_kind = GUARD_GAP;
		s->guard = GAP_PAGES * a->page;
	} else if (vma) {
		s->guard_kind = GUARD_VMA;
		if (!s->guard)
			s->guard = below->end - below->start;
	} else if (find_marker(a, s)) {
		s->guard_kind = GUARD_MADV;
	} else {
		s->guard_kind = GUARD_NONE;
		s->guard = 0;
	}
}

static void count_touched(struct atlas *a, struct stack *s)
{
	uint64_t va = s->start, left = s->end - s->start;

	if (!a->pages || left > STACK_MAX)
		return;
	while (left) {
		size_t n = left / a->page < PAGEMAP_CHUNK ? left / a->page : PAGEMAP_CHUNK;

		if (pagemap_read(&a->pagemap, va, n, a->entries))
			return;
		for (size_t i = 0; i < n; i++)
			if (a->entries[i] & (PAGE_PRESENT | PAGE_SWAPPED))
				s->touched += a->page;
		va += n * a->page;
		left -= n * a->page;
	}
	s->touched_known = true;
}

static void place(struct atlas *a, struct stack *s, const struct region *r,
		  const struct region *below)
{
	s->start = r->start;
	s->end = r->end;
	if (region_nature(r) == NATURE_STACK)
		s->kind = STACK_MAIN;
	else
		s->kind = is_pthread(a, s) ? STACK_PTHREAD : STACK_OTHER;
	if (s->kind == STACK_OTHER) {
		/* the guard of what is not known cannot be known */
		s->guard_kind = GUARD_UNKNOWN;
		return;
	}
	find_guard(a, s, below);
	count_touched(a, s);
}

static int walk(struct atlas *a, uint32_t pid, struct stack *s, size_t n)
{
	struct region r, below = { 0 };
	struct maps *m;
	size_t i = 0;
	int got = maps_open(pid, &m);

	if (got)
		return got;
	while (i < n && !s[i].sp)
		i++;
	while (i < n && (got = maps_next(m, &r)) == 1) {
		for (; i < n && s[i].sp < r.start; i++)
			s[i].kind = STACK_OUTSIDE;
		for (; i < n && s[i].sp < r.end; i++)
			place(a, &s[i], &r, &below);
		below = r;
	}
	for (; got == 0 && i < n; i++)
		s[i].kind = STACK_OUTSIDE;
	maps_close(m);
	return got < 0 ? got : 0;
}

/* "NR args... SP PC" of a waiting task, "-1 SP PC" outside a system call, or "running". */
static uint64_t waiting_sp(uint32_t tid)
{
	char path[48], buf[256];
	cleanup_close int fd = -1;
	ssize_t got;
	char *p;

	snprintf(path, sizeof(path), "/proc/%u/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);
	buf[got > 0 ? got : 0] = '\0';
	p = strrchr(buf, ' ');
	if (!p)
		return 0;
	*p = '\0';
	p = strrchr(buf, ' ');
	return p ? strtoull(p, NULL, 16) : 0;
}

int stackatlas_fill(uint32_t pid, struct stack *s, size_t n)
{
	struct atlas a = { .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	char path[40];
	int err;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	a.entries = malloc(PAGEMAP_CHUNK * sizeof(*a.entries));
	if (!a.entries)
		return -ENOMEM;
	a.mem = open(path, O_RDONLY | O_CLOEXEC);
	a.pages = !pagemap_open(&a.pagemap, pid);
	for (size_t i = 0; i < n; i++)
		if (!s[i].sp)
			s[i].sp = waiting_sp(s[i].task->key.tid);
	if (n)
		qsort(s, n, sizeof(*s), by_sp);
	err = walk(&a, pid, s, n);
	if (a.pages)
		pagemap_close(&a.pagemap);
	if (a.mem >= 0)
		close(a.mem);
	free(a.entries);
	return err;
}
