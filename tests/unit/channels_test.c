// SPDX-License-Identifier: GPL-2.0-only
/* Endpoints meet where they name one object, and each object is told once. */
#include "unit.h"

#include "analysis/channels.h"

static void put(struct endpoints *es, enum channel_type type, uint32_t pid, uint64_t id,
		const char *mode)
{
	struct endpoint *e = endpoints_add(es);

	assert_non_null(e);
	e->type = type;
	e->tgid = pid;
	e->id = id;
	e->reads = strchr(mode, 'r');
	e->writes = strchr(mode, 'w');
}

static void a_pipe_needs_a_reader_and_a_writer(void **state)
{
	struct endpoints es = { 0 };
	struct channels cs;

	(void)state;
	put(&es, CHANNEL_PIPE, 1, 7, "w");
	put(&es, CHANNEL_PIPE, 2, 7, "r");
	put(&es, CHANNEL_PIPE, 3, 7, "w");
	put(&es, CHANNEL_PIPE, 2, 8, "r");
	assert_int_equal(channels_pair(&es, 1, 0, &cs), 0);
	assert_int_equal(cs.n, 1);
	assert_int_equal(cs.c[0].b->tgid, 2);
	assert_string_equal(channel_direction(&cs.c[0]), "->");
	channels_deinit(&cs);
	endpoints_deinit(&es);
}

static void sockets_meet_by_their_peers(void **state)
{
	struct endpoints es = { 0 };
	struct channels cs;

	(void)state;
	for (uint32_t pid = 1; pid <= 3; pid++)
		put(&es, CHANNEL_UNIX, pid, 10 + pid, "rw");
	es.e[0].peer = 12;
	es.e[1].peer = 11;
	es.e[2].peer = 99;
	assert_int_equal(channels_pair(&es, 1, 0, &cs), 0);
	assert_int_equal(cs.n, 1);
	assert_int_equal(cs.c[0].b->tgid, 2);
	channels_deinit(&cs);
	assert_int_equal(channels_pair(&es, 1, 3, &cs), 0);
	assert_int_equal(cs.n, 0);
	channels_deinit(&cs);
	endpoints_deinit(&es);
}

static void what_has_two_ends_is_told_though_nobody_holds_the_other(void **state)
{
	struct endpoints es = { 0 };
	struct channels cs;

	(void)state;
	put(&es, CHANNEL_UNIX, 1, 11, "rw");
	es.e[0].peer = 99;
	es.e[0].paired = true;
	put(&es, CHANNEL_PIPE, 1, 7, "w");
	es.e[1].paired = true;
	put(&es, CHANNEL_PIPE, 1, 8, "w");
	put(&es, CHANNEL_PIPE, 1, 8, "r"); /* its own other end */
	es.e[2].paired = es.e[3].paired = true;
	put(&es, CHANNEL_UNIX, 1, 12, "rw"); /* it listens */
	put(&es, CHANNEL_MEMFD, 1, 5, "rw");
	assert_int_equal(channels_pair(&es, 1, 0, &cs), 0);
	assert_int_equal(cs.n, 2);
	assert_null(cs.c[0].b);
	assert_string_equal(channel_direction(&cs.c[0]), "->");
	assert_null(cs.c[1].b);
	assert_string_equal(channel_direction(&cs.c[1]), "<->");
	channels_deinit(&cs);
	assert_int_equal(channels_pair(&es, 1, 2, &cs), 0);
	assert_int_equal(cs.n, 0);
	endpoints_deinit(&es);
}

static void an_object_held_twice_is_told_once(void **state)
{
	struct endpoints es = { 0 };
	struct channels cs;

	(void)state;
	for (int i = 0; i < 3; i++) {
		put(&es, CHANNEL_MEMFD, 1, 5, "rw");
		put(&es, CHANNEL_MEMFD, 2, 5, "rw");
	}
	es.e[3].waited = true;
	put(&es, CHANNEL_FILE, 1, 5, "r");
	put(&es, CHANNEL_FILE, 2, 5, "r");
	assert_int_equal(channels_pair(&es, 1, 2, &cs), 0);
	assert_int_equal(cs.n, 1); /* and what nobody writes is no channel */
	assert_true(cs.c[0].a->waited || cs.c[0].b->waited);
	channels_deinit(&cs);
	endpoints_deinit(&es);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_needs_a_reader_and_a_writer),
		cmocka_unit_test(sockets_meet_by_their_peers),
		cmocka_unit_test(what_has_two_ends_is_told_though_nobody_holds_the_other),
		cmocka_unit_test(an_object_held_twice_is_told_once),
	};

	return cmocka_run_group_tests_name("channels", tests, NULL, NULL);
}
