// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/text.h"
#include "render/perfetto.h"

/*
 * The fields written, by the numbers of perfetto_trace.proto; wire types are protobuf's: 0 varint,
 * 1 eight bytes, 2 a length and that many bytes.
 */
enum field {
	TRACE_PACKET = 1,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_EVENT = 11,
	PACKET_TRACK = 60,
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PARENT = 5,
	TRACK_COUNTER = 8,
	EVENT_ANNOTATION = 4,
	EVENT_KIND = 9,
	EVENT_TRACK = 11,
	EVENT_CATEGORY = 22,
	EVENT_NAME = 23,
	EVENT_COUNTER_VALUE = 30,
	EVENT_FLOW = 47,
	EVENT_FLOW_END = 48,
	EVENT_CORRELATION = 53,
	ANNOTATION_UINT = 3,
	ANNOTATION_TEXT = 6,
	ANNOTATION_NAME = 10,
};

enum kind {
	KIND_BEGIN = 1,
	KIND_END = 2,
	KIND_INSTANT = 3,
	KIND_COUNTER = 4,
};

/* Tracks are numbered by what they are and whose. */
enum track {
	TRACK_OF_CPU = 1,
	TRACK_OF_LOADS,
	TRACK_OF_SPACE, /* of 0: of all kernel threads */
	TRACK_OF_TASK,
};

struct cpu {
	bool known;
	uint32_t running; /* number of the task whose slices are open */
	uint64_t track;	  /* of that task */
	bool open;
	uint64_t loads;
};

struct runner {
	bool known;
	uint64_t space; /* that its track is grouped under */
	uint64_t flow;	/* of the wake-up that its next run ends; 0: none */
};

/* What a space is called: by the first task seen in it. */
struct space {
	uint64_t id; /* 0: free */
	char name[48];
};

struct perfetto {
	FILE *out;
	struct bytes packet;
	struct bytes body;
	struct bytes part;
	struct cpu *cpus;
	size_t n_cpus;
	struct runner *tasks;
	size_t n_tasks;
	struct space *spaces; /* open addressing, a power of two, at most half full */
	size_t room;
	size_t n_spaces;
	bool kernel_known; /* its track */
	uint64_t flows;
	uint64_t last;
	int err;
};

struct perfetto *perfetto_new(FILE *out)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	if (p)
		p->out = out;
	return p;
}

/* ---- protobuf ---- */

static void put_uint(struct bytes *b, enum field f, uint64_t v)
{
	bytes_put_varint(b, (uint64_t)f << 3);
	bytes_put_varint(b, v);
}

static void put_fixed(struct bytes *b, enum field f, uint64_t v)
{
	bytes_put_varint(b, (uint64_t)f << 3 | 1);
	bytes_put_u64(b, v);
}

static void put_bytes(struct bytes *b, enum field f, const void *p, size_t n)
{
	bytes_put_varint(b, (uint64_t)f << 3 | 2);
	bytes_put_varint(b, n);
	bytes_put(b, p, n);
}

static void put_text(struct bytes *b, enum field f, const char *s)
{
	put_bytes(b, f, s, strlen(s));
}

/* `body` becomes a packet of its own; ts 0: it has no time. */
static void put_packet(struct perfetto *p, enum field f, uint64_t ts)
{
	p->packet.n = 0;
	p->part.n = 0;
	if (ts)
		put_uint(&p->packet, PACKET_TIMESTAMP, ts);
	put_uint(&p->packet, PACKET_SEQUENCE, 1);
	put_bytes(&p->packet, f, p->body.p, p->body.n);
	put_bytes(&p->part, TRACE_PACKET, p->packet.p, p->packet.n);
	if (p->part.bad || p->packet.bad || p->body.bad)
		p->err = -ENOMEM;
	else if (fwrite(p->part.p, p->part.n, 1, p->out) != 1)
		p->err = -errno;
	p->body.n = 0;
}

static uint64_t uuid(enum track what, uint64_t whose)
{
	return (uint64_t)what << 56 ^ whose * 0x9e3779b97f4a7c15u >> 8;
}

static void put_track(struct perfetto *p, uint64_t id, uint64_t parent, const char *name,
		      bool counter)
{
	put_uint(&p->body, TRACK_UUID, id);
	put_text(&p->body, TRACK_NAME, name);
	if (parent)
		put_uint(&p->body, TRACK_PARENT, parent);
	if (counter)
		put_bytes(&p->body, TRACK_COUNTER, "", 0);
	put_packet(p, PACKET_TRACK, 0);
}

static void begin_event(struct perfetto *p, enum kind kind, uint64_t track)
{
	put_uint(&p->body, EVENT_KIND, kind);
	put_uint(&p->body, EVENT_TRACK, track);
}

static void annotate(struct perfetto *p, const char *name, const char *text, uint64_t v)
{
	p->part.n = 0;
	put_text(&p->part, ANNOTATION_NAME, name);
	if (text)
		put_text(&p->part, ANNOTATION_TEXT, text);
	else
		put_uint(&p->part, ANNOTATION_UINT, v);
	put_bytes(&p->body, EVENT_ANNOTATION, p->part.p, p->part.n);
}

