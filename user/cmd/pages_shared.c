// SPDX-License-Identifier: GPL-2.0-only
/* Memory objects that two or more spaces map, with or without a descriptor left to them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/pages.h"
#include "lib/cleanup.h"
#include "source/objects.h"

/* One task of each space: threads and vfork children map nothing of their own. */
static uint64_t collect(struct objects *all, const struct state *st)
{
	uint64_t unseen = 0;

	for (size_t i = 0; i < st->ledger.n; i++) {
		const struct space *sp = &st->ledger.spaces[i];
		const struct task *t = space_member(&st->ledger, sp, 0);

		if (!(t->flags & TASK_KTHREAD))
			unseen += objects_add_space(all, t) == -EACCES;
	}
	objects_add_sysv(all);
	return unseen;
}

/* ---- showing ---- */

enum {
	O_SIZE,
	O_RESIDENT,
	O_MAPPERS,
	O_KEY,
	O_NATTCH,
	O_INODE
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct object *o = row;

	switch (arg) {
	case O_SIZE:
		return value_uint(v, VALUE_SIZE, o->size);
	case O_MAPPERS:
		return value_uint(v, VALUE_COUNT, o->n_by);
	case O_INODE:
		return value_uint(v, VALUE_UINT, o->inode);
	case O_RESIDENT:
		if (o->resident_known)
			value_uint(v, VALUE_SIZE, o->resident);
		return;
	case O_NATTCH:
		if (o->sysv_known)
			value_uint(v, VALUE_COUNT, o->nattch);
		return;
	}
	if (!o->sysv_known)
		return;
	snprintf(v->room, sizeof(v->room), "0x%08" PRIx32, o->key);
	value_str(v, v->room);
}

enum {
	O_NATURE,
	O_NAME,
	O_WHO
};

static void get_text(const void *row, int arg, struct value *v)
{
	const struct object *o = row;

	value_str(v, arg == O_NATURE ? nature_name(o->nature) : arg == O_NAME ? o->name : o->who);
}

const struct column object_columns[] = {
	{ "NATURE", "nature", "what it is", 0, 0, get_text, O_NATURE },
	{ "SIZE", "size", "its largest mapping", 0, COL_RIGHT, get_number, O_SIZE },
	{ "RESIDENT", "resident", "in memory, counted once", 0, COL_RIGHT, get_number, O_RESIDENT },
	{ "SPACES", "spaces", "address spaces that map it", 0, COL_RIGHT, get_number, O_MAPPERS },
	{ "KEY", "key", "of a SysV segment", 0, COL_RIGHT, get_number, O_KEY },
	{ "NATTCH", "nattch", "attaches of a SysV segment as the kernel counts them", 0, COL_RIGHT,
	  get_number, O_NATTCH },
	{ "INODE", "inode", "which; of a SysV segment its shmid", 0, COL_RIGHT, get_number,
	  O_INODE },
	{ "PIDS", NULL, "who maps it", 0.2, COL_TRUNC, get_text, O_WHO },
	{ "NAME", "name", "file or the kernel's name", 0.2, COL_TRUNC, get_text, O_NAME },
};

const size_t object_columns_n = ARRAY_SIZE(object_columns);

static char *who_maps(const struct object *o)
{
	char *buf = malloc(o->n_by * 12 + 1);
	size_t at = 0;

	for (size_t i = 0; buf && i < o->n_by; i++)
		at += (size_t)sprintf(buf + at, "%s%u", i ? "," : "", o->by[i].tgid);
	return buf;
}

static bool worth_showing(const struct object *o, const uint64_t *spaces, size_t n)
{
	if (o->n_by < 2)
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < o->n_by; k++)
			if (o->by[k].space == spaces[i])
				return true;
	return !n;
}

static int by_size(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	uint64_t rx = x->resident_known ? x->resident : x->size;
	uint64_t ry = y->resident_known ? y->resident : y->size;

	return (rx < ry) - (rx > ry);
}

/* The largest first, and only those that the user asked for. */
static void choose(struct objects *all, const uint64_t *spaces, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct object *o = all->o[i];

		if (!worth_showing(o, spaces, n))
			continue;
		/* the rest stays behind, to be freed */
		all->o[i] = all->o[kept];
		all->o[kept++] = o;
	}
	all->shown = kept;
	if (kept)
		qsort(all->o, kept, sizeof(*all->o), by_size);
}

static void json_object_row(struct json *j, const struct object *o)
{
	json_object(j, NULL);
	json_columns(j, object_columns, ARRAY_SIZE(object_columns), o);
	json_array(j, "pids");
	for (size_t i = 0; i < o->n_by; i++)
		json_uint(j, NULL, o->by[i].tgid);
	json_array_end(j);
	json_object_end(j);
}

static int print_json(const struct objects *all, const struct state *st, uint64_t unseen)
{
	struct json *j = json_open(stdout, false);
	struct snapshot head = st->snapshot;

	if (!j)
		return fail(EXIT_FAILED, "pages", "out of memory");
	json_object(j, NULL);
	if (head.withheld != WITHHELD_UNKNOWN)
		head.withheld += unseen;
	json_head(j, "pages", &head);
	json_array(j, "objects");
	for (size_t i = 0; i < all->shown; i++)
		json_object_row(j, all->o[i]);
	json_array_end(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static int print_table(const struct pages_args *args, struct objects *all)
{
	struct view view = args->common.view;
	const char *bad = NULL;
	struct table *t;

	view.columns = NULL;
	t = table_new(object_columns, ARRAY_SIZE(object_columns),
		      "NATURE,SIZE,RESIDENT,SPACES,KEY,NATTCH,NAME,PIDS", &view, &bad);
	if (!t)
		return fail(EXIT_FAILED, "pages", "out of memory");
	for (size_t i = 0; i < all->shown; i++) {
		all->o[i]->who = who_maps(all->o[i]);
		table_add(t, NULL, all->o[i]);
	}
	table_print(t, stdout);
	table_free(t);
	return EXIT_DONE;
}

static int shared(const struct pages_args *args, const struct state *st, const uint64_t *spaces,
		  size_t n)
{
	struct objects all = { 0 };
	uint64_t unseen = collect(&all, st);
	int status;

	choose(&all, spaces, n);
	status = args->common.view.json ? print_json(&all, st, unseen) : print_table(args, &all);
	if (!args->common.view.json && !args->common.view.raw) {
		if (!all.shown)
			printf("No memory object that two spaces map is to be seen.\n");
		state_withheld(stdout, &st->snapshot);
	}
	objects_deinit(&all);
	if (unseen && status == EXIT_DONE)
		note("mappings", "of %llu spaces are not for you to see: run as root",
		     (unsigned long long)unseen);
	return status;
}

int pages_shared(const struct pages_args *args, int argc, char **argv)
{
	cleanup_free uint64_t *spaces = calloc((size_t)argc + 1, sizeof(*spaces));
	struct state st;
	int status = spaces ? state_init(&st, &args->common, 0)
			    : (int)fail(EXIT_FAILED, "pages", "out of memory");

	if (status)
		return status;
	for (int i = 0; i < argc && !status; i++) {
		const struct space *sp;
		const struct task *t;

		status = state_task(&st, argv[i], &t);
		if (status)
			break;
		sp = state_space(&st, t);
		if (sp)
			spaces[i] = sp->id;
		else
			status = fail(EXIT_FAILED, argv[i], "has no address space");
	}
	if (!status)
		status = shared(args, &st, spaces, (size_t)argc);
	state_deinit(&st);
	return status;
}
