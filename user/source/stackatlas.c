// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
/* The kernel's frame of a handler is so near below the top of a sigaltstack. */
#define SIGNAL_BYTES (64u << 10)
/* A larger mapping is no stack, and counting its pages would take its time. */
#define STACK_MAX (1ULL << 30)
#define GAP_PAGES 256
/* linux/signal.h: SS_ONSTACK, SS_DISABLE, SS_AUTODISARM */
#define SIGNAL_FLAGS (1u | 2u | 1u << 31)

struct atlas {
	int mem;
	struct pagemap pagemap;
	bool pages;
	uint64_t page;
	uint64_t gap;	/* stack_guard_gap */
	uint64_t limit; /* RLIMIT_STACK of the process */
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

/*
 * Where thread-local storage lies above the thread pointer (arm64) glibc's has no such pointer: it
 * is told by its link in the list of all threads, to which the next link points back, before the tid.
 */
static bool is_linked(const struct atlas *a, const uint8_t *p, uint64_t va, uint32_t tid)
{
	uint64_t next = word_at(p), back = 0;

	return !memcmp(p + 16, &tid, sizeof(tid)) && next && next % 8 == 0 &&
	       pread(a->mem, &back, sizeof(back), (off_t)(next + 8)) == sizeof(back) && back == va;
}

/* A descriptor begins with a pointer to itself (so does that of musl) and holds the tid. */
static bool is_descriptor(const struct atlas *a, const uint8_t *p, size_t n, uint64_t va,
			  uint32_t tid)
{
	return (word_at(p) == va && has_tid(p, n, tid)) || is_linked(a, p, va, tid);
}

static bool find_descriptor(const struct atlas *a, struct stack *s, uint64_t from, uint64_t to)
{
	uint8_t buf[STEP_BYTES];

	for (; from < to; from += STEP_BYTES - DESCRIPTOR) {
		size_t want = to - from < STEP_BYTES ? (size_t)(to - from) : STEP_BYTES;
		ssize_t got = pread(a->mem, buf, want, (off_t)from);

		for (ssize_t i = 0; i + 64 <= got; i += 16) {
			size_t left = (size_t)(got - i);

			if (!is_descriptor(a, buf + i, left, from + (uint64_t)i, s->task->key.tid))
				continue;
			take_block(s, buf + i, left, from + (uint64_t)i, a->page);
			return true;
		}
		if (got < (ssize_t)want || to - from <= STEP_BYTES)
			break;
	}
	return false;
}

/* `next`: where the next thread of this mapping is; what is this one's lies below. */
static bool is_pthread(const struct atlas *a, struct stack *s, uint64_t next)
{
	uint64_t from = s->sp & ~15ULL, top = s->end - TOP_BYTES;
	uint64_t to = s->end - from > SEEK_BYTES ? from + SEEK_BYTES : s->end;

	if (a->mem < 0)
		return false;
	if (from < top && find_descriptor(a, s, top, s->end))
		return true;
	return find_descriptor(a, s, from, to < next ? to : next);
}

/*
 * The frame of a handler holds the setting of the alternative stack it runs on (uc_stack: address,
 * flags, size), and that encloses both the frame and the pointer.
 */
static bool is_signal(const struct atlas *a, struct stack *s, uint64_t next)
{
	uint8_t buf[SIGNAL_BYTES];
	uint64_t from = s->sp & ~7ULL, left = (next < s->end ? next : s->end) - from;
	ssize_t got = a->mem < 0 ? 0
				 : pread(a->mem, buf, left < SIGNAL_BYTES ? left : SIGNAL_BYTES,
					 (off_t)from);

	for (ssize_t i = 0; i + 24 <= got; i += 8) {
		uint64_t base = word_at(buf + i), size = word_at(buf + i + 16);
		uint32_t flags = (uint32_t)word_at(buf + i + 8);

		if (base < s->start || base > s->sp || size < 1024 || size > s->end - base ||
		    base + size < from + (uint64_t)i + 24 || flags & ~SIGNAL_FLAGS)
			continue;
		s->start = base;
		s->end = base + size;
		return true;
	}
	return false;
}

/* Guard markers may lie below a stack or, where one mapping holds many, end it. */
static bool find_marker(struct atlas *a, struct stack *s)
{
	uint64_t below = s->guard > a->page ? s->guard : a->page;
	uint64_t va = s->start > below ? (s->start - below) / a->page * a->page : 0;
	uint64_t stop, low = 0;
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

/* It grows until its limit, or until the gap above what lies below. */
static uint64_t main_floor(const struct atlas *a, const struct stack *s, const struct region *below)
{
	uint64_t by_limit = s->end > a->limit ? s->end - a->limit : 0;
	uint64_t by_gap = below->end + a->gap;
	uint64_t floor = by_limit > by_gap ? by_limit : by_gap;

	return floor < s->start ? floor : s->start;
}

static void find_guard(struct atlas *a, struct stack *s, const struct region *below)
{
	bool vma = below->end == s->start && !strncmp(below->perms, "---", 3);

	if (s->kind == STACK_MAIN) {
		s->guard_kind = GUARD_GAP;
		s->guard = a->gap;
		s->floor = main_floor(a, s, below);
		return;
	}
	if (vma) {
		s->guard_kind = GUARD_VMA;
		if (!s->guard)
			s->guard = below->end - below->start;
	} else if (find_marker(a, s)) {
		s->guard_kind = GUARD_MADV;
	} else if (s->guard && a->pagemap.no_guard_scan) {
		/* the library says there is one; markers are older than the means to see them */
		s->guard_kind = GUARD_UNKNOWN;
	} else {
		s->guard_kind = GUARD_NONE;
		s->guard = 0;
	}
	s->floor = s->start;
}

static void count_touched(struct atlas *a, struct stack *s)
{
	/* a sigaltstack may begin anywhere */
	uint64_t va = s->start / a->page * a->page, left = (s->end - va) / a->page * a->page;

	if (!a->pages || left > STACK_MAX)
		return;
	while (left) {
		size_t n = left / a->page < PAGEMAP_CHUNK ? left / a->page : PAGEMAP_CHUNK;

		if (pagemap_read(&a->pagemap, va, n, a->entries))
			return;
		for (size_t i = 0; i < n; i++)
			if (page_is_populated(a->entries[i]))
				s->touched += a->page;
		va += n * a->page;
		left -= n * a->page;
	}
	s->touched_known = true;
}

static void place(struct atlas *a, struct stack *s, const struct region *r,
		  const struct region *below, uint64_t next)
{
	s->start = r->start;
	s->end = r->end;
	if (region_nature(r) == NATURE_STACK)
		s->kind = STACK_MAIN;
	else if (is_pthread(a, s, next))
		s->kind = STACK_PTHREAD;
	else
		s->kind = is_signal(a, s, next) ? STACK_SIGNAL : STACK_OTHER;
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
			place(a, &s[i], &r, &below, i + 1 < n ? s[i + 1].sp : UINT64_MAX);
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

/* "stack_guard_gap=PAGES" of the kernel's command line. */
static uint64_t find_gap(uint64_t page)
{
	cleanup_fclose FILE *f = fopen("/proc/cmdline", "re");
	unsigned long pages = GAP_PAGES;
	char line[4096];
	const char *p = f && fgets(line, sizeof(line), f) ? strstr(line, "stack_guard_gap=") : NULL;

	if (p)
		pages = strtoul(p + strlen("stack_guard_gap="), NULL, 0);
	return pages * page;
}

/* "Max stack size  SOFT  HARD  bytes"; what is unlimited or not for us to see bounds nothing. */
static uint64_t find_limit(uint32_t pid)
{
	cleanup_fclose FILE *f = NULL;
	char path[40], line[256];
	uint64_t limit;

	snprintf(path, sizeof(path), "/proc/%u/limits", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Max stack size %" SCNu64, &limit) == 1)
			return limit;
	return UINT64_MAX;
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
	a.gap = find_gap(a.page);
	a.limit = find_limit(pid);
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
