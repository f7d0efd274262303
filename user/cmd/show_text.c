// SPDX-License-Identifier: GPL-2.0-only
/* `show` for people: a paragraph per space, its tasks as a table, and what departs from the rule. */
#include <stdlib.h>
#include <string.h>

#include "analysis/verdict.h"
#include "cmd/show.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/spaces.h"
#include "render/tasks.h"
#include "source/withheld.h"

/* More tasks than this are grouped by name, kind and state, unless all are asked for. */
#define LISTED_MAX 40
/* More lines of one sort than this are counted instead. */
#define ODD_MAX	     12

#define COLUMNS_ONE  "TID,KIND,S,SP,DEPTH,KUSED,NVCSW,NIVCSW,COMM"
#define COLUMNS_MANY "TGID,TID,KIND,S,SPACE,DEPTH,KUSED,NVCSW,NIVCSW,COMM"

static void print_space(const struct state *st, const struct space *sp)
{
	const struct task *first = space_member(&st->ledger, sp, 0);
	char comm[80], kinds[96], rss[16], pss[16];
	const struct memory *m = &sp->memory;

	printf("space %llx: %s (%u): %s", (unsigned long long)sp->id,
	       text_escape(comm, sizeof(comm), first->comm), first->key.tgid,
	       space_kinds(kinds, sizeof(kinds), &st->ledger, sp));
	if (m->rss != MEMORY_UNKNOWN)
		printf("; %s resident", text_size(rss, sizeof(rss), m->rss));
	if (m->pss != MEMORY_UNKNOWN)
		printf(" (%s proportional)", text_size(pss, sizeof(pss), m->pss));
	printf("\n");
}

/* The task the others are held against: of each thread group its leader, else its first task. */
static const struct task *reference(const struct state *st, const struct task *t)
{
	const struct task *leader = snapshot_find(&st->snapshot, t->key.tgid);

	return leader && leader->kind != KIND_ZOMBIE ? leader : NULL;
}

static bool departs(const struct task *t, const struct task *ref, int r)
{
	enum share share = resource_share(t, ref, r);

	/* an io_context or undo list is made at first use: not having one yet is no departure */
	return share == SHARE_SEPARATE && !resource_lacks(t, r) && !resource_lacks(ref, r);
}

/* "1234 has its own files, fs, unlike its leader 1230" */
static bool print_departure(const struct task *t, const struct task *ref, bool quiet)
{
	bool any = false;

	for (int r = 0; r < RES_NR; r++) {
		if (!departs(t, ref, r))
			continue;
		if (quiet)
			return true;
		if (!any)
			printf("%u has its own", t->key.tid);
		printf("%s %s", any ? "," : "", resource_name(r));
		any = true;
	}
	if (any)
		printf(", unlike its leader %u\n", ref->key.tid);
	return any;
}

static void print_departures(const struct state *st, const struct program *p)
{
	size_t odd = 0;

	for (size_t i = 0; i < st->snapshot.n; i++) {
		const struct task *t = &st->snapshot.tasks[i];
		const struct task *ref = p->task[i] ? reference(st, t) : NULL;

		if (ref && ref != t)
			odd += print_departure(t, ref, odd >= ODD_MAX);
	}
	if (odd > ODD_MAX)
		printf("... and %zu more; --json tells them all\n", odd - ODD_MAX);
}

static size_t living_threads(const struct state *st, uint32_t tgid)
{
	size_t n = 0;

	for (size_t i = 0; i < st->snapshot.n; i++)
		n += st->snapshot.tasks[i].key.tgid == tgid &&
		     st->snapshot.tasks[i].kind != KIND_ZOMBIE;
	return n;
}

static void print_zombie(const struct state *st, const struct task *t)
{
	size_t left = task_is_leader(t) ? living_threads(st, t->key.tgid) : 0;

	if (left)
		printf("%u, the leader, has exited; %zu of its threads live on\n", t->key.tid,
		       left);
	else if (t->known & KNOWN_STATE && t->state != 'Z' && t->state != 'X')
		printf("%u is on its way out: it has given up its memory and is no zombie yet\n",
		       t->key.tid);
	else
		printf("%u has exited and waits for its parent %u to take note; its memory is "
		       "gone\n",
		       t->key.tid, t->ppid);
}

