// SPDX-License-Identifier: GPL-2.0-only
/* Samples become honest numbers, and measurements become the verdict that they support. */
#include "unit.h"

#include "analysis/claims.h"
#include "analysis/statistics.h"

static void median_and_interval_hold_the_truth(void **state)
{
	double s[101];
	struct estimate e;

	(void)state;
	for (int i = 0; i < 101; i++)
		s[i] = (i * 37) % 101;
	e = estimate_of(s, 101);
	assert_true(e.median == 50);
	/* ranks of the binomial(101, 1/2): 41 of 101 counted from each end, as tables have it */
	assert_true(e.low >= 39 && e.low <= 41);
	assert_true(e.high >= 59 && e.high <= 61);
	assert_true(e.low <= e.median && e.median <= e.high);
}

static void few_samples_give_the_extremes(void **state)
{
	double s[] = { 3, 1, 2 };
	struct estimate e = estimate_of(s, 3);

	(void)state;
	assert_true(e.low == 1 && e.median == 2 && e.high == 3);
	assert_int_equal(difference_of(1, 3, 0, 3), DIFFERENCE_FEW);
	assert_int_equal(estimate_of(NULL, 0).n, 0);
}

static void noise_widens_the_interval(void **state)
{
	double calm[40], noisy[40];
	struct estimate a, b;

	(void)state;
	for (int i = 0; i < 40; i++) {
		calm[i] = 100 + i % 3;
		noisy[i] = 100 + (i % 3) * 40;
	}
	a = estimate_of(calm, 40);
	b = estimate_of(noisy, 40);
	assert_true(b.high - b.low >= a.high - a.low);
}

static void difference_needs_zero_outside(void **state)
{
	(void)state;
	assert_int_equal(difference_of(1, 5, 10, 30), DIFFERENCE_MORE);
	assert_int_equal(difference_of(-5, -1, 10, 30), DIFFERENCE_LESS);
}

static void absence_needs_an_interval_within_what_matters(void **state)
{
	(void)state;
	assert_int_equal(difference_of(-1, 5, 10, 30), DIFFERENCE_NONE);
	assert_int_equal(difference_of(-1, 11, 10, 30), DIFFERENCE_HIDDEN);
	assert_int_equal(difference_of(-11, 1, 10, 30), DIFFERENCE_HIDDEN);
	assert_int_equal(difference_of(-1, 5, 0, 30), DIFFERENCE_HIDDEN);
}

static void what_equals_differ_by_widens(void **state)
{
	struct estimate e = { .median = 20, .low = 10, .high = 30, .n = 30 };

	(void)state;
	e = estimate_widened(e, 15);
	assert_true(e.low == -5 && e.high == 45 && e.median == 20);
}

static void put(struct proof *p, enum claim claim, const char *name, const char *unit, double low,
		double high)
{
	struct proof_record r = { .type = PROOF_MEASUREMENT,
				  .claim = claim,
				  .low = low,
				  .high = high,
				  .value = (low + high) / 2,
				  .n = 30 };

	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.unit, sizeof(r.unit), "%s", unit);
	assert_int_equal(proof_add(p, &r), 0);
}

static enum proof_verdict verdict(const struct proof *p, enum claim claim)
{
	return claim_judge(p, claim).verdict;
}

static void facts_decide(void **state)
{
	struct proof_record cannot = { .type = PROOF_CANNOT, .claim = CLAIM_USES, .text = "why" };
	struct proof p = { 0 };

	(void)state;
	assert_int_equal(verdict(&p, CLAIM_USES), PROOF_CANNOT_TELL);
	put(&p, CLAIM_USES, "a", "fact", 1, 1);
	put(&p, CLAIM_DEFINITION, "other claim's", "fact", 0, 0);
	assert_int_equal(verdict(&p, CLAIM_USES), PROOF_PROVED);
	proof_add(&p, &cannot);
	assert_int_equal(verdict(&p, CLAIM_USES), PROOF_CANNOT_TELL);
	assert_string_equal(claim_judge(&p, CLAIM_USES).because, "why");
	put(&p, CLAIM_USES, "b", "fact", 0, 0);
	assert_int_equal(verdict(&p, CLAIM_USES), PROOF_NOT_TRUE_HERE);
	proof_deinit(&p);
}

static enum proof_verdict verdict_of_two(double make_low, double make_high, double swap_low,
					 double swap_high)
{
	struct proof p = { 0 };
	enum proof_verdict v;

	put(&p, CLAIM_OVERHEAD, "fork - thread", "ns", make_low, make_high);
	p.records[0].margin = 10;
	put(&p, CLAIM_OVERHEAD, "switch: process - thread", "ns", swap_low, swap_high);
	p.records[1].margin = 10;
	v = verdict(&p, CLAIM_OVERHEAD);
	proof_deinit(&p);
	return v;
}

static void overhead_is_two_questions(void **state)
{
	struct proof p = { 0 };

	(void)state;
	assert_int_equal(verdict_of_two(9e4, 1e5, 20, 50), PROOF_PROVED);
	assert_int_equal(verdict_of_two(9e4, 1e5, -5, 5), PROOF_NOT_TRUE_HERE);
	assert_int_equal(verdict_of_two(9e4, 1e5, -50, -20), PROOF_NOT_TRUE_HERE);
	assert_int_equal(verdict_of_two(9e4, 1e5, -20, 50), PROOF_CANNOT_TELL);
	assert_int_equal(verdict_of_two(-20, 50, -5, 5), PROOF_NOT_TRUE_HERE);
	put(&p, CLAIM_OVERHEAD, "fork - thread", "ns", 9e4, 1e5);
	assert_int_equal(verdict(&p, CLAIM_OVERHEAD), PROOF_CANNOT_TELL);
	assert_non_null(strstr(claim_judge(&p, CLAIM_OVERHEAD).because, "could not be measured"));
	proof_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(median_and_interval_hold_the_truth),
		cmocka_unit_test(few_samples_give_the_extremes),
		cmocka_unit_test(noise_widens_the_interval),
		cmocka_unit_test(difference_needs_zero_outside),
		cmocka_unit_test(absence_needs_an_interval_within_what_matters),
		cmocka_unit_test(what_equals_differ_by_widens),
		cmocka_unit_test(facts_decide),
		cmocka_unit_test(overhead_is_two_questions),
	};

	return cmocka_run_group_tests_name("prove", tests, NULL, NULL);
}
