// SPDX-License-Identifier: GPL-2.0-only
/* The ends of switches are watched while that is cheap or needed, and now and then in between. */
#include "source/bpf_timing.h"
#include "unit.h"

#define CPUS 2
#define MANY (100 * TIMING_FEW * CPUS)

static void few_switches_are_always_timed(void **state)
{
	struct timing t = { 0 };
	struct timing_sums s = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		s.count[CLASS_PROCESS] += TIMING_FEW * CPUS;
		s.timed[CLASS_PROCESS] = s.count[CLASS_PROCESS];
		assert_int_equal(timing_wanted(&t, &s, CPUS), MMLENS_TIMING_EVERY);
	}
}

static void many_are_timed_until_there_are_enough_and_then_now_and_then(void **state)
{
	struct timing t = { 0 };
	struct timing_sums s = { 0 };
	int on = 0;

	(void)state;
	for (int i = 0; i < TIMING_EACH; i++) {
		s.count[CLASS_THREAD] += MANY;
		assert_int_equal(timing_wanted(&t, &s, CPUS), MMLENS_TIMING_SAMPLE);
	}
	s.timed[CLASS_THREAD] = TIMING_ENOUGH;
	for (int i = 0; i < 10 * TIMING_EACH; i++) {
		s.count[CLASS_THREAD] += MANY;
		on += timing_wanted(&t, &s, CPUS) != MMLENS_TIMING_OFF;
	}
	assert_int_equal(on, 10);
}

static void a_class_that_becomes_frequent_is_timed_and_a_rare_one_waits(void **state)
{
	struct timing t = { .asked = 1 };
	struct timing_sums s = { 0 };

	(void)state;
	s.count[CLASS_THREAD] = MANY;
	s.timed[CLASS_THREAD] = TIMING_ENOUGH;
	s.count[CLASS_TO_KERNEL] = 10;
	assert_int_equal(timing_wanted(&t, &s, CPUS), MMLENS_TIMING_OFF);
	s.count[CLASS_THREAD] += MANY;
	s.count[CLASS_PROCESS] += MANY / 4;
	assert_int_equal(timing_wanted(&t, &s, CPUS), MMLENS_TIMING_SAMPLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_switches_are_always_timed),
		cmocka_unit_test(many_are_timed_until_there_are_enough_and_then_now_and_then),
		cmocka_unit_test(a_class_that_becomes_frequent_is_timed_and_a_rare_one_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
