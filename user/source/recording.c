// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/recevents.h"
#include "source/recfile.h"
#include "source/recording.h"
#include "source/snapfile.h"

static int take_snapshot(struct recording *r, const struct rec_block *b)
{
	struct snapshot *places[] = { &r->state, &r->before, &r->after };
	struct cursor c = cursor_of(b->payload, b->len);
	int err;

	if (r->snapshots == 3)
		return 0;
	err = snapfile_decode(&c, b->version, places[r->snapshots]);
	if (!err)
		r->snapshots++;
	return err;
}

static int take_counts(struct recording *r, const struct rec_block *b)
{
	struct cursor c = cursor_of(b->payload, b->len);

	if (r->counted)
		return -EBADMSG;
	r->counted = true;
	return recstat_decode(&c, b->version, &r->switches, &r->tgids, &r->n_tgids);
}

static int take_calls(struct recording *r, const struct rec_block *b)
{
	struct cursor c = cursor_of(b->payload, b->len);

	return reccalls_decode(&c, b->version, &r->calls);
}

static int take_block(struct recording *r, const struct rec_block *b)
{
	switch (b->type) {
	case REC_SNAPSHOT:
		return take_snapshot(r, b);
	case REC_STAT:
		return take_counts(r, b);
	case REC_CALLS:
		return take_calls(r, b);
	case REC_EVENTS:
		r->events = true;
		return 0;
	case REC_END:
		r->complete = true;
		return 0;
	default:
		return 0;
	}
}

/* What is cut or damaged ends the file there; what was before it is whole, or it would not be read. */
static int survey(struct recording *r)
{
	struct rec_block b;
	int got, err = 0;

	while (!err && (got = recfile_next(r->file, &b)) > 0)
		err = take_block(r, &b);
	if (err)
		return err;
	if (got == -ENODATA || got == -EBADMSG)
		r->complete = false;
	else if (got)
		return got;
	if (!r->complete)
		snprintf(r->end, sizeof(r->end), "%s", recfile_why(got ? got : -ENODATA));
	return r->snapshots ? 0 : got ? got : -ENOMSG;
}

int recording_open(struct recording *r, const char *path, struct why *why)
{
	int err;

	memset(r, 0, sizeof(*r));
	err = recfile_open(path, &r->file);
	if (!err)
		err = survey(r);
	if (!err)
		return 0;
	recording_close(r);
	return why_set(why, err, "%s", err == -ENOMSG ? "holds no snapshot" : recfile_why(err));
}

struct replay {
	uint32_t told; /* the highest number given out: they have no holes */
	int (*event)(const struct event *ev, void *arg);
	void *arg;
};

static int replay_block(struct replay *p, const struct rec_block *b)
{
	struct event_reader reader;
	struct event ev;
	int got = event_reader_init(&reader, b->payload, b->len, b->version);

	while (!got && (got = event_reader_next(&reader, &ev)) > 0) {
		if (ev.type == EVENT_TASK && ev.task.id > p->told + 1)
			return -EBADMSG;
		if (ev.type == EVENT_TASK && ev.task.id > p->told)
			p->told = ev.task.id;
		got = p->event(&ev, p->arg);
	}
	return got;
}

int recording_replay(struct recording *r, int (*event)(const struct event *ev, void *arg),
		     void *arg)
{
	struct replay p = { .event = event, .arg = arg };
	struct rec_block b;
	int got = recfile_rewind(r->file), err = 0;

	if (got)
		return got;
	while (!err && (got = recfile_next(r->file, &b)) > 0)
		if (b.type == REC_EVENTS)
			err = replay_block(&p, &b);
	return err ? err : got < 0 && got != -ENODATA && got != -EBADMSG ? got : 0;
}

void recording_close(struct recording *r)
{
	if (r->file)
		recfile_close(r->file);
	snapshot_deinit(&r->state);
	snapshot_deinit(&r->before);
	snapshot_deinit(&r->after);
	switches_deinit(&r->switches);
	call_names_deinit(&r->calls);
	free(r->tgids);
	memset(r, 0, sizeof(*r));
}