/* ---- who and where ---- */

static size_t space_at(const struct perfetto *p, uint64_t id)
{
	size_t at = (id * 0x9e3779b97f4a7c15u >> 32) & (p->room - 1);

	while (p->spaces[at].id && p->spaces[at].id != id)
		at = (at + 1) & (p->room - 1);
	return at;
}

static int spaces_grow(struct perfetto *p)
{
	struct perfetto more = { .room = p->room ? 2 * p->room : 256 };

	more.spaces = calloc(more.room, sizeof(*more.spaces));
	if (!more.spaces)
		return -ENOMEM;
	for (size_t i = 0; i < p->room; i++)
		if (p->spaces[i].id)
			more.spaces[space_at(&more, p->spaces[i].id)] = p->spaces[i];
	free(p->spaces);
	p->spaces = more.spaces;
	p->room = more.room;
	return 0;
}

static const char *kernel_name(struct perfetto *p)
{
	if (!p->kernel_known)
		put_track(p, uuid(TRACK_OF_SPACE, 0), 0, "kernel", false);
	p->kernel_known = true;
	return "kernel";
}

/* Its name, announced with a track of its own when it is met first. */
static const char *space_name(struct perfetto *p, const struct event_task *who)
{
	char comm[68];
	struct space *s;

	if (!who->space)
		return who->key.tid ? kernel_name(p) : "not told";
	if (2 * p->n_spaces >= p->room && spaces_grow(p)) {
		p->err = -ENOMEM;
		return "?";
	}
	s = &p->spaces[space_at(p, who->space)];
	if (s->id)
		return s->name;
	s->id = who->space;
	p->n_spaces++;
	snprintf(s->name, sizeof(s->name), "@%llx %.24s", (unsigned long long)who->space,
		 text_escape(comm, sizeof(comm), who->comm));
	put_track(p, uuid(TRACK_OF_SPACE, who->space), 0, s->name, false);
	return s->name;
}

static struct runner *task_of(struct perfetto *p, uint32_t id)
{
	if (id >= p->n_tasks) {
		size_t n = 2 * (size_t)id + 64;
		struct runner *tasks = realloc(p->tasks, n * sizeof(*tasks));

		if (!tasks) {
			p->err = -ENOMEM;
			return NULL;
		}
		memset(tasks + p->n_tasks, 0, (n - p->n_tasks) * sizeof(*tasks));
		p->tasks = tasks;
		p->n_tasks = n;
	}
	return &p->tasks[id];
}

static uint64_t task_track(const struct event_task *who)
{
	return uuid(TRACK_OF_TASK, (uint64_t)who->id << 32 ^ who->space);
}

/* Its track, announced under its space; an exec gives it one under the new space. */
static struct runner *know_task(struct perfetto *p, const struct event_task *who)
{
	struct runner *t = who->key.tid ? task_of(p, who->id) : NULL;
	char comm[68], name[100];

	if (!t || (t->known && t->space == who->space))
		return t;
	space_name(p, who);
	snprintf(name, sizeof(name), "%s %u", text_escape(comm, sizeof(comm), who->comm),
		 who->key.tid);
	put_track(p, task_track(who), uuid(TRACK_OF_SPACE, who->space), name, false);
	t->known = true;
	t->space = who->space;
	return t;
}

static struct cpu *know_cpu(struct perfetto *p, uint32_t id)
{
	struct cpu *cpus = p->cpus;
	char name[48];

	if (id >= p->n_cpus) {
		cpus = realloc(cpus, (id + 1) * sizeof(*cpus));
		if (!cpus) {
			p->err = -ENOMEM;
			return NULL;
		}
		memset(cpus + p->n_cpus, 0, (id + 1 - p->n_cpus) * sizeof(*cpus));
		p->cpus = cpus;
		p->n_cpus = id + 1;
	}
	if (cpus[id].known)
		return &cpus[id];
	cpus[id].known = true;
	snprintf(name, sizeof(name), "CPU %u", id);
	put_track(p, uuid(TRACK_OF_CPU, id), 0, name, false);
	snprintf(name, sizeof(name), "CPU %u: address spaces loaded", id);
	put_track(p, uuid(TRACK_OF_LOADS, id), 0, name, true);
	return &cpus[id];
}

/* ---- events ---- */

/* Both slices of a run: on its CPU's track and on its task's. */
static void end_run(struct perfetto *p, uint32_t id, struct cpu *c, uint64_t ts)
{
	if (!c->open)
		return;
	c->open = false;
	begin_event(p, KIND_END, uuid(TRACK_OF_CPU, id));
	put_packet(p, PACKET_EVENT, ts);
	begin_event(p, KIND_END, c->track);
	put_packet(p, PACKET_EVENT, ts);
}

/*
 * The UI gives slices of one correlation one colour. From the name alone it would take the digits
 * out first, and with them the difference between two spaces of one program.
 */
