// SPDX-License-Identifier: GPL-2.0-only
/* Counts of switches, the buckets of their costs, and their agreement with the kernel's counters. */
#include <stdlib.h>

#include <mmlens_hist.h>

#include "analysis/correlate.h"
#include "unit.h"

static void buckets_cover_every_duration_in_order(void **state)
{
	(void)state;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		assert_true(hist_edge(b) < hist_edge(b + 1));
		assert_int_equal(hist_bucket(hist_edge(b)), b);
		assert_int_equal(hist_bucket(hist_edge(b + 1) - 1), b);
	}
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static void a_bucket_is_at_most_an_eighth_wide(void **state)
{
	(void)state;
	for (uint32_t b = 1; b < HIST_BUCKETS; b++) {
		uint64_t width = hist_edge(b + 1) - hist_edge(b);

		assert_true(width == 16 || width <= hist_edge(b) / 8);
	}
}

static void loads_are_process_and_back_other(void **state)
{
	struct switches s = { 0 };

	(void)state;
	for (int c = 0; c < CLASS_NR; c++)
		s.classes[c].how[HOW_VOLUNTARY] = 1u << c;
	s.classes[CLASS_PROCESS].how[HOW_EXIT] = 1000;
	assert_int_equal(switches_total(&s), 255 + 1000);
	assert_int_equal(switches_loads(&s), (1 << CLASS_PROCESS) + 1000 + (1 << CLASS_BACK_OTHER));
}

struct fixture {
	struct snapshot before, after;
	struct switches sw;
	struct task_switches t;
};

/*
 * One task that by `source` the kernel counted from `a` to `b`, and what the programs saw of one
 * with its pid that started at `start`.
 */
static struct agreement judge_of(const char *source, uint64_t start, uint64_t a, uint64_t b,
				 uint64_t seen_before, uint64_t seen_after, uint64_t counted)
{
	struct fixture f = { 0 };
	struct agreement out;
	struct task *t;

	t = add_task(&f.before, 10, 10, 5, 7);
	t->known |= KNOWN_SWITCHES;
	t->nvcsw = a;
	t = add_task(&f.after, 10, 10, 5, 7);
	t->known |= KNOWN_SWITCHES;
	t->nivcsw = b;
	assert_int_equal(snapshot_seal(&f.before) | snapshot_seal(&f.after), 0);
	f.t = (struct task_switches){ .key = { 10, 10, start },
				      .before = seen_before,
				      .after = seen_after };
	f.t.count[CLASS_THREAD] = counted;
	f.sw.tasks = &f.t;
	f.sw.n_tasks = counted ? 1 : 0;
	snprintf(f.before.source, sizeof(f.before.source), "%s", source);
	correlate(&f.before, &f.after, &f.sw, NULL, 0, &out);
	snapshot_deinit(&f.before);
	snapshot_deinit(&f.after);
	return out;
}

static struct agreement judge(uint64_t a, uint64_t b, uint64_t seen_before, uint64_t seen_after,
			      uint64_t counted)
{
	return judge_of("module", 5, a, b, seen_before, seen_after, counted);
}

static struct agreement judge_started(const char *source, uint64_t start)
{
	return judge_of(source, start, 100, 120, 100, 120, 20);
}

static void agreement_needs_no_tolerance(void **state)
{
	(void)state;
	/* exactly the window, a wider one, a task that never ran */
	assert_int_equal(judge(100, 120, 100, 120, 20).agree, 1);
	assert_int_equal(judge(100, 120, 95, 130, 35).agree, 1);
	assert_int_equal(judge(100, 100, 0, 0, 0).agree, 1);
	/* a switch missed in between, at the end, altogether */
	assert_int_equal(judge(100, 120, 100, 120, 19).agree, 0);
	assert_int_equal(judge(100, 120, 100, 119, 19).agree, 0);
	assert_int_equal(judge(100, 120, 0, 0, 0).agree, 0);
	assert_int_equal(judge(100, 120, 0, 0, 0).n_worst, 1);
	assert_int_equal(judge(100, 120, 0, 0, 0).worst[0].grown, 20);
}

