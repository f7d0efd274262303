// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "mmlens_event.h"
#include "source/bpf_stream.h"
#include "source/bpf_tasks.h"

/* Events that are delivered in between: lines that fit a page, the least that a pipe has room for. */
#define ASK_EACH 8

/* Records of one CPU that wait to be delivered, the oldest first. */
struct queue {
	struct mmlens_rec *rec;
	size_t head;
	size_t n; /* from head on */
	size_t room;
	uint64_t lost;	    /* as that CPU last told */
	uint64_t delivered; /* the time of the last event of it */
	uint64_t taken;	    /* the time of the last record that was not sent, but taken */
};

/*
 * Numbers of the kernel's table are places in memory. For the outside they are given out anew, from
 * 1 on without holes: open addressing, a power of two in size, at most half full.
 */
struct numbering {
	struct {
		uint32_t place; /* 0: free */
		uint32_t id;
		uint64_t start_ns; /* of the task that is there */
	} * slot;
	size_t mask;
	uint32_t used;
	uint32_t last; /* the last number given out */
};

struct stream {
	void (*event)(const struct event *ev, void *arg);
	void *arg;
	struct queue *queues;
	uint32_t cpus;
	uint32_t *heap; /* CPUs with something to deliver, the oldest on top */
	uint32_t n_heap;
	struct numbering ids;
	struct event *rare; /* births, execs, exits: in order of time */
	size_t n_rare;
	size_t room_rare;
};

/* ---- numbers ---- */

static size_t numbering_at(const struct numbering *n, uint32_t place)
{
	size_t at = (place * 2654435761u >> 8) & n->mask;

	while (n->slot[at].place && n->slot[at].place != place)
		at = (at + 1) & n->mask;
	return at;
}

static int numbering_grow(struct numbering *n)
{
	struct numbering more = { .mask = n->slot ? 2 * n->mask + 1 : 4095,
				  .used = n->used,
				  .last = n->last };

	more.slot = calloc(more.mask + 1, sizeof(*more.slot));
	if (!more.slot)
		return -ENOMEM;
	for (size_t i = 0; n->slot && i <= n->mask; i++)
		if (n->slot[i].place)
			more.slot[numbering_at(&more, n->slot[i].place)] = n->slot[i];
	free(n->slot);
	*n = more;
	return 0;
}

/*
 * 1 and a new number, or 0 for a task that two CPUs have told at once. A place that is told with
 * another start is another task's by now.
 */
static int numbering_add(struct numbering *n, uint32_t place, uint64_t start_ns, uint32_t *id)
{
	size_t at;

	if (2 * n->used >= n->mask && numbering_grow(n))
		return -ENOMEM;
	at = numbering_at(n, place);
	if (n->slot[at].place && n->slot[at].start_ns == start_ns)
		return 0;
	n->used += !n->slot[at].place;
	n->slot[at].place = place;
	n->slot[at].start_ns = start_ns;
	n->slot[at].id = *id = ++n->last;
	return 1;
}

static uint32_t numbering_find(const struct numbering *n, uint32_t place)
{
	size_t at;

	if (!place || place == MMLENS_NOBODY || !n->slot)
		return place ? EVENT_NOBODY : EVENT_IDLE;
	at = numbering_at(n, place);
	return n->slot[at].place ? n->slot[at].id : EVENT_NOBODY;
}

/* Until the next task of this place is told, it is nobody. */
void stream_forget(struct stream *s, uint32_t place)
{
	size_t at = s->ids.slot ? numbering_at(&s->ids, place) : 0;

	if (!s->ids.slot || !s->ids.slot[at].place)
		return;
	s->ids.slot[at].id = EVENT_NOBODY;
	s->ids.slot[at].start_ns = 0;
}

/* ---- the oldest first ---- */

static uint64_t oldest(const struct stream *s, uint32_t cpu)
{
	return s->queues[cpu].rec[s->queues[cpu].head].ts;
}

static void sift_down(struct stream *s, uint32_t at)
{
	uint32_t cpu = s->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < s->n_heap &&
		    oldest(s, s->heap[child + 1]) < oldest(s, s->heap[child]))
			child++;
		if (child >= s->n_heap || oldest(s, s->heap[child]) >= oldest(s, cpu))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = cpu;
}

static void heap_build(struct stream *s)
{
	s->n_heap = 0;
	for (uint32_t cpu = 0; cpu < s->cpus; cpu++)
		if (s->queues[cpu].n)
			s->heap[s->n_heap++] = cpu;
	for (uint32_t at = s->n_heap / 2; at-- > 0;)
		sift_down(s, at);
}

/* ---- delivery ---- */

static void deliver(struct stream *s, const struct event *ev)
{
	s->event(ev, s->arg);
}

static char state_of(const struct mmlens_rec *r, enum switch_how how)
{
	/* a task that was preempted stays runnable, whatever it was about to do */
	if (how == HOW_PREEMPTED)
		return 'R';
	return how == HOW_EXIT ? 'X' : bpf_state_letter(r->more);
}

