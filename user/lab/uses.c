// SPDX-License-Identifier: GPL-2.0-only
/* Real programs: how many spaces they keep, how they talk, and what falls with one of their tasks. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/census.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/bpf_switch.h"
#include "source/source.h"

/* Kept for what follows the start of a program, until one has shown how long that takes here. */
#define INSPECT_NS 1300000000ull

/* The program at work, for the names of what is measured. */
struct subject {
	struct lab *l;
	struct running r;
	const char *name;
	struct census c;
};

static void count(struct subject *s, const char *what, double value, const char *unit)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", what, s->name);
	lab_count(s->l, name, value, unit);
}

/* The boxes of the sharing map: the tasks of each space. */
static void say_map(struct subject *s)
{
	char name[64];

	for (size_t i = 0; i < s->c.n_spaces; i++) {
		snprintf(name, sizeof(name), "map %s %zu", s->name, i + 1);
		lab_count(s->l, name, (double)s->c.ledger.spaces[s->c.spaces[i]].tasks, "tasks");
	}
}

static void say_size(struct subject *s)
{
	const struct census *c = &s->c;
	char rss[16], claimed[16];

	lab_say(s->l, PROOF_SAW,
		"%s (%s): spaces %zu, processes %zu, tasks %zu; %s resident, %s by adding up pids",
		s->name, s->r.program->what, c->n_spaces, c->processes, c->tasks,
		text_size(rss, sizeof(rss), c->rss),
		text_size(claimed, sizeof(claimed), c->claimed));
	count(s, "spaces", (double)c->n_spaces, "count");
	count(s, "tasks", (double)c->tasks, "count");
	count(s, "largest", (double)c->ledger.spaces[c->fullest].tasks, "count");
	say_map(s);
}

static void say_channels(struct subject *s)
{
	char line[256] = "", name[64], shared[16];
	size_t used = 0;

	for (int t = 0; t < CHANNEL_NR; t++) {
		const char *type = channel_type_name((enum channel_type)t);

		if (!s->c.channels[t])
			continue;
		snprintf(name, sizeof(name), "channels %s %s", s->name, type);
		lab_count(s->l, name, (double)s->c.channels[t], "count");
		if (used < sizeof(line))
			used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %zu", type,
						 s->c.channels[t]);
	}
	count(s, "shared memory", (double)s->c.shared, "B");
	if (used)
		lab_say(s->l, PROOF_SAW,
			"%s: channels between its processes:%s; %s of memory mapped by several",
			s->name, line, text_size(shared, sizeof(shared), s->c.shared));
	else
		lab_say(s->l, PROOF_SAW, "%s: no channel between processes: %s", s->name,
			s->c.n_spaces > 1 ? "none is seen" : "it is one space, and just writes");
}

static void say_switches(struct subject *s, const struct switches *sw)
{
	uint64_t classes[CLASS_NR] = { 0 };
	char line[256] = "", name[64];
	size_t used = 0;

	for (size_t k = 0; k < s->c.n_spaces; k++)
		for (size_t i = 0; i < sw->n_tasks; i++)
			for (int c = 0; c < CLASS_NR; c++)
				if (sw->tasks[i].space == s->c.ledger.spaces[s->c.spaces[k]].id)
					classes[c] += sw->tasks[i].count[c];
	for (int c = 0; c < CLASS_NR; c++) {
		const char *word = switch_class_name((enum switch_class)c);

		snprintf(name, sizeof(name), "switches %s %s", s->name, word);
		lab_count(s->l, name, (double)classes[c], "count");
		if (classes[c] && used < sizeof(line))
			used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %llu", word,
						 (unsigned long long)classes[c]);
	}
	lab_say(s->l, PROOF_SAW, "%s: its switches meanwhile by class:%s", s->name,
		*line ? line : " none");
}

