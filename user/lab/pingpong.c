// SPDX-License-Identifier: GPL-2.0-only
/* What a switch costs: two tasks on one core that take turns, in one space or in two. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab/lab.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/bpf_switch.h"

#define ROUNDS_MAX 60
#define LINE	   64

enum way {
	WAY_FUTEX,
	WAY_PIPE,
	WAY_YIELD,
	WAY_NR
};

static const char *const way_names[WAY_NR] = { "futex", "pipe", "yield" };

/* One table between two tasks; in shared memory, so that it serves threads and processes. */
struct game {
	uint32_t turn __attribute__((aligned(LINE)));
	uint32_t over __attribute__((aligned(LINE)));
	uint32_t ready;
	enum way way;
	unsigned int turns; /* each player's */
	size_t set;	    /* bytes each touches in its turn */
	int pipes[2][2];
};

struct player {
	struct game *g;
	uint32_t me; /* 0 serves */
	char *set;
};

static void touch(char *p, size_t size)
{
	for (size_t i = 0; i < size; i += LINE)
		((volatile char *)p)[i]++;
}

static void turn_futex(struct player *p)
{
	lab_wait(&p->g->turn, !p->me);
	touch(p->set, p->g->set);
	lab_post(&p->g->turn, !p->me);
}

static void turn_pipe(struct player *p)
{
	char c = 0;

	if (read(p->g->pipes[p->me][0], &c, 1) != 1)
		_exit(1);
	touch(p->set, p->g->set);
	if (write(p->g->pipes[!p->me][1], &c, 1) != 1)
		_exit(1);
}

static void turn_yield(struct player *p)
{
	touch(p->set, p->g->set);
	sched_yield();
}

static void (*const turns[WAY_NR])(struct player *p) = { turn_futex, turn_pipe, turn_yield };

static void *play(void *arg)
{
	struct player *p = arg;
	unsigned int i = 0;

	lab_post(&p->g->ready, 1);
	if (p->g->way == WAY_YIELD)
		while (!__atomic_load_n(&p->g->over, __ATOMIC_RELAXED))
			turn_yield(p);
	else
		while (i++ < p->g->turns)
			turns[p->g->way](p);
	return NULL;
}

static int partner_start(struct player *p, bool process, pthread_t *thread, pid_t *pid)
{
	if (!process)
		return -pthread_create(thread, NULL, play, p);
	*pid = lab_fork();
	if (*pid)
		return *pid < 0 ? *pid : 0;
	/* its own memory, not what fork shares: no fault shall fall into the measured time */
	touch(p->set, p->g->set);
	play(p);
	_exit(0);
}

static long switches_of_mine(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw + u.ru_nivcsw;
}

/* The server's side: the time of all turns, in ns a switch. */
static double serve(struct player *p)
{
	struct game *g = p->g;
	long before = switches_of_mine(), seen;
	uint64_t begin = lab_now(), took;

	if (g->way == WAY_PIPE && write(g->pipes[0][1], "", 1) != 1)
		return -1;
	for (unsigned int i = 0; i < g->turns; i++)
		turns[g->way](p);
	took = lab_now() - begin;
	seen = switches_of_mine() - before;
	lab_post(&g->over, 1);
	/* a yield need not switch: divide by what did */
	return seen > 0 ? (double)took / (2.0 * (double)seen) : -1;
}

struct setting {
	enum way way;
	bool process;
	size_t set;
	unsigned int turns;
};

static void pipes_close(struct game *g)
{
	for (int i = 0; g->way == WAY_PIPE && i < 2; i++) {
		close(g->pipes[i][0]);
		close(g->pipes[i][1]);
	}
}

/* One game; ns a switch, or -errno. */
static double game_play(const struct setting *s)
{
	struct game *g = lab_shared(sizeof(*g));
	char *sets = calloc(2, s->set + LINE);
	struct player players[2] = { { g, 0, sets }, { g, 1, sets ? sets + s->set + LINE : NULL } };
	pthread_t thread;
	double ns = -ENOMEM;
	pid_t pid = 0;

	if (!g || !sets)
		goto out;
	*g = (struct game){ .way = s->way, .turns = s->turns, .set = s->set };
	if (s->way == WAY_PIPE && (pipe2(g->pipes[0], O_CLOEXEC) || pipe2(g->pipes[1], O_CLOEXEC)))
		goto out;
	touch(players[0].set, s->set);
	touch(players[1].set, s->set);
	ns = partner_start(&players[1], s->process, &thread, &pid);
	if (ns < 0)
		goto out_pipes;
	lab_wait(&g->ready, 0);
	/* a forked partner shares pages until they are written */
	touch(players[0].set, s->set);
	ns = serve(&players[0]);
	if (s->process)
		lab_reap(pid);
	else
		pthread_join(thread, NULL);
out_pipes:
	pipes_close(g);
out:
	free(sets);
	if (g)
		munmap(g, sizeof(*g));
	return ns;
}

struct duel {
	double thread[ROUNDS_MAX];
	double process[ROUNDS_MAX];
	double difference[ROUNDS_MAX];
	size_t n;
};

