// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/pages.h"

/* Anonymous, of a private mapping, and neither merged nor empty: only fork shares such a page. */
static uint64_t by_fork(uint64_t e, bool shared)
{
	return !shared && !(e & (PAGE_FILE | PAGE_KSM | PAGE_ZERO));
}

static void count_labels(struct page_counts *c, uint64_t e)
{
	c->file += !!(e & PAGE_FILE);
	c->ksm += !!(e & PAGE_KSM);
	c->huge += !!(e & PAGE_HUGE);
	c->zero += !!(e & PAGE_ZERO);
}

void pages_count(struct page_counts *c, const uint64_t *a, size_t n, bool shared)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t e = a[i];

		if (!e)
			continue;
		if (!(e & PAGE_PRESENT)) {
			c->swapped += page_is_swapped(e);
			continue;
		}
		c->present++;
		c->exclusive += !!(e & PAGE_EXCLUSIVE);
		count_labels(c, e);
		if (!(e & PAGE_EXCLUSIVE))
			c->shared_by_fork += by_fork(e, shared);
	}
}

void pages_count_pair(struct page_counts *c, const uint64_t *a, const uint64_t *b, size_t n,
		      bool shared)
{
	for (size_t i = 0; i < n; i++) {
		bool same;

		if (!(a[i] & b[i] & PAGE_PRESENT)) {
			c->swapped += page_is_populated(a[i]) && page_is_populated(b[i]);
			continue;
		}
		same = !((a[i] ^ b[i]) & PAGE_FRAME);
		c->present++;
		c->same += same;
		c->different += !same;
		count_labels(c, a[i]);
		if (same)
			c->shared_by_fork += by_fork(a[i], shared);
	}
}

uint64_t pages_changed(const uint64_t *before, const uint64_t *after, size_t n)
{
	const uint64_t bits = PAGE_PRESENT | PAGE_FRAME;
	uint64_t changed = 0;

	for (size_t i = 0; i < n; i++)
		changed += !!((before[i] ^ after[i]) & bits);
	return changed;
}

void pages_rest_absent(struct page_counts *c)
{
	uint64_t rest = c->pages - (c->unread < c->pages ? c->unread : c->pages);

	c->absent = rest > c->present ? rest - c->present : 0;
}

void pages_add(struct page_counts *sum, const struct page_counts *c)
{
	sum->pages += c->pages;
	sum->present += c->present;
	sum->swapped += c->swapped;
	sum->file += c->file;
	sum->exclusive += c->exclusive;
	sum->same += c->same;
	sum->different += c->different;
	sum->absent += c->absent;
	sum->shared_by_fork += c->shared_by_fork;
	sum->ksm += c->ksm;
	sum->huge += c->huge;
	sum->zero += c->zero;
	sum->changed += c->changed;
	sum->unread += c->unread;
	sum->pair = c->pair;
	sum->frames = c->frames;
	sum->labels = c->labels;
}
