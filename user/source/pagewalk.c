// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/pagewalk.h"

/* Above this it is cheaper to ask whether the process took faults than to read its pages again. */
#define REREAD_PAGES 4096
/* Page tables of the kernel's half: the vsyscall page belongs to no space. */
#define KERNEL_HALF (1ULL << 63)

/* Minor and major faults of the whole process: fields 10 and 12 of its stat. */
static uint64_t read_faults(uint32_t pid)
{
	char path[40], buf[1024];
	cleanup_close int fd = -1;
	uint64_t minor, major;
	ssize_t got;
	char *p;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
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
	int err;

	s->pid = pid;
	s->pagemap.fd = -1;
	err = maps_open(pid, &s->maps);
	if (!err)
		err = pagemap_open(&s->pagemap, pid);
	if (err)
		return err;
	s->entries = malloc(PAGEMAP_CHUNK * sizeof(*s->entries));
	s->faults = read_faults(pid);
	return s->entries ? 0 : -ENOMEM;
}

static void side_close(struct pagewalk_side *s)
{
	if (!s->pid)
		return;
	maps_close(s->maps);
	pagemap_close(&s->pagemap);
	free(s->entries);
}

int pagewalk_open(struct pagewalk *w, struct frames *f, uint32_t a, uint32_t b, uint32_t *failed)
{
	int err;

	memset(w, 0, sizeof(*w));
	w->frames = f;
	*failed = a;
	err = side_open(&w->a, a);
	if (!err && b) {
		*failed = b;
		err = side_open(&w->b, b);
		w->again = malloc(PAGEMAP_CHUNK * sizeof(*w->again));
		if (!err && !w->again)
			err = -ENOMEM;
	}
	if (err)
		pagewalk_close(w);
	return err;
}

void pagewalk_close(struct pagewalk *w)
{
	side_close(&w->a);
	side_close(&w->b);
	free(w->again);
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
	uint64_t now = read_faults(s->pid);
	bool took = now != s->faults || now == UINT64_MAX;

	s->faults = now;
	return took;
}

/* The first side once more, unless that is dear and it cannot have changed by its own doing. */
static int read_again(struct pagewalk *w, struct piece *p)
{
	int err;

	if (p->n > REREAD_PAGES && !took_faults(&w->a))
		return 0;
	err = pagemap_read(&w->a.pagemap, p->va, p->n, w->again);
	p->again = err ? NULL : w->again;
	return err;
}

static int read_piece(struct pagewalk *w, struct piece *p)
{
	int err = pagemap_read(&w->a.pagemap, p->va, p->n, w->a.entries);

	p->a = w->a.entries;
	p->b = p->again = NULL;
	if (!err && w->b.pid) {
		err = pagemap_read(&w->b.pagemap, p->va, p->n, w->b.entries);
		p->b = w->b.entries;
		if (!err)
			err = read_again(w, p);
	}
	if (!err)
		frames_label(w->frames, p->va, p->n, w->a.entries);
	return err;
}

int pagewalk_pages(struct pagewalk *w, void (*fn)(const struct piece *p, void *arg), void *arg)
{
	uint64_t va = w->region.start, stop;
	unsigned int shift = w->a.pagemap.page_shift;

	while (pagemap_next(&w->a.pagemap, &va, w->region.end, &stop) == 1) {
		struct piece p = { .va = va, .n = (size_t)((stop - va) >> shift) };
		int err = read_piece(w, &p);

		if (err)
			return err;
		fn(&p, arg);
		va = stop;
	}
	return 0;
}
