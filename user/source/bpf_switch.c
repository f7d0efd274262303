// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "source/bpf_env.h"
#include "source/bpf_switch.h"
#include "source/bpf_tasks.h"
#include "switch.skel.h"

#define RING_BYTES (8u << 20)
/* The inode of the initial pid namespace (PROC_PID_INIT_INO). */
#define INIT_PID_NS "pid:[4026531836]"

_Static_assert((int)CLASS_NR == (int)MMLENS_CLASS_NR && (int)HOW_NR == (int)MMLENS_HOW_NR,
	       "the model's classes are the programs' own");

struct switch_session {
	struct switch_ask ask;
	struct switch_bpf *skel;
	struct ring_buffer *ring;
	struct bpf_program *end; /* NULL: the end of a switch is not seen */
	const char *end_name;
	char end_symbol[64]; /* for the kprobe */
	struct bpf_link *links[8];
	size_t n_links;
	uint64_t begin_ns;
	uint64_t stop_ns;
	int cpus;
};

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* BPF sees the pids of the initial namespace; what the user names must be the same. */
static int check_pid_ns(const struct switch_ask *ask, struct why *why)
{
	char ns[32] = "";

	if (!ask->n_tgids && !ask->command)
		return 0;
	if (readlink("/proc/self/ns/pid", ns, sizeof(ns) - 1) > 0 && strcmp(ns, INIT_PID_NS) != 0)
		return why_set(why, -EOPNOTSUPP,
			       "pids of a container cannot be told apart here: run in the host's "
			       "pid namespace (nsenter -t 1 -p)");
	return 0;
}

/* The compiler may have renamed it, and kallsyms has what can be probed. */
static bool find_finish_task_switch(char *name, size_t n)
{
	cleanup_fclose FILE *f = fopen("/proc/kallsyms", "re");
	char line[256], symbol[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*c %127s", symbol) != 1)
			continue;
		if (strcmp(symbol, "finish_task_switch") == 0 ||
		    strncmp(symbol, "finish_task_switch.isra", 23) == 0) {
			snprintf(name, n, "%.*s", (int)n - 1, symbol);
			return true;
		}
	}
	return false;
}

static bool btf_has(const char *name, int kind)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, name, kind) > 0;

	btf__free(btf);
	return has;
}

struct end {
	const char *name;
	bool (*there)(struct switch_session *ss);
	struct bpf_program **(*prog)(struct switch_session *ss);
};

static bool has_exit_tp(struct switch_session *ss)
{
	(void)ss;
	return btf_has("btf_trace_sched_exit_tp", BTF_KIND_TYPEDEF);
}

static struct bpf_program **exit_tp(struct switch_session *ss)
{
	return &ss->skel->progs.mmlens_end_exit_tp;
}

static bool has_plain_finish(struct switch_session *ss)
{
	char name[64];

	return btf_has("finish_task_switch", BTF_KIND_FUNC) &&
	       find_finish_task_switch(name, sizeof(name)) && !strchr(name, '.') &&
	       libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACING, NULL) == 1 && ss->skel;
}

static struct bpf_program **fentry(struct switch_session *ss)
{
	return &ss->skel->progs.mmlens_end_fentry;
}

static bool has_finish(struct switch_session *ss)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_KPROBE, NULL) == 1 &&
	       find_finish_task_switch(ss->end_symbol, sizeof(ss->end_symbol));
}

static struct bpf_program **kprobe(struct switch_session *ss)
{
	return &ss->skel->progs.mmlens_end_kprobe;
}

/* The nearest honest end first. */
static const struct end ends[] = {
	{ "sched_exit_tp", has_exit_tp, exit_tp },
	{ "fentry:finish_task_switch", has_plain_finish, fentry },
	{ "kprobe:finish_task_switch", has_finish, kprobe },
};

