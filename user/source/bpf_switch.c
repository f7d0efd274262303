// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/cleanup.h"
#include "loads.h"
#include "source/bpf_counts.h"
#include "source/bpf_dead.h"
#include "source/bpf_env.h"
#include "source/bpf_ring.h"
#include "source/bpf_switch.h"
#include "source/bpf_timing.h"
#include "source/bpf_types.h"
#include "source/bpf_watched.h"
#include "source/btf_ids.h"
#include "source/clocks.h"

#define RING_BYTES (8u << 20)
/* Of spaces that switch to each other; what does not fit is counted. */
#define PAIRS_MAX 32768

_Static_assert((int)WANT_SWITCH_NR == (int)MMLENS_WANT_NR,
	       "the kinds of filters are the programs' own");

struct switch_session {
	struct switch_ask ask;
	struct switch_bpf *skel;
	struct ring ring;
	struct mmlens_cpu *per_cpu; /* mapped */
	size_t per_cpu_len;
	struct bpf_program *end; /* NULL: the end of a switch is not seen */
	struct bpf_link *end_link;
	pthread_t attacher; /* while `attaching`, end_link is its */
	bool attaching;
	atomic_bool attached;
	struct timing timing;
	struct dead dead;
	struct watched watched;
	bool light; /* the end can be detached when it is not worth its price */
	enum mmlens_timing timed;
	bool every; /* switch is timed */
	const char *end_name;
	char end_symbol[64]; /* for the kprobe */
	struct bpf_link *links[12];
	size_t n_links;
	uint64_t begin_ns;
	uint64_t stop_ns; /* 0: it still runs */
	uint64_t clock_ns;
	int cpus;
};

static bool follows(const struct switch_ask *ask)
{
	return ask->n_tgids || ask->command;
}

/* A symbol of /proc/kallsyms by name, or by name and what the compiler appended to it. */
static bool find_symbol(const char *name, char *found, size_t n)
{
	cleanup_fclose FILE *f = fopen("/proc/kallsyms", "re");
	size_t len = strlen(name);
	char line[256], symbol[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*c %127s", symbol) == 1 && strncmp(symbol, name, len) == 0 &&
		    (!symbol[len] || strncmp(symbol + len, ".isra", 5) == 0)) {
			snprintf(found, n, "%.*s", (int)n - 1, symbol);
			return true;
		}
	return false;
}

/* A per-CPU variable that BTF has and kallsyms has not makes the loading of its user fail. */
static bool shows_interrupts(void)
{
	const char *const counts[] = { "__preempt_count", "pcpu_hot" };
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (btf_id(counts[i]) && !find_symbol(counts[i], name, sizeof(name)))
			return false;
	return true;
}

struct end {
	const char *name;
	bool (*there)(struct switch_session *ss);
	struct bpf_program **(*prog)(struct switch_session *ss);
	bool light; /* is attached and detached within microseconds */
};

static bool has_exit_tp(struct switch_session *ss)
{
	(void)ss;
	return btf_id("btf_trace_sched_exit_tp");
}

static struct bpf_program **exit_tp(struct switch_session *ss)
{
	return &ss->skel->progs.mmlens_end_exit_tp;
}

static bool has_plain_finish(struct switch_session *ss)
{
	char name[64];

	return !bpf_env_preempts() && btf_id("finish_task_switch") &&
	       find_symbol("finish_task_switch", name, sizeof(name)) && !strchr(name, '.') &&
	       libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACING, NULL) == 1 && ss->skel;
}

static struct bpf_program **fentry(struct switch_session *ss)
{
	return &ss->skel->progs.mmlens_end_fentry;
}

static bool has_finish(struct switch_session *ss)
{
	return !bpf_env_preempts() && libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_KPROBE, NULL) == 1 &&
	       find_symbol("finish_task_switch", ss->end_symbol, sizeof(ss->end_symbol));
}

static struct bpf_program **kprobe(struct switch_session *ss)
{
	return &ss->skel->progs.mmlens_end_kprobe;
}

/* The nearest honest end first. */
static const struct end ends[] = {
	{ "sched_exit_tp", has_exit_tp, exit_tp, true },
	{ "fentry:finish_task_switch", has_plain_finish, fentry, false },
	{ "kprobe:finish_task_switch", has_finish, kprobe, false },
};

