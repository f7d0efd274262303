// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/crosscheck.h"
#include "lib/cleanup.h"

struct check {
	const struct snapshot *s[2];
	struct findings *f;
	bool same_spaces;
	int err;
};

void findings_deinit(struct findings *f)
{
	free(f->d);
	memset(f, 0, sizeof(*f));
}

static struct disagreement *report(struct check *c, const struct task *t, const char *field)
{
	struct findings *f = c->f;
	struct disagreement *d;

	if (f->n == f->room) {
		size_t room = f->room ? 2 * f->room : 64;

		d = realloc(f->d, room * sizeof(*d));
		if (!d) {
			c->err = -ENOMEM;
			return NULL;
		}
		f->d = d;
		f->room = room;
	}
	d = &f->d[f->n++];
	memset(d, 0, sizeof(*d));
	d->key = t->key;
	memcpy(d->comm, t->comm, sizeof(d->comm));
	d->field = field;
	memcpy(d->by[0], c->s[0]->source, sizeof(d->by[0]));
	memcpy(d->by[1], c->s[1]->source, sizeof(d->by[1]));
	return d;
}

static void report_numbers(struct check *c, const struct task *t, const char *field, uint64_t a,
			   uint64_t b)
{
	struct disagreement *d = report(c, t, field);

	if (!d)
		return;
	snprintf(d->value[0], sizeof(d->value[0]), "%" PRIx64, a);
	snprintf(d->value[1], sizeof(d->value[1]), "%" PRIx64, b);
}

static void report_words(struct check *c, const struct task *t, const char *field, const char *a,
			 const char *b)
{
	struct disagreement *d = report(c, t, field);

	if (!d)
		return;
	snprintf(d->value[0], sizeof(d->value[0]), "%s", a);
	snprintf(d->value[1], sizeof(d->value[1]), "%s", b);
}

static const struct {
	uint32_t flag;
	uint32_t known;
	const char *field;
} flags[] = {
	{ TASK_KTHREAD, KNOWN_FLAGS, "flags.kthread" },
	{ TASK_IO_WORKER, KNOWN_FLAGS, "flags.io_worker" },
	{ TASK_USER_WORKER, KNOWN_FLAGS, "flags.user_worker" },
	{ TASK_VFORK, KNOWN_VFORK, "flags.vfork" },
};

static void check_flags(struct check *c, const struct task *a, const struct task *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (a->known & b->known & flags[i].known && (a->flags ^ b->flags) & flags[i].flag)
			report_numbers(c, a, flags[i].field, !!(a->flags & flags[i].flag),
				       !!(b->flags & flags[i].flag));
}

/* Workers of the kernel go by longer names in /proc: the description is added there. */
static bool names_differ(const struct task *a, const struct task *b)
{
	size_t n = a->flags & TASK_KTHREAD ? 8 : 15;

	return strncmp(a->comm, b->comm, n) != 0;
}

static const struct {
	uint32_t known;
	size_t at;
	const char *field;
} places[] = {
	{ KNOWN_USP, offsetof(struct task, user_stack.sp), "user_stack.sp" },
	{ KNOWN_USTACK, offsetof(struct task, user_stack.start), "user_stack.start" },
	{ KNOWN_USTACK, offsetof(struct task, user_stack.end), "user_stack.end" },
};

/* It stood where it stood, from the one look to the other. */
static bool has_rested(const struct task *a, const struct task *b)
{
	uint32_t known = a->known & b->known;

	return known & KNOWN_STATE && known & KNOWN_SWITCHES && a->state != 'R' &&
	       b->state != 'R' && a->nvcsw == b->nvcsw && a->nivcsw == b->nivcsw;
}

static void check_user_stack(struct check *c, const struct task *a, const struct task *b)
{
	if (!has_rested(a, b))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t x = *(const uint64_t *)((const char *)a + places[i].at);
		uint64_t y = *(const uint64_t *)((const char *)b + places[i].at);

		if (a->known & b->known & places[i].known && x != y)
			report_numbers(c, a, places[i].field, x, y);
	}
}

