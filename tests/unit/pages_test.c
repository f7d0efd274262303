// SPDX-License-Identifier: GPL-2.0-only
/* Lines of maps, entries of pagemap, stacks held against each other. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "analysis/pages.h"
#include "analysis/stacks.h"
#include "source/giants.h"
#include "source/maps.h"
#include "source/pagemap.h"
#include "unit.h"

static void a_line_of_maps(void **state)
{
	struct region r;

	(void)state;
	assert_int_equal(
		maps_parse("7f0000001000-7f0000003000 rw-s 00001000 fd:01 42   /a b (deleted)", &r),
		0);
	assert_true(r.start == 0x7f0000001000 && r.end == 0x7f0000003000);
	assert_string_equal(r.perms, "rw-s");
	assert_string_equal(r.name, "/a b (deleted)");
	assert_true(r.offset == 0x1000 && r.major == 0xfd && r.minor == 1 && r.inode == 42);
	assert_int_equal(
		maps_parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]",
			   &r),
		0);
	assert_int_equal(region_nature(&r), NATURE_KERNEL);
	assert_int_equal(maps_parse("100000000000000-1fffffffffff000 ---p 00000000 00:00 0", &r),
			 0);
	assert_true(r.end == 0x1fffffffffff000);
}

static void no_line_of_maps(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"1000",
		"1000-",
		"2000-1000 rw-p 0 0:0 0",
		"1000-2000 rw-q 0 0:0 0",
		"1000-2000 rw- 0 0:0 0",
		"1000-2000 rw-p 0 0:0",
		"1000-2000 rw-p 0 0:0 x",
		"11111111111111111-2 rw-p 0 0:0 0",
		"1000-2000 rw-p 0 0:0 99999999999999999999999",
	};
	struct region r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(maps_parse(bad[i], &r), -EPROTO);
}

/* Whatever the bytes: an end, no overrun (ASan watches), and mappings in order. */
static void maps_survive_noise(void **state)
{
	static const char seed[] =
		"1000-2000 rw-p 00000000 00:00 0 [heap]\n2000-3000 r--s 0 1:2 3 /x\n";

	(void)state;
	srand(5);
	for (int round = 0; round < 3000; round++) {
		char buf[2 * sizeof(seed)];
		struct maps *m;
		struct region r;
		uint64_t last = 0;
		int fd[2];

		memcpy(buf, seed, sizeof(seed));
		memcpy(buf + sizeof(seed) - 1, seed, sizeof(seed));
		for (int k = rand() % 6; k >= 0; k--)
			buf[(size_t)rand() % (sizeof(buf) - 2)] = (char)rand();
		assert_int_equal(pipe(fd), 0);
		assert_true(write(fd[1], buf, sizeof(buf) - 2) == sizeof(buf) - 2);
		close(fd[1]);
		assert_int_equal(maps_from(fd[0], &m), 0);
		while (maps_next(m, &r) == 1) {
			assert_true(r.start >= last && r.end > r.start);
			last = r.end;
		}
		maps_close(m);
	}
}

static void pages_of_two_spaces(void **state)
{
	const uint64_t p = PAGE_PRESENT;
	const uint64_t a[] = {
		p | 1, p | 2, p | 3, 0, p | 4 | PAGE_ZERO, p | 5 | PAGE_FILE, p | 6 | PAGE_KSM
	};
	const uint64_t b[] = {
		p | 1, p | 9, 0, p | 3, p | 4 | PAGE_ZERO, p | 5 | PAGE_FILE, p | 6 | PAGE_KSM
	};
	struct page_counts c = { .pages = 7 }, s = { .pages = 7 };

	(void)state;
	pages_count_pair(&c, a, b, 7, false);
	pages_rest_absent(&c);
	assert_true(c.same == 4 && c.different == 1 && c.absent == 2);
	assert_true(c.shared_by_fork == 1 && c.zero == 1 && c.ksm == 1 && c.file == 1);
	pages_count_pair(&s, a, b, 7, true);
	assert_true(s.same == 4 && !s.shared_by_fork);
	assert_int_equal(pages_changed(a, b, 7), 3);
}

