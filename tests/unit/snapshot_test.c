// SPDX-License-Identifier: GPL-2.0-only
/* A sealed snapshot is in the order of its keys, whatever order its tasks came in. */
#include <stdlib.h>

#include "model/snapshot.h"
#include "unit.h"

#define ROUNDS 2000
#define TASKS  40

/* As a kernel gives them, by tid: processes, some with threads far behind them; then @swaps of two. */
static void fill(struct snapshot *s, size_t n, unsigned int *seed, int swaps)
{
	for (uint32_t tid = 1; tid <= n; tid++) {
		struct task *t = snapshot_add(s);
		uint32_t near = tid > 3 ? tid - rand_r(seed) % 3 : tid;

		assert_non_null(t);
		t->key.tid = tid;
		t->key.tgid = rand_r(seed) % 8 ? near : 1 + rand_r(seed) % tid;
	}
	for (; n && swaps; swaps--) {
		struct task *a = &s->tasks[rand_r(seed) % n], *b = &s->tasks[rand_r(seed) % n];
		struct task_key key = a->key;

		a->key = b->key;
		b->key = key;
	}
}

static void check_order(const struct snapshot *s, size_t n)
{
	assert_int_equal(s->n, n);
	for (size_t i = 1; i < n; i++)
		assert_true(task_key_cmp(&s->tasks[i - 1].key, &s->tasks[i].key) < 0);
	for (uint32_t tid = 1; tid <= n; tid++) {
		const struct task *t = snapshot_find(s, tid);

		assert_non_null(t);
		assert_int_equal(t->key.tid, tid);
	}
}

static void sealing_sorts_what_is_out_of_order(void **state)
{
	unsigned int seed = 1;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = rand_r(&seed) % TASKS;
		struct snapshot s;

		snapshot_init(&s);
		fill(&s, n, &seed, i % 3 ? 0 : rand_r(&seed) % TASKS);
		assert_int_equal(snapshot_seal(&s), 0);
		check_order(&s, n);
		snapshot_deinit(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealing_sorts_what_is_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
