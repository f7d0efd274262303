// SPDX-License-Identifier: GPL-2.0-only
/* Events and counts in files: what goes in comes out; cut, changed and hostile bytes do no harm. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tally.h"
#include "lib/cleanup.h"
#include "render/events.h"
#include "source/recevents.h"
#include "unit.h"

#define MUTATIONS 20000

static const struct event events[] = {
	{ 1000, 0, EVENT_TASK,
	  .task = { .id = 1, .key = { 10, 10, 5 }, .space = 7, .comm = "one" } },
	{ 1000, 3, EVENT_TASK,
	  .task = { .id = 2, .key = { 10, 11, 6 }, .space = 7, .comm = "two" } },
	{ 1000, 0, EVENT_SWITCH, .sw = { 0, 1, 250, CLASS_BACK_OTHER, HOW_VOLUNTARY, 'R' } },
	{ 1500, 0, EVENT_SWITCH, .sw = { 1, 2, 0, CLASS_THREAD, HOW_PREEMPTED, 'R' } },
	{ 1400, 3, EVENT_WAKE, .wake = { 2, 1, 202, true, false, true } },
	{ 1600, 0, EVENT_SWITCH, .sw = { 2, EVENT_NOBODY, UINT32_MAX, CLASS_PEER, HOW_EXIT, 'X' } },
	{ 1700, 3, EVENT_FORK, .fork = { 1, 2, 0x3d0f00 } },
	{ 1800, 3, EVENT_EXEC, .exec = { 2, 11, UINT64_MAX, "three" } },
	{ UINT64_MAX, 9, EVENT_EXIT, .exit = { 2, 0x100, true } },
	{ 0, 9, EVENT_LOST, .lost = 12345 },
};

static void encode(struct event_block *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		event_block_put(b, &events[i]);
}

static void events_come_out_as_they_went_in(void **state)
{
	struct event_block b = { 0 };
	struct event_reader r;
	struct event ev;

	(void)state;
	/* twice: a block stands for itself, whatever was in the one before */
	encode(&b);
	event_block_reset(&b);
	encode(&b);
	assert_int_equal(event_reader_init(&r, b.b.p, b.b.n, RECEVENTS_VERSION), 0);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		assert_int_equal(event_reader_next(&r, &ev), 1);
		assert_memory_equal(&ev, &events[i], sizeof(ev));
	}
	assert_int_equal(event_reader_next(&r, &ev), 0);
	assert_int_equal(event_reader_init(&r, b.b.p, b.b.n, RECEVENTS_VERSION + 1), -EPROTO);
	bytes_deinit(&b.b);
}

/* Reads bytes of anyone's making in a block of exactly their size, and uses them as report does. */
static int decode(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct tally *t = tally_new();
	struct switches sw = { 0 };
	struct cast cast = { 0 };
	struct event_reader r;
	struct event ev;
	int got;

	assert_non_null(copy);
	memcpy(copy, p, n);
	got = event_reader_init(&r, copy, n, RECEVENTS_VERSION);
	assert_int_equal(got, 0);
	while ((got = event_reader_next(&r, &ev)) > 0) {
		if (ev.type == EVENT_TASK && ev.task.id > 1000)
			break;
		assert_int_equal(cast_apply(&cast, &ev), 0);
		assert_int_equal(tally_add(t, &ev, &cast), 0);
	}
	assert_int_equal(tally_read(t, &sw), 0);
	switches_deinit(&sw);
	tally_free(t);
	cast_deinit(&cast);
	free(copy);
	return got;
}

static void cut_and_changed_events_do_no_harm(void **state)
{
	struct event_block b = { 0 };
	unsigned int seed = 1;

	(void)state;
	encode(&b);
	for (size_t n = 0; n <= b.b.n; n++)
		assert_true(decode(b.b.p, n) <= 0);
	for (int i = 0; i < MUTATIONS; i++) {
		size_t at = (size_t)rand_r(&seed) % b.b.n;
		uint8_t was = b.b.p[at];

		b.b.p[at] = (uint8_t)rand_r(&seed);
		decode(b.b.p, b.b.n);
		b.b.p[at] = was;
	}
	bytes_deinit(&b.b);
}

