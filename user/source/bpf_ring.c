// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "source/bpf_ring.h"
#include "source/clocks.h"

/*
 * An event may be this long on its way from its time being taken to the ring: microseconds, but for a
 * virtual processor that its host stops in between.
 */
#define SETTLE_NS 50000000ull
/* Time to deliver in one go. */
#define DELIVER_NS 50000000ull
/* So many records are held in memory for a slow reader; more stay in the ring, where they may be lost. */
#define HOLD_MAX (1u << 20)

static int on_message(void *arg, void *data, size_t size)
{
	struct ring *r = arg;

	return stream_message(r->stream, data, size);
}

int ring_open(struct ring *r, const struct switch_bpf *skel, const struct mmlens_cpu *per_cpu,
	      int cpus, const struct switch_ask *ask)
{
	r->per_cpu = per_cpu;
	r->cpus = cpus;
	r->flush_fd = bpf_program__fd(skel->progs.mmlens_flush);
	r->takes = ask->takes;
	r->arg = ask->arg;
	r->stream = stream_new(cpus, ask->event, ask->arg);
	if (!r->stream)
		return -ENOMEM;
	r->buffer = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_message, r, NULL);
	return r->buffer ? 0 : -errno;
}

static int ms_until(uint64_t until)
{
	uint64_t now = clocks_monotonic();

	return now < until ? (int)((until - now) / 1000000) + 1 : 0;
}

/* Woken by fill level before the time is over, it takes what there is and goes on waiting. */
int ring_wait(struct ring *r, uint64_t until)
{
	int ms = ms_until(until);

	if (r->limit) {
		if (r->takes)
			r->takes(ms, r->arg);
		return 0;
	}
	for (; ms; ms = ms_until(until)) {
		int got = ring_buffer__poll(r->buffer, ms);

		if (got < 0)
			return got;
	}
	return 0;
}

static bool holds_records(const struct ring *r, int cpu)
{
	return __atomic_load_n(&r->per_cpu[cpu].batch.head.n, __ATOMIC_RELAXED);
}

/* -ENXIO: that CPU is not online. */
static int flush_cpu(const struct ring *r, int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = (uint32_t)cpu);

	return bpf_prog_test_run_opts(r->flush_fd, &opts);
}

/*
 * A CPU that is idle keeps its last records; asked to, it sends them. From one that is online neither
 * before nor after they are copied they are taken, for nobody writes them meanwhile; behind what it sent
 * before it went.
 */
static int fetch_from(struct ring *r, int cpu)
{
	struct mmlens_batch held;
	int err = flush_cpu(r, cpu);

	if (err != -ENXIO)
		return err;
	err = ring_buffer__consume(r->buffer);
	if (err < 0)
		return err;
	memcpy(&held, &r->per_cpu[cpu].batch, sizeof(held));
	err = flush_cpu(r, cpu);
	if (err != -ENXIO)
		return err;
	return stream_batch(r->stream, (uint32_t)cpu, held.rec, held.head.n);
}

/* False: one CPU keeps its own. */
static bool fetch_from_all(struct ring *r)
{
	bool all = true;

	for (int cpu = 0; cpu < r->cpus; cpu++)
		if (holds_records(r, cpu))
			all &= !fetch_from(r, cpu);
	return all;
}

/* When all are asked, all that happened before is in the ring, but for what is on its way. */
static int take_in(struct ring *r)
{
	uint64_t now = clocks_monotonic();
	int got;

	r->all = fetch_from_all(r);
	got = ring_buffer__consume(r->buffer);
	if (got < 0)
		return got;
	r->limit = now - SETTLE_NS;
	return 0;
}

static bool go_on(void *arg)
{
	const struct ring *r = arg;

	return clocks_monotonic() < r->until && (!r->takes || r->takes(0, r->arg));
}

/* While there is something to deliver, only the ring is kept from running full. */
static int make_room(struct ring *r)
{
	int got = stream_held(r->stream) < HOLD_MAX ? ring_buffer__consume(r->buffer) : 0;

	return got < 0 ? got : 0;
}

int ring_drain(struct ring *r, bool *all)
{
	int err = r->limit ? make_room(r) : take_in(r);

	*all = false;
	r->until = clocks_monotonic() + DELIVER_NS;
	if (err || !stream_release(r->stream, r->limit, go_on, r))
		return err;
	r->limit = 0;
	*all = r->all;
	return 0;
}

int ring_rest(struct ring *r)
{
	int err = ring_buffer__consume(r->buffer);

	for (int cpu = 0; cpu < r->cpus && err >= 0; cpu++) {
		const struct mmlens_batch *b = &r->per_cpu[cpu].batch;

		/* nothing came behind it to tell it */
		err = stream_loss(r->stream, (uint32_t)cpu, r->per_cpu[cpu].ring_full);
		if (!err && b->head.n)
			err = stream_batch(r->stream, (uint32_t)cpu, b->rec, b->head.n);
	}
	stream_release(r->stream, UINT64_MAX, NULL, NULL);
	return err < 0 ? err : 0;
}

void ring_close(struct ring *r)
{
	ring_buffer__free(r->buffer);
	stream_free(r->stream);
}
