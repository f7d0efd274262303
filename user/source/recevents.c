// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/recevents.h"

/* The head byte: the type, or for a switch its class, and what does not need to be said. */
#define HEAD_SWITCH  0x80 /* class in bits 0-2, how in bits 3-4 */
#define HEAD_CPU     0x40 /* the CPU follows */
#define HEAD_FOLLOWS 0x20 /* who leaves is who came last */
#define HEAD_TYPE    0x0f

static_assert(CLASS_NR <= 8 && HOW_NR <= 4 && EVENT_NR <= HEAD_TYPE, "a new version is due");

static void put_comm(struct bytes *b, const char *comm)
{
	bytes_put_str(b, comm, 16);
}

static void put_task(struct bytes *b, const struct event_task *t)
{
	bytes_put_varint(b, t->id);
	bytes_put_varint(b, t->ppid);
	bytes_put_varint(b, t->flags);
	bytes_put_varint(b, t->key.tgid);
	bytes_put_varint(b, t->key.tid);
	bytes_put_varint(b, t->key.start_ns);
	bytes_put_varint(b, t->space);
	bytes_put_varint(b, t->cgroup);
	put_comm(b, t->comm);
}

static void put_switch(struct event_block *b, const struct event_switch *sw, bool follows)
{
	if (!follows)
		bytes_put_varint(&b->b, sw->prev);
	bytes_put_varint(&b->b, sw->next);
	bytes_put_varint(&b->b, sw->cost);
	bytes_put_u8(&b->b, (uint8_t)sw->state);
}

enum wake_bit {
	WAKE_SAME = 1,
	WAKE_INTERRUPT = 2,
	WAKE_KNOWN = 4,
};

static void put_wake(struct bytes *b, const struct event_wake *w)
{
	bytes_put_varint(b, w->waker);
	bytes_put_varint(b, w->wakee);
	bytes_put_signed(b, w->call);
	bytes_put_u8(b, (w->same_space ? WAKE_SAME : 0) | (w->interrupt ? WAKE_INTERRUPT : 0) |
				(w->interrupt_known ? WAKE_KNOWN : 0));
}

static void put_rare(struct bytes *b, const struct event *ev)
{
	switch (ev->type) {
	case EVENT_WAKE:
		put_wake(b, &ev->wake);
		break;
	case EVENT_FORK:
		bytes_put_varint(b, ev->fork.parent);
		bytes_put_varint(b, ev->fork.child);
		bytes_put_varint(b, ev->fork.flags);
		break;
	case EVENT_EXEC:
		bytes_put_varint(b, ev->exec.task);
		bytes_put_varint(b, ev->exec.was);
		bytes_put_varint(b, ev->exec.space);
		put_comm(b, ev->exec.comm);
		break;
	case EVENT_EXIT:
		bytes_put_varint(b, ev->exit.task);
		bytes_put_varint(b, ev->exit.code);
		bytes_put_u8(b, ev->exit.last);
		break;
	case EVENT_TASK:
		put_task(b, &ev->task);
		break;
	default:
		bytes_put_varint(b, ev->lost);
	}
}

void event_block_put(struct event_block *b, const struct event *ev)
{
	bool sw = ev->type == EVENT_SWITCH;
	bool follows = sw && ev->cpu == b->cpu && ev->sw.prev == b->next;
	uint8_t head = sw ? HEAD_SWITCH | ev->sw.class | ev->sw.how << 3 : (uint8_t)ev->type;

	if (!b->n++) {
		b->ts = ev->ts;
		bytes_put_varint(&b->b, ev->ts);
	}
	bytes_put_u8(&b->b,
		     head | (ev->cpu != b->cpu ? HEAD_CPU : 0) | (follows ? HEAD_FOLLOWS : 0));
	bytes_put_signed(&b->b, (int64_t)(ev->ts - b->ts));
	if (ev->cpu != b->cpu)
		bytes_put_varint(&b->b, ev->cpu);
	b->ts = ev->ts;
	b->cpu = ev->cpu;
	if (!sw) {
		put_rare(&b->b, ev);
		return;
	}
	put_switch(b, &ev->sw, follows);
	b->next = ev->sw.next;
}