static void set_autoload(struct switch_session *ss, bool btf, const struct end *end)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, ss->skel->obj) bpf_program__set_autoload(prog, false);
	bpf_program__set_autoload(
		btf ? ss->skel->progs.mmlens_switch_btf : ss->skel->progs.mmlens_switch_raw, true);
	ss->end = NULL;
	ss->end_name = NULL;
	if (end) {
		ss->end = *end->prog(ss);
		ss->end_name = end->name;
		bpf_program__set_autoload(ss->end, true);
	}
	bpf_program__set_autoload(ss->skel->progs.mmlens_tlb,
				  ss->ask.tlb && btf_has("btf_trace_tlb_flush", BTF_KIND_TYPEDEF));
	if (!ss->ask.n_tgids && !ss->ask.command)
		return;
	bpf_program__set_autoload(
		btf ? ss->skel->progs.mmlens_fork_btf : ss->skel->progs.mmlens_fork_raw, true);
	bpf_program__set_autoload(ss->skel->progs.mmlens_exec_raw, ss->ask.command != 0);
}

static void set_ask(struct switch_session *ss)
{
	struct mmlens_switch_ask *ask = (void *)&ss->skel->rodata->ask;
	size_t tasks = 2 * ss->ask.tasks + 8192;

	ask->keys = bpf_env_keys();
	ask->command = ss->ask.command;
	ask->filter = ss->ask.n_tgids || ss->ask.command;
	ask->events = ss->ask.event != NULL;
	ask->cost = ss->end != NULL;
	bpf_map__set_max_entries(ss->skel->maps.cpus, ss->cpus);
	bpf_map__set_max_entries(ss->skel->maps.tasks, tasks);
	if (ask->events)
		bpf_map__set_max_entries(ss->skel->maps.ring, RING_BYTES);
}

/* One attempt with one pair of wrapper and end. Loading is the only probe that never errs. */
static int load(struct switch_session *ss, bool btf, const struct end *end)
{
	int err;

	switch_bpf__destroy(ss->skel);
	ss->skel = switch_bpf__open();
	if (!ss->skel)
		return -errno;
	if (end && !end->there(ss))
		return -ENOENT;
	set_autoload(ss, btf, end);
	set_ask(ss);
	err = switch_bpf__load(ss->skel);
	return err;
}

static int attach_one(struct switch_session *ss, struct bpf_program *prog)
{
	struct bpf_link *link = prog == ss->skel->progs.mmlens_end_kprobe
					? bpf_program__attach_kprobe(prog, false, ss->end_symbol)
					: bpf_program__attach(prog);

	if (!link)
		return -errno;
	ss->links[ss->n_links++] = link;
	return 0;
}

static void detach(struct switch_session *ss)
{
	while (ss->n_links)
		bpf_link__destroy(ss->links[--ss->n_links]);
}

/* The end first: a switch whose end is not watched yet would be without a cost. */
static int attach_end(struct switch_session *ss)
{
	return ss->end ? attach_one(ss, ss->end) : 0;
}

static int attach_rest(struct switch_session *ss)
{
	struct bpf_program *prog, *last = NULL;
	int err = 0;

	bpf_object__for_each_program(prog, ss->skel->obj)
	{
		if (!bpf_program__autoload(prog) || prog == ss->end)
			continue;
		if (prog == ss->skel->progs.mmlens_switch_btf ||
		    prog == ss->skel->progs.mmlens_switch_raw)
			last = prog;
		else if (!err)
			err = attach_one(ss, prog);
	}
	return err ? err : attach_one(ss, last);
}

/* Finds what this kernel takes: BTF or raw arguments, and the nearest end of a switch. */
static int choose(struct switch_session *ss)
{
	int err = -EOPNOTSUPP;

	for (int raw = 0; raw < 2; raw++)
		for (size_t i = 0; i <= ARRAY_SIZE(ends); i++) {
			const struct end *end = i < ARRAY_SIZE(ends) ? &ends[i] : NULL;

			err = load(ss, !raw, end);
			if (!err)
				err = attach_end(ss);
			if (!err)
				return 0;
			detach(ss);
			if (err == -EPERM)
				return err;
		}
	return err;
}