static void deliver_switch(struct stream *s, uint32_t cpu, const struct mmlens_rec *r)
{
	enum switch_how how = r->flags >> 4;
	struct event ev = { .ts = r->ts, .cpu = cpu, .type = EVENT_SWITCH };

	if ((r->flags & 15) >= CLASS_NR || how >= HOW_NR)
		return;
	ev.sw = (struct event_switch){
		.prev = numbering_find(&s->ids, r->from),
		.next = numbering_find(&s->ids, r->to),
		.cost = r->cost,
		.class = r->flags & 15,
		.how = how,
		.state = state_of(r, how),
	};
	deliver(s, &ev);
}

static void deliver_wake(struct stream *s, uint32_t cpu, const struct mmlens_rec *r)
{
	struct event ev = { .ts = r->ts, .cpu = cpu, .type = EVENT_WAKE };

	ev.wake = (struct event_wake){
		.waker = numbering_find(&s->ids, r->from),
		.wakee = numbering_find(&s->ids, r->to),
		.call = r->flags & MMLENS_WAKE_IN_CALL ? r->more : -1,
		.same_space = r->flags & MMLENS_WAKE_SAME,
		/* idle wakes no one by itself */
		.interrupt = (r->flags & MMLENS_WAKE_IRQ) || !r->from,
		.interrupt_known = (r->flags & (MMLENS_WAKE_IRQ | MMLENS_WAKE_TASK)) || !r->from,
	};
	deliver(s, &ev);
}

static void deliver_rare(struct stream *s, uint64_t limit)
{
	size_t done = 0;

	while (done < s->n_rare && s->rare[done].ts < limit)
		deliver(s, &s->rare[done++]);
	s->n_rare -= done;
	if (done)
		memmove(s->rare, s->rare + done, s->n_rare * sizeof(*s->rare));
}

static void deliver_oldest(struct stream *s)
{
	uint32_t cpu = s->heap[0];
	struct queue *q = &s->queues[cpu];
	const struct mmlens_rec *r = &q->rec[q->head];

	if (s->n_rare && s->rare[0].ts <= r->ts)
		deliver_rare(s, r->ts + 1);
	if (r->kind == MMLENS_REC_SWITCH)
		deliver_switch(s, cpu, r);
	else if (r->kind == MMLENS_REC_WAKE)
		deliver_wake(s, cpu, r);
	q->delivered = r->ts;
	q->head++;
	q->n--;
	if (!q->n)
		s->heap[0] = s->heap[--s->n_heap];
	if (s->n_heap)
		sift_down(s, 0);
}

size_t stream_held(const struct stream *s)
{
	size_t n = 0;

	for (uint32_t cpu = 0; cpu < s->cpus; cpu++)
		n += s->queues[cpu].n;
	return n;
}

bool stream_release(struct stream *s, uint64_t limit, bool (*go_on)(void *arg), void *arg)
{
	uint32_t told = 0;

	heap_build(s);
	while (s->n_heap && oldest(s, s->heap[0]) < limit) {
		if (go_on && told++ % ASK_EACH == 0 && !go_on(arg))
			return false;
		deliver_oldest(s);
	}
	deliver_rare(s, limit);
	return true;
}

/* ---- arrival ---- */

static int add_rare(struct stream *s, const struct event *ev)
{
	size_t at = s->n_rare;

	if (s->n_rare == s->room_rare) {
		size_t room = s->room_rare ? 2 * s->room_rare : 256;
		struct event *rare = realloc(s->rare, room * sizeof(*rare));

		if (!rare)
			return -ENOMEM;
		s->rare = rare;
		s->room_rare = room;
	}
	while (at && s->rare[at - 1].ts > ev->ts)
		at--;
	memmove(s->rare + at + 1, s->rare + at, (s->n_rare - at) * sizeof(*ev));
	s->rare[at] = *ev;
	s->n_rare++;
	return 0;
}

/*
 * Behind what is there already; but what an interrupt told while its CPU sent a batch has come
 * before that batch, and stays behind it.
 */
static void merge_behind(struct mmlens_rec *queued, size_t n_queued, const struct mmlens_rec *rec,
			 size_t n)
{
	while (n && n_queued && queued[n_queued - 1].ts > rec[0].ts) {
		bool newer = queued[n_queued - 1].ts > rec[n - 1].ts;

		queued[n_queued + n - 1] = newer ? queued[n_queued - 1] : rec[n - 1];
		n_queued -= newer;
		n -= !newer;
	}
	memcpy(queued + n_queued, rec, n * sizeof(*rec));
}

