// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/channels.h"

bool endpoints_meet(const struct endpoint *x, const struct endpoint *y)
{
	if (x->type != y->type)
		return false;
	/* many may send to one socket of datagrams, which names none of them */
	if (x->type == CHANNEL_UNIX || x->type == CHANNEL_TCP)
		return (x->peer && x->peer == y->id) || (y->peer && y->peer == x->id);
	if (x->type == CHANNEL_PIPE || x->type == CHANNEL_FIFO)
		return x->id == y->id && x->dev == y->dev &&
		       ((x->writes && y->reads) || (x->reads && y->writes));
	/* what nobody writes tells nothing */
	return x->id == y->id && x->dev == y->dev && (x->writes || y->writes);
}

/* Those with nobody at the other end come last. */
static uint64_t peer_of(const struct channel *c)
{
	return c->b ? c->b->tgid : UINT64_MAX;
}

static int waited(const struct channel *c)
{
	return c->a->waited + (c->b && c->b->waited);
}

static int by_object(const void *p, const void *q)
{
	const struct channel *x = p, *y = q;

	if (peer_of(x) != peer_of(y))
		return peer_of(x) < peer_of(y) ? -1 : 1;
	if (x->a->type != y->a->type)
		return x->a->type < y->a->type ? -1 : 1;
	if (x->a->id != y->a->id)
		return x->a->id < y->a->id ? -1 : 1;
	if (x->a->dev != y->a->dev)
		return x->a->dev < y->a->dev ? -1 : 1;
	/* of several holds on one object the one that is waited on, or a mapping, tells most */
	return waited(y) - waited(x);
}

static bool same_object(const struct channel *x, const struct channel *y)
{
	return peer_of(x) == peer_of(y) && x->a->type == y->a->type && x->a->id == y->a->id &&
	       x->a->dev == y->a->dev &&
	       (channel_is_memory(x->a->type) ||
		!strcmp(channel_direction(x), channel_direction(y)));
}

static void once_each(struct channels *cs)
{
	size_t kept = 0;

	qsort(cs->c, cs->n, sizeof(*cs->c), by_object);
	for (size_t i = 0; i < cs->n; i++)
		if (!kept || !same_object(&cs->c[kept - 1], &cs->c[i]))
			cs->c[kept++] = cs->c[i];
	cs->n = kept;
}

static int add(struct channels *cs, size_t *room, const struct endpoint *a,
	       const struct endpoint *b)
{
	if (cs->n == *room) {
		size_t more = *room ? 2 * *room : 64;
		struct channel *c = realloc(cs->c, more * sizeof(*c));

		if (!c)
			return -ENOMEM;
		cs->c = c;
		*room = more;
	}
	cs->c[cs->n++] = (struct channel){ a, b };
	return 0;
}

static int add_meetings(const struct endpoints *es, const struct endpoint *x, uint32_t b,
			struct channels *out, size_t *room)
{
	bool met = false;
	int err = 0;

	for (size_t j = 0; !err && j < es->n; j++) {
		const struct endpoint *y = &es->e[j];

		if (!endpoints_meet(x, y))
			continue;
		met = true;
		if (y->tgid != x->tgid && (!b || y->tgid == b))
			err = add(out, room, x, y);
	}
	if (!err && !met && !b && x->paired)
		err = add(out, room, x, NULL);
	return err;
}

int channels_pair(const struct endpoints *es, uint32_t a, uint32_t b, struct channels *out)
{
	size_t room = 0;
	int err = 0;

	*out = (struct channels){ 0 };
	for (size_t i = 0; !err && i < es->n; i++)
		if (es->e[i].tgid == a)
			err = add_meetings(es, &es->e[i], b, out, &room);
	if (err)
		channels_deinit(out);
	else if (out->n)
		once_each(out);
	return err;
}

void channels_deinit(struct channels *cs)
{
	free(cs->c);
	*cs = (struct channels){ 0 };
}
