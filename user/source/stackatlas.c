// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/descriptor.h"
#include "source/maps.h"
#include "source/pagemap.h"
#include "source/procmeta.h"
#include "source/stackatlas.h"

/* Where the stack's top is not the mapping's, it is looked for so far above the pointer. */
#define SEEK_BYTES (1u << 20)
/* The kernel's frame of a handler is so near below the top of a sigaltstack. */
#define SIGNAL_BYTES (64u << 10)
/* A larger mapping is no stack, and counting its pages would take its time. */
#define STACK_MAX (1ULL << 30)
#define GAP_PAGES 256
/* linux/signal.h: SS_ONSTACK, SS_DISABLE, SS_AUTODISARM */
#define SIGNAL_FLAGS (1u | 2u | 1u << 31)

struct atlas {
	int mem;
	bool foreign; /* the process is in another pid namespace than we */
	struct pagemap pagemap;
	bool pages;
	uint64_t page;
	uint64_t gap;	/* stack_guard_gap */
	uint64_t limit; /* RLIMIT_STACK of the process */
	uint64_t *entries;
};

/* What was met below a mapping. */
struct below {
	uint64_t end;	    /* of the mapping before */
	struct region wall; /* the last one without rights */
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

/* A descriptor holds the tid by which the thread knows itself. */
static uint32_t inner_tid(const struct atlas *a, const struct task *t)
{
	uint32_t tid = t->key.tid;

	if (a->foreign && procmeta_inner_tid(tid, &tid))
		return 0;
	return tid;
}

/* `next`: where the next thread of this mapping is; what is this one's lies below. */
static bool is_pthread(const struct atlas *a, struct stack *s, uint64_t next)
{
	struct descriptor_of who = { a->mem, inner_tid(a, s->task), s->sp, a->page };
	uint64_t from = s->sp & ~15ULL, top = s->end - DESCRIPTOR_TOP;
	uint64_t to = s->end - from > SEEK_BYTES ? from + SEEK_BYTES : s->end;
	struct descriptor_block b;

	if (!who.tid)
		return false;
	if (!(from < top && descriptor_find(&who, top, s->end, &b)) &&
	    !descriptor_find(&who, from, to < next ? to : next, &b))
		return false;
	if (b.size) {
		s->start = b.start + b.guard;
		s->end = b.start + b.size;
		s->guard = b.guard;
	}
	return true;
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

/*
 * Guard markers may lie below a stack or, where one mapping holds many, end it. 1, 0: there is
 * none, -errno: it cannot be told.
 */
static int find_marker(struct atlas *a, struct stack *s)
{
	uint64_t below = s->guard > a->page ? s->guard : a->page;
	uint64_t va = s->start > below ? (s->start - below) / a->page * a->page : 0;
	uint64_t stop, low = 0;
	int got = -EOPNOTSUPP;

	while (a->pages && (got = pagemap_next_guard(&a->pagemap, &va, s->sp, &stop)) == 1) {
		low = stop;
		s->guard = stop - va;
		va = stop;
	}
	if (low > s->start)
		s->start = low;
	return low ? 1 : got;
}

/* It grows until its limit, or until the gap above what lies below. */
static uint64_t main_floor(const struct atlas *a, const struct stack *s, uint64_t below)
{
	uint64_t by_limit = s->end > a->limit ? s->end - a->limit : 0;
	uint64_t by_gap = below + a->gap;
	uint64_t floor = by_limit > by_gap ? by_limit : by_gap;

	return floor < s->start ? floor : s->start;
}

/*
 * A mapping without rights right below the stack, or within what the library takes for it: a Java
 * thread has none of the library's and protects the lowest pages itself.
 */
static bool find_wall(struct stack *s, const struct region *wall)
{
	uint64_t block = s->start - s->guard;
	uint64_t from = wall->start > block ? wall->start : block;

	if (!wall->end || wall->end < s->start || wall->end > s->sp)
		return false;
	if (wall->end > s->start)
		s->guard = wall->end - from;
	else if (!s->guard)
		s->guard = wall->end - wall->start;
	s->start = wall->end;
	return true;
}

static void find_guard(struct atlas *a, struct stack *s, const struct below *below)
{
	int marker;

	if (s->kind == STACK_MAIN) {
		s->guard_kind = GUARD_GAP;
		s->guard = a->gap;
		s->floor = main_floor(a, s, below->end);
		return;
	}
	if (find_wall(s, &below->wall)) {
		s->guard_kind = GUARD_VMA;
	} else {
		marker = find_marker(a, s);
		s->guard_kind = marker == 1 ? GUARD_MADV : marker ? GUARD_UNKNOWN : GUARD_NONE;
		if (!marker)
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
		  const struct below *below, uint64_t next)
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
	struct below below = { 0 };
	struct region r;
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
		below.end = r.end;
		if (!strncmp(r.perms, "---", 3))
			below.wall = r;
	}
	for (; got == 0 && i < n; i++)
		s[i].kind = STACK_OUTSIDE;
	maps_close(m);
	return got < 0 ? got : 0;
}

static void take_gap(const struct atlas *a, struct stack *s, size_t n, const struct region *r,
		     uint64_t below)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].guard_kind != GUARD_NONE || s[i].start < r->start || s[i].start >= r->end)
			continue;
		s[i].guard_kind = GUARD_GAP;
		s[i].guard = a->gap;
		if (below + a->gap < r->start)
			s[i].floor = below + a->gap;
	}
}

/*
 * MAP_GROWSDOWN gives a mapping what the main stack has: the kernel's gap. smaps alone tells (gd),
 * and is dear, so that it is asked only where no guard was found.
 */
static void find_growing(const struct atlas *a, uint32_t pid, struct stack *s, size_t n)
{
	cleanup_fclose FILE *f = NULL;
	cleanup_free char *line = NULL;
	struct region r = { 0 };
	uint64_t below = 0;
	size_t room = 0, i = 0;
	char path[40];

	while (i < n && s[i].guard_kind != GUARD_NONE)
		i++;
	if (i == n)
		return;
	snprintf(path, sizeof(path), "/proc/%u/smaps", pid);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0) {
		struct region next;

		if (!maps_parse(line, &next)) {
			below = r.end;
			r = next;
		} else if (!strncmp(line, "VmFlags:", 8) && strstr(line, " gd")) {
			take_gap(a, s, n, &r, below);
		}
	}
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

/* Where we cannot ask, it is taken for ours, as nearly always. */
static bool is_foreign(uint32_t pid)
{
	struct stat ours, theirs;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
	return !stat("/proc/self/ns/pid", &ours) && !stat(path, &theirs) &&
	       ours.st_ino != theirs.st_ino;
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
	a.foreign = is_foreign(pid);
	a.gap = find_gap(a.page);
	a.limit = find_limit(pid);
	a.pages = !pagemap_open(&a.pagemap, pid);
	for (size_t i = 0; i < n; i++)
		if (!s[i].sp)
			s[i].sp = waiting_sp(s[i].task->key.tid);
	if (n)
		qsort(s, n, sizeof(*s), by_sp);
	err = walk(&a, pid, s, n);
	if (!err)
		find_growing(&a, pid, s, n);
	if (a.pages)
		pagemap_close(&a.pagemap);
	if (a.mem >= 0)
		close(a.mem);
	free(a.entries);
	return err;
}
