// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/family.h"
#include "cmd/pages_family.h"
#include "lib/cleanup.h"
#include "source/holder.h"
#include "source/source.h"

/* ---- columns ---- */

enum {
	E_PID,
	E_SHARED,
	E_BROKEN,
	E_SHARE,
	E_START,
	E_END
};

static void get_erosion(const struct erosion *e, int arg, struct value *v)
{
	uint64_t page = (uint64_t)getpagesize(), all = e->shared + e->broken;

	switch (arg) {
	case E_START:
	case E_END:
		return value_uint(v, VALUE_ADDR, arg == E_START ? e->start : e->end);
	case E_SHARED:
	case E_BROKEN:
		return value_uint(v, VALUE_SIZE, page * (arg == E_SHARED ? e->shared : e->broken));
	}
	if (!all)
		return;
	v->type = VALUE_REAL;
	v->real = 100.0 * (double)e->shared / (double)all;
}

static void get_sum(const void *row, int arg, struct value *v)
{
	const struct relative *r = row;

	if (arg == E_PID)
		return value_uint(v, VALUE_UINT, r->tgid);
	get_erosion(&r->sum, arg, v);
}

static void get_word(const void *row, int arg, struct value *v)
{
	const struct relative *r = row;

	value_str(v, arg ? r->relation : r->comm);
}

const struct column relative_columns[] = {
	{ "PID", "tgid", "relative", 0, COL_RIGHT, get_sum, E_PID },
	{ "RELATION", "relation", "parent, child, sibling, descendant, or of the same-program", 0,
	  0, get_word, 1 },
	{ "STILL-SHARED", "shared_bytes", "private memory in the same frames", 0, COL_RIGHT,
	  get_sum, E_SHARED },
	{ "BROKEN", "broken_bytes", "private memory in frames of its own by now", 0, COL_RIGHT,
	  get_sum, E_BROKEN },
	{ "%", "still_shared_percent", "of both", 0, COL_RIGHT, get_sum, E_SHARE },
	{ "COMM", "comm", "name", 0.1, COL_TRUNC, get_word, 0 },
};

const size_t relative_columns_n = ARRAY_SIZE(relative_columns);

/* A mapping of one relative. */
struct erosion_row {
	uint32_t tgid;
	struct erosion e;
};

static void get_region(const void *row, int arg, struct value *v)
{
	const struct erosion_row *r = row;

	if (arg == E_PID)
		return value_uint(v, VALUE_UINT, r->tgid);
	get_erosion(&r->e, arg, v);
}

static void get_name(const void *row, int arg, struct value *v)
{
	const struct erosion_row *r = row;

	value_str(v, arg ? r->e.perms : *r->e.name ? r->e.name : NULL);
}

const struct column erosion_columns[] = {
	{ "PID", NULL, "relative", 0, COL_RIGHT, get_region, E_PID },
	{ "START", "start", "first address", 0, COL_RIGHT, get_region, E_START },
	{ NULL, "end", "first address behind", 0, COL_RIGHT, get_region, E_END },
	{ "PERMS", "perms", "as in maps", 0, 0, get_name, 1 },
	{ "STILL-SHARED", "shared_bytes", "in the same frames", 0, COL_RIGHT, get_region,
	  E_SHARED },
	{ "BROKEN", "broken_bytes", "in frames of its own", 0, COL_RIGHT, get_region, E_BROKEN },
	{ "%", "still_shared_percent", "of both", 0, COL_RIGHT, get_region, E_SHARE },
	{ "NAME", "name", "file or the kernel's name", 0.2, COL_TRUNC, get_name, 0 },
};

const size_t erosion_columns_n = ARRAY_SIZE(erosion_columns);

/* ---- who they are ---- */

static int add(struct family *f, size_t *room, uint32_t tgid, const char *relation)
{
	if (f->n == *room) {
		size_t more = *room ? 2 * *room : 16;
		struct relative *who = realloc(f->who, more * sizeof(*who));

		if (!who)
			return -ENOMEM;
		f->who = who;
		*room = more;
	}
	f->who[f->n++] =
		(struct relative){ .tgid = tgid, .relation = relation, .by_region = f->by_region };
	return 0;
}

/* st_ino 0: not for us to know. */
static struct stat program_of(uint32_t pid)
{
	struct stat program;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%u/exe", holder_of(pid));
	if (stat(path, &program))
		program.st_ino = 0;
	return program;
}

/*
 * Only whoever still runs the same file can share what fork shared: exec gives a space of its own.
 * Orphans of a common parent are found by that alone.
 */
static const char *kinship(const struct snapshot *s, const struct task *t, const struct task *me,
			   const struct stat *my_program)
{
	const char *relation = family_relation(s, t, me);
	struct stat program;

	if (!task_is_leader(t) || t->flags & TASK_KTHREAD || t->key.tgid == me->key.tgid)
		return NULL;
	program = program_of(t->key.tgid);
	/* whether a relative of whom not even this may be known shares memory is to be asked */
	if (!my_program->st_ino || !program.st_ino)
		return relation;
	if (program.st_dev != my_program->st_dev || program.st_ino != my_program->st_ino)
		return NULL;
	return relation ? relation : "same-program";
}