/* A guard marker is kept where a swapped page would be, and is none. */
static void guards_are_not_swapped(void **state)
{
	const uint64_t swap = PAGE_SWAPPED | 7, guard = PAGE_SWAPPED | PAGE_GUARD | 7;
	const uint64_t a[] = { swap, guard, swap, PAGE_PRESENT | 1, guard };
	const uint64_t b[] = { swap, swap, 0, swap, PAGE_PRESENT | 1 };
	struct page_counts one = { .pages = 5 }, two = { .pages = 5, .unread = 3 };

	(void)state;
	pages_count(&one, a, 5, false);
	assert_true(one.swapped == 2 && one.present == 1);
	pages_count_pair(&two, a, b, 5, false);
	assert_true(two.swapped == 2 && !two.present);
	pages_rest_absent(&two);
	assert_int_equal(two.absent, 2);
}

/* Frames of swap's last type are the kernel's markers, and a guard among them is told by value. */
static void markers_are_not_swapped(void **state)
{
	const uint64_t guard = PAGE_SWAPPED | 4 << 5 | 31, protected = PAGE_SWAPPED | 1 << 5 | 31;
	const uint64_t a[] = { guard, protected, PAGE_SWAPPED | 4 << 5,
			       PAGE_SWAPPED | 1ULL << 40 | 31, PAGE_SWAPPED };
	struct page_counts c = { .pages = 5 };

	(void)state;
	pages_count(&c, a, 5, false);
	assert_int_equal(c.swapped, 3);
	assert_true(page_is_guard(guard) && page_is_guard(PAGE_SWAPPED | PAGE_GUARD));
	assert_false(page_is_guard(protected) || page_is_guard(a[2]) || page_is_guard(a[3]));
	assert_false(page_is_guard(PAGE_PRESENT | 4 << 5 | 31) || page_is_guard(0));
}

/* With CONFIG_MEM_SOFT_DIRTY: giants were read as if they were full. */
static void soft_dirty_holes_are_holes(void **state)
{
	(void)state;
	assert_true(page_is_hole(0) && page_is_hole(1ULL << 55));
	assert_false(page_is_hole(PAGE_PRESENT | 1ULL << 55) || page_is_hole(PAGE_SWAPPED));
}

/* As on 6.13, where markers are told by no scan but by what is read. */
static void guards_are_read(void **state)
{
	const uint64_t guard = PAGE_SWAPPED | 4 << 5 | 31, at[] = { 3, 4, 5, 2000, 0 };
	struct pagemap p = { .page_shift = 12, .no_guard_scan = true, .guards = GUARDS_SHOWN };
	uint64_t va = 0, stop = 0;
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	p.fd = fileno(f);
	for (size_t i = 0; at[i]; i++)
		assert_int_equal(pwrite(p.fd, &guard, 8, (off_t)at[i] * 8), 8);
	assert_int_equal(pagemap_next_guard(&p, &va, 5000 << 12, &stop), 1);
	assert_true(va == 3 << 12 && stop == 6 << 12);
	va = stop;
	assert_int_equal(pagemap_next_guard(&p, &va, 5000 << 12, &stop), 1);
	assert_true(va == 2000 << 12 && stop == 2001 << 12);
	va = stop;
	assert_int_equal(pagemap_next_guard(&p, &va, 5000 << 12, &stop), 0);
	p.guards = GUARDS_HIDDEN;
	assert_int_equal(pagemap_next_guard(&p, &va, 5000 << 12, &stop), -EOPNOTSUPP);
	p.guards = GUARDS_NEVER;
	assert_int_equal(pagemap_next_guard(&p, &va, 5000 << 12, &stop), 0);
	fclose(f);
}

