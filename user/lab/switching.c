// SPDX-License-Identifier: GPL-2.0-only
/* The cost of a switch, end to end and in the kernel alone, and what it comes to. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/duel.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/bpf_switch.h"

/* A difference below this part of the switch itself is none that matters. */
#define MARGIN 0.05

static double larger_end(struct estimate e)
{
	return fmax(fabs(e.low), fabs(e.high));
}

static void say_duel(struct lab *l, struct duel *d, const char *name, bool barest)
{
	struct estimate t = estimate_of(d->thread, d->n), p = estimate_of(d->process, d->n);
	double noise = larger_end(estimate_of(d->control, d->n)), margin = MARGIN * t.median;
	struct estimate diff = estimate_widened(estimate_of(d->difference, d->n), noise);
	enum difference is = difference_of(diff.low, diff.high, margin, diff.n);
	char what[96];

	snprintf(what, sizeof(what), "switch thread, %s", name);
	lab_estimate(l, what, t);
	snprintf(what, sizeof(what), "switch process, %s", name);
	lab_estimate(l, what, p);
	snprintf(what, sizeof(what), "switch noise, %s", name);
	lab_count(l, what, noise, "ns");
	snprintf(what, sizeof(what), "switch difference, %s", name);
	lab_difference(l, what, diff, margin);
	if (barest)
		lab_difference(l, "switch: process - thread", diff, margin);
	lab_say(l, PROOF_SAW,
		"%s: threads %.0f ns, processes %.0f ns a switch: %s (%+.0f, 95 %% between %+.0f "
		"and %+.0f; equals differ by %.0f)",
		name, t.median, p.median, difference_word(is), diff.median, diff.low, diff.high,
		noise);
}

static const struct {
	size_t size;
	const char *name;
	unsigned int turns; /* such that a batch stays below a time slice */
	bool quick;
} sets[] = {
	{ 0, "nothing touched", 60, true },
	{ 64u << 10, "64K touched", 25, true },
	{ 512u << 10, "512K touched", 10, false },
	{ 2u << 20, "2M touched", 4, false },
};

static size_t settings_left(const struct lab *l, int way, size_t set)
{
	size_t each = 0, before = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		each += sets[i].quick || !l->quick;
		before += i < set && (sets[i].quick || !l->quick);
	}
	return each * (size_t)(WAY_NR - way) - before;
}

static void one_setting(struct lab *l, int way, size_t set)
{
	struct setting s = { (enum way)way, sets[set].size, sets[set].turns };
	struct duel d = { .pairs = l->quick ? 12 : 24 };
	size_t left = settings_left(l, way, set);
	bool barest = way == WAY_FUTEX && !set;
	char name[64];
	int err;

	snprintf(name, sizeof(name), "%s, %s", way_names[way], sets[set].name);
	if (!lab_in_time(l))
		return lab_say(l, PROOF_SAW, "%s: left out: " LAB_TIME_IS_UP, name);
	lab_say(l, PROOF_PROGRESS, "taking turns: %s", name);
	/* the barest decides, and may take longer */
	err = duel_play(l, &d, &s, DUEL_SAMPLES, lab_share(l, barest ? left / 3 : left));
	if (err)
		lab_say(l, PROOF_CANNOT, "%s: ended after %zu samples: %s", name, d.n,
			err == -EBUSY ? "others crowd the core: no yield reached the partner"
				      : strerror(-err));
	if (d.n)
		say_duel(l, &d, name, barest);
}

static void end_to_end(struct lab *l)
{
	lab_say(l, PROOF_STEP,
		"a thread and a process take turns with us on CPU %d, batches alternating, end to "
		"end; threads against threads for the noise",
		l->cpu);
	for (int way = 0; way < WAY_NR; way++)
		for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
			if (sets[i].quick || !l->quick)
				one_setting(l, way, i);
	lab_say(l, PROOF_TRY, "mmlens stat -- perf bench sched pipe");
	lab_say(l, PROOF_TRY, "mmlens stat -- perf bench sched pipe --threaded");
}

