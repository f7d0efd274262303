// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "analysis/claims.h"
#include "analysis/statistics.h"
#include "lib/text.h"

struct tally {
	size_t facts;
	size_t failed;
	const char *first_failed;
	const char *cannot;
};

static struct tally tally_of(const struct proof *p, enum claim claim)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (r->claim != claim)
			continue;
		if (r->type == PROOF_CANNOT && !t.cannot)
			t.cannot = r->text;
		if (r->type != PROOF_MEASUREMENT || strcmp(r->unit, "fact"))
			continue;
		t.facts++;
		if (r->value != 0)
			continue;
		if (!t.failed++)
			t.first_failed = r->name;
	}
	return t;
}

static struct judgement judge_facts(const struct proof *p, enum claim claim)
{
	struct tally t = tally_of(p, claim);
	struct judgement j = { .verdict = PROOF_CANNOT_TELL };

	if (t.failed) {
		j.verdict = PROOF_NOT_TRUE_HERE;
		snprintf(j.because, sizeof(j.because), "%zu of %zu facts failed, first: %s",
			 t.failed, t.facts, t.first_failed);
	} else if (t.cannot || !t.facts) {
		snprintf(j.because, sizeof(j.because), "%s",
			 t.cannot ? t.cannot : "nothing could be observed");
	} else {
		j.verdict = PROOF_PROVED;
		snprintf(j.because, sizeof(j.because), "all %zu facts held", t.facts);
	}
	return j;
}

static enum difference difference(const struct proof_record *r)
{
	return r ? difference_of(r->low, r->high, r->margin, r->n) : DIFFERENCE_HIDDEN;
}

static void say_difference(char *buf, size_t n, const char *what, const struct proof_record *r)
{
	char by[16], low[16], high[16];

	if (!r)
		snprintf(buf, n, "%s could not be measured", what);
	else
		snprintf(buf, n, "%s: processes %s (%s, 95 %% between %s and %s)", what,
			 difference_word(difference(r)), text_signed_ns(by, sizeof(by), r->value),
			 text_signed_ns(low, sizeof(low), r->low),
			 text_signed_ns(high, sizeof(high), r->high));
}

/* The verdict is by the barest switch; how the other settings fell out belongs beside it. */
static void say_settings(char *buf, size_t n, const struct proof *p)
{
	static const char prefix[] = "switch difference, ";
	size_t by[DIFFERENCE_NR] = { 0 }, all = 0;
	int used;

	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (r->claim != CLAIM_OVERHEAD || r->type != PROOF_MEASUREMENT ||
		    strncmp(r->name, prefix, sizeof(prefix) - 1))
			continue;
		by[difference(r)]++;
		all++;
	}
	used = snprintf(buf, n, "of %zu settings of a switch", all);
	for (int d = 0; d < DIFFERENCE_NR; d++)
		if (by[d] && used > 0 && (size_t)used < n)
			used += snprintf(buf + used, n - (size_t)used, ", %zu %s", by[d],
					 difference_word((enum difference)d));
}

/* Both halves must hold; one that is refuted refutes; what is hidden leaves the answer open. */
static enum proof_verdict both(enum difference make, enum difference swap)
{
	if (make == DIFFERENCE_MORE && swap == DIFFERENCE_MORE)
		return PROOF_PROVED;
	if (make == DIFFERENCE_NONE || make == DIFFERENCE_LESS || swap == DIFFERENCE_NONE ||
	    swap == DIFFERENCE_LESS)
		return PROOF_NOT_TRUE_HERE;
	return PROOF_CANNOT_TELL;
}

static struct judgement judge_overhead(const struct proof *p)
{
	const struct proof_record *make = proof_find(p, CLAIM_OVERHEAD, "fork - thread");
	const struct proof_record *swap = proof_find(p, CLAIM_OVERHEAD, "switch: process - thread");
	struct judgement j = judge_facts(p, CLAIM_OVERHEAD);
	char made[100], switched[100], settings[150];

	if (!make && !swap) {
		j.verdict = PROOF_CANNOT_TELL;
		return j;
	}
	say_difference(made, sizeof(made), "to make", make);
	say_difference(switched, sizeof(switched), "to switch (futex)", swap);
	say_settings(settings, sizeof(settings), p);
	snprintf(j.because, sizeof(j.because), "%s; %s; %s", made, switched, settings);
	j.verdict = both(difference(make), difference(swap));
	return j;
}

struct judgement claim_judge(const struct proof *p, enum claim claim)
{
	return claim == CLAIM_OVERHEAD ? judge_overhead(p) : judge_facts(p, claim);
}
