// SPDX-License-Identifier: GPL-2.0-only
/* Copy-on-write erosion: per relative of a process, how much of what fork shared still is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/pages.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/source.h"

/* More are not looked at, and that is said. */
#define RELATIVES_MAX 256

struct relative {
	uint32_t tgid;
	char comm[64];
	const char *relation;
	uint64_t shared; /* pages */
	uint64_t broken;
};

struct family {
	struct relative who[RELATIVES_MAX];
	size_t n;
	bool more;
};

/* ---- columns ---- */

enum {
	E_PID,
	E_SHARED,
	E_BROKEN,
	E_SHARE
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct relative *r = row;
	uint64_t page = (uint64_t)getpagesize();

	if (arg == E_PID)
		return value_uint(v, VALUE_UINT, r->tgid);
	if (arg == E_SHARE) {
		if (!(r->shared + r->broken))
			return;
		v->type = VALUE_REAL;
		v->real = 100.0 * (double)r->shared / (double)(r->shared + r->broken);
		return;
	}
	value_uint(v, VALUE_SIZE, page * (arg == E_SHARED ? r->shared : r->broken));
}

static void get_comm(const void *row, int arg, struct value *v)
{
	const struct relative *r = row;

	value_str(v, arg ? r->relation : r->comm);
}

static const struct column relative_columns[] = {
	{ "PID", "tgid", "relative", 0, COL_RIGHT, get_number, E_PID },
	{ "RELATION", "relation", "parent, child, sibling or descendant", 0, 0, get_comm, 1 },
	{ "STILL-SHARED", "shared_bytes", "private memory in the same frames", 0, COL_RIGHT,
	  get_number, E_SHARED },
	{ "BROKEN", "broken_bytes", "private memory in frames of its own by now", 0, COL_RIGHT,
	  get_number, E_BROKEN },
	{ "%", "still_shared_percent", "of both", 0, COL_RIGHT, get_number, E_SHARE },
	{ "COMM", "comm", "name", 0.1, COL_TRUNC, get_comm, 0 },
};

/* ---- who they are ---- */

static const struct task *leader_of(const struct snapshot *s, uint32_t tid)
{
	const struct task *t = snapshot_find(s, tid);

	return t ? snapshot_find(s, t->key.tgid) : NULL;
}

static bool descends(const struct snapshot *s, const struct task *t, uint32_t from)
{
	for (int depth = 0; t && depth < 64; depth++) {
		if (t->ppid == from)
			return true;
		t = t->ppid > 1 ? snapshot_find(s, t->ppid) : NULL;
	}
	return false;
}

static const char *relation_of(const struct snapshot *s, const struct task *t,
			       const struct task *me)
{
	if (t->key.tgid == me->key.tgid || t->flags & TASK_KTHREAD || !task_is_leader(t))
		return NULL;
	if (t->key.tgid == me->ppid)
		return "parent";
	if (t->ppid == me->key.tgid)
		return "child";
	if (t->ppid == me->ppid && me->ppid > 1)
		return "sibling";
	return descends(s, t, me->key.tgid) ? "descendant" : NULL;
}

static int family_find(struct family *f, uint32_t pid)
{
	struct why why;
	struct snapshot s;
	const struct task *me;
	int err = source_snapshot("auto", 0, &s, &why);

	if (err)
		return err;
	me = leader_of(&s, pid);
	for (size_t i = 0; me && i < s.n; i++) {
		const struct task *t = &s.tasks[i];
		const char *relation = relation_of(&s, t, me);
		struct relative *r = &f->who[f->n];

		if (!relation || (task_space(t) && task_space(t) == task_space(me)))
			continue;
		f->more = f->n == RELATIVES_MAX;
		if (f->more)
			break;
		*r = (struct relative){ .tgid = t->key.tgid, .relation = relation };
		snprintf(r->comm, sizeof(r->comm), "%s", t->comm);
		f->n++;
	}
	snapshot_deinit(&s);
	return me ? 0 : -ESRCH;
}

/* ---- what they share ---- */

static void take_region(const struct region *r, const struct page_counts *c, void *arg)
{
	struct relative *rel = arg;

	if (region_is_shared(r))
		return;
	rel->shared += c->shared_by_fork;
	/* of a mapping of a file only what was written is memory of its own; what both still
	 * read from the file is in the same frame */
	rel->broken += c->different;
}