int switch_session_watch(struct switch_session *ss, const uint32_t *tgids, size_t n)
{
	int fd = bpf_map__fd(ss->skel->maps.watched);

	for (size_t i = 0; i < n; i++)
		if (bpf_map_update_elem(fd, &tgids[i], &tgids[i], BPF_ANY))
			return -errno;
	return 0;
}

static void to_side(struct switch_side *to, const struct mmlens_side *from)
{
	to->tgid = from->tgid;
	to->tid = from->tid;
	to->space = from->space;
	memcpy(to->comm, from->comm, sizeof(to->comm));
	to->comm[sizeof(to->comm) - 1] = '\0';
}

static int on_event(void *arg, void *data, size_t size)
{
	const struct switch_session *ss = arg;
	const struct mmlens_ev_switch *from = data;
	struct switch_event ev;

	if (size < sizeof(*from) || from->class >= CLASS_NR || from->how >= HOW_NR)
		return 0;
	ev = (struct switch_event){
		.ts = from->ts,
		.cost = from->cost,
		.cost_known = from->cost != 0,
		.cpu = from->cpu,
		.state = bpf_state_letter(from->state),
		.class = from->class,
		.how = from->how,
	};
	/* a task that was preempted stays runnable, whatever it was about to do */
	if (ev.how == HOW_PREEMPTED)
		ev.state = 'R';
	if (ev.how == HOW_EXIT)
		ev.state = 'X';
	to_side(&ev.prev, &from->prev);
	to_side(&ev.next, &from->next);
	ss->ask.event(&ev, ss->ask.arg);
	return 0;
}

int switch_session_open(struct switch_session **out, const struct switch_ask *ask, struct why *why)
{
	struct switch_session *ss;
	int err = bpf_env_check(why);

	if (!err)
		err = check_pid_ns(ask, why);
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
	if (!err && ask->event) {
		ss->ring = ring_buffer__new(bpf_map__fd(ss->skel->maps.ring), on_event, ss, NULL);
		err = ss->ring ? 0 : -errno;
	}
	if (err) {
		switch_session_close(ss);
		return bpf_env_load_failed(why, err);
	}
	*out = ss;
	return 0;
}

int switch_session_start(struct switch_session *ss, struct why *why)
{
	int err = attach_rest(ss);

	if (err)
		return bpf_env_load_failed(why, err);
	ss->begin_ns = monotonic_ns();
	return 0;
}

int switch_session_poll(struct switch_session *ss, int ms)
{
	int got;

	if (!ss->ring)
		return poll(NULL, 0, ms) < 0 ? -errno : 0;
	/* woken by fill level or by time: what is there is taken either way */
	got = ring_buffer__poll(ss->ring, ms);
	return got < 0 ? got : ring_buffer__consume(ss->ring) < 0 ? -EIO : 0;
}

/* The upper edge of the bucket in which the quantile lies, but never above what was seen. */
static uint64_t quantile(const struct mmlens_cost *sum, unsigned int percent)
{
	uint64_t rank = (sum->n * percent + 99) / 100, seen = 0;

	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		seen += sum->bucket[b];
		if (seen >= rank)
			return hist_edge(b + 1) < sum->max ? hist_edge(b + 1) : sum->max;
	}
	return sum->max;
}

static void add_cost(struct mmlens_cost *sum, const struct mmlens_cost *c)
{
	sum->n += c->n;
	sum->sum += c->sum;
	sum->max = c->max > sum->max ? c->max : sum->max;
	for (uint32_t b = 0; b < HIST_BUCKETS; b++)
		sum->bucket[b] += c->bucket[b];
}

static struct cost summarise(const struct mmlens_cost *sum)
{
	if (!sum->n)
		return (struct cost){ 0 };
	return (struct cost){
		.n = sum->n,
		.mean = sum->sum / sum->n,
		.p50 = quantile(sum, 50),
		.p90 = quantile(sum, 90),
		.p99 = quantile(sum, 99),
		.max = sum->max,
	};
}