void event_block_reset(struct event_block *b)
{
	b->b.n = 0;
	b->n = 0;
	b->cpu = 0;
	b->next = 0;
}

int event_reader_init(struct event_reader *r, const void *payload, size_t len, uint16_t version)
{
	if (!version || version > RECEVENTS_VERSION)
		return -EPROTO;
	*r = (struct event_reader){ .c = cursor_of(payload, len) };
	if (len)
		r->ts = cursor_varint(&r->c);
	return 0;
}

static uint32_t get_u32(struct cursor *c)
{
	uint64_t v = cursor_varint(c);

	c->bad |= v > UINT32_MAX;
	return (uint32_t)v;
}

static void get_task(struct cursor *c, struct event_task *t)
{
	t->id = get_u32(c);
	t->ppid = get_u32(c);
	t->flags = get_u32(c);
	t->key.tgid = get_u32(c);
	t->key.tid = get_u32(c);
	t->key.start_ns = cursor_varint(c);
	t->space = cursor_varint(c);
	t->cgroup = cursor_varint(c);
	cursor_str(c, t->comm, sizeof(t->comm));
}

static void get_switch(struct event_reader *r, uint8_t head, struct event *ev)
{
	ev->type = EVENT_SWITCH;
	ev->sw.class = head & 7;
	ev->sw.how = head >> 3 & 3;
	ev->sw.prev = head & HEAD_FOLLOWS ? r->next : get_u32(&r->c);
	ev->sw.next = get_u32(&r->c);
	ev->sw.cost = get_u32(&r->c);
	ev->sw.state = (char)cursor_u8(&r->c);
	r->next = ev->sw.next;
	/* it is printed as it is */
	r->c.bad |= ev->sw.how >= HOW_NR || ev->sw.state < ' ' || ev->sw.state > '~';
}

static void get_wake(struct cursor *c, struct event_wake *w)
{
	uint8_t bits;
	int64_t call;

	w->waker = get_u32(c);
	w->wakee = get_u32(c);
	call = cursor_signed(c);
	c->bad |= call < -1 || call > INT32_MAX;
	w->call = (int32_t)call;
	bits = cursor_u8(c);
	w->same_space = bits & WAKE_SAME;
	w->interrupt = bits & WAKE_INTERRUPT;
	w->interrupt_known = bits & WAKE_KNOWN;
}

static void get_rare(struct cursor *c, struct event *ev)
{
	switch (ev->type) {
	case EVENT_WAKE:
		get_wake(c, &ev->wake);
		break;
	case EVENT_FORK:
		ev->fork.parent = get_u32(c);
		ev->fork.child = get_u32(c);
		ev->fork.flags = cursor_varint(c);
		break;
	case EVENT_EXEC:
		ev->exec.task = get_u32(c);
		ev->exec.was = get_u32(c);
		ev->exec.space = cursor_varint(c);
		cursor_str(c, ev->exec.comm, sizeof(ev->exec.comm));
		break;
	case EVENT_EXIT:
		ev->exit.task = get_u32(c);
		ev->exit.code = get_u32(c);
		ev->exit.last = cursor_u8(c);
		break;
	case EVENT_TASK:
		get_task(c, &ev->task);
		break;
	case EVENT_LOST:
		ev->lost = cursor_varint(c);
		break;
	default:
		c->bad = true;
	}
}

/*
 * Numbers of tasks index tables, so one far beyond those given out so far would cost memory; each
 * TASK event has at least 9 bytes, but a file of many blocks may have given out many.
 */
#define NUMBER_MAX (64u << 20)

int event_reader_next(struct event_reader *r, struct event *ev)
{
	uint8_t head;

	if (cursor_done(&r->c))
		return r->c.bad ? -EBADMSG : 0;
	memset(ev, 0, sizeof(*ev));
	head = cursor_u8(&r->c);
	r->ts += (uint64_t)cursor_signed(&r->c);
	if (head & HEAD_CPU)
		r->cpu = get_u32(&r->c);
	ev->ts = r->ts;
	ev->cpu = r->cpu;
	if (head & HEAD_SWITCH) {
		get_switch(r, head, ev);
	} else {
		ev->type = head & HEAD_TYPE;
		get_rare(&r->c, ev);
	}
	if (r->c.bad || ev->cpu >= RECEVENTS_CPUS ||
	    (ev->type == EVENT_TASK && ev->task.id > NUMBER_MAX))
		return -EBADMSG;
	return 1;
}