/* What is not asked for is not loaded, and what is not loaded costs nothing. */
static void set_autoload(struct switch_session *ss, const struct end *end)
{
	const struct switch_ask *ask = &ss->ask;
	bool filter = follows(ask), events = ask->event, woken = ask->delays;
	bool wakeups = events && ask->wakeups;
	/* to ask is to read all the kernel's symbols */
	bool irqs = wakeups && shows_interrupts();
	struct bpf_program *prog;
	struct {
		struct bpf_program *prog;
		bool load;
	} const all[] = {
		{ ss->skel->progs.mmlens_switch, true },
		{ ss->skel->progs.mmlens_tlb,
		  ask->tlb && ARCH_TELLS_LOADS && btf_id("btf_trace_tlb_flush") },
		{ ss->skel->progs.mmlens_waking, irqs },
		{ ss->skel->progs.mmlens_waking_plain, wakeups && !irqs },
		{ ss->skel->progs.mmlens_woken, woken },
		{ ss->skel->progs.mmlens_clock, true },
		{ ss->skel->progs.mmlens_newtask, events || filter },
		{ ss->skel->progs.mmlens_exec, events || ask->command },
		{ ss->skel->progs.mmlens_exit, events },
		{ ss->skel->progs.mmlens_flush, events },
	};

	bpf_object__for_each_program(prog, ss->skel->obj) bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		bpf_program__set_autoload(all[i].prog, all[i].load);
	ss->end = end ? *end->prog(ss) : NULL;
	ss->end_name = end ? end->name : NULL;
	if (end)
		bpf_program__set_autoload(ss->end, true);
}

static uint32_t wanted_kinds(const struct switch_ask *ask)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < ask->n_wants; i++)
		kinds |= 1u << ask->wants[i].kind;
	return kinds;
}

#define ASKED(what, is)                                      \
	{                                                    \
		.name = "MMLENS_ASKED_" #what, .value = (is) \
	}

/* The constants of this load; all of enum mmlens_asked. */
static int set_asked(struct switch_session *ss, struct bpf_types *types)
{
	const struct switch_ask *ask = &ss->ask;
	const struct bpf_constant all[] = {
		ASKED(WANTS, wanted_kinds(ask)), ASKED(CLASSES, ask->classes),
		ASKED(FILTER, follows(ask)),	 ASKED(EVENTS, ask->event != NULL),
		ASKED(COST, ss->end != NULL),	 ASKED(DELAYS, ask->delays),
		ASKED(PAIRS, ask->pairs),	 ASKED(CGROUPS, ask->cgroups),
		ASKED(EVERY, ss->every),	 ASKED(TLB, ask->tlb),
	};

	_Static_assert(ARRAY_SIZE(all) == MMLENS_ASKED_NR, "each has a value");
	return bpf_types_set(types, "mmlens_asked", all, ARRAY_SIZE(all));
}

static void set_ask(struct switch_session *ss, const struct end *end)
{
	struct mmlens_switch_ask *ask = (void *)&ss->skel->rodata->ask;
	size_t tasks = 2 * ss->ask.tasks + 8192;
	/* with those asked for go their descendants, who may be all there are */
	size_t family = ss->ask.n_tgids ? ss->ask.n_tgids + ss->ask.tasks : 0;

	ask->keys = bpf_env_keys();
	ask->command = ss->ask.command;
	ask->ns_inum = bpf_env_pid_ns();
	ss->every = ss->ask.delays || ss->ask.every;
	bpf_map__set_max_entries(ss->skel->maps.cpus, ss->cpus);
	bpf_map__set_max_entries(ss->skel->maps.tasks, tasks);
	bpf_map__set_max_entries(ss->skel->maps.places, tasks);
	bpf_map__set_max_entries(ss->skel->maps.spare, tasks);
	if (follows(&ss->ask))
		bpf_map__set_max_entries(ss->skel->maps.watched, WATCHED_BORN + family);
	if (ss->ask.n_wants)
		bpf_map__set_max_entries(ss->skel->maps.wants, (uint32_t)ss->ask.n_wants);
	if (ss->ask.delays)
		bpf_map__set_max_entries(ss->skel->maps.waits, ss->cpus);
	if (ss->ask.pairs)
		bpf_map__set_max_entries(ss->skel->maps.pairs, PAIRS_MAX);
	if (ss->ask.event)
		bpf_map__set_max_entries(ss->skel->maps.ring, RING_BYTES);
	ss->light = end && end->light;
}

