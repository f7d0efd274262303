// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/family.h"
#include "cmd/sift.h"

int sift_init(struct sift *f, const struct window_args *args, const struct snapshot *s)
{
	uint32_t roots[STRINGS_MAX];
	int status = window_tgids(args, s, roots);

	if (!status)
		status = filters_parse(&f->filters, args);
	if (status || !args->pids.n)
		return status;
	if (family(s, roots, args->pids.n, &f->tgids, &f->n_tgids))
		return fail(EXIT_FAILED, "report", "out of memory");
	f->room = f->n_tgids;
	return 0;
}

bool sift_chooses(const struct sift *f)
{
	return f->tgids || f->filters.n || f->filters.classes;
}

static bool watched(const struct sift *f, uint32_t tgid)
{
	for (size_t i = 0; i < f->n_tgids; i++)
		if (f->tgids[i] == tgid)
			return true;
	return false;
}

static int learn(struct sift *f, const struct event_task *parent, const struct event_task *child)
{
	uint32_t *tgids;

	if (!f->tgids || !watched(f, parent->key.tgid) || watched(f, child->key.tgid))
		return 0;
	if (f->n_tgids == f->room) {
		tgids = realloc(f->tgids, (2 * f->room + 16) * sizeof(*tgids));
		if (!tgids)
			return -ENOMEM;
		f->tgids = tgids;
		f->room = 2 * f->room + 16;
	}
	f->tgids[f->n_tgids++] = child->key.tgid;
	return 0;
}

static bool has(const struct switch_want *w, const struct event_task *t)
{
	switch (w->kind) {
	case WANT_SWITCH_TID:
		return t->key.tid == w->number;
	case WANT_SWITCH_SPACE:
		return t->space == w->number;
	case WANT_SWITCH_CGROUP:
		return t->cgroup == w->number;
	default:
		return strncmp(t->comm, w->comm, sizeof(w->comm)) == 0;
	}
}

/* Of each kind that was asked for it must have one of the values; the CPU is the event's own. */
static bool passes(const struct sift *f, const struct event_task *t, uint32_t cpu)
{
	uint32_t asked = 0, met = 0;

	for (size_t i = 0; i < f->filters.n; i++) {
		const struct switch_want *w = &f->filters.wants[i];
		bool fits = w->kind == WANT_SWITCH_CPU ? w->number == cpu : t->key.tid && has(w, t);

		asked |= 1u << w->kind;
		met |= fits ? 1u << w->kind : 0;
	}
	return asked == met && (!f->tgids || watched(f, t->key.tgid));
}

/* The two sides of an event; the second is nobody where there is but one. */
static void sides(const struct event *ev, uint32_t *a, uint32_t *b)
{
	*b = EVENT_NOBODY;
	switch (ev->type) {
	case EVENT_SWITCH:
		*a = ev->sw.prev;
		*b = ev->sw.next;
		break;
	case EVENT_WAKE:
		*a = ev->wake.waker;
		*b = ev->wake.wakee;
		break;
	case EVENT_FORK:
		*a = ev->fork.parent;
		*b = ev->fork.child;
		break;
	case EVENT_EXEC:
		*a = ev->exec.task;
		break;
	default:
		*a = ev->exit.task;
	}
}

int sift_event(struct sift *f, const struct event *ev, const struct cast *cast)
{
	const struct event_task *one, *other;
	uint32_t a, b;

	if (ev->type == EVENT_TASK || ev->type == EVENT_LOST || !sift_chooses(f))
		return EVENT_SIDES;
	sides(ev, &a, &b);
	one = cast_find(cast, a);
	other = cast_find(cast, b);
	if (ev->type == EVENT_FORK && learn(f, one, other))
		return -ENOMEM;
	if (ev->type == EVENT_SWITCH && f->filters.classes &&
	    !(f->filters.classes & 1u << ev->sw.class))
		return 0;
	return (passes(f, one, ev->cpu) ? EVENT_SIDE_ONE : 0) |
	       (passes(f, other, ev->cpu) ? EVENT_SIDE_OTHER : 0);
}

void sift_deinit(struct sift *f)
{
	free(f->tgids);
	f->tgids = NULL;
	f->n_tgids = f->room = 0;
}
