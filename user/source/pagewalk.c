// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/pagewalk.h"

/*
 * A window at first, and its reach beyond a mapping: what one page table maps. Above this it is
 * cheaper to ask whether the process took faults than to read its pages again.
 */
#define WINDOW_PAGES 512
/* From here on it pays to ask where a mapping is populated. */
#define SEEK_BYTES (4ULL << 20)
/* Walking this takes many times as long as to start a thread. */
#define PART_BYTES (128ULL << 20)
/* What one page table maps: no two parts read of the same. */
#define CUT_BYTES (2ULL << 20)
/* One side's window, and what no page of ours is larger than. */
#define BUFFER_BYTES (PAGEMAP_CHUNK * sizeof(uint64_t))
#define BUFFER_ALIGN 4096
/* Page tables of the kernel's half: the vsyscall page belongs to no space. */
#define KERNEL_HALF (1ULL << 63)

/* Minor and major faults of the whole process: fields 10 and 12 of its stat. */
static uint64_t read_faults(int stat_fd)
{
	char buf[1024], *p;
	uint64_t minor, major;
	ssize_t got = pread(stat_fd, buf, sizeof(buf) - 1, 0);

	if (got <= 0)
		return UINT64_MAX;
	buf[got] = '\0';
	p = strrchr(buf, ')');
	if (!p || sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64, &minor,
			 &major) != 2)
		return UINT64_MAX;
	return minor + major;
}

static int side_open(struct pagewalk_side *s, uint32_t pid)
{
	char path[40];
	int err;

	s->pid = pid;
	s->pagemap.fd = -1;
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	s->stat_fd = open(path, O_RDONLY | O_CLOEXEC);
	err = maps_open(pid, &s->maps);
	if (!err)
		err = pagemap_open(&s->pagemap, pid);
	if (err)
		return err;
	s->faults = read_faults(s->stat_fd);
	return 0;
}

static void side_close(struct pagewalk_side *s)
{
	if (!s->pid)
		return;
	maps_close(s->maps);
	pagemap_close(&s->pagemap);
	if (s->stat_fd >= 0)
		close(s->stat_fd);
}

static int make_room(struct pagewalk *w)
{
	size_t sides = w->b.pid ? 3 : 1; /* the first a second time */

	w->room = WINDOW_PAGES;
	w->a.entries = aligned_alloc(BUFFER_ALIGN, sides * BUFFER_BYTES);
	if (!w->a.entries)
		return -ENOMEM;
	w->b.entries = w->b.pid ? w->a.entries + PAGEMAP_CHUNK : NULL;
	w->again = w->b.pid ? w->b.entries + PAGEMAP_CHUNK : NULL;
	return 0;
}

int pagewalk_open(struct pagewalk *w, struct frames *f, uint32_t a, uint32_t b, uint32_t *failed)
{
	int err;

	memset(w, 0, sizeof(*w));
	w->frames = f;
	frames_mergeable(f, a, &w->mergeable);
	*failed = a;
	err = side_open(&w->a, a);
	if (!err && b) {
		*failed = b;
		err = side_open(&w->b, b);
	}
	if (!err)
		err = make_room(w);
	if (err)
		pagewalk_close(w);
	return err;
}

void pagewalk_close(struct pagewalk *w)
{
	side_close(&w->a);
	side_close(&w->b);
	free(w->a.entries);
	giants_deinit(&w->giants);
	mergeable_deinit(&w->mergeable);
	memset(w, 0, sizeof(*w));
}

static int side_next(struct pagewalk_side *s)
{
	int got = maps_next(s->maps, &s->region);

	return got == 1 && s->region.start >= KERNEL_HALF ? 0 : got;
}

static int next_of_one(struct pagewalk *w)
{
	int got = side_next(&w->a);

	w->region = w->a.region;
	return got;
}

/* Both sides stand on a mapping; the one that ends first moves on until they overlap. */
static int next_of_two(struct pagewalk *w)
{
	int got = 1;

	if (!w->started) {
		w->started = true;
		got = side_next(&w->a);
		if (got == 1)
			got = side_next(&w->b);
	} else {
		got = side_next(w->a.region.end <= w->b.region.end ? &w->a : &w->b);
	}
	while (got == 1) {
		const struct region *a = &w->a.region, *b = &w->b.region;

		if (a->start < b->end && b->start < a->end)
			break;
		got = side_next(a->end <= b->start ? &w->a : &w->b);
	}
	if (got != 1)
		return got;
	w->region = w->a.region;
	if (w->b.region.start > w->region.start)
		w->region.start = w->b.region.start;
	if (w->b.region.end < w->region.end)
		w->region.end = w->b.region.end;
	return 1;
}

int pagewalk_next(struct pagewalk *w)
{
	int got = w->b.pid ? next_of_two(w) : next_of_one(w);

	w->raced = maps_raced(w->a.maps) + (w->b.pid ? maps_raced(w->b.maps) : 0);
	return got;
}

static bool took_faults(struct pagewalk_side *s)
{
	uint64_t now = read_faults(s->stat_fd);
	bool took = now != s->faults || now == UINT64_MAX;

	s->faults = now;
	return took;
}

/* ---- the window ---- */

/* The first side once more, unless that is dear and it cannot have changed by its own doing. */
static int read_again(struct pagewalk *w, size_t n)
{
	w->reread = n <= WINDOW_PAGES || took_faults(&w->a);
	return w->reread ? pagemap_read(&w->a.pagemap, w->start, n, w->again) : 0;
}