static void say_class(struct lab *l, const struct switches *sw, enum switch_class class)
{
	static const struct {
		const char *name;
		size_t at;
	} of[] = {
		{ "p50", offsetof(struct cost, p50) },
		{ "p90", offsetof(struct cost, p90) },
		{ "p99", offsetof(struct cost, p99) },
	};
	const struct cost *c = &sw->classes[class].cost;
	char name[64];

	/* what did not happen often enough says nothing */
	if (c->n < 100)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		snprintf(name, sizeof(name), "direct %s %s", switch_class_name(class), of[i].name);
		lab_count(l, name, (double)*(const uint64_t *)((const char *)c + of[i].at), "ns");
	}
	for (size_t i = 0; i < COST_QUANTILES; i++) {
		snprintf(name, sizeof(name), "distribution %s %u", switch_class_name(class),
			 cost_percent(i));
		lab_count(l, name, (double)c->q[i], "ns");
	}
	lab_say(l, PROOF_SAW, "%s: p50 %llu ns, p90 %llu ns, p99 %llu ns over %llu switches",
		switch_class_name(class), (unsigned long long)c->p50, (unsigned long long)c->p90,
		(unsigned long long)c->p99, (unsigned long long)c->n);
}

/* -errno with its reason, or 0 */
static int window(struct lab *l, struct switches *out, struct why *why)
{
	struct setting s = { WAY_PIPE, 0, 100 };
	struct switch_ask ask = { .tasks = 4096 };
	struct duel d = { .pairs = 12 };
	struct switch_session *ss;
	int err = switch_session_open(&ss, &ask, why);

	if (err)
		return err;
	err = switch_session_start(ss, why);
	if (!err)
		err = duel_play(l, &d, &s, l->quick ? 16 : 64, lab_share(l, 2));
	lab_count(l, "direct: pairs of partners", (double)d.n, "count");
	if (!err)
		err = switch_session_stop(ss, out);
	switch_session_close(ss);
	return err;
}

static void conclude_direct(struct lab *l, const struct switches *sw)
{
	const struct cost *t = &sw->classes[CLASS_THREAD].cost;
	const struct cost *p = &sw->classes[CLASS_PROCESS].cost;

	if (t->n && p->n)
		lab_say(l, PROOF_CONCLUDED,
			"to load another space adds %+lld ns to the switch itself, at the median",
			(long long)p->p50 - (long long)t->p50);
}

static void time_in_kernel(struct lab *l, void *arg)
{
	struct switches sw = { 0 };
	struct why why = { "" };
	int err = window(l, &sw, &why);

	(void)arg;
	if (err) {
		lab_say(l, PROOF_SAW, "no direct cost: %s", *why.text ? why.text : strerror(-err));
	} else {
		for (int class = 0; class < CLASS_NR; class ++)
			say_class(l, &sw, (enum switch_class) class);
		if (*sw.cost_end)
			lab_say(l, PROOF_SAW, "each from sched_switch to %s", sw.cost_end);
		else
			lab_say(l, PROOF_SAW, "this kernel shows no end of a switch: counted only");
		lab_count(l, "switches lost", (double)sw.lost, "count");
		conclude_direct(l, &sw);
	}
	switches_deinit(&sw);
}

static void direct(struct lab *l)
{
	int err;

	lab_say(l, PROOF_STEP, "the same by pipe, with every switch timed in the kernel by eBPF");
	lab_say(l, PROOF_PROGRESS, "timing switches in the kernel");
	err = lab_apart(l, time_in_kernel, NULL, l->deadline);
	if (err)
		lab_say(l, PROOF_SAW, "no direct cost: %s",
			err == -ETIMEDOUT ? LAB_TIME_IS_UP : strerror(-err));
	lab_say(l, PROOF_TRY, "mmlens stat -p PID");
}

/* To load the programs and then count for a moment. */
#define DIRECT_NS 800000000ull

/* What counts in the kernel shall have its turn, too: a fifth, or that, but never more than half. */
static uint64_t time_for_direct(uint64_t left)
{
	uint64_t least = DIRECT_NS < left / 2 ? DIRECT_NS : left / 2;

	return left / 5 > least ? left / 5 : least;
}

void lab_switching(struct lab *l)
{
	uint64_t end = l->deadline, now = lab_now();

	if (l->cpu < 0)
		return lab_say(l, PROOF_CANNOT,
			       "switches were not measured: tasks could not be pinned to one core");
	l->deadline -= time_for_direct(end > now ? end - now : 0);
	end_to_end(l);
	l->deadline = end;
	direct(l);
}
