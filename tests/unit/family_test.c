// SPDX-License-Identifier: GPL-2.0-only
/* Whoever descends from a root is in its family, once, and nobody else. */
#include <stdlib.h>

#include "analysis/family.h"
#include "unit.h"

static void add_child(struct snapshot *s, uint32_t ppid, uint32_t tgid, uint32_t tid)
{
	struct task *t = add_task(s, tgid, tid, tid, 1);

	t->ppid = ppid;
	t->known |= KNOWN_PPID;
}

/* 1 has 10 and 20; 10 has 11 with a thread, 11 has 12; 20 has 21. */
static void make_tree(struct snapshot *s)
{
	snapshot_init(s);
	add_child(s, 0, 1, 1);
	add_child(s, 1, 10, 10);
	add_child(s, 1, 20, 20);
	add_child(s, 10, 11, 11);
	add_child(s, 10, 11, 15);
	add_child(s, 11, 12, 12);
	add_child(s, 20, 21, 21);
	assert_int_equal(snapshot_seal(s), 0);
}

static void expect_family(const struct snapshot *s, const uint32_t *roots, size_t n_roots,
			  const uint32_t *wanted, size_t n)
{
	uint32_t *got;
	size_t n_got;

	assert_int_equal(family(s, roots, n_roots, &got, &n_got), 0);
	assert_int_equal(n_got, n);
	assert_memory_equal(got, wanted, n * sizeof(*wanted));
	free(got);
}

static void descendants_of_all_generations(void **state)
{
	struct snapshot s;

	(void)state;
	make_tree(&s);
	expect_family(&s, (uint32_t[]){ 10 }, 1, (uint32_t[]){ 10, 11, 12 }, 3);
	expect_family(&s, (uint32_t[]){ 21 }, 1, (uint32_t[]){ 21 }, 1);
	expect_family(&s, (uint32_t[]){ 1 }, 1, (uint32_t[]){ 1, 10, 20, 11, 21, 12 }, 6);
	snapshot_deinit(&s);
}

static void a_root_below_a_root_is_there_once(void **state)
{
	struct snapshot s;

	(void)state;
	make_tree(&s);
	expect_family(&s, (uint32_t[]){ 10, 11, 10 }, 3, (uint32_t[]){ 10, 11, 12 }, 3);
	expect_family(&s, (uint32_t[]){ 99 }, 1, (uint32_t[]){ 99 }, 1);
	snapshot_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descendants_of_all_generations),
		cmocka_unit_test(a_root_below_a_root_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
