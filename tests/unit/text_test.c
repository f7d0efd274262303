// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and names as people read them, and hostile names that must not get through. */
#include <errno.h>

#include "lib/text.h"
#include "unit.h"

static void escapes_what_breaks_a_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain name", "plain name" },
		{ "new\nline", "new\\012line" },
		{ "\033[31mred", "\\033[31mred" },
		{ "back\\slash", "back\\134slash" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "bad\xff\xc3", "bad\\377\\303" },
		{ "\xc2\x9b"
		  "31m",
		  "\\302\\23331m" }, /* CSI as a C1 control */
		{ "\xe2\x80\xae"
		  "olleh",
		  "\\342\\200\\256olleh" },			/* right-to-left override */
		{ "\xed\xa0\x80", "\\355\\240\\200" },		/* a surrogate */
		{ "\xc0\xaf", "\\300\\257" },			/* overlong */
		{ "\xf4\x90\x80\x80", "\\364\\220\\200\\200" }, /* beyond Unicode */
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_escape(buf, sizeof(buf), cases[i].in), cases[i].out);
}

static void never_cuts_within_a_sequence(void **state)
{
	char buf[6];

	(void)state;
	assert_string_equal(text_escape(buf, sizeof(buf), "abcd\xc3\xbc"), "abcd");
	assert_string_equal(text_escape(buf, sizeof(buf), "ab\n"), "ab");
	assert_string_equal(text_escape(buf, 1, "abc"), "");
}

static void json_keeps_control_characters(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(text_utf8(buf, sizeof(buf), "a\nb\\\xff"), "a\nb\\\\xff");
}

static void sizes_and_times(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(text_size(buf, sizeof(buf), 512), "512B");
	assert_string_equal(text_size(buf, sizeof(buf), 1536), "1.5K");
	assert_string_equal(text_size(buf, sizeof(buf), 1048575), "1.0M");
	assert_string_equal(text_size(buf, sizeof(buf), UINT64_MAX), "16.0E");
	assert_string_equal(text_ns(buf, sizeof(buf), 999), "999ns");
	assert_string_equal(text_ns(buf, sizeof(buf), 1250), "1.25us");
	assert_string_equal(text_ns(buf, sizeof(buf), 18000000), "18.0ms");
	assert_string_equal(text_ns(buf, sizeof(buf), 2500000000u), "2.50s");
	assert_string_equal(text_signed_ns(buf, sizeof(buf), 2441036), "+2.44ms");
	assert_string_equal(text_signed_ns(buf, sizeof(buf), -310.4), "-310ns");
	assert_string_equal(text_count(buf, sizeof(buf), 412332), "412,332");
	assert_string_equal(text_count(buf, sizeof(buf), 7), "7");
	assert_string_equal(text_plural(0), "s");
	assert_string_equal(text_plural(1), "");
	assert_string_equal(text_plural(2), "s");
}

static void numbers_are_whole_words(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_int_equal(parse_u64("4194304", UINT32_MAX, &v), 0);
	assert_int_equal(v, 4194304);
	assert_int_equal(parse_u64("1099511627776", UINT32_MAX, &v), -ERANGE);
	assert_int_equal(parse_u64("99999999999999999999999", UINT64_MAX, &v), -ERANGE);
	for (const char *const *bad =
		     (const char *[]){ "", "abc", "-1", "+1", " 1", "1 ", "0x10", "1e3", NULL };
	     *bad; bad++)
		assert_int_equal(parse_u64(*bad, UINT32_MAX, &v), -EINVAL);
}

static void seconds_are_positive(void **state)
{
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(parse_seconds("0.25", &ns), 0);
	assert_int_equal(ns, 250000000);
	assert_int_equal(parse_seconds("0", &ns), -ERANGE);
	assert_int_equal(parse_seconds("nan", &ns), -EINVAL);
	assert_int_equal(parse_seconds("1s", &ns), -EINVAL);
	assert_int_equal(parse_seconds("-1", &ns), -EINVAL);
	assert_int_equal(parse_seconds("1e300", &ns), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_what_breaks_a_terminal),
		cmocka_unit_test(never_cuts_within_a_sequence),
		cmocka_unit_test(json_keeps_control_characters),
		cmocka_unit_test(sizes_and_times),
		cmocka_unit_test(numbers_are_whole_words),
		cmocka_unit_test(seconds_are_positive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