/* ---- system calls ---- */

void reccalls_put(struct bytes *b, uint32_t nr, const char *name)
{
	bytes_put_varint(b, nr);
	bytes_put_str(b, name, CALL_NAME_MAX);
}

int reccalls_decode(struct cursor *c, uint16_t version, struct call_names *names)
{
	char name[CALL_NAME_MAX];
	uint64_t nr;
	int err = version > RECCALLS_VERSION ? -EPROTO : 0;

	while (!err && !cursor_done(c)) {
		nr = cursor_varint(c);
		cursor_str(c, name, sizeof(name));
		if (!c->bad)
			err = call_names_add(names, nr, name);
	}
	return !err && c->bad ? -EBADMSG : err;
}

/* ---- the counts ---- */

static void put_cost(struct bytes *b, const struct cost *c)
{
	bytes_put_varint(b, c->n);
	bytes_put_varint(b, c->mean);
	bytes_put_varint(b, c->p50);
	bytes_put_varint(b, c->p90);
	bytes_put_varint(b, c->p99);
	bytes_put_varint(b, c->max);
	for (size_t i = 0; i < COST_QUANTILES; i++)
		bytes_put_varint(b, c->q[i]);
}

static void get_cost(struct cursor *c, struct cost *out)
{
	out->n = cursor_varint(c);
	out->mean = cursor_varint(c);
	out->p50 = cursor_varint(c);
	out->p90 = cursor_varint(c);
	out->p99 = cursor_varint(c);
	out->max = cursor_varint(c);
	for (size_t i = 0; i < COST_QUANTILES; i++)
		out->q[i] = cursor_varint(c);
}

static void put_all(struct bytes *b, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes_put_varint(b, v[i]);
}

static void get_all(struct cursor *c, uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = cursor_varint(c);
}

static void put_counted(struct bytes *b, const struct task_switches *t)
{
	bytes_put_varint(b, t->key.tgid);
	bytes_put_varint(b, t->key.tid);
	bytes_put_varint(b, t->key.start_ns);
	put_comm(b, t->comm);
	bytes_put_varint(b, t->space);
	put_all(b, t->count, CLASS_NR);
	put_all(b, t->how, HOW_NR);
	bytes_put_varint(b, t->before);
	bytes_put_varint(b, t->after);
	bytes_put_varint(b, t->on_cpu);
	bytes_put_varint(b, t->cgroup);
}

static void get_counted(struct cursor *c, struct task_switches *t)
{
	t->key.tgid = get_u32(c);
	t->key.tid = get_u32(c);
	t->key.start_ns = cursor_varint(c);
	cursor_str(c, t->comm, sizeof(t->comm));
	t->space = cursor_varint(c);
	get_all(c, t->count, CLASS_NR);
	get_all(c, t->how, HOW_NR);
	t->before = cursor_varint(c);
	t->after = cursor_varint(c);
	t->on_cpu = cursor_varint(c);
	t->cgroup = cursor_varint(c);
}

static void put_cpu(struct bytes *b, const struct cpu_switches *c)
{
	bytes_put_varint(b, c->cpu);
	put_all(b, &c->how[0][0], CLASS_NR * HOW_NR);
	bytes_put_varint(b, c->lost_tasks);
	bytes_put_varint(b, c->lost_ring);
	bytes_put_varint(b, c->lost_pairs);
}

static void get_cpu(struct cursor *c, struct cpu_switches *out)
{
	out->cpu = get_u32(c);
	get_all(c, &out->how[0][0], CLASS_NR * HOW_NR);
	out->lost_tasks = cursor_varint(c);
	out->lost_ring = cursor_varint(c);
	out->lost_pairs = cursor_varint(c);
}

static void put_pair(struct bytes *b, const struct pair_switches *p)
{
	bytes_put_varint(b, p->from);
	bytes_put_varint(b, p->to);
	bytes_put_varint(b, p->count);
	bytes_put_varint(b, p->loads);
	put_comm(b, p->from_comm);
	put_comm(b, p->to_comm);
}