static void check_fields(struct check *c, const struct task *a, const struct task *b)
{
	uint64_t apart = a->key.start_ns > b->key.start_ns ? a->key.start_ns - b->key.start_ns
							   : b->key.start_ns - a->key.start_ns;

	if (a->key.tgid != b->key.tgid)
		report_numbers(c, a, "tgid", a->key.tgid, b->key.tgid);
	if (a->known & b->known & KNOWN_START && apart >= START_TICK_NS)
		report_numbers(c, a, "start_ns", a->key.start_ns, b->key.start_ns);
	if (a->known & b->known & KNOWN_PPID && a->ppid != b->ppid)
		report_numbers(c, a, "ppid", a->ppid, b->ppid);
	if (a->known & b->known & KNOWN_UID && a->uid != b->uid)
		report_numbers(c, a, "uid", a->uid, b->uid);
	if (names_differ(a, b))
		report_words(c, a, "comm", a->comm, b->comm);
	if (a->kind && b->kind && a->kind != b->kind)
		report_words(c, a, "kind", task_kind_name(a->kind), task_kind_name(b->kind));
	check_flags(c, a, b);
	check_user_stack(c, a, b);
}

/* A task as both see it: what one calls x the other calls y. */
struct pair {
	uint64_t id[2];
	const struct task *t;
};

static int by_side(const void *a, const void *b, void *arg)
{
	const struct pair *x = a, *y = b;
	int side = *(const int *)arg;

	if (x->id[side] != y->id[side])
		return x->id[side] < y->id[side] ? -1 : 1;
	return (x->id[!side] > y->id[!side]) - (x->id[!side] < y->id[!side]);
}

/* The partner of most members of a class; who has another one is reported. */
static uint64_t usual_partner(const struct pair *p, size_t n, int other)
{
	uint64_t best = p[0].id[other];
	size_t run = 0, most = 0;

	for (size_t i = 0; i < n; i++) {
		run = i && p[i].id[other] == p[i - 1].id[other] ? run + 1 : 1;
		if (run > most) {
			most = run;
			best = p[i].id[other];
		}
	}
	return best;
}

static void check_side(struct check *c, struct pair *p, size_t n, int side, const char *field)
{
	qsort_r(p, n, sizeof(*p), by_side, &side);
	for (size_t from = 0, to; from < n; from = to) {
		uint64_t usual;

		for (to = from + 1; to < n && p[to].id[side] == p[from].id[side];)
			to++;
		usual = usual_partner(p + from, to - from, !side);
		for (size_t i = from; i < to; i++)
			if (p[i].id[!side] != usual)
				report_numbers(c, p[i].t, field, p[i].id[0], p[i].id[1]);
	}
}

/*
 * Whether both number spaces as the kernel does. Where it gives no number (arm64), and from procfs,
 * each witness has ids of its own, of which not one is the other's.
 */
static bool same_spaces(const struct check *c)
{
	for (size_t i = 0; i < c->s[0]->n; i++) {
		const struct task *a = &c->s[0]->tasks[i];
		const struct task *b = snapshot_find(c->s[1], a->key.tid);

		if (b && a->res[RES_MM] && a->res[RES_MM] == b->res[RES_MM])
			return true;
	}
	return false;
}

static bool same_words(const struct check *c, enum resource r)
{
	return resource_is_inode(r) || (r == RES_MM && c->same_spaces);
}

/* Who has none must have none for both; what is left goes to the comparison of classes. */
static size_t collect(struct check *c, enum resource r, struct pair *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < c->s[0]->n; i++) {
		const struct task *a = &c->s[0]->tasks[i];
		const struct task *b = snapshot_find(c->s[1], a->key.tid);

		if (!b || !task_res_known(a, r) || !task_res_known(b, r))
			continue;
		if (same_words(c, r) ? a->res[r] != b->res[r] : !a->res[r] != !b->res[r])
			report_numbers(c, a, resource_name(r), a->res[r], b->res[r]);
		else if (a->res[r])
			pairs[n++] = (struct pair){ { a->res[r], b->res[r] }, a };
	}
	return n;
}