static int queue_add(struct queue *q, const struct mmlens_rec *rec, size_t n)
{
	/* what was taken may be sent too, with more behind it */
	while (n && rec->ts <= q->taken) {
		rec++;
		n--;
	}
	if (q->head && q->head + q->n + n > q->room) {
		memmove(q->rec, q->rec + q->head, q->n * sizeof(*rec));
		q->head = 0;
	}
	if (q->n + n > q->room) {
		size_t room = 2 * (q->n + n) + 1024;
		struct mmlens_rec *more = realloc(q->rec, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		q->rec = more;
		q->room = room;
	}
	merge_behind(q->rec + q->head, q->n, rec, n);
	q->n += n;
	return 0;
}

/* Delivered at once: who a number is must be known before it is used. */
static int on_task(struct stream *s, const void *data)
{
	const struct mmlens_ev_task *m = data;
	struct event ev = { .cpu = m->head.cpu, .type = EVENT_TASK };
	struct event_task *t = &ev.task;
	int new;

	*t = (struct event_task){
		.ppid = m->ppid,
		.flags = m->flags,
		.key = { m->tgid, m->tid, m->start_ns },
		.space = m->space,
		.cgroup = m->cgroup,
	};
	memcpy(t->comm, m->comm, sizeof(t->comm));
	t->comm[sizeof(t->comm) - 1] = '\0';
	new = numbering_add(&s->ids, m->id, m->start_ns, &t->id);
	if (new > 0)
		deliver(s, &ev);
	return new < 0 ? new : 0;
}

static int on_fork(struct stream *s, const void *data)
{
	const struct mmlens_ev_fork *m = data;
	struct event ev = { .ts = m->ts, .cpu = m->head.cpu, .type = EVENT_FORK };

	ev.fork = (struct event_fork){
		.parent = numbering_find(&s->ids, m->parent),
		.child = numbering_find(&s->ids, m->child),
		.flags = m->flags,
	};
	return add_rare(s, &ev);
}

static int on_exec(struct stream *s, const void *data)
{
	const struct mmlens_ev_exec *m = data;
	struct event ev = { .ts = m->ts, .cpu = m->head.cpu, .type = EVENT_EXEC };

	ev.exec = (struct event_exec){
		.task = numbering_find(&s->ids, m->task),
		.was = m->was,
		.space = m->space,
	};
	memcpy(ev.exec.comm, m->comm, sizeof(ev.exec.comm));
	ev.exec.comm[sizeof(ev.exec.comm) - 1] = '\0';
	return add_rare(s, &ev);
}

static int on_exit_of(struct stream *s, const void *data)
{
	const struct mmlens_ev_exit *m = data;
	struct event ev = { .ts = m->ts, .cpu = m->head.cpu, .type = EVENT_EXIT };

	ev.exit = (struct event_exit){
		.task = numbering_find(&s->ids, m->task),
		.code = m->code,
		.last = m->last,
	};
	return add_rare(s, &ev);
}

static int on_batch(struct stream *s, const void *data)
{
	const struct mmlens_msg *m = data;

	return queue_add(&s->queues[m->cpu], (const void *)(m + 1), m->n);
}

static const struct {
	size_t size;
	int (*take)(struct stream *s, const void *data);
} messages[] = {
	[MMLENS_MSG_BATCH] = { sizeof(struct mmlens_msg), on_batch },
	[MMLENS_MSG_TASK] = { sizeof(struct mmlens_ev_task), on_task },
	[MMLENS_MSG_FORK] = { sizeof(struct mmlens_ev_fork), on_fork },
	[MMLENS_MSG_EXEC] = { sizeof(struct mmlens_ev_exec), on_exec },
	[MMLENS_MSG_EXIT] = { sizeof(struct mmlens_ev_exit), on_exit_of },
};

/* Told where the gap is: behind all that this CPU has sent before it. */
int stream_loss(struct stream *s, uint32_t cpu, uint64_t lost)
{
	struct queue *q = &s->queues[cpu];
	struct event ev = { .cpu = cpu, .type = EVENT_LOST };

	if (lost <= q->lost)
		return 0;
	ev.ts = q->n ? q->rec[q->head + q->n - 1].ts : q->delivered;
	ev.lost = lost - q->lost;
	q->lost = lost;
	return add_rare(s, &ev);
}

int stream_message(struct stream *s, const void *data, size_t size)
{
	const struct mmlens_msg *m = data;
	int err;

	if (size < sizeof(*m) || m->cpu >= s->cpus || !m->type || m->type >= ARRAY_SIZE(messages) ||
	    size < messages[m->type].size + m->n * sizeof(struct mmlens_rec))
		return 0;
	err = stream_loss(s, m->cpu, m->lost);
	return err ? err : messages[m->type].take(s, data);
}

int stream_batch(struct stream *s, uint32_t cpu, const struct mmlens_rec *rec, size_t n)
{
	struct queue *q = &s->queues[cpu];
	int err = queue_add(q, rec, n);

	if (!err && n)
		q->taken = rec[n - 1].ts;
	return err;
}

struct stream *stream_new(int cpus, void (*event)(const struct event *ev, void *arg), void *arg)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->event = event;
	s->arg = arg;
	s->cpus = (uint32_t)cpus;
	s->queues = calloc(s->cpus, sizeof(*s->queues));
	s->heap = calloc(s->cpus, sizeof(*s->heap));
	if (s->queues && s->heap)
		return s;
	stream_free(s);
	return NULL;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->queues && i < s->cpus; i++)
		free(s->queues[i].rec);
	free(s->queues);
	free(s->heap);
	free(s->ids.slot);
	free(s->rare);
	free(s);
}