/* Where a giant is populated cannot be told before 6.7: its pages, or its budget, end the search. */
static void giants_are_given_up(void **state)
{
	struct giant list[] = { { 0x1000, 8192, 1 << 20 }, { 0x2000, 4096, 8192 } };
	struct giants g = { .g = list, .n = 2, .known = true };
	const struct region first = { .start = 0x1000 }, second = { .start = 0x2000 };
	const uint64_t e[] = { PAGE_PRESENT, 0, PAGE_SWAPPED, PAGE_PRESENT | PAGE_ZERO };
	const uint64_t empty[2] = { 0 };

	(void)state;
	assert_true(giants_allow(&g, 0, &first));
	giants_met(&g, e, 4, 4096);
	assert_false(giants_missing(&g) || giants_allow(&g, 0, &first));
	assert_true(giants_allow(&g, 0, &second));
	giants_met(&g, empty, 2, 4096);
	assert_true(!giants_allow(&g, 0, &second) && giants_missing(&g));
}

/* A database's memory of 100 GiB is read to its end: only what is read in vain is counted. */
static void full_giants_are_read(void **state)
{
	struct giant list[] = { { 0x1000, 3 * 4096, 4096 } };
	struct giants g = { .g = list, .n = 1, .known = true };
	const struct region full = { .start = 0x1000 };
	const uint64_t e[] = { PAGE_PRESENT, PAGE_PRESENT };

	(void)state;
	assert_true(giants_allow(&g, 0, &full));
	giants_met(&g, e, 2, 4096);
	assert_true(giants_allow(&g, 0, &full));
}

static void giants_take_no_more_than_their_time(void **state)
{
	struct giant list[] = { { 0x1000, 3 * 4096, GIANT_BUDGET } };
	struct giants g = { .g = list, .n = 1, .known = true };
	const struct region sparse = { .start = 0x1000 };
	const uint64_t empty[2] = { 0 };

	(void)state;
	assert_true(giants_allow(&g, 0, &sparse));
	g.since -= GIANT_NS;
	giants_met(&g, empty, 2, 4096);
	assert_true(!giants_allow(&g, 0, &sparse) && giants_missing(&g));
}

static void overlapping_stacks(void **state)
{
	struct task t[3] = { { .key.tid = 1 }, { .key.tid = 2 }, { .key.tid = 3 } };
	struct stack s[] = {
		{ .task = &t[0],
		  .kind = STACK_PTHREAD,
		  .start = 0x3000,
		  .end = 0x5000,
		  .touched = 1,
		  .touched_known = true },
		{ .task = &t[1],
		  .kind = STACK_PTHREAD,
		  .start = 0x1000,
		  .end = 0x4000,
		  .touched = 9,
		  .touched_known = true },
		{ .task = &t[2], .kind = STACK_OTHER, .start = 0x1000, .end = 0x9000 },
	};

	(void)state;
	assert_int_equal(stacks_overlaps(s, 3), 2);
	stacks_sort(s, 3);
	assert_true(s[0].task == &t[1] && s[0].overlaps && s[1].overlaps && !s[2].overlaps);
}

/* vfork(2) lends the stack of the parent, which waits; what others have of it is alarming. */
static void a_lent_stack(void **state)
{
	struct task t[3] = { { .key.tid = 1 },
			     { .key.tid = 2, .kind = KIND_VFORK },
			     { .key.tid = 3 } };
	struct stack s[3];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		s[i] = (struct stack){
			.task = &t[i], .kind = STACK_MAIN, .start = 0x1000, .end = 0x4000
		};
	assert_int_equal(stacks_overlaps(s, 2), 0);
	assert_false(s[0].overlaps || s[1].overlaps);
	s[2].start = 0x2000;
	assert_int_equal(stacks_overlaps(s, 3), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_maps),
		cmocka_unit_test(no_line_of_maps),
		cmocka_unit_test(maps_survive_noise),
		cmocka_unit_test(pages_of_two_spaces),
		cmocka_unit_test(guards_are_not_swapped),
		cmocka_unit_test(giants_are_given_up),
		cmocka_unit_test(full_giants_are_read),
		cmocka_unit_test(markers_are_not_swapped),
		cmocka_unit_test(guards_are_read),
		cmocka_unit_test(overlapping_stacks),
		cmocka_unit_test(a_lent_stack),
		cmocka_unit_test(soft_dirty_holes_are_holes),
		cmocka_unit_test(giants_take_no_more_than_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