static void check_resources(struct check *c, struct pair *pairs)
{
	for (int r = 0; r < RES_NR; r++) {
		size_t n = collect(c, r, pairs);

		if (same_words(c, r))
			continue;
		check_side(c, pairs, n, 0, resource_name(r));
		check_side(c, pairs, n, 1, resource_name(r));
	}
}

/* A task that one witness was shown in part only may be kept from the other altogether. */
static void report_absent(struct check *c, const struct task *t, const char *a, const char *b)
{
	if (task_res_known(t, RES_MM))
		report_words(c, t, "present", a, b);
}

static void check_tasks(struct check *c)
{
	for (size_t i = 0; i < c->s[0]->n; i++) {
		const struct task *a = &c->s[0]->tasks[i];
		const struct task *b = snapshot_find(c->s[1], a->key.tid);

		if (!b) {
			report_absent(c, a, "yes", "no");
			continue;
		}
		c->f->compared++;
		check_fields(c, a, b);
	}
	for (size_t i = 0; i < c->s[1]->n; i++)
		if (!snapshot_find(c->s[0], c->s[1]->tasks[i].key.tid))
			report_absent(c, &c->s[1]->tasks[i], "no", "yes");
}

int crosscheck(const struct snapshot *a, const struct snapshot *b, struct findings *f)
{
	struct check c = { .s = { a, b }, .f = f };
	cleanup_free struct pair *pairs = calloc(a->n + 1, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	c.same_spaces = same_spaces(&c);
	check_tasks(&c);
	check_resources(&c, pairs);
	return c.err;
}

static bool found(const struct findings *f, const struct disagreement *d)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->d[i].key.tid == d->key.tid && f->d[i].key.start_ns == d->key.start_ns &&
		    strcmp(f->d[i].field, d->field) == 0 && strcmp(f->d[i].by[0], d->by[0]) == 0 &&
		    strcmp(f->d[i].by[1], d->by[1]) == 0)
			return true;
	return false;
}

/* Gone, born, replaced, or its row mixes two moments. */
static bool is_unsteady(const struct snapshot *before, const struct snapshot *after, uint32_t tid)
{
	const struct task *b = snapshot_find(before, tid), *a = snapshot_find(after, tid);

	return !b || !a || task_key_cmp(&b->key, &a->key) != 0 ||
	       (b->flags | a->flags) & TASK_RACED;
}

static bool is_about(const struct findings *f, const struct disagreement *d)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->d[i].key.tid == d->key.tid && strcmp(f->d[i].field, d->field) == 0)
			return true;
	return false;
}

/* A task that both looks lack is unsteady only if the witness does not withhold it altogether. */
int findings_drop_changed(struct findings *f, const struct snapshot *before,
			  const struct snapshot *after)
{
	struct findings changes = { 0 };
	int err = crosscheck(before, after, &changes);
	size_t kept = 0;

	for (size_t i = 0; !err && i < f->n; i++) {
		uint32_t tid = f->d[i].key.tid;
		bool lacking = !snapshot_find(before, tid) && !snapshot_find(after, tid);

		if (is_about(&changes, &f->d[i]) || (!lacking && is_unsteady(before, after, tid)))
			f->changed++;
		else
			f->d[kept++] = f->d[i];
	}
	if (!err)
		f->n = kept;
	findings_deinit(&changes);
	return err;
}

static bool seen_before(const struct findings *f, size_t n, const struct disagreement *d)
{
	struct findings kept = { .d = f->d, .n = n };

	return found(&kept, d);
}

void findings_keep_common(struct findings *f, const struct findings *again)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++)
		if (found(again, &f->d[i]) && !seen_before(f, kept, &f->d[i]))
			f->d[kept++] = f->d[i];
	f->n = kept;
}
