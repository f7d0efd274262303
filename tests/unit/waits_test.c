// SPDX-License-Identifier: GPL-2.0-only
/* Waits from a stream of a few events: what they come to, and what must not be told. */
#include "analysis/tally.h"
#include "analysis/waits.h"
#include "lib/cleanup.h"
#include "unit.h"

#define TASK(number, pid)                                                                        \
	{                                                                                        \
		.type = EVENT_TASK, .task = {.id = number, .key = { pid, pid, 1 }, .comm = "x" } \
	}
#define SWITCH(at, from, to, why, letter)                                                         \
	{                                                                                         \
		.ts = at, .type = EVENT_SWITCH, .sw = { from, to, 0, CLASS_PROCESS, why, letter } \
	}
#define WAKE(at, by, whom)                                                          \
	{                                                                           \
		.ts = at, .type = EVENT_WAKE, .wake = {.waker = by, .wakee = whom } \
	}

/*
 * 10 sleeps from 100 to 400, waits for the CPU until 450, is preempted from 600 to 900 by 20, which
 * waits for a disk until 950 and for the CPU until 1000.
 */
static const struct event story[] = {
	TASK(1, 10),
	TASK(2, 20),
	SWITCH(100, 1, 2, HOW_VOLUNTARY, 'S'),
	WAKE(400, 2, 1),
	SWITCH(450, 2, 1, HOW_PREEMPTED, 'R'),
	SWITCH(600, 1, 2, HOW_PREEMPTED, 'R'),
	SWITCH(900, 2, 1, HOW_VOLUNTARY, 'D'),
	WAKE(950, 1, 2),
	SWITCH(1000, 1, 2, HOW_EXIT, 'X'),
};

/* 10 is the first row. The kernel counted `ten` switches of 10 and `twenty` of 20. */
static void tell(struct switches *out, size_t skip, unsigned int sides, uint64_t ten,
		 uint64_t twenty, bool all)
{
	struct task_switches rows[] = { { .key = { 10, 10, 1 }, .before = 7, .after = 7 + ten },
					{ .key = { 20, 20, 1 }, .after = twenty } };
	struct switches counted = { .tasks = rows, .n_tasks = 2 };
	struct tally *t = tally_new();
	struct cast cast = { 0 };
	struct waits *w;

	for (size_t i = 0; i < ARRAY_SIZE(story); i++) {
		assert_int_equal(cast_apply(&cast, &story[i]), 0);
		if (i != skip)
			assert_int_equal(tally_add(t, &story[i], &cast), 0);
	}
	memset(out, 0, sizeof(*out));
	assert_int_equal(tally_read(t, out), 0);
	w = waits_new(&counted, out);
	assert_non_null(w);
	for (size_t i = 0; i < ARRAY_SIZE(story); i++)
		if (i != skip)
			waits_add(w, &story[i], &cast, sides);
	waits_read(w, out, all);
	assert_int_equal(out->tasks[0].key.tid, 10);
	waits_free(w);
	tally_free(t);
	cast_deinit(&cast);
}

static void waits_are_by_state_and_by_wakeup(void **state)
{
	struct switches sw;

	(void)state;
	tell(&sw, SIZE_MAX, EVENT_SIDES, 3, 2, true);
	assert_true(sw.delays_known && sw.tasks[0].delays_known);
	assert_int_equal(sw.tasks[0].off[DELAY_SLEEP], 300);
	assert_int_equal(sw.tasks[0].off[DELAY_RUNNABLE], 50 + 300);
	assert_int_equal(sw.tasks[0].on_cpu, 150 + 100);
	assert_int_equal(sw.tasks[1].off[DELAY_RUNNABLE], 150 + 50);
	assert_int_equal(sw.tasks[1].off[DELAY_DISK], 50);
	assert_int_equal(sw.delays[DELAY_RUNNABLE].n, 4);
	assert_int_equal(sw.delays[DELAY_SLEEP].max, 300);
	switches_deinit(&sw);
}

static void a_task_that_switched_more_than_is_there_is_not_told(void **state)
{
	struct switches sw;

	(void)state;
	tell(&sw, SIZE_MAX, EVENT_SIDES, 4, 2, true);
	assert_false(sw.tasks[0].delays_known);
	assert_true(sw.tasks[1].delays_known);
	assert_int_equal(sw.delays[DELAY_SLEEP].n, 0);
	switches_deinit(&sw);
}

static void a_sleep_without_its_wakeup_is_left_out(void **state)
{
	struct switches sw;

	(void)state;
	tell(&sw, 3, EVENT_SIDES, 3, 2, true);
	assert_int_equal(sw.tasks[0].off[DELAY_SLEEP], 0);
	assert_int_equal(sw.tasks[0].off[DELAY_RUNNABLE], 300);
	switches_deinit(&sw);
}

static void only_what_was_asked_for_is_told(void **state)
{
	struct switches sw;

	(void)state;
	tell(&sw, SIZE_MAX, EVENT_SIDE_ONE, 3, 2, true);
	assert_int_equal(sw.delays[DELAY_RUNNABLE].n, 0);
	switches_deinit(&sw);
	tell(&sw, SIZE_MAX, 0, 3, 2, true);
	assert_int_equal(sw.delays[DELAY_SLEEP].n, 0);
	switches_deinit(&sw);
}

/* 20's last wait, from 900 on, is under no switch of its own that would show it whole. */
static void in_a_filtered_recording_the_last_wait_is_not_told(void **state)
{
	struct switches sw;

	(void)state;
	tell(&sw, SIZE_MAX, EVENT_SIDES, 3, 2, false);
	assert_int_equal(sw.delays[DELAY_RUNNABLE].n, 3);
	assert_int_equal(sw.delays[DELAY_DISK].n, 0);
	switches_deinit(&sw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_are_by_state_and_by_wakeup),
		cmocka_unit_test(a_task_that_switched_more_than_is_there_is_not_told),
		cmocka_unit_test(a_sleep_without_its_wakeup_is_left_out),
		cmocka_unit_test(only_what_was_asked_for_is_told),
		cmocka_unit_test(in_a_filtered_recording_the_last_wait_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
