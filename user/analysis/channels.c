// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/channels.h"

bool endpoints_meet(const struct endpoint *x, const struct endpoint *y)
{
	if (x->type != y->type)
		return false;
	if (x->peer && y->peer && (x->type == CHANNEL_UNIX || x->type == CHANNEL_TCP))
		return x->peer == y->id && y->peer == x->id;
	if (x->type == CHANNEL_PIPE || x->type == CHANNEL_FIFO)
		return x->id == y->id && x->dev == y->dev &&
		       ((x->writes && y->reads) || (x->reads && y->writes));
	/* what nobody writes tells nothing */
	return x->id == y->id && x->dev == y->dev && (x->writes || y->writes);
}

static int by_object(const void *p, const void *q)
{
	const struct channel *x = p, *y = q;

	if (x->b->tgid != y->b->tgid)
		return x->b->tgid < y->b->tgid ? -1 : 1;
	if (x->a->type != y->a->type)
		return x->a->type < y->a->type ? -1 : 1;
	if (x->a->id != y->a->id)
		return x->a->id < y->a->id ? -1 : 1;
	if (x->a->dev != y->a->dev)
		return x->a->dev < y->a->dev ? -1 : 1;
	/* of several holds on one object the one that is waited on, or a mapping, tells most */
	if (x->a->waited + x->b->waited != y->a->waited + y->b->waited)
		return x->a->waited + x->b->waited > y->a->waited + y->b->waited ? -1 : 1;
	return 0;
}

static bool same_object(const struct channel *x, const struct channel *y)
{
	return x->b->tgid == y->b->tgid && x->a->type == y->a->type && x->a->id == y->a->id &&
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

int channels_pair(const struct endpoints *es, uint32_t a, uint32_t b, struct channels *out)
{
	size_t room = 0;

	*out = (struct channels){ 0 };
	for (size_t i = 0; i < es->n; i++) {
		if (es->e[i].tgid != a)
			continue;
		for (size_t j = 0; j < es->n; j++) {
			const struct endpoint *y = &es->e[j];

			if (y->tgid == a || (b && y->tgid != b) || !endpoints_meet(&es->e[i], y))
				continue;
			if (add(out, &room, &es->e[i], y)) {
				channels_deinit(out);
				return -ENOMEM;
			}
		}
	}
	if (out->n)
		once_each(out);
	return 0;
}

void channels_deinit(struct channels *cs)
{
	free(cs->c);
	*cs = (struct channels){ 0 };
}