/* One attempt with one end. Loading is the only probe that never errs. */
static int load(struct switch_session *ss, const struct end *end, struct bpf_types *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = bpf_types_path(types));
	int err;

	switch_bpf__destroy(ss->skel);
	ss->skel = switch_bpf__open_opts(&opts);
	if (!ss->skel)
		return -errno;
	if (end && !end->there(ss))
		return -ENOENT;
	set_autoload(ss, end);
	set_ask(ss, end);
	err = bpf_types_fill(types, ss->skel->obj);
	if (!err)
		err = set_asked(ss, types);
	return err ? err : bpf_object__load_skeleton(ss->skel->skeleton);
}

static int attach_one(struct switch_session *ss, struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__attach(prog);

	if (!link)
		return -errno;
	ss->links[ss->n_links++] = link;
	return 0;
}

/* Until then end_link is another's. False: not yet. */
static bool end_is_ours(struct switch_session *ss, bool wait)
{
	if (!ss->attaching)
		return true;
	if (!wait && !atomic_load(&ss->attached))
		return false;
	pthread_join(ss->attacher, NULL);
	ss->attaching = false;
	return true;
}

static void detach(struct switch_session *ss)
{
	end_is_ours(ss, true);
	while (ss->n_links)
		bpf_link__destroy(ss->links[--ss->n_links]);
	bpf_link__destroy(ss->end_link);
	ss->end_link = NULL;
}

/* The end first: a switch whose end is not watched yet would be without a cost. */
static int attach_end(struct switch_session *ss)
{
	if (!ss->end)
		return 0;
	ss->end_link = ss->end == ss->skel->progs.mmlens_end_kprobe
			       ? bpf_program__attach_kprobe(ss->end, false, ss->end_symbol)
			       : bpf_program__attach(ss->end);
	return ss->end_link ? 0 : -errno;
}

/* Never attached: the reader runs them. */
static bool is_run_by_us(const struct switch_session *ss, const struct bpf_program *prog)
{
	return prog == ss->skel->progs.mmlens_flush || prog == ss->skel->progs.mmlens_clock;
}

static int attach_rest(struct switch_session *ss)
{
	struct bpf_program *prog;
	int err = 0;

	bpf_object__for_each_program(prog, ss->skel->obj)
	{
		if (!bpf_program__autoload(prog) || prog == ss->end || is_run_by_us(ss, prog) ||
		    prog == ss->skel->progs.mmlens_switch)
			continue;
		if (!err)
			err = attach_one(ss, prog);
	}
	return err ? err : attach_one(ss, ss->skel->progs.mmlens_switch);
}

/* The nearest end of a switch that this kernel lets us see. */
static int choose(struct switch_session *ss)
{
	cleanup_bpf_types struct bpf_types types = bpf_types_new();
	int err = -EOPNOTSUPP;

	for (size_t i = 0; i <= ARRAY_SIZE(ends); i++) {
		const struct end *end = i < ARRAY_SIZE(ends) ? &ends[i] : NULL;

		err = load(ss, end, &types);
		if (!err)
			err = attach_end(ss);
		if (!err || err == -EPERM)
			return err;
		detach(ss);
	}
	return err;
}

int switch_session_watch(struct switch_session *ss, const uint32_t *tgids, size_t n)
{
	int fd = bpf_map__fd(ss->skel->maps.watched);
	uint64_t start = 0;

	/* one that is there already was born, and its start is known */
	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, &tgids[i], &start, BPF_NOEXIST) && errno != EEXIST)
			return -errno;
	return 0;
}

