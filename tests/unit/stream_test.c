// SPDX-License-Identifier: GPL-2.0-only
/* The stream as the kernel sends it comes out in the order of time, whatever the order of arrival. */
#include "lib/cleanup.h"
#include "mmlens_event.h"
#include "source/bpf_stream.h"
#include "unit.h"

#define CPUS 2

struct seen {
	uint64_t ts[32];
	size_t n;
};

static void keep(const struct event *ev, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->n < ARRAY_SIZE(seen->ts));
	seen->ts[seen->n++] = ev->ts;
}

/* One message of a CPU with switches at these times. */
static void send(struct stream *s, uint32_t cpu, const uint64_t *ts, size_t n)
{
	struct {
		struct mmlens_msg head;
		struct mmlens_rec rec[8];
	} m = { .head = { .type = MMLENS_MSG_BATCH, .n = (uint16_t)n, .cpu = cpu } };

	for (size_t i = 0; i < n; i++)
		m.rec[i] = (struct mmlens_rec){ .ts = ts[i], .kind = MMLENS_REC_SWITCH };
	assert_int_equal(stream_message(s, &m, sizeof(m.head) + n * sizeof(m.rec[0])), 0);
}

#define SEND(s, cpu, ...)                                   \
	do {                                                \
		const uint64_t times[] = { __VA_ARGS__ };   \
		send((s), (cpu), times, ARRAY_SIZE(times)); \
	} while (0)

static void assert_in_order(const struct seen *seen, size_t n)
{
	assert_int_equal(seen->n, n);
	for (size_t i = 1; i < n; i++)
		assert_true(seen->ts[i - 1] <= seen->ts[i]);
}

static void cpus_are_merged(void **state)
{
	struct seen seen = { 0 };
	struct stream *s = stream_new(CPUS, keep, &seen);

	(void)state;
	SEND(s, 0, 10, 40, 70);
	SEND(s, 1, 20, 30, 80);
	stream_release(s, 75, NULL, NULL);
	assert_in_order(&seen, 5);
	SEND(s, 0, 90);
	stream_release(s, UINT64_MAX, NULL, NULL);
	assert_in_order(&seen, 7);
	stream_free(s);
}

/* What an interrupt tells while a CPU sends its batch is in the ring before the batch. */
static void what_overtook_its_batch_waits_for_it(void **state)
{
	struct seen seen = { 0 };
	struct stream *s = stream_new(CPUS, keep, &seen);

	(void)state;
	SEND(s, 0, 5, 100);
	SEND(s, 1, 10, 20);
	SEND(s, 1, 60);
	SEND(s, 1, 65);
	SEND(s, 1, 30, 40, 62);
	SEND(s, 1, 110);
	stream_release(s, UINT64_MAX, NULL, NULL);
	assert_in_order(&seen, 10);
	stream_free(s);
}

/* And may have been delivered: of what comes later nothing is older than the limit. */
static void a_queue_in_use_is_merged_into(void **state)
{
	struct seen seen = { 0 };
	struct stream *s = stream_new(CPUS, keep, &seen);

	(void)state;
	SEND(s, 0, 10, 20, 50);
	stream_release(s, 25, NULL, NULL);
	assert_in_order(&seen, 2);
	SEND(s, 0, 30, 40);
	stream_release(s, UINT64_MAX, NULL, NULL);
	assert_in_order(&seen, 5);
	stream_free(s);
}

static void take(struct stream *s, uint32_t cpu, const uint64_t *ts, size_t n)
{
	struct mmlens_rec rec[8];

	for (size_t i = 0; i < n; i++)
		rec[i] = (struct mmlens_rec){ .ts = ts[i], .kind = MMLENS_REC_SWITCH };
	assert_int_equal(stream_batch(s, cpu, rec, n), 0);
}

/* What was taken from a CPU that had gone is sent by it all the same when it has come back. */
static void what_was_taken_is_not_told_again(void **state)
{
	const uint64_t left[] = { 30, 40 };
	struct seen seen = { 0 };
	struct stream *s = stream_new(CPUS, keep, &seen);

	(void)state;
	SEND(s, 1, 10, 20);
	take(s, 1, left, 2);
	stream_release(s, 35, NULL, NULL);
	assert_in_order(&seen, 3);
	take(s, 1, left, 2);
	SEND(s, 0, 36, 38, 45);
	SEND(s, 1, 30, 40, 50, 60);
	SEND(s, 1, 70);
	stream_release(s, UINT64_MAX, NULL, NULL);
	assert_in_order(&seen, 10);
	stream_free(s);
}

/* Asked so many times it says yes. */
static bool patient(void *arg)
{
	int *left = arg;

	return (*left)-- > 0;
}

/* Whoever is told may be slow: what is left is told later, and in its place. */
static void what_there_was_no_time_for_is_told_later(void **state)
{
	int patience = 1;
	struct seen seen = { 0 };
	struct stream *s = stream_new(CPUS, keep, &seen);

	(void)state;
	SEND(s, 0, 10, 20, 30, 40, 50, 60, 70);
	SEND(s, 1, 15, 25, 35, 45, 55, 65, 75);
	assert_int_equal(stream_held(s), 14);
	assert_false(stream_release(s, 70, patient, &patience));
	assert_int_equal(seen.n, 8);
	assert_int_equal(stream_held(s), 6);
	SEND(s, 1, 80);
	patience = 9;
	assert_true(stream_release(s, 70, patient, &patience));
	assert_in_order(&seen, 12);
	assert_true(stream_release(s, UINT64_MAX, NULL, NULL));
	assert_in_order(&seen, 15);
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_are_merged),
		cmocka_unit_test(what_overtook_its_batch_waits_for_it),
		cmocka_unit_test(a_queue_in_use_is_merged_into),
		cmocka_unit_test(what_was_taken_is_not_told_again),
		cmocka_unit_test(what_there_was_no_time_for_is_told_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