static size_t populated(const uint64_t *e, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += !page_is_hole(e[i]);
	return found;
}

static int window_read(struct pagewalk *w, size_t n)
{
	int err = pagemap_read(&w->a.pagemap, w->start, n, w->a.entries);
	size_t found = err ? 0 : populated(w->a.entries, n);

	w->dense = found > n / 2;
	w->empty = !err && !found;
	w->stop = w->start + ((uint64_t)n << w->a.pagemap.page_shift);
	if (w->empty)
		return 0;
	if (!err && w->b.pid) {
		err = pagemap_read(&w->b.pagemap, w->start, n, w->b.entries);
		if (!err)
			err = read_again(w, n);
	}
	if (err)
		return err;
	frames_label(w->frames, w->start, n, w->a.entries, &w->mergeable);
	return 0;
}

static int window_move(struct pagewalk *w, uint64_t va)
{
	unsigned int shift = w->a.pagemap.page_shift;
	/* beyond the mapping only as far as its small neighbours may be */
	uint64_t left = ((w->region.end - va) >> shift) + WINDOW_PAGES;
	size_t n = left < w->room ? (size_t)left : w->room;
	int err;

	w->start = w->stop = va;
	err = window_read(w, n);
	if (w->dense)
		w->room = w->room < PAGEMAP_CHUNK / 2 ? 2 * w->room : PAGEMAP_CHUNK;
	else
		w->room = WINDOW_PAGES;
	return err;
}

/* The next page that is worth looking at, from *va on: 1, 0: none is left in the mapping. */
static int seek(struct pagewalk *w, uint64_t *va)
{
	uint64_t left = w->region.end - *va;
	int found;

	/* behind a dense window there is hardly ever a hole */
	if (left < SEEK_BYTES || (w->dense && *va == w->stop))
		return 1;
	found = pagemap_seek(&w->a.pagemap, va, w->region.end);
	if (found != -EOPNOTSUPP)
		return found;
	if (w->a.region.end - w->a.region.start < GIANT_BYTES ||
	    giants_allow(&w->giants, w->a.pid, &w->a.region)) {
		/* most of it will be empty, and large pieces are read the fastest */
		w->room = PAGEMAP_CHUNK;
		return 1;
	}
	w->unread = giants_missing(&w->giants) ? left >> w->a.pagemap.page_shift : 0;
	return 0;
}

static struct piece cut(const struct pagewalk *w, uint64_t va)
{
	uint64_t end = w->stop < w->region.end ? w->stop : w->region.end;
	size_t at = (va - w->start) >> w->a.pagemap.page_shift;

	return (struct piece){
		.va = va,
		.n = (size_t)((end - va) >> w->a.pagemap.page_shift),
		.a = w->a.entries + at,
		.b = w->b.pid ? w->b.entries + at : NULL,
		.again = w->b.pid && w->reread ? w->again + at : NULL,
	};
}

int pagewalk_pages(struct pagewalk *w, void (*fn)(const struct piece *p, void *arg), void *arg)
{
	uint64_t va = w->region.start;

	w->unread = 0;
	w->giants.now = NULL;
	while (va < w->region.end) {
		struct piece p;

		if (va < w->start || va >= w->stop) {
			int got = seek(w, &va);

			if (got == 1)
				got = window_move(w, va) ?: 1;
			if (got != 1)
				return got;
		}
		p = cut(w, va);
		giants_met(&w->giants, p.a, p.n, 1ULL << w->a.pagemap.page_shift);
		if (!w->empty)
			fn(&p, arg);
		va += (uint64_t)p.n << w->a.pagemap.page_shift;
	}
	return 0;
}

/* ---- parts ---- */

unsigned int pagewalk_parts(struct pagewalk *w)
{
	uint64_t va = w->region.start, parts = (w->region.end - va) / PART_BYTES;
	cpu_set_t cpus;

	/* where no scan leaps over holes, giants are counted in their order */
	if (parts < 2 || pagemap_seek(&w->a.pagemap, &va, w->region.end) != 1 ||
	    sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	if (parts > (uint64_t)CPU_COUNT(&cpus))
		parts = (uint64_t)CPU_COUNT(&cpus);
	return parts < PAGEWALK_PARTS ? (unsigned int)parts : PAGEWALK_PARTS;
}

static uint64_t cut_at(const struct region *r, unsigned int i, unsigned int n)
{
	uint64_t at = r->start + (r->end - r->start) / n * i;

	return i == 0 ? r->start : i == n ? r->end : at / CUT_BYTES * CUT_BYTES;
}

int pagewalk_part(const struct pagewalk *w, unsigned int i, unsigned int n, struct pagewalk *part)
{
	int err;

	*part = *w;
	part->region.start = cut_at(&w->region, i, n);
	part->region.end = cut_at(&w->region, i + 1, n);
	part->start = part->stop = 0;
	part->dense = false;
	part->giants = (struct giants){ 0 };
	err = make_room(part);
	/* All of it will be used, and a call is cheaper than a fault for each page of it; without it
	 * (before 5.14) the faults come. */
	if (!err)
		(void)madvise(part->a.entries, 2 * BUFFER_BYTES, MADV_POPULATE_WRITE);
	return err;
}

void pagewalk_part_close(struct pagewalk *part)
{
	free(part->a.entries);
}