static int measure(struct relative *r, const struct pagecount *of)
{
	struct pagecount pair = {
		.frames = of->frames, .a = of->a, .b = r->tgid, .region = take_region, .arg = r
	};

	r->shared = r->broken = 0;
	return pagecount_run(&pair);
}

/* Those who share nothing came to be by exec, or are of another fork altogether. */
static int family_measure(struct family *f, struct pagecount *pc)
{
	size_t kept = 0;
	int err = family_find(f, pc->a);

	if (err)
		return err;
	for (size_t i = 0; i < f->n; i++)
		if (!measure(&f->who[i], pc) && f->who[i].shared)
			f->who[kept++] = f->who[i];
	f->n = kept;
	return 0;
}

int pages_relatives_json(struct json *j, struct pagecount *pc)
{
	cleanup_free struct family *f = calloc(1, sizeof(*f));

	if (!f || !pc->frames.visible || family_measure(f, pc)) {
		json_null(j, "relatives");
		return 0;
	}
	json_array(j, "relatives");
	for (size_t i = 0; i < f->n; i++) {
		json_object(j, NULL);
		json_columns(j, relative_columns, ARRAY_SIZE(relative_columns), &f->who[i]);
		json_object_end(j);
	}
	json_array_end(j);
	return 0;
}

static void family_print(const struct pages_args *args, const struct family *f)
{
	struct view view = args->common.view;
	const char *bad = NULL;
	struct table *t;

	view.columns = NULL;
	t = table_new(relative_columns, ARRAY_SIZE(relative_columns),
		      "PID,RELATION,STILL-SHARED,BROKEN,%,COMM", &view, &bad);
	for (size_t i = 0; t && i < f->n; i++)
		table_add(t, NULL, &f->who[i]);
	if (t)
		table_print(t, stdout);
	table_free(t);
	if (f->more)
		note("relatives", "more than %d; the rest is not shown", RELATIVES_MAX);
}

void pages_relatives_text(const struct pages_args *args, struct pagecount *pc)
{
	cleanup_free struct family *f = calloc(1, sizeof(*f));

	if (!f || !pc->frames.visible || family_measure(f, pc) || !f->n)
		return;
	printf("\nPrivate memory that fork shared with %u:\n", pc->a);
	family_print(args, f);
}

/* ---- again and again ---- */

static int round_json(const struct family *f, const struct pagecount *pc, uint32_t round)
{
	struct json *j = json_open(stdout, true);

	if (!j)
		return fail(EXIT_FAILED, "pages", "out of memory");
	json_object(j, NULL);
	pages_json_head(j);
	json_uint(j, "a", pc->a);
	json_uint(j, "round", round);
	json_array(j, "relatives");
	for (size_t i = 0; i < f->n; i++) {
		json_object(j, NULL);
		json_columns(j, relative_columns, ARRAY_SIZE(relative_columns), &f->who[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	return json_close(j) ? fail(EXIT_FAILED, "output", "cannot be written") : EXIT_DONE;
}

static int one_round(const struct pages_args *args, struct family *f, struct pagecount *pc,
		     uint32_t round)
{
	int err = 0;

	pc->failed = pc->a;
	memset(f, 0, sizeof(*f));
	if (pc->b) {
		f->n = 1;
		f->who[0] = (struct relative){ .tgid = pc->b, .relation = "named" };
		err = measure(&f->who[0], pc);
		pc->failed = pc->b;
	} else {
		err = family_measure(f, pc);
	}
	if (err)
		return pagecount_fail(pc, err);
	if (args->common.view.json)
		return round_json(f, pc, round);
	printf("%sPrivate memory that fork shared with %u:\n", round > 1 ? "\n" : "", pc->a);
	family_print(args, f);
	fflush(stdout);
	return EXIT_DONE;
}

static void nap(uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&ts, NULL);
}

int pages_watch(const struct pages_args *args, struct pagecount *pc)
{
	cleanup_free struct family *f = calloc(1, sizeof(*f));
	int status = EXIT_DONE;

	if (!f)
		return fail(EXIT_FAILED, "pages", "out of memory");
	if (!pc->frames.visible)
		return fail(EXIT_MISSING, "--watch",
			    "frames are hidden from you: run as root (CAP_SYS_ADMIN)");
	for (uint32_t round = 1; status == EXIT_DONE; round++) {
		status = one_round(args, f, pc, round);
		if (args->count && round >= args->count)
			break;
		nap(args->watch_ns);
	}
	return status;
}
