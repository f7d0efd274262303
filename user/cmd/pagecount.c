// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/pages.h"
#include "cmd/pagecount.h"
#include "lib/cleanup.h"
#include "lib/err.h"
#include "source/holder.h"

struct counting {
	struct page_counts c;
	bool shared;
	bool one_space; /* the first side's pages are the second's, too */
};

/* Of a large mapping; all but the last are counted in threads of their own. */
struct part {
	struct pagewalk walk;
	struct counting k;
	pthread_t thread;
	bool runs;
	bool open;
	int err;
};

static void count_piece(const struct piece *p, void *arg)
{
	struct counting *k = arg;
	const uint64_t *b = k->one_space ? p->a : p->b;

	if (!b)
		return pages_count(&k->c, p->a, p->n, k->shared);
	pages_count_pair(&k->c, p->a, b, p->n, k->shared);
	if (p->again)
		k->c.changed += pages_changed(p->a, p->again, p->n);
}

static void *count_part(void *arg)
{
	struct part *p = arg;

	p->err = pagewalk_pages(&p->walk, count_piece, &p->k);
	return NULL;
}

static void start(struct part *p, bool last)
{
	if (p->err)
		return;
	p->open = true;
	p->runs = !last && !pthread_create(&p->thread, NULL, count_part, p);
	if (!p->runs)
		count_part(p);
}

static void end(struct part *p, struct page_counts *sum)
{
	if (p->runs)
		pthread_join(p->thread, NULL);
	if (p->open)
		pagewalk_part_close(&p->walk);
	pages_add(sum, &p->k.c);
}

static int count_parts(struct pagewalk *w, struct counting *k, unsigned int n)
{
	struct part parts[PAGEWALK_PARTS] = { 0 };
	int err = 0;

	for (unsigned int i = 0; i < n; i++) {
		parts[i].k = *k;
		parts[i].err = pagewalk_part(w, i, n, &parts[i].walk);
		start(&parts[i], i == n - 1);
	}
	for (unsigned int i = 0; i < n; i++) {
		end(&parts[i], &k->c);
		if (parts[i].err)
			err = parts[i].err;
	}
	return err;
}

static int count_region(struct pagecount *pc, struct pagewalk *w)
{
	struct counting k = { .shared = region_is_shared(&w->region), .one_space = pc->one_space };
	unsigned int parts = pagewalk_parts(w);
	int err;

	k.c.pair = pc->b;
	k.c.frames = pc->frames.visible;
	k.c.labels = pc->frames.visible && pc->frames.flags_fd >= 0;
	err = parts > 1 ? count_parts(w, &k, parts) : pagewalk_pages(w, count_piece, &k);
	if (err)
		return err;
	k.c.pages = (w->region.end - w->region.start) >> w->a.pagemap.page_shift;
	k.c.unread = parts > 1 ? 0 : w->unread;
	pages_rest_absent(&k.c);
	pages_add(&pc->totals, &k.c);
	if (pc->region)
		pc->region(&w->region, &k.c, pc->arg);
	return 0;
}

uint32_t pagecount_reads(const struct pagecount *pc, uint32_t pid)
{
	return pid && pc->processes ? holder_of(pid) : pid;
}

int pagecount_run(struct pagecount *pc)
{
	uint32_t a = pagecount_reads(pc, pc->a), b = pagecount_reads(pc, pc->b), failed;
	struct pagewalk w;
	int got, err = pagewalk_open(&w, &pc->frames, a, pc->one_space ? 0 : b, &failed);
	uint64_t regions = 0;

	if (err) {
		pc->failed = failed == a ? pc->a : pc->b;
		return err;
	}
	memset(&pc->totals, 0, sizeof(pc->totals));
	pc->totals.pair = pc->b;
	while ((got = pagewalk_next(&w)) == 1) {
		err = count_region(pc, &w);
		if (err)
			break;
		regions++;
	}
	pc->raced = w.raced;
	if (!w.a.region.end || (w.b.pid && !w.b.region.end)) {
		pc->failed = w.a.region.end ? pc->b : pc->a;
		err = -ENODATA;
	}
	pagewalk_close(&w);
	return err ? err : got < 0 ? got : 0;
}

static int has_mappings(uint32_t pid)
{
	cleanup_fclose FILE *f = NULL;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	return fgetc(f) == EOF ? -ENODATA : 0;
}

int pagecount_check(struct pagecount *pc)
{
	int err;

	pc->failed = pc->a;
	err = has_mappings(pagecount_reads(pc, pc->a));
	if (err || !pc->b)
		return err;
	pc->failed = pc->b;
	return has_mappings(pagecount_reads(pc, pc->b));
}

int pagecount_fail(const struct pagecount *pc, int err)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", pc->failed);
	if (err == -ENOENT || err == -ESRCH)
		return fail(EXIT_FAILED, pid, "no such task");
	if (err == -ENODATA)
		return fail(EXIT_FAILED, pid,
			    "has no address space: a kernel thread, or it has ended");
	if (err == -EACCES || err == -EPERM)
		return fail(EXIT_MISSING, pid,
			    "its mappings are not for you to see: run as its user or as root");
	return fail(EXIT_FAILED, pid, "its pages cannot be read: %s", strerror(-err));
}