/* The line of one wake-up, its time and CPU cut off. */
static char *line_of_wake(const struct cast *cast, int call)
{
	const struct event_style style = { 0 };
	const struct event ev = { 0, 0, EVENT_WAKE, .wake = { 0, 0, call, true, false, true } };
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	print_event(f, &ev, cast, &style);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void calls_bear_the_names_they_had_where_they_were_recorded(void **state)
{
	struct call_names names = { 0 };
	struct cast elsewhere = { .calls = &names };
	struct bytes b = { 0 };
	struct cursor c;
	char *line;

	(void)state;
	/* as arm64 and riscv have it, on x86 it is getrusage */
	reccalls_put(&b, 98, "futex");
	reccalls_put(&b, 600, "of_the_future");
	c = cursor_of(b.p, b.n);
	assert_int_equal(reccalls_decode(&c, RECCALLS_VERSION, &names), 0);
	c = cursor_of(b.p, b.n);
	assert_int_equal(reccalls_decode(&c, RECCALLS_VERSION + 1, &names), -EPROTO);
	assert_string_equal(call_names_find(&names, 600), "of_the_future");
	assert_null(call_names_find(&names, 599));
	assert_null(call_names_find(&names, CALL_MAX));
	line = line_of_wake(&elsewhere, 98);
	assert_non_null(strstr(line, "(futex, same space)"));
	free(line);
	line = line_of_wake(&elsewhere, 202);
	assert_non_null(strstr(line, "(call 202, same space)"));
	free(line);
	call_names_deinit(&names);
	bytes_deinit(&b);
}

static int decode_calls(const char *payload, size_t n)
{
	struct call_names names = { 0 };
	struct cursor c = cursor_of(payload, n);
	int err = reccalls_decode(&c, RECCALLS_VERSION, &names);

	call_names_deinit(&names);
	return err;
}

static void names_that_are_none_are_damage(void **state)
{
	(void)state;
	assert_int_equal(decode_calls("\x01\x04read", 6), 0);
	assert_int_equal(decode_calls("\x01\x04re\033d", 6), -EBADMSG);
	assert_int_equal(decode_calls("\x01\x00", 2), -EBADMSG);
	assert_int_equal(decode_calls("\x01\x09read", 6), -EBADMSG);
	assert_int_equal(decode_calls("\xff\xff\xff\xff\x0f\x04read", 10), -EBADMSG);
}

static void the_tally_is_what_the_events_add_up_to(void **state)
{
	struct tally *t = tally_new();
	struct switches sw = { 0 };
	struct cast cast = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		assert_int_equal(cast_apply(&cast, &events[i]), 0);
		assert_int_equal(tally_add(t, &events[i], &cast), 0);
	}
	assert_int_equal(tally_read(t, &sw), 0);
	assert_int_equal(switches_total(&sw), 3);
	assert_int_equal(switches_loads(&sw), 1);
	assert_int_equal(sw.lost, 12345);
	assert_int_equal(sw.classes[CLASS_THREAD].how[HOW_PREEMPTED], 1);
	assert_int_equal(sw.classes[CLASS_THREAD].cost.n, 0);
	assert_int_equal(sw.classes[CLASS_BACK_OTHER].cost.max, 250);
	assert_int_equal(sw.n_tasks, 2);
	switches_deinit(&sw);
	tally_free(t);
	cast_deinit(&cast);
}

static int decode_counts(const uint8_t *p, size_t n, struct switches *sw)
{
	struct cursor c = cursor_of(p, n);
	uint32_t *tgids = NULL;
	size_t n_tgids = 0;
	int err;

	memset(sw, 0, sizeof(*sw));
	err = recstat_decode(&c, RECSTAT_VERSION, sw, &tgids, &n_tgids);
	if (!err)
		assert_true(n_tgids <= n);
	free(tgids);
	return err;
}

static void counts_come_out_and_changed_ones_do_no_harm(void **state)
{
	struct task_switches task = { .key = { 1, 2, 3 }, .comm = "x", .before = 9, .after = 11 };
	struct switches sw = { .lost = 3, .tasks = &task, .n_tasks = 1, .cost_end = "here" }, out;
	uint32_t tgids[] = { 1, UINT32_MAX };
	struct bytes b = { 0 };
	unsigned int seed = 1;

	(void)state;
	sw.classes[CLASS_PEER].how[HOW_EXIT] = 2;
	recstat_encode(&b, &sw, tgids, 2);
	assert_int_equal(decode_counts(b.p, b.n, &out), 0);
	assert_int_equal(out.lost, 3);
	assert_int_equal(out.classes[CLASS_PEER].how[HOW_EXIT], 2);
	assert_memory_equal(&out.tasks[0], &task, sizeof(task));
	assert_string_equal(out.cost_end, "here");
	switches_deinit(&out);
	for (size_t n = 0; n < b.n; n++) {
		assert_int_equal(decode_counts(b.p, n, &out), -EBADMSG);
		switches_deinit(&out);
	}
	for (int i = 0; i < MUTATIONS; i++) {
		size_t at = (size_t)rand_r(&seed) % b.n;
		uint8_t was = b.p[at];

		b.p[at] = (uint8_t)rand_r(&seed);
		decode_counts(b.p, b.n, &out);
		switches_deinit(&out);
		b.p[at] = was;
	}
	bytes_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_out_as_they_went_in),
		cmocka_unit_test(cut_and_changed_events_do_no_harm),
		cmocka_unit_test(calls_bear_the_names_they_had_where_they_were_recorded),
		cmocka_unit_test(names_that_are_none_are_damage),
		cmocka_unit_test(the_tally_is_what_the_events_add_up_to),
		cmocka_unit_test(counts_come_out_and_changed_ones_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