/* A snapshot of procfs has the start in clock ticks, a row of the programs in ns. */
static void a_coarse_start_finds_its_row(void **state)
{
	(void)state;
	assert_int_equal(judge_started("procfs", 5 + START_TICK_NS - 1).agree, 1);
	/* those of others: of one before it, and of one behind it that took its pid */
	assert_int_equal(judge_started("procfs", 4).agree, 0);
	assert_int_equal(judge_started("procfs", 5 + START_TICK_NS).agree, 0);
	/* other witnesses know it to the ns */
	assert_int_equal(judge_started("module", 5).agree, 1);
	assert_int_equal(judge_started("module", 6).agree, 0);
}

static void reused_pid_is_another_task(void **state)
{
	struct snapshot before = { 0 }, after = { 0 };
	struct switches sw = { 0 };
	struct agreement out;

	(void)state;
	add_task(&before, 10, 10, 5, 7)->known |= KNOWN_SWITCHES;
	add_task(&after, 10, 10, 6, 7)->known |= KNOWN_SWITCHES;
	assert_int_equal(snapshot_seal(&before) | snapshot_seal(&after), 0);
	correlate(&before, &after, &sw, NULL, 0, &out);
	assert_int_equal(out.tasks, 0);
	snapshot_deinit(&before);
	snapshot_deinit(&after);
}

/* A leader counted to `a` whose pid a thread took, counted to `b`, and what was seen of both. */
static struct agreement taken_over(uint64_t a, uint64_t b, struct task_switches *seen, size_t n)
{
	struct snapshot before = { 0 }, after = { 0 };
	struct switches sw = { .tasks = seen, .n_tasks = n };
	struct agreement out;
	struct task *t;

	t = add_task(&before, 10, 10, 5, 7);
	t->known |= KNOWN_SWITCHES;
	t->nvcsw = a;
	t = add_task(&after, 10, 10, 5, 7);
	t->known |= KNOWN_SWITCHES;
	t->nvcsw = b;
	assert_int_equal(snapshot_seal(&before) | snapshot_seal(&after), 0);
	correlate(&before, &after, &sw, NULL, 0, &out);
	snapshot_deinit(&before);
	snapshot_deinit(&after);
	return out;
}

static void who_took_a_leaders_pid_is_not_held_against_it(void **state)
{
	struct task_switches seen[] = {
		{ .key = { 10, 10, 5 }, .count[CLASS_THREAD] = 3, .before = 100, .after = 300 },
		/* its last switch may come when the thread has given it its own number */
		{ .key = { 10, 11, 5 },
		  .count[CLASS_THREAD] = 1,
		  .how[HOW_EXIT] = 1,
		  .before = 102,
		  .after = 103 },
	};
	struct agreement out;

	(void)state;
	out = taken_over(100, 300, seen, 2);
	assert_int_equal(out.tasks, 0);
	/* or outside what was watched, where only a counter that falls tells */
	out = taken_over(100, 30, seen, 1);
	assert_int_equal(out.tasks, 0);
	/* another's end says nothing */
	seen[1].key.start_ns = 6;
	out = taken_over(100, 300, seen, 2);
	assert_int_equal(out.tasks - out.agree, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_cover_every_duration_in_order),
		cmocka_unit_test(a_bucket_is_at_most_an_eighth_wide),
		cmocka_unit_test(loads_are_process_and_back_other),
		cmocka_unit_test(agreement_needs_no_tolerance),
		cmocka_unit_test(a_coarse_start_finds_its_row),
		cmocka_unit_test(reused_pid_is_another_task),
		cmocka_unit_test(who_took_a_leaders_pid_is_not_held_against_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