static int fill_wants(const struct switch_session *ss)
{
	int fd = bpf_map__fd(ss->skel->maps.wants);
	uint32_t one = 1;

	for (size_t i = 0; i < ss->ask.n_wants; i++) {
		const struct switch_want *from = &ss->ask.wants[i];
		struct mmlens_want w = { .kind = from->kind };

		if (from->kind == WANT_SWITCH_COMM)
			memcpy(w.v, from->comm, sizeof(w.v));
		else
			w.v[0] = from->number;
		if (bpf_map_update_elem(fd, &w, &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

/*
 * What one reading of the clock costs the programs, by the programs' own mouth: a run of it reads
 * the clock 1,000 times. It is part of every cost.
 */
static uint64_t calibrate(const struct switch_session *ss)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	uint64_t best = 0;

	for (int i = 0; i < 8; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(ss->skel->progs.mmlens_clock), &opts))
			return 0;
		if (!best || opts.retval < best)
			best = opts.retval;
	}
	return best / 1000;
}

static int open_maps(struct switch_session *ss)
{
	uint32_t places = bpf_map__max_entries(ss->skel->maps.spare);
	int fd = bpf_map__fd(ss->skel->maps.spare);
	void *map;

	ss->per_cpu_len = bpf_env_map_len(ss->skel->maps.cpus);
	map = mmap(NULL, ss->per_cpu_len, PROT_READ | PROT_WRITE, MAP_SHARED,
		   bpf_map__fd(ss->skel->maps.cpus), 0);
	if (map == MAP_FAILED)
		return -errno;
	ss->per_cpu = map;
	for (uint32_t i = 0; i < places; i++)
		if (bpf_map_update_elem(fd, NULL, &i, BPF_ANY))
			return -errno;
	return 0;
}

int switch_session_open(struct switch_session **out, const struct switch_ask *ask, struct why *why)
{
	struct switch_session *ss;
	int err = bpf_env_check(why);

	if (!err && ask->event)
		err = bpf_env_check_ring(why);
	if (err)
		return err;
	ss = calloc(1, sizeof(*ss));
	if (!ss)
		return why_set(why, -ENOMEM, "out of memory");
	ss->ask = *ask;
	ss->cpus = libbpf_num_possible_cpus();
	err = ss->cpus > 0 ? choose(ss) : ss->cpus;
	if (!err)
		err = switch_session_watch(ss, ask->tgids, ask->n_tgids);
	if (!err)
		err = fill_wants(ss);
	if (!err)
		err = open_maps(ss);
	if (!err && ask->event)
		err = ring_open(&ss->ring, ss->skel, ss->per_cpu, ss->cpus, ask);
	if (!err)
		err = dead_init(&ss->dead, ss->skel, ss->ring.stream);
	if (!err)
		err = watched_init(&ss->watched, follows(ask) ? ss->skel->maps.watched : NULL);
	if (err) {
		switch_session_close(ss);
		return bpf_env_load_failed(why, err);
	}
	ss->clock_ns = calibrate(ss);
	*out = ss;
	return 0;
}

/* ---- while it counts ---- */

static void set_timing(struct switch_session *ss, enum mmlens_timing timed)
{
	for (int cpu = 0; cpu < ss->cpus; cpu++)
		__atomic_store_n(&ss->per_cpu[cpu].timing, timed, __ATOMIC_RELAXED);
}

/* An end that cannot be attached again leaves the costs as they are; each says of how many it is. */
static void *attach_later(void *arg)
{
	struct switch_session *ss = arg;

	if (!attach_end(ss))
		set_timing(ss, ss->timed);
	atomic_store(&ss->attached, true);
	return NULL;
}

/*
 * By a thread of its own: attaching may wait for all CPUs, on a busy machine for a second, and
 * meanwhile the ring would run full.
 */
static void begin_timing(struct switch_session *ss)
{
	if (ss->end_link) {
		set_timing(ss, ss->timed);
		return;
	}
	atomic_store(&ss->attached, false);
	ss->attaching = !pthread_create(&ss->attacher, NULL, attach_later, ss);
	if (!ss->attaching)
		ss->timed = MMLENS_TIMING_OFF;
}

static void sum_up(const struct switch_session *ss, struct timing_sums *sums)
{
	memset(sums, 0, sizeof(*sums));
	for (int cpu = 0; cpu < ss->cpus; cpu++)
		for (int c = 0; c < CLASS_NR; c++) {
			for (int h = 0; h < HOW_NR; h++)
				sums->count[c] += ss->per_cpu[cpu].count[c][h];
			sums->timed[c] += ss->per_cpu[cpu].cost[c].n;
		}
}

static void steer(struct switch_session *ss)
{
	enum mmlens_timing timed;
	struct timing_sums sums;

	if (!ss->end || ss->every || !end_is_ours(ss, false))
		return;
	sum_up(ss, &sums);
	timed = timing_wanted(&ss->timing, &sums, (uint32_t)ss->cpus);
	if (timed == ss->timed)
		return;
	ss->timed = timed;
	if (timed) {
		begin_timing(ss);
		return;
	}
	set_timing(ss, timed);
	if (!ss->light)
		return;
	bpf_link__destroy(ss->end_link);
	ss->end_link = NULL;
}

static void set_all_watch(struct switch_session *ss, bool all)
{
	for (int cpu = 0; cpu < ss->cpus; cpu++)
		__atomic_store_n(&ss->per_cpu[cpu].all_watch, all, __ATOMIC_RELAXED);
}

int switch_session_start(struct switch_session *ss, struct why *why)
{
	int err;

	ss->timed = ss->end ? MMLENS_TIMING_SAMPLE : MMLENS_TIMING_OFF;
	set_timing(ss, ss->timed);
	err = attach_rest(ss);

	if (err)
		return bpf_env_load_failed(why, err);
	set_all_watch(ss, true);
	ss->begin_ns = clocks_monotonic();
	return 0;
}

static void collect_dead(struct switch_session *ss)
{
	uint64_t entered = 0, born = 0;

	for (int cpu = 0; cpu < ss->cpus; cpu++) {
		entered += ss->per_cpu[cpu].entered;
		born += ss->per_cpu[cpu].born;
	}
	dead_collect(&ss->dead, entered);
	watched_sweep(&ss->watched, born);
}

int switch_session_poll(struct switch_session *ss, int ms)
{
	uint64_t until = clocks_monotonic() + ms * 1000000ull;
	bool all;
	int err;

	steer(ss);
	if (!ss->ring.buffer) {
		collect_dead(ss);
		return poll(NULL, 0, ms) < 0 ? -errno : 0;
	}
	err = ring_wait(&ss->ring, until);
	if (!err)
		err = ring_drain(&ss->ring, &all);
	if (!err && all)
		collect_dead(ss);
	return err;
}

/* Of all that is read here only the counts may still move. */
int switch_session_read(struct switch_session *ss, struct switches *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->duration_ns = (ss->stop_ns ? ss->stop_ns : clocks_monotonic()) - ss->begin_ns;
	out->filtered = follows(&ss->ask) || ss->ask.n_wants || ss->ask.classes;
	out->tlb_known = bpf_program__autoload(ss->skel->progs.mmlens_tlb);
	out->delays_known = ss->ask.delays;
	out->pairs_known = ss->ask.pairs;
	out->clock_ns = ss->clock_ns;
	if (ss->end_name)
		snprintf(out->cost_end, sizeof(out->cost_end), "%s", ss->end_name);
	err = bpf_counts_read(ss->skel, ss->per_cpu, ss->cpus, &ss->dead, out);
	out->missed = bpf_counts_missed(ss->skel, ss->end);
	out->lost += out->missed;
	if (err)
		switches_deinit(out);
	return err;
}

int switch_session_stop(struct switch_session *ss, struct switches *out)
{
	int err;

	/* the program that counts was attached last; the others wait for RCU in their turn, in silence */
	set_all_watch(ss, false);
	bpf_link__destroy(ss->links[--ss->n_links]);
	ss->stop_ns = clocks_monotonic();
	detach(ss);
	memset(out, 0, sizeof(*out));
	err = ss->ring.buffer ? ring_rest(&ss->ring) : 0;
	return err ? err : switch_session_read(ss, out);
}

void switch_session_close(struct switch_session *ss)
{
	if (!ss)
		return;
	detach(ss);
	ring_close(&ss->ring);
	dead_deinit(&ss->dead);
	watched_deinit(&ss->watched);
	if (ss->per_cpu)
		munmap(ss->per_cpu, ss->per_cpu_len);
	switch_bpf__destroy(ss->skel);
	free(ss);
}
