// SPDX-License-Identifier: GPL-2.0-only
#include "lib/cleanup.h"
#include "render/regions.h"

enum text {
	R_PERMS,
	R_NATURE,
	R_NAME
};

static void get_text(const void *row, int arg, struct value *v)
{
	const struct region *r = ((const struct region_row *)row)->region;

	switch ((enum text)arg) {
	case R_PERMS:
		return value_str(v, r->perms);
	case R_NATURE:
		return value_str(v, nature_name(region_nature(r)));
	case R_NAME:
		return value_str(v, *r->name ? r->name : NULL);
	}
}

enum number {
	R_START,
	R_END,
	R_SIZE
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct region *r = ((const struct region_row *)row)->region;

	if (arg == R_SIZE)
		return value_uint(v, VALUE_SIZE, r->end - r->start);
	value_uint(v, VALUE_ADDR, arg == R_START ? r->start : r->end);
}

enum count {
	C_PAGES,
	C_PRESENT,
	C_SWAPPED,
	C_FILE,
	C_PRIVATE,
	C_SHARED,
	C_SAME,
	C_DIFFERENT,
	C_ABSENT,
	C_FORK,
	C_KSM,
	C_HUGE,
	C_ZERO,
	C_CHANGED,
	C_UNREAD,
};

/* What has to be known for a count to mean something. */
enum need {
	NEED_NOTHING,
	NEED_ONE, /* a single space */
	NEED_PAIR,
	NEED_FRAMES, /* the right to see frames */
	NEED_LABELS, /* and the kernel's flags of them */
	NEED_PAIR_FRAMES,
};

static const enum need needs[] = {
	[C_PAGES] = NEED_NOTHING,    [C_PRESENT] = NEED_NOTHING,
	[C_SWAPPED] = NEED_NOTHING,  [C_FILE] = NEED_NOTHING,
	[C_PRIVATE] = NEED_ONE,	     [C_SHARED] = NEED_ONE,
	[C_SAME] = NEED_PAIR_FRAMES, [C_DIFFERENT] = NEED_PAIR_FRAMES,
	[C_ABSENT] = NEED_NOTHING,   [C_FORK] = NEED_FRAMES,
	[C_KSM] = NEED_LABELS,	     [C_HUGE] = NEED_LABELS,
	[C_ZERO] = NEED_FRAMES,	     [C_CHANGED] = NEED_PAIR,
	[C_UNREAD] = NEED_NOTHING,
};

static bool known(const struct page_counts *c, enum count what)
{
	switch (needs[what]) {
	case NEED_NOTHING:
		return true;
	case NEED_ONE:
		return !c->pair;
	case NEED_PAIR:
		return c->pair;
	case NEED_FRAMES:
		return c->frames;
	case NEED_LABELS:
		return c->labels;
	case NEED_PAIR_FRAMES:
		return c->pair && c->frames;
	}
	return false;
}

static uint64_t count_of(const struct page_counts *c, enum count what)
{
	switch (what) {
	case C_PAGES:
		return c->pages;
	case C_PRESENT:
		return c->present;
	case C_SWAPPED:
		return c->swapped;
	case C_FILE:
		return c->file;
	case C_PRIVATE:
		return c->exclusive;
	case C_SHARED:
		return c->present - c->exclusive;
	case C_SAME:
		return c->same;
	case C_DIFFERENT:
		return c->different;
	case C_ABSENT:
		return c->absent;
	case C_FORK:
		return c->shared_by_fork;
	case C_KSM:
		return c->ksm;
	case C_HUGE:
		return c->huge;
	case C_ZERO:
		return c->zero;
	case C_CHANGED:
		return c->changed;
	case C_UNREAD:
		return c->unread;
	}
	return 0;
}

static void get_count(const void *row, int arg, struct value *v)
{
	const struct page_counts *c = ((const struct region_row *)row)->counts;

	if (known(c, arg))
		value_uint(v, VALUE_COUNT, count_of(c, arg));
}

#define COUNT(word, json, c, text)                                                       \
	{                                                                                \
		.name = word, .key = json, .help = text, .flags = COL_RIGHT | COL_EMPTY, \
		.get = get_count, .arg = c                                               \
	}

const struct column region_columns[] = {
	{ "START", "start", "first address", 0, COL_RIGHT, get_number, R_START },
	{ "END", "end", "first address behind", 0, COL_RIGHT, get_number, R_END },
	{ "SIZE", "size", "of the mapping, or of what both have of it", 0, COL_RIGHT, get_number,
	  R_SIZE },
	{ "PERMS", "perms", "as in /proc/PID/maps; s is shared, p private", 0, 0, get_text,
	  R_PERMS },
	{ "NATURE", "nature",
	  "anon, heap, stack, shared-anon, memfd, shm, sysv, hugetlb, file, kernel", 0, 0, get_text,
	  R_NATURE },
	COUNT("PAGES", "pages", C_PAGES, "pages of the mapping"),
	COUNT("PRESENT", "present", C_PRESENT, "in memory; of two spaces: in both"),
	COUNT("SAME", "same_frame", C_SAME, "in the same physical frame in both"),
	COUNT("DIFFERENT", "different_frame", C_DIFFERENT, "in another frame in each"),
	COUNT("ABSENT", "absent", C_ABSENT, "not in memory; of two spaces: in at least one"),
	COUNT("PRIVATE", "private", C_PRIVATE, "mapped nowhere else"),
	COUNT("SHARED", "shared", C_SHARED, "mapped more than once"),
	COUNT("FORK", "shared_by_fork", C_FORK, "private memory still shared since a fork"),
	COUNT("FILE", "file", C_FILE, "of a file or of shared memory"),
	COUNT("KSM", "ksm", C_KSM, "merged by KSM"),
	COUNT("HUGE", "huge", C_HUGE, "within huge pages"),
	COUNT("ZERO", "zero", C_ZERO, "the zero page: read, never written"),
	COUNT("SWAP", "swapped", C_SWAPPED, "swapped out, or on the way to another frame"),
	COUNT("CHANGED", "changed", C_CHANGED, "moved while the two spaces were read"),
	COUNT("UNREAD", "unread", C_UNREAD, "of a giant mapping, before Linux 6.7: not looked for"),
	{ "NAME", "name", "file or the kernel's name", 0.2, COL_TRUNC, get_text, R_NAME },
};

const size_t region_columns_n = ARRAY_SIZE(region_columns);

void json_page_counts(struct json *j, const char *key, const struct page_counts *c,
		      uint32_t page_size)
{
	struct region_row row = { NULL, c, page_size };

	json_object(j, key);
	if (c->pair)
		json_uint(j, "same_va", c->pages);
	for (size_t i = 0; i < region_columns_n; i++) {
		const struct column *col = &region_columns[i];
		struct value v = { .type = VALUE_NULL };

		if (col->get != get_count)
			continue;
		col->get(&row, col->arg, &v);
		json_value(j, col->key, &v);
	}
	json_uint(j, "page_size", page_size);
	json_object_end(j);
}