/* Loads the program while every switch is counted, then counts the program. */
static int inspect(struct subject *s)
{
	struct switch_ask ask = { .tasks = 4096 };
	struct switch_session *ss = NULL;
	struct switches sw = { 0 };
	struct why why = { "" }, untraced = { "" };
	bool traced =
		!switch_session_open(&ss, &ask, &untraced) && !switch_session_start(ss, &untraced);
	unsigned int requests = program_load(&s->r);
	int err;

	if (traced)
		switch_session_stop(ss, &sw);
	switch_session_close(ss);
	err = census_take(&s->c, s->l->source, (uint32_t)s->r.pid, &why);
	if (err || !s->c.n_spaces) {
		lab_say(s->l, PROOF_CANNOT, "%s: its tasks cannot be read: %s", s->name,
			*why.text ? why.text
			: err	  ? strerror(-err)
				  : "it is gone");
		err = err ? err : -ECHILD;
	} else {
		if (requests)
			lab_say(s->l, PROOF_SAW, "%s %s %u %s in 0.3 s", s->name,
				s->r.program->feed ? "was typed to" : "answered", requests,
				s->r.program->feed ? "times" : "requests");
		say_size(s);
		say_channels(s);
		if (traced)
			say_switches(s, &sw);
		else
			lab_say(s->l, PROOF_SAW, "switches not counted: %s", untraced.text);
	}
	switches_deinit(&sw);
	return err;
}

static void judge(struct subject *s)
{
	const struct program *p = s->r.program;
	const struct census *c = &s->c;

	if (!strcmp(p->what, "browser"))
		lab_fact(s->l, c->n_spaces > 1, "%s keeps its work in several spaces", s->name);
	else if (p->design == DESIGN_ISOLATED)
		lab_fact(s->l, c->processes == c->n_spaces, "%s has a space of its own", s->name);
	else if (p->design == DESIGN_THREADED)
		lab_fact(s->l, c->n_spaces == 1 && c->tasks > 2,
			 "%s serves by threads of one space", s->name);
	else
		lab_say(s->l, PROOF_SAW, "%s serves by %zu processes: isolation suits servers too",
			s->name, c->processes);
}

/* The fullest space that is not the program's first: the first is a supervisor, if there is one. */
static const struct space *victim_of(const struct subject *s)
{
	const struct space *best = NULL;

	for (size_t i = 0; i < s->c.n_spaces; i++) {
		const struct space *sp = &s->c.ledger.spaces[s->c.spaces[i]];

		if (space_member(&s->c.ledger, sp, 0)->key.tgid == (uint32_t)s->r.pid &&
		    s->c.n_spaces > 1)
			continue;
		if (!best || sp->tasks > best->tasks)
			best = sp;
	}
	return best;
}

static void say_fall(struct subject *s, const struct task *t, size_t own, size_t own_fell,
		     size_t others, size_t others_fell)
{
	if (others)
		lab_say(s->l, PROOF_SAW,
			"%s: a task of %s was made to crash: of the %zu in its space %zu fell, of "
			"the %zu in other spaces %zu",
			s->name, t->comm, own, own_fell, others, others_fell);
	else
		lab_say(s->l, PROOF_SAW,
			"%s: a task of %s was made to crash: of the %zu in its space %zu fell; it "
			"has no other space",
			s->name, t->comm, own, own_fell);
}

/* So long on a slow machine; where the time for the claim is up before, nothing is said of the fall. */
#define FALL_NS 5000000000ull

/* Not foretold but tried: one task is made to crash, and who is left is counted. */
static void crash(struct subject *s)
{
	const struct space *sp = victim_of(s);
	const struct task *t = space_member(&s->c.ledger, sp, 0);
	size_t before = census_left(&s->c, NULL, s->l->source), own = sp->tasks, left_own, left;
	uint64_t until = lab_now() + FALL_NS;

	if (kill((pid_t)t->key.tgid, SIGSEGV))
		return lab_say(s->l, PROOF_SAW, "%s: %u cannot be crashed", s->name, t->key.tgid);
	do {
		usleep(20000);
		left_own = census_left(&s->c, sp, s->l->source);
	} while (left_own && lab_now() < until);
	/* what falls with it needs a moment to fall */
	usleep(50000);
	left = census_left(&s->c, NULL, s->l->source);
	say_fall(s, t, own, own - left_own, before > own ? before - own : 0,
		 before - left > own - left_own ? before - left - (own - left_own) : 0);
	count(s, "crashed", (double)(before - left), "tasks");
	lab_fact(s->l, !left_own, "a crash in %s takes all tasks of its space", s->name);
	if (s->r.program->design == DESIGN_ISOLATED && s->c.n_spaces > 1)
		lab_fact(s->l, left > left_own, "%s outlives the crash of one of its processes",
			 s->name);
}