static int read_cpus(const struct switch_session *ss, struct switches *out)
{
	cleanup_free struct mmlens_cpu *cpu = malloc(sizeof(*cpu));
	cleanup_free struct mmlens_cost *sums = calloc(CLASS_NR, sizeof(*sums));
	int fd = bpf_map__fd(ss->skel->maps.cpus);

	if (!cpu || !sums)
		return -ENOMEM;
	for (uint32_t i = 0; i < (uint32_t)ss->cpus; i++) {
		if (bpf_map_lookup_elem(fd, &i, cpu))
			return -errno;
		out->lost_tasks += cpu->tasks_full;
		out->lost += cpu->tasks_full + cpu->ring_full;
		out->tlb_loads += cpu->tlb_loads;
		out->tlb_flushed += cpu->tlb_flushed;
		for (int c = 0; c < CLASS_NR; c++) {
			for (int h = 0; h < HOW_NR; h++)
				out->classes[c].how[h] += cpu->count[c][h];
			add_cost(&sums[c], &cpu->cost[c]);
		}
	}
	for (int c = 0; c < CLASS_NR; c++)
		out->classes[c].cost = summarise(&sums[c]);
	return 0;
}

static void take_entry(struct task_switches *t, const struct mmlens_entry *e)
{
	t->key = (struct task_key){ e->tgid, e->tid, e->start_ns };
	t->space = e->space;
	t->before = e->before;
	t->after = e->nvcsw + e->nivcsw;
	memcpy(t->comm, e->comm, sizeof(t->comm));
	t->comm[sizeof(t->comm) - 1] = '\0';
	for (int c = 0; c < CLASS_NR; c++)
		t->count[c] = e->count[c];
	for (int h = 0; h < HOW_NR; h++)
		t->how[h] = e->how[h];
}

static int by_switches(const void *a, const void *b)
{
	uint64_t x = task_switches_total(a), y = task_switches_total(b);

	return x != y ? (x < y ? 1 : -1)
		      : task_key_cmp(&((const struct task_switches *)a)->key,
				     &((const struct task_switches *)b)->key);
}

static int add_task(struct switches *out, size_t *room, const struct mmlens_entry *e)
{
	if (out->n_tasks == *room) {
		size_t more = *room ? *room * 2 : 256;
		struct task_switches *tasks = realloc(out->tasks, more * sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		out->tasks = tasks;
		*room = more;
	}
	take_entry(&out->tasks[out->n_tasks++], e);
	return 0;
}

/* Nothing is inserted any more when this runs, so every key is met once. */
static int read_tasks(const struct switch_session *ss, struct switches *out)
{
	int fd = bpf_map__fd(ss->skel->maps.tasks);
	uint64_t key, *last = NULL, at;
	size_t room = 0;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		struct mmlens_entry e;
		int err;

		at = key;
		last = &at;
		if (bpf_map_lookup_elem(fd, &key, &e))
			continue;
		err = add_task(out, &room, &e);
		if (err)
			return err;
	}
	if (out->n_tasks)
		qsort(out->tasks, out->n_tasks, sizeof(*out->tasks), by_switches);
	return 0;
}

int switch_session_stop(struct switch_session *ss, struct switches *out)
{
	int err;

	/* the program that counts was attached last; the others wait for RCU in their turn */
	bpf_link__destroy(ss->links[--ss->n_links]);
	ss->stop_ns = monotonic_ns();
	detach(ss);
	if (ss->ring)
		ring_buffer__consume(ss->ring);
	memset(out, 0, sizeof(*out));
	out->duration_ns = ss->stop_ns - ss->begin_ns;
	out->filtered = ss->ask.n_tgids || ss->ask.command;
	out->tlb_known = bpf_program__autoload(ss->skel->progs.mmlens_tlb);
	if (ss->end_name)
		snprintf(out->cost_end, sizeof(out->cost_end), "%s", ss->end_name);
	err = read_cpus(ss, out);
	if (!err)
		err = read_tasks(ss, out);
	if (err)
		switches_deinit(out);
	return err;
}

void switch_session_close(struct switch_session *ss)
{
	if (!ss)
		return;
	detach(ss);
	ring_buffer__free(ss->ring);
	switch_bpf__destroy(ss->skel);
	free(ss);
}
