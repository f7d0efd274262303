// SPDX-License-Identifier: GPL-2.0-only
/* The verdict over two tasks, and the trap that two absent objects are not a shared one. */
#include "analysis/verdict.h"
#include "unit.h"

static struct task make(uint32_t tgid, uint32_t tid, uint64_t space)
{
	struct task t = { .key = { tgid, tid, tid } };

	task_set_res(&t, RES_MM, space);
	return t;
}

static void absent_is_not_shared(void **state)
{
	struct task a = make(1, 1, 7), b = make(2, 2, 7);

	(void)state;
	assert_int_equal(resource_share(&a, &b, RES_MM), SHARE_SHARED);
	assert_int_equal(resource_share(&a, &b, RES_IO), SHARE_UNKNOWN);
	task_set_res(&a, RES_IO, 0);
	assert_int_equal(resource_share(&a, &b, RES_IO), SHARE_UNKNOWN);
	task_set_res(&b, RES_IO, 0);
	assert_int_equal(resource_share(&a, &b, RES_IO), SHARE_BOTH_NONE);
	task_set_res(&b, RES_IO, 5);
	assert_int_equal(resource_share(&a, &b, RES_IO), SHARE_SEPARATE);
}

/* A task shares with itself what it has, whoever tells it and however little that one knows. */
static void a_task_shares_with_itself(void **state)
{
	struct task a = make(10, 10, 7);

	(void)state;
	assert_int_equal(resource_share(&a, &a, RES_MM), SHARE_SHARED);
	assert_int_equal(resource_share(&a, &a, RES_CRED), SHARE_SHARED);
	assert_int_equal(resource_share(&a, &a, RES_SIGNAL), SHARE_SHARED);
	assert_int_equal(resource_share(&a, &a, RES_IO), SHARE_UNKNOWN);
	assert_int_equal(resource_share(&a, &a, RES_SECCOMP), SHARE_UNKNOWN);
	a.flags |= TASK_FILTERED;
	assert_int_equal(resource_share(&a, &a, RES_SECCOMP), SHARE_SHARED);
	task_set_res(&a, RES_IO, 0);
	assert_int_equal(resource_share(&a, &a, RES_IO), SHARE_BOTH_NONE);
}

/* Credentials with different contents are two; equal contents prove nothing, nor does one alone. */
static void contents_tell_credentials_apart(void **state)
{
	struct task a = make(10, 10, 7), b = make(10, 11, 7);

	(void)state;
	a.cred_word = 5;
	assert_int_equal(resource_share(&a, &b, RES_CRED), SHARE_UNKNOWN);
	b.cred_word = 5;
	assert_int_equal(resource_share(&a, &b, RES_CRED), SHARE_UNKNOWN);
	b.cred_word = 6;
	assert_int_equal(resource_share(&a, &b, RES_CRED), SHARE_SEPARATE);
	assert_int_equal(resource_share(&a, &b, RES_SIGNAL), SHARE_UNKNOWN);
	/* an id is the better witness */
	task_set_res(&a, RES_CRED, 9);
	task_set_res(&b, RES_CRED, 9);
	assert_int_equal(resource_share(&a, &b, RES_CRED), SHARE_SHARED);
}

static void one_of_unknown_id_is_not_none(void **state)
{
	struct task a = make(10, 10, 7), b = make(10, 11, 7);

	(void)state;
	a.flags |= TASK_FILTERED;
	assert_int_equal(resource_share(&a, &b, RES_SECCOMP), SHARE_UNKNOWN);
	task_set_res(&b, RES_SECCOMP, 0);
	assert_int_equal(resource_share(&a, &b, RES_SECCOMP), SHARE_SEPARATE);
	assert_int_equal(resource_share(&b, &a, RES_SECCOMP), SHARE_SEPARATE);
	b.res_known = 0;
	b.flags |= TASK_FILTERED;
	assert_int_equal(resource_share(&a, &b, RES_SECCOMP), SHARE_UNKNOWN);
}

static void verdicts(void **state)
{
	struct task a = make(10, 10, 7), thread = make(10, 11, 7), peer = make(20, 20, 7);
	struct task other = make(30, 30, 8), kernel = make(2, 2, 0), loan = make(3, 3, 7);
	struct task unknown = make(40, 40, 0);

	(void)state;
	kernel.flags = loan.flags = TASK_KTHREAD;
	unknown.res_known = 0;
	assert_int_equal(verdict_of(&a, &a), VERDICT_SAME_TASK);
	assert_int_equal(verdict_of(&a, &thread), VERDICT_THREADS);
	assert_int_equal(verdict_of(&a, &peer), VERDICT_PEERS);
	assert_int_equal(verdict_of(&a, &other), VERDICT_ISOLATED);
	assert_int_equal(verdict_of(&a, &kernel), VERDICT_KERNEL);
	assert_int_equal(verdict_of(&kernel, &loan), VERDICT_KERNEL);
	assert_int_equal(verdict_of(&a, &unknown), VERDICT_UNKNOWN);
	assert_null(verdict_name(VERDICT_UNKNOWN));
	assert_string_equal(verdict_name(VERDICT_SAME_TASK), "same-task");
}

static void sentence_fits(void **state)
{
	struct task a = make(UINT32_MAX, UINT32_MAX, 7),
		    b = make(UINT32_MAX - 1, UINT32_MAX - 1, 7);
	char small[16];

	(void)state;
	verdict_sentence(small, sizeof(small), &a, &b);
	assert_true(strlen(small) < sizeof(small));
}

static void the_dead_share_nothing(void **state)
{
	struct task a = make(10, 10, 7), thread = make(10, 11, 0), zombie = make(20, 20, 0);
	char text[160];

	(void)state;
	assert_string_equal(
		verdict_sentence(text, sizeof(text), &a, &thread),
		"10 and 11 are threads of one process; 11 has exited and given up its memory");
	assert_string_equal(verdict_sentence(text, sizeof(text), &zombie, &a),
			    "20 and 10 are two processes; 20 has exited and given up its memory");
	assert_string_equal(
		verdict_sentence(text, sizeof(text), &zombie, &thread),
		"20 and 11 are two processes; both have exited and given up their memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_not_shared),
		cmocka_unit_test(a_task_shares_with_itself),
		cmocka_unit_test(contents_tell_credentials_apart),
		cmocka_unit_test(one_of_unknown_id_is_not_none),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(sentence_fits),
		cmocka_unit_test(the_dead_share_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
