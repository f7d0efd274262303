// SPDX-License-Identifier: GPL-2.0-only
#include "analysis/pages.h"

/*
 * A space has millions of pages: their bits are added up without a branch, in variables of the
 * loop, so that the compiler takes several at once.
 */
#define BIT_PRESENT   63
#define BIT_FILE      61
#define BIT_HUGE      60
#define BIT_KSM	      59
#define BIT_ZERO      57
#define BIT_EXCLUSIVE 56

_Static_assert(PAGE_PRESENT == 1ULL << BIT_PRESENT && PAGE_FILE == 1ULL << BIT_FILE &&
		       PAGE_HUGE == 1ULL << BIT_HUGE && PAGE_KSM == 1ULL << BIT_KSM &&
		       PAGE_ZERO == 1ULL << BIT_ZERO && PAGE_EXCLUSIVE == 1ULL << BIT_EXCLUSIVE,
	       "the bits are those of the model");

/* 1 for an anonymous page that is neither merged nor empty: in private memory only fork shares it. */
static uint64_t plain(uint64_t e)
{
	return ~(e >> BIT_FILE | e >> BIT_KSM | e >> BIT_ZERO) & 1;
}

static uint64_t same_frame(uint64_t a, uint64_t b)
{
	return (((a ^ b) & PAGE_FRAME) - 1) >> 63;
}

static void count_swapped(struct page_counts *c, const uint64_t *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->swapped += page_is_swapped(a[i]);
}

void pages_count(struct page_counts *c, const uint64_t *a, size_t n, bool shared)
{
	uint64_t present = 0, file = 0, ksm = 0, huge = 0, zero = 0, exclusive = 0, fork = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t e = a[i], here = e >> BIT_PRESENT;

		present += here;
		file += here & e >> BIT_FILE;
		ksm += here & e >> BIT_KSM;
		huge += here & e >> BIT_HUGE;
		zero += here & e >> BIT_ZERO;
		exclusive += here & e >> BIT_EXCLUSIVE;
		fork += here & ~(e >> BIT_EXCLUSIVE) & plain(e);
	}
	c->present += present;
	c->file += file;
	c->ksm += ksm;
	c->huge += huge;
	c->zero += zero;
	c->exclusive += exclusive;
	c->shared_by_fork += shared ? 0 : fork;
	if (present < n)
		count_swapped(c, a, n);
}

static void count_swapped_pair(struct page_counts *c, const uint64_t *a, const uint64_t *b,
			       size_t n)
{
	for (size_t i = 0; i < n; i++)
		c->swapped += !(a[i] & b[i] & PAGE_PRESENT) && page_is_populated(a[i]) &&
			      page_is_populated(b[i]);
}

void pages_count_pair(struct page_counts *c, const uint64_t *a, const uint64_t *b, size_t n,
		      bool shared)
{
	uint64_t present = 0, file = 0, ksm = 0, huge = 0, zero = 0, same = 0, fork = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t e = a[i], both = (e & b[i]) >> BIT_PRESENT;
		uint64_t one = both & same_frame(e, b[i]);

		present += both;
		file += both & e >> BIT_FILE;
		ksm += both & e >> BIT_KSM;
		huge += both & e >> BIT_HUGE;
		zero += both & e >> BIT_ZERO;
		same += one;
		fork += one & plain(e);
	}
	c->present += present;
	c->file += file;
	c->ksm += ksm;
	c->huge += huge;
	c->zero += zero;
	c->same += same;
	c->different += present - same;
	c->shared_by_fork += shared ? 0 : fork;
	if (present < n)
		count_swapped_pair(c, a, b, n);
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