static int duel_play(struct duel *d, struct setting s, size_t rounds)
{
	for (d->n = 0; d->n < rounds; d->n++) {
		/* who goes first changes, lest the second profit from the first */
		for (int i = 0; i < 2; i++) {
			double ns;

			s.process = (d->n + i) % 2;
			ns = game_play(&s);
			if (ns < 0)
				return (int)ns;
			(s.process ? d->process : d->thread)[d->n] = ns;
		}
		d->difference[d->n] = d->process[d->n] - d->thread[d->n];
	}
	return 0;
}

static void duel_say(struct lab *l, struct duel *d, const char *name)
{
	struct estimate t = estimate_of(d->thread, d->n), p = estimate_of(d->process, d->n);
	struct estimate diff = estimate_of(d->difference, d->n);
	static const char *const words[] = { "no measurable difference", "dearer", "cheaper" };
	char what[96];

	snprintf(what, sizeof(what), "switch thread, %s", name);
	lab_estimate(l, what, t, "ns");
	snprintf(what, sizeof(what), "switch process, %s", name);
	lab_estimate(l, what, p, "ns");
	snprintf(what, sizeof(what), "switch difference, %s", name);
	lab_estimate(l, what, diff, "ns");
	lab_say(l, PROOF_SAW,
		"%s: threads %.0f ns a switch, processes %.0f ns: %s (%+.0f, 95 %% "
		"between %+.0f and %+.0f)",
		name, t.median, p.median, words[difference_of(diff.low, diff.high, diff.n)],
		diff.median, diff.low, diff.high);
}

static const struct {
	size_t size;
	const char *name;
	unsigned int turns; /* a larger set makes its own time */
} sets[] = {
	{ 0, "nothing touched", 2000 },
	{ 64u << 10, "64K touched", 500 },
	{ 512u << 10, "512K touched", 100 },
	{ 2u << 20, "2M touched", 25 },
};

static void end_to_end(struct lab *l)
{
	size_t rounds = l->quick ? 12 : ROUNDS_MAX;
	char name[64];

	lab_say(l, PROOF_STEP,
		"two tasks take turns on CPU %d: two threads, then two processes, "
		"%zu rounds interleaved, end to end",
		l->cpu, rounds);
	for (int way = 0; way < WAY_NR; way++)
		for (size_t i = 0; i < (l->quick ? 2 : ARRAY_SIZE(sets)); i++) {
			struct setting s = { (enum way)way, false, sets[i].size, sets[i].turns };
			struct duel d;
			int err = duel_play(&d, s, rounds);

			snprintf(name, sizeof(name), "%s, %s", way_names[way], sets[i].name);
			if (err)
				lab_say(l, PROOF_CANNOT, "%s: not measured: %s", name,
					strerror(-err));
			if (d.n)
				duel_say(l, &d, name);
			if (way == WAY_FUTEX && !i && d.n)
				lab_estimate(l, "switch: process - thread",
					     estimate_of(d.difference, d.n), "ns");
		}
	lab_say(l, PROOF_TRY, "mmlens stat -- perf bench sched pipe");
	lab_say(l, PROOF_TRY, "mmlens stat -- perf bench sched pipe --threaded");
}

static void class_say(struct lab *l, const struct switches *sw, enum switch_class class)
{
	const struct cost *c = &sw->classes[class].cost;
	char name[64];

	if (!c->n)
		return;
	for (int i = 0; i < 3; i++) {
		static const char *const of[] = { "p50", "p90", "p99" };
		uint64_t v[] = { c->p50, c->p90, c->p99 };

		snprintf(name, sizeof(name), "direct %s %s", switch_class_name(class), of[i]);
		lab_count(l, name, (double)v[i], "ns");
	}
	lab_say(l, PROOF_SAW, "%s: p50 %llu ns, p90 %llu ns, p99 %llu ns over %llu switches, to %s",
		switch_class_name(class), (unsigned long long)c->p50, (unsigned long long)c->p90,
		(unsigned long long)c->p99, (unsigned long long)c->n, sw->cost_end);
}

/* -errno with its reason, or 0 */
static int direct_window(struct switches *out, struct why *why, size_t rounds)
{
	struct switch_ask ask = { .tasks = 4096 };
	struct switch_session *ss;
	int err = switch_session_open(&ss, &ask, why);

	if (err)
		return err;
	err = switch_session_start(ss, why);
	for (size_t i = 0; !err && i < rounds; i++) {
		struct setting s = { WAY_PIPE, i % 2, 0, 1000 };

		game_play(&s);
	}
	if (!err)
		err = switch_session_stop(ss, out);
	switch_session_close(ss);
	return err;
}

static void direct(struct lab *l)
{
	struct switches sw = { 0 };
	struct why why = { "" };

	lab_say(l, PROOF_STEP, "the same by pipe, with every switch timed in the kernel by eBPF");
	if (direct_window(&sw, &why, l->quick ? 10 : 40)) {
		lab_say(l, PROOF_SAW, "no direct cost: %s", why.text);
	} else {
		for (int class = 0; class < CLASS_NR; class ++)
			class_say(l, &sw, (enum switch_class) class);
		lab_count(l, "switches lost", (double)sw.lost, "count");
	}
	switches_deinit(&sw);
	lab_say(l, PROOF_TRY, "mmlens stat -p PID");
}

void lab_pingpong(struct lab *l)
{
	if (l->cpu < 0)
		return lab_say(l, PROOF_CANNOT, "no CPU to pin to: switches were not measured");
	end_to_end(l);
	direct(l);
}