static void put_colour(struct perfetto *p, const struct event_task *who)
{
	char id[24];

	if (!who->space)
		return;
	snprintf(id, sizeof(id), "@%llx", (unsigned long long)who->space);
	put_text(&p->body, EVENT_CORRELATION, id);
}

static void begin_run(struct perfetto *p, const struct event *ev, struct cpu *c,
		      const struct event_task *who)
{
	struct runner *t = know_task(p, who);
	const char *space = space_name(p, who);
	char comm[68];

	if (!t)
		return;
	begin_event(p, KIND_BEGIN, uuid(TRACK_OF_CPU, ev->cpu));
	put_text(&p->body, EVENT_CATEGORY, switch_class_name(ev->sw.class));
	put_text(&p->body, EVENT_NAME, space);
	put_colour(p, who);
	annotate(p, "comm", text_escape(comm, sizeof(comm), who->comm), 0);
	annotate(p, "tgid", NULL, who->key.tgid);
	annotate(p, "tid", NULL, who->key.tid);
	annotate(p, "class", switch_class_name(ev->sw.class), 0);
	if (ev->sw.cost)
		annotate(p, "cost_ns", NULL, ev->sw.cost);
	put_packet(p, PACKET_EVENT, ev->ts);
	begin_event(p, KIND_BEGIN, task_track(who));
	put_text(&p->body, EVENT_NAME, "runs");
	put_colour(p, who);
	annotate(p, "cpu", NULL, ev->cpu);
	if (t->flow)
		put_fixed(&p->body, EVENT_FLOW_END, t->flow);
	t->flow = 0;
	put_packet(p, PACKET_EVENT, ev->ts);
	c->open = true;
	c->running = who->id;
	c->track = task_track(who);
}

static void put_loads(struct perfetto *p, const struct event *ev, struct cpu *c)
{
	begin_event(p, KIND_COUNTER, uuid(TRACK_OF_LOADS, ev->cpu));
	put_uint(&p->body, EVENT_COUNTER_VALUE, ++c->loads);
	put_packet(p, PACKET_EVENT, ev->ts);
}

static void put_switch(struct perfetto *p, const struct event *ev, const struct cast *cast)
{
	struct cpu *c = know_cpu(p, ev->cpu);

	if (!c)
		return;
	end_run(p, ev->cpu, c, ev->ts);
	if (ev->sw.next != EVENT_IDLE)
		begin_run(p, ev, c, cast_find(cast, ev->sw.next));
	if (switch_class_loads(ev->sw.class))
		put_loads(p, ev, c);
}

static void put_wake(struct perfetto *p, const struct event *ev, const struct cast *cast)
{
	const struct event_task *waker = cast_find(cast, ev->wake.waker);
	const struct event_task *wakee = cast_find(cast, ev->wake.wakee);
	struct runner *to = know_task(p, wakee);
	char comm[68], name[100];

	if (!to || !know_task(p, waker))
		return;
	/* the table may have moved */
	to = task_of(p, wakee->id);
	to->flow = ++p->flows;
	snprintf(name, sizeof(name), "wakes %s %u", text_escape(comm, sizeof(comm), wakee->comm),
		 wakee->key.tid);
	begin_event(p, KIND_INSTANT, task_track(waker));
	put_text(&p->body, EVENT_NAME, name);
	put_fixed(&p->body, EVENT_FLOW, to->flow);
	put_packet(p, PACKET_EVENT, ev->ts);
}

/* Slices that the new space's track cannot end are ended before the track changes. */
static void split_at_exec(struct perfetto *p, const struct event *ev, const struct cast *cast)
{
	const struct event_task *who = cast_find(cast, ev->exec.task);

	for (uint32_t i = 0; i < p->n_cpus; i++) {
		struct cpu *c = &p->cpus[i];
		struct event run = { .ts = ev->ts, .cpu = i, .type = EVENT_SWITCH };

		if (!c->open || c->running != who->id)
			continue;
		end_run(p, i, c, ev->ts);
		run.sw.class = CLASS_BACK_OTHER;
		begin_run(p, &run, c, who);
	}
}

void perfetto_event(struct perfetto *p, const struct event *ev, const struct cast *cast)
{
	if (p->err)
		return;
	if (ev->ts > p->last)
		p->last = ev->ts;
	if (ev->type == EVENT_SWITCH)
		put_switch(p, ev, cast);
	else if (ev->type == EVENT_WAKE)
		put_wake(p, ev, cast);
	else if (ev->type == EVENT_EXEC)
		split_at_exec(p, ev, cast);
}

int perfetto_end(struct perfetto *p)
{
	int err;

	for (uint32_t i = 0; i < p->n_cpus; i++)
		end_run(p, i, &p->cpus[i], p->last);
	err = p->err;
	bytes_deinit(&p->packet);
	bytes_deinit(&p->body);
	bytes_deinit(&p->part);
	free(p->cpus);
	free(p->tasks);
	free(p->spaces);
	free(p);
	return err;
}
