// SPDX-License-Identifier: GPL-2.0-only
/* JSON from the column table: nesting, nulls, numbers beyond 63 bits, hostile names, lines. */
#include <stdlib.h>

#include "render/json.h"
#include "render/tasks.h"
#include "unit.h"

struct sink {
	char *text;
	size_t n;
	FILE *f;
	struct json *j;
};

static void sink_open(struct sink *s, bool lines)
{
	s->f = open_memstream(&s->text, &s->n);
	s->j = json_open(s->f, lines);
	assert_non_null(s->j);
}

static void sink_expect(struct sink *s, const char *expected)
{
	assert_int_equal(json_close(s->j), 0);
	fclose(s->f);
	if (expected)
		assert_string_equal(s->text, expected);
}

static void one_object_a_line(void **state)
{
	struct sink s;

	(void)state;
	sink_open(&s, true);
	for (int i = 0; i < 2; i++) {
		json_object(s.j, NULL);
		json_uint(s.j, "n", UINT64_MAX);
		json_str(s.j, "comm", "a\n\"\xff");
		json_id(s.j, "space", 0);
		json_object_end(s.j);
	}
	sink_expect(&s,
		    "{\"n\":18446744073709551615,\"comm\":\"a\\n\\\"\\\\xff\",\"space\":null}\n"
		    "{\"n\":18446744073709551615,\"comm\":\"a\\n\\\"\\\\xff\",\"space\":null}\n");
	free(s.text);
}

static void unknown_is_null_and_dots_nest(void **state)
{
	struct sink s;
	struct task t = { .key = { 5, 6, 7 }, .comm = "x" };

	(void)state;
	sink_open(&s, false);
	task_set_res(&t, RES_NET_NS, 4026531833u);
	json_task(s.j, NULL, &t);
	sink_expect(&s, NULL);
	assert_non_null(strstr(s.text, "\"nvcsw\": null"));
	assert_non_null(strstr(s.text, "\"net_ns\": \"4026531833\""));
	assert_non_null(strstr(s.text, "\"user_stack\": {\n    \"start\": null"));
	assert_null(strstr(s.text, "user_stack."));
	free(s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_a_line),
		cmocka_unit_test(unknown_is_null_and_dots_nest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
