// SPDX-License-Identifier: GPL-2.0-only
/* `show` for people: a paragraph per space, its tasks as a table, and what departs from the rule. */
#include "analysis/verdict.h"
#include "cmd/show.h"
#include "lib/text.h"
#include "render/spaces.h"
#include "render/tasks.h"

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

/* "1234 has its own files, fs, unlike its leader 1230" */
static void print_departure(const struct task *t, const struct task *ref)
{
	bool any = false;

	for (int r = 0; r < RES_NR; r++) {
		if (resource_share(t, ref, r) != SHARE_SEPARATE)
			continue;
		if (!any)
			printf("%u has its own", t->key.tid);
		printf("%s %s", any ? "," : "", resource_name(r));
		any = true;
	}
	if (any)
		printf(", unlike its leader %u\n", ref->key.tid);
}

static void print_departures(const struct state *st, const struct program *p)
{
	for (size_t i = 0; i < st->snapshot.n; i++) {
		const struct task *t = &st->snapshot.tasks[i];
		const struct task *ref = p->task[i] ? reference(st, t) : NULL;

		if (ref && ref != t)
			print_departure(t, ref);
	}
}

int show_text(const struct state *st, const struct common *common, const struct program *p)
{
	const char *bad = NULL;
	struct table *t = table_new(task_columns, task_columns_n,
				    "TGID,TID,KIND,S,SPACE,SP,DEPTH,KUSED,NVCSW,NIVCSW,COMM",
				    &common->view, &bad);

	if (!t)
		return fail(EXIT_FAILED, "show", "out of memory");
	for (size_t i = 0; !common->view.raw && i < st->ledger.n; i++)
		if (p->space[i])
			print_space(st, &st->ledger.spaces[i]);
	for (size_t i = 0; i < st->snapshot.n; i++)
		if (p->task[i])
			table_add(t, NULL, &st->snapshot.tasks[i]);
	table_print(t, stdout);
	table_free(t);
	if (!common->view.raw)
		print_departures(st, p);
	return EXIT_DONE;
}
