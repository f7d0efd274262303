// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/channels.h"
#include "lab/census.h"
#include "lib/cleanup.h"
#include "source/endpoints.h"
#include "source/procmem.h"
#include "source/source.h"

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

static void add_space(struct census *c, size_t at)
{
	struct space *sp = &c->ledger.spaces[at];

	if (!c->n_spaces || sp->tasks > c->ledger.spaces[c->fullest].tasks)
		c->fullest = at;
	c->spaces[c->n_spaces++] = at;
	c->tasks += sp->tasks;
	c->processes += sp->processes;
	if (procmem_read(space_member(&c->ledger, sp, 0)->key.tid, &sp->memory) ||
	    sp->memory.rss == MEMORY_UNKNOWN)
		return;
	c->rss += sp->memory.pss == MEMORY_UNKNOWN ? sp->memory.rss : sp->memory.pss;
	c->claimed += sp->memory.rss * sp->processes;
}

static bool same_object(const struct endpoint *x, const struct endpoint *y)
{
	return x->type == y->type && x->id == y->id && x->dev == y->dev;
}

/* Each object once, however many of the processes meet in it. */
static void add_shared(struct census *c, const struct endpoints *es, const struct channels *found,
		       size_t at)
{
	const struct channel *ch = &found->c[at];

	for (const struct endpoint *e = es->e; e < ch->a; e++)
		if (e->tgid != ch->a->tgid && same_object(e, ch->a))
			return;
	for (size_t i = 0; i < at; i++)
		if (same_object(found->c[i].a, ch->a))
			return;
	c->shared += ch->a->size > ch->b->size ? ch->a->size : ch->b->size;
}

static int count_channels(struct census *c, const struct endpoints *es, uint32_t pid)
{
	struct channels found;
	int err = channels_pair(es, pid, 0, &found);

	for (size_t i = 0; !err && i < found.n; i++) {
		/* each is seen from both sides; with the lower pid it is counted */
		if (!found.c[i].b || found.c[i].b->tgid < pid)
			continue;
		c->channels[found.c[i].a->type]++;
		if (channel_is_memory(found.c[i].a->type))
			add_shared(c, es, &found, i);
	}
	if (!err)
		channels_deinit(&found);
	return err;
}

static int add_channels(struct census *c)
{
	cleanup_free uint32_t *pids = calloc(c->n_spaces + 1, sizeof(*pids));
	struct endpoints es;
	int err = pids ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < c->n_spaces; i++)
		pids[i] = space_member(&c->ledger, &c->ledger.spaces[c->spaces[i]], 0)->key.tgid;
	if (!err)
		err = endpoints_read_some(pids, c->n_spaces, &es);
	if (err)
		return err;
	for (size_t i = 0; !err && i < c->n_spaces; i++)
		err = count_channels(c, &es, pids[i]);
	endpoints_deinit(&es);
	return err;
}

int census_take(struct census *c, const char *source, uint32_t root, struct why *why)
{
	int err;

	memset(c, 0, sizeof(*c));
	snapshot_init(&c->snap);
	err = source_snapshot(source, 0, &c->snap, why);
	if (!err)
		err = ledger_init(&c->ledger, &c->snap);
	if (err)
		return err;
	c->spaces = calloc(c->ledger.n + 1, sizeof(*c->spaces));
	if (!c->spaces)
		return -ENOMEM;
	for (size_t i = 0; i < c->ledger.n; i++)
		if (descends(&c->snap, space_member(&c->ledger, &c->ledger.spaces[i], 0), root))
			add_space(c, i);
	return add_channels(c);
}

static bool lives(const struct snapshot *now, const struct task_key *key)
{
	const struct task *t = snapshot_find_key(now, key);

	return t && t->state != 'Z' && t->state != 'X' && !(t->flags & TASK_EXITING);
}

static size_t left_of(const struct census *c, const struct space *sp, const struct snapshot *now)
{
	size_t n = 0;

	for (size_t i = 0; i < sp->tasks; i++)
		n += lives(now, &space_member(&c->ledger, sp, i)->key);
	return n;
}

size_t census_left(const struct census *before, const struct space *sp, const char *source)
{
	struct snapshot now;
	struct why why;
	size_t n = 0;

	snapshot_init(&now);
	if (!source_snapshot(source, 0, &now, &why)) {
		if (sp)
			n = left_of(before, sp, &now);
		for (size_t i = 0; !sp && i < before->n_spaces; i++)
			n += left_of(before, &before->ledger.spaces[before->spaces[i]], &now);
	}
	snapshot_deinit(&now);
	return n;
}

void census_deinit(struct census *c)
{
	free(c->spaces);
	ledger_deinit(&c->ledger);
	snapshot_deinit(&c->snap);
}