/* What the claim speaks of, and cannot be told of without. */
static const struct role {
	const char *what;
	const char *name; /* of the program that plays it */
} roles[] = {
	{ "browser", "chromium" },
	{ "server of threads", "memcached" },
};

/* What those who looked into the programs leave to the next, in memory of lab_shared(). */
struct seen {
	uint64_t inspection; /* the longest yet once a program served */
	bool role[ARRAY_SIZE(roles)];
};

struct use {
	const struct program *program;
	struct seen *seen;
};

static void mark_seen(struct seen *seen, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		seen->role[i] |= !strcmp(roles[i].name, name);
}

static void look_into(struct lab *l, void *arg)
{
	const struct use *u = arg;
	struct subject s = { .l = l, .name = u->program->argv[0] };
	uint64_t begin, took;
	int err = program_start(l, &s.r, u->program, l->deadline - u->seen->inspection);

	begin = lab_now();
	if (err) {
		lab_say(l, PROOF_SAW, "%s did not come to serve: %s; left out", s.name,
			err == -ECHILD	    ? "it ended"
			: err == -ETIMEDOUT ? LAB_TIME_IS_UP
					    : strerror(-err));
	} else {
		if (!inspect(&s)) {
			judge(&s);
			mark_seen(u->seen, s.name);
			if (lab_in_time(l))
				crash(&s);
		}
		census_deinit(&s.c);
	}
	program_stop(&s.r);
	took = lab_now() - begin;
	u->seen->inspection = took > u->seen->inspection ? took : u->seen->inspection;
}

static void use(struct lab *l, const struct use *u)
{
	const char *name = u->program->argv[0];
	int err;

	lab_say(l, PROOF_STEP, "start %s privately, load it, look inside, crash one of its tasks",
		name);
	lab_say(l, PROOF_PROGRESS, "starting %s", name);
	err = lab_apart(l, look_into, (void *)u, l->deadline);
	if (err)
		lab_say(l, PROOF_SAW, "%s: no more was seen: %s", name,
			err == -ETIMEDOUT ? LAB_TIME_IS_UP : strerror(-err));
	lab_say(l, PROOF_TRY, "mmlens show $(pidof -s %s)", name);
	lab_say(l, PROOF_TRY, "mmlens channels $(pidof -s %s)", name);
}

/* Why a program is left out; NULL: it is not. */
static const char *left_out(const struct lab *l, const struct program *p, uint64_t inspection)
{
	if (!program_installed(p))
		return "not installed";
	if (l->quick && p->slow)
		return "not by --quick";
	return lab_now() + inspection < l->deadline ? NULL : LAB_TIME_IS_UP;
}

void lab_uses(struct lab *l)
{
	struct seen *seen = lab_shared(sizeof(*seen));

	if (!seen)
		return lab_say(l, PROOF_CANNOT, "no shared memory for what is seen");
	seen->inspection = INSPECT_NS;
	for (size_t i = 0; i < programs_n; i++) {
		const char *why = left_out(l, &programs[i], seen->inspection);

		if (why)
			lab_say(l, PROOF_SAW, "%s left out: %s", programs[i].argv[0], why);
		else
			use(l, &(struct use){ &programs[i], seen });
	}
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (!seen->role[i])
			lab_say(l, PROOF_CANNOT,
				"no %s was looked into (%s: see above), and what suits it is not told",
				roles[i].what, roles[i].name);
}