static void get_pair(struct cursor *c, struct pair_switches *p)
{
	p->from = cursor_varint(c);
	p->to = cursor_varint(c);
	p->count = cursor_varint(c);
	p->loads = cursor_varint(c);
	cursor_str(c, p->from_comm, sizeof(p->from_comm));
	cursor_str(c, p->to_comm, sizeof(p->to_comm));
}

void recstat_encode(struct bytes *b, const struct switches *sw, const uint32_t *tgids, size_t n)
{
	bytes_put_varint(b, sw->duration_ns);
	bytes_put_varint(b, sw->lost);
	bytes_put_varint(b, sw->lost_tasks);
	bytes_put_varint(b, sw->missed);
	bytes_put_varint(b, sw->clock_ns);
	bytes_put_u8(b, sw->filtered);
	bytes_put_str(b, sw->cost_end, sizeof(sw->cost_end));
	for (int c = 0; c < CLASS_NR; c++) {
		put_all(b, sw->classes[c].how, HOW_NR);
		put_cost(b, &sw->classes[c].cost);
	}
	bytes_put_varint(b, sw->n_tasks);
	for (size_t i = 0; i < sw->n_tasks; i++)
		put_counted(b, &sw->tasks[i]);
	bytes_put_varint(b, sw->n_cpus);
	for (size_t i = 0; i < sw->n_cpus; i++)
		put_cpu(b, &sw->cpus[i]);
	bytes_put_varint(b, sw->n_pairs);
	for (size_t i = 0; i < sw->n_pairs; i++)
		put_pair(b, &sw->pairs[i]);
	bytes_put_varint(b, n);
	for (size_t i = 0; i < n; i++)
		bytes_put_varint(b, tgids[i]);
}

/* How many follow, and room for them: each has at least one byte, so a lie costs no memory. */
static void *get_table(struct cursor *c, size_t size, size_t *n)
{
	uint64_t said = cursor_varint(c);
	void *p;

	if (c->bad || said > (size_t)(c->end - c->p)) {
		c->bad = true;
		return NULL;
	}
	p = calloc(said + 1, size);
	*n = p ? said : 0;
	return p;
}

static void get_head(struct cursor *c, struct switches *sw)
{
	sw->duration_ns = cursor_varint(c);
	sw->lost = cursor_varint(c);
	sw->lost_tasks = cursor_varint(c);
	sw->missed = cursor_varint(c);
	sw->clock_ns = cursor_varint(c);
	sw->filtered = cursor_u8(c);
	cursor_str(c, sw->cost_end, sizeof(sw->cost_end));
	/* it is printed as it is */
	for (const char *s = sw->cost_end; *s; s++)
		c->bad |= *s < ' ' || *s > '~';
	for (int i = 0; i < CLASS_NR; i++) {
		get_all(c, sw->classes[i].how, HOW_NR);
		get_cost(c, &sw->classes[i].cost);
	}
}

int recstat_decode(struct cursor *c, uint16_t version, struct switches *sw, uint32_t **tgids,
		   size_t *n)
{
	if (!version || version > RECSTAT_VERSION)
		return -EPROTO;
	get_head(c, sw);
	sw->tasks = get_table(c, sizeof(*sw->tasks), &sw->n_tasks);
	for (size_t i = 0; i < sw->n_tasks && !c->bad; i++)
		get_counted(c, &sw->tasks[i]);
	sw->cpus = get_table(c, sizeof(*sw->cpus), &sw->n_cpus);
	for (size_t i = 0; i < sw->n_cpus && !c->bad; i++)
		get_cpu(c, &sw->cpus[i]);
	sw->pairs = get_table(c, sizeof(*sw->pairs), &sw->n_pairs);
	for (size_t i = 0; i < sw->n_pairs && !c->bad; i++)
		get_pair(c, &sw->pairs[i]);
	sw->pairs_known = sw->n_pairs;
	*tgids = get_table(c, sizeof(**tgids), n);
	for (size_t i = 0; i < *n && !c->bad; i++)
		(*tgids)[i] = get_u32(c);
	if (c->bad)
		return -EBADMSG;
	return sw->tasks && sw->cpus && sw->pairs && *tgids ? 0 : -ENOMEM;
}