/* What shares the whole space (vfork, CLONE_VM) has no pages of its own to compare. */
static int find(struct family *f, const struct snapshot *s, uint32_t pid)
{
	const struct task *me = snapshot_find(s, pid);
	struct stat program = program_of(pid);
	size_t room = 0;
	int err = 0;

	me = me ? snapshot_find(s, me->key.tgid) : NULL;
	if (!me)
		return -ESRCH;
	for (size_t i = 0; i < s->n && !err; i++) {
		const struct task *t = &s->tasks[i];
		const char *relation = kinship(s, t, me, &program);

		if (!relation || (task_space(t) && task_space(t) == task_space(me)))
			continue;
		err = add(f, &room, t->key.tgid, relation);
		if (!err)
			snprintf(f->who[f->n - 1].comm, sizeof(f->who->comm), "%s", t->comm);
	}
	return err;
}

static int find_living(struct family *f, uint32_t pid)
{
	struct why why;
	struct snapshot s;
	int err = source_snapshot("auto", WANT_LEAN, &s, &why);

	if (!err)
		err = find(f, &s, pid);
	snapshot_deinit(&s);
	return err;
}

/* ---- what they share ---- */

static struct erosion *next_region(struct relative *r)
{
	if (r->n == r->room) {
		size_t more = r->room ? 2 * r->room : 32;
		struct erosion *e = realloc(r->regions, more * sizeof(*e));

		if (!e)
			return NULL;
		r->regions = e;
		r->room = more;
	}
	return &r->regions[r->n++];
}

static void take_region(const struct region *at, const struct page_counts *c, void *arg)
{
	struct relative *r = arg;
	struct erosion *e;

	/* of a mapping of a file only what was written is memory of its own; what both still
	 * read from the file is in the same frame */
	if (region_is_shared(at) || !(c->shared_by_fork + c->different))
		return;
	r->sum.shared += c->shared_by_fork;
	r->sum.broken += c->different;
	e = r->by_region ? next_region(r) : NULL;
	if (!e)
		return;
	*e = (struct erosion){ .start = at->start,
			       .end = at->end,
			       .shared = c->shared_by_fork,
			       .broken = c->different };
	memcpy(e->perms, at->perms, sizeof(e->perms));
	memcpy(e->name, at->name, sizeof(e->name));
}

static int measure(struct relative *r, struct pagecount *pc)
{
	struct pagecount pair = { .frames = pc->frames,
				  .a = pc->a,
				  .b = r->tgid,
				  .processes = true,
				  .region = take_region,
				  .arg = r };
	int err = pagecount_run(&pair);

	pc->failed = pair.failed;
	return err;
}

/* Those who share nothing came to be by exec, or are of another fork altogether. */
static int measure_all(struct family *f, struct pagecount *pc)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct relative *r = &f->who[i];
		int err = measure(r, pc);

		if (err && pc->failed == pc->a)
			return err;
		f->unseen += err == -EACCES || err == -EPERM;
		if (!err && r->sum.shared)
			f->who[kept++] = *r;
		else
			free(r->regions);
	}
	f->n = kept;
	return 0;
}

int family_measure(struct family *f, struct pagecount *pc, bool by_region)
{
	size_t room = 0;
	int err;

	*f = (struct family){ .by_region = by_region };
	pc->failed = pc->a;
	if (!pc->b) {
		err = find_living(f, pc->a);
		return err ? err : measure_all(f, pc);
	}
	err = add(f, &room, pc->b, "named");
	return err ? err : measure(&f->who[0], pc);
}

void family_deinit(struct family *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->who[i].regions);
	free(f->who);
	memset(f, 0, sizeof(*f));
}

/* ---- showing ---- */

static void json_regions(struct json *j, const struct relative *r)
{
	json_array(j, "regions");
	for (size_t i = 0; i < r->n; i++) {
		struct erosion_row row = { r->tgid, r->regions[i] };

		json_object(j, NULL);
		json_columns(j, erosion_columns, ARRAY_SIZE(erosion_columns), &row);
		json_object_end(j);
	}
	json_array_end(j);
}

void family_json(struct json *j, const struct family *f)
{
	json_array(j, "relatives");
	for (size_t i = 0; i < f->n; i++) {
		json_object(j, NULL);
		json_columns(j, relative_columns, ARRAY_SIZE(relative_columns), &f->who[i]);
		if (f->by_region)
			json_regions(j, &f->who[i]);
		json_object_end(j);
	}
	json_array_end(j);
}

static void text_regions(const struct pages_args *args, const struct family *f)
{
	struct view view = args->common.view;
	const char *bad = NULL;
	struct table *t;

	view.columns = NULL;
	t = table_new(erosion_columns, ARRAY_SIZE(erosion_columns),
		      "PID,START,PERMS,STILL-SHARED,BROKEN,%,NAME", &view, &bad);
	for (size_t i = 0; t && i < f->n; i++)
		for (size_t k = 0; k < f->who[i].n; k++) {
			struct erosion_row row = { f->who[i].tgid, f->who[i].regions[k] };

			table_add(t, NULL, &row);
		}
	if (t)
		table_print(t, stdout);
	table_free(t);
}

void family_text(const struct pages_args *args, const struct family *f, uint32_t pid)
{
	if (f->n) {
		printf("Private memory that fork shared with %u:\n", pid);
		table_rows(relative_columns, ARRAY_SIZE(relative_columns),
			   "PID,RELATION,STILL-SHARED,BROKEN,%,COMM", &args->common.view, f->who,
			   f->n, sizeof(*f->who), stdout);
	} else {
		printf("No relative has memory that fork shared with %u.\n", pid);
	}
	if (f->n && f->by_region) {
		printf("\n");
		text_regions(args, f);
	}
	if (f->unseen)
		note("relatives", "the pages of %llu are not for you to see: run as root",
		     (unsigned long long)f->unseen);
}