static void print_kernel(const struct task *t)
{
	char comm[80];

	printf("%u (%s) is a kernel thread: it runs in the kernel and has no address space of its "
	       "own",
	       t->key.tid, text_escape(comm, sizeof(comm), t->comm));
	if (t->known & KNOWN_LOAN && t->loan)
		printf("; space %llx is %s", (unsigned long long)t->loan,
		       t->kind == KIND_LOAN ? "adopted" : "still loaded, on loan");
	printf("\n");
}

/* How a leader came to be, as far as it is not the ordinary fork. */
static void print_birth(const struct state *st, const struct task *t)
{
	const struct task *parent = snapshot_find(&st->snapshot, t->ppid);
	char comm[80];

	if (t->kind == KIND_VFORK)
		printf("%u borrows the space of its parent %u, which waits until it execs or "
		       "exits\n",
		       t->key.tid, t->ppid);
	else if (t->kind == KIND_PEER)
		printf("%u shares the space under a pid of its own: born by clone with CLONE_VM "
		       "and without CLONE_THREAD\n",
		       t->key.tid);
	else if (parent && t->kind == KIND_PROCESS)
		printf("%u is a child of %u (%s)\n", t->key.tid, t->ppid,
		       text_escape(comm, sizeof(comm), parent->comm));
}

static void print_withheld(const struct state *st, const struct task *t)
{
	struct why why = { "" };

	if (!st->snapshot.recorded)
		withheld_right(t->key.tid, &why);
	printf("%u: what it is and shares is withheld%s%s\n", t->key.tid, *why.text ? ": " : "",
	       why.text);
}

static bool print_task(const struct state *st, const struct task *t, bool quiet)
{
	bool worth = task_is_leader(t) || t->kind == KIND_ZOMBIE || t->flags & TASK_TRACED;

	if (!worth || quiet)
		return worth;
	if (t->flags & TASK_KTHREAD)
		print_kernel(t);
	else if (t->kind == KIND_ZOMBIE)
		print_zombie(st, t);
	else if (t->kind == KIND_UNKNOWN)
		print_withheld(st, t);
	else
		print_birth(st, t);
	if (t->flags & TASK_TRACED)
		printf("%u has a tracer\n", t->key.tid);
	return worth;
}

static void print_relations(const struct state *st, const struct program *p)
{
	size_t said = 0;

	for (size_t i = 0; i < st->snapshot.n; i++)
		if (p->task[i])
			said += print_task(st, &st->snapshot.tasks[i], said >= ODD_MAX);
	if (said > ODD_MAX)
		printf("... and %zu more; --json tells them all\n", said - ODD_MAX);
}

static int print_tasks(const struct state *st, const struct common *common, const struct program *p,
		       bool one_space)
{
	const char *bad = NULL;
	struct table *t = table_new(task_columns, task_columns_n,
				    one_space ? COLUMNS_ONE : COLUMNS_MANY, &common->view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "show", "out of memory");
	for (size_t i = 0; i < st->snapshot.n; i++)
		if (p->task[i])
			table_add(t, NULL, &st->snapshot.tasks[i]);
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

int show_text(const struct state *st, const struct common *common, const struct program *p)
{
	bool plain = common->view.raw || common->view.columns || p->all;
	size_t tasks = 0, spaces = 0;
	int status;

	for (size_t i = 0; i < st->snapshot.n; i++)
		tasks += p->task[i];
	for (size_t i = 0; i < st->ledger.n; i++) {
		spaces += p->space[i];
		if (p->space[i] && !common->view.raw)
			print_space(st, &st->ledger.spaces[i]);
	}
	if (tasks > LISTED_MAX && !plain)
		status = show_groups(st, common, p);
	else
		status = print_tasks(st, common, p, spaces <= 1);
	if (!status && !common->view.raw) {
		print_relations(st, p);
		print_departures(st, p);
		state_source(&st->snapshot);
	}
	return status;
}
