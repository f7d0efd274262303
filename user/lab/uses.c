// SPDX-License-Identifier: GPL-2.0-only
/* Real programs: how many spaces they keep, and what would fall with one of their tasks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/ledger.h"
#include "lab/program.h"
#include "lib/cleanup.h"
#include "source/bpf_switch.h"
#include "source/procmem.h"
#include "source/source.h"

struct census {
	size_t tasks;
	size_t spaces;
	size_t processes;
	size_t largest; /* tasks in the fullest space: what one crash takes */
	uint64_t rss;
	uint64_t claimed;
	uint64_t classes[CLASS_NR];
	bool traced;
};

static bool descends(const struct snapshot *s, const struct task *t, uint32_t root)
{
	/* pids make no circles, but a snapshot is no instant */
	for (int depth = 0; t && depth < 64; depth++) {
		if (t->key.tgid == root)
			return true;
		t = snapshot_find(s, t->ppid);
	}
	return false;
}

static void count_space(struct census *c, const struct ledger *l, struct space *sp)
{
	uint32_t tid = space_member(l, sp, 0)->key.tid;

	c->spaces++;
	c->tasks += sp->tasks;
	c->processes += sp->processes;
	if (sp->tasks > c->largest)
		c->largest = sp->tasks;
	if (procmem_read(tid, &sp->memory) || sp->memory.rss == MEMORY_UNKNOWN)
		return;
	c->rss += sp->memory.pss == MEMORY_UNKNOWN ? sp->memory.rss : sp->memory.pss;
	c->claimed += sp->memory.rss * sp->processes;
}

static void count_switches(struct census *c, const struct switches *sw, uint64_t space)
{
	for (size_t i = 0; i < sw->n_tasks; i++)
		for (int class = 0; sw->tasks[i].space == space && class < CLASS_NR; class ++)
			c->classes[class] += sw->tasks[i].count[class];
}

/* One box of the sharing map: the tasks of one space. */
static void say_space(struct lab *l, const char *name, size_t nth, const struct space *sp)
{
	char what[64];

	snprintf(what, sizeof(what), "map %s %zu", name, nth);
	lab_count(l, what, (double)sp->tasks, "tasks");
}

static int take_census(struct lab *l, const struct running *r, const struct switches *sw,
		       struct census *c)
{
	struct snapshot snap;
	struct ledger ledger;
	struct why why = { "" };
	int err;

	snapshot_init(&snap);
	err = source_snapshot(l->source, 0, &snap, &why);
	if (err) {
		lab_say(l, PROOF_CANNOT, "tasks cannot be read: %s", why.text);
		return err;
	}
	err = ledger_init(&ledger, &snap);
	for (size_t i = 0; !err && i < ledger.n; i++) {
		struct space *sp = &ledger.spaces[i];

		if (!descends(&snap, space_member(&ledger, sp, 0), (uint32_t)r->pid))
			continue;
		count_space(c, &ledger, sp);
		say_space(l, r->program->argv[0], c->spaces, sp);
		count_switches(c, sw, sp->id);
	}
	ledger_deinit(&ledger);
	snapshot_deinit(&snap);
	return err;
}

static void say_switches(struct lab *l, const struct census *c, const char *name)
{
	char line[256] = "", what[64];
	size_t used = 0;

	for (int class = 0; class < CLASS_NR; class ++) {
		const char *word = switch_class_name((enum switch_class) class);

		snprintf(what, sizeof(what), "switches %s %s", name, word);
		lab_count(l, what, (double)c->classes[class], "count");
		if (c->classes[class] && used < sizeof(line))
			used += (size_t)snprintf(line + used, sizeof(line) - used, " %s %llu", word,
						 (unsigned long long)c->classes[class]);
	}
	lab_say(l, PROOF_SAW, "%s: its switches meanwhile by class:%s", name,
		*line ? line : " none");
}

static void judge(struct lab *l, const struct program *p, const struct census *c)
{
	const char *name = p->argv[0];
	char what[64];

	lab_say(l, PROOF_SAW,
		"%s (%s): spaces %zu, processes %zu, tasks %zu; %.1f MiB resident, "
		"%.1f MiB by adding up pids",
		name, p->what, c->spaces, c->processes, c->tasks, (double)c->rss / 1048576,
		(double)c->claimed / 1048576);
	lab_say(l, PROOF_SAW, "%s: a crash in its fullest space takes %zu of %zu tasks", name,
		c->largest, c->tasks);
	snprintf(what, sizeof(what), "spaces %s", name);
	lab_count(l, what, (double)c->spaces, "count");
	snprintf(what, sizeof(what), "tasks %s", name);
	lab_count(l, what, (double)c->tasks, "count");
	snprintf(what, sizeof(what), "largest %s", name);
	lab_count(l, what, (double)c->largest, "count");
	if (!strcmp(p->what, "browser"))
		lab_fact(l, c->spaces > 1, "%s keeps its work in several spaces", name);
	else if (p->design == DESIGN_ISOLATED)
		lab_fact(l, c->spaces >= 1 && c->processes == c->spaces,
			 "%s has a space of its own", name);
	else if (p->design == DESIGN_THREADED)
		lab_fact(l, c->spaces == 1 && c->tasks > 2, "%s serves by threads of one space",
			 name);
	else
		lab_say(l, PROOF_SAW, "%s serves by %zu processes: isolation suits servers too",
			name, c->processes);
}

static void inspect(struct lab *l, struct running *r)
{
	struct switch_ask ask = { .tasks = 4096 };
	struct switch_session *ss = NULL;
	struct switches sw = { 0 };
	struct census c = { 0 };
	struct why why = { "" };
	unsigned int requests;

	c.traced = !switch_session_open(&ss, &ask, &why) && !switch_session_start(ss, &why);
	requests = program_load(r);
	if (c.traced)
		switch_session_stop(ss, &sw);
	switch_session_close(ss);
	if (!take_census(l, r, &sw, &c)) {
		if (requests)
			lab_say(l, PROOF_SAW, "%s answered %u requests in 0.3 s",
				r->program->argv[0], requests);
		judge(l, r->program, &c);
		if (c.traced)
			say_switches(l, &c, r->program->argv[0]);
		else
			lab_say(l, PROOF_SAW, "switches not counted: %s", why.text);
	}
	switches_deinit(&sw);
}

static void use(struct lab *l, const struct program *p)
{
	struct running r;
	int err;

	if (!program_installed(p)) {
		lab_say(l, PROOF_SAW, "%s: not installed, left out", p->argv[0]);
		return;
	}
	if (l->quick && p->slow) {
		lab_say(l, PROOF_SAW, "%s: left out by --quick", p->argv[0]);
		return;
	}
	lab_say(l, PROOF_STEP, "start %s privately, load it and look inside", p->argv[0]);
	err = program_start(&r, p);
	if (err)
		lab_say(l, PROOF_SAW, "%s did not start: %s; left out", p->argv[0], strerror(-err));
	else
		inspect(l, &r);
	program_stop(&r);
	lab_say(l, PROOF_TRY, "mmlens show $(pidof -s %s)", p->argv[0]);
}

void lab_uses(struct lab *l)
{
	for (size_t i = 0; i < programs_n; i++)
		use(l, &programs[i]);
}
