// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workloads of context switches of one known class each. After `ready` one line on standard input
 * starts ROUNDS rounds on one CPU; `done rounds=N` ends them, and the tasks stay to be read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

struct game {
	int turn; /* whose: 0 or 1; -1 before the start */
	int rounds;
	int cpu;
	int arrived[2];
	int finished[2];
	int baton[2]; /* switch-alternate: each player waits for its own */
	int hopping;  /* switch-kernel: the spinner goes on while it is set */
};

/* Calls are made as a program of 32 bits makes them, by numbers and with pointers of its own. */
static bool legacy;

#ifdef __x86_64__
#define LEGACY_GETPID 20
#define LEGACY_FUTEX  240
#define LEGACY_MAP    MAP_32BIT

static long legacy_call(long nr, long a, long b, long c)
{
	__asm__ volatile("int $0x80"
			 : "+a"(nr)
			 : "b"(a), "c"(b), "d"(c), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return nr;
}

static long legacy_futex(int *word, int op, int value)
{
	return legacy_call(LEGACY_FUTEX, (long)word, op, value);
}

/* A kernel without them ends who tries. */
static void try_legacy_call(void *arg)
{
	(void)arg;
	_exit(legacy_call(LEGACY_GETPID, 0, 0, 0) != getpid());
}

static void need_legacy_calls(void)
{
	int status, pid = fork_child(try_legacy_call, NULL);

	if (waitpid(pid, &status, 0) != pid || status)
		unavailable("no system calls of 32-bit programs");
}
#else
#define LEGACY_MAP 0

static long legacy_futex(int *word, int op, int value)
{
	(void)word, (void)op, (void)value;
	return -1;
}

static void need_legacy_calls(void)
{
	unavailable("a program of 64 bits can make no calls of 32 bits here");
}
#endif

static long futex(int *word, int op, int value)
{
	return legacy ? legacy_futex(word, op, value)
		      : syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void await_baton(int *baton)
{
	while (!__atomic_load_n(baton, __ATOMIC_ACQUIRE))
		futex(baton, FUTEX_WAIT, 0);
	post_word(baton, 0);
}

static void give_baton(int *baton)
{
	post_word(baton, 1);
	futex(baton, FUTEX_WAKE, 1);
}

static int pick_cpu(int argc, char **argv)
{
	return (int)number(argc, argv, 2, last_cpu());
}

static void await_turn(struct game *g, int me)
{
	int turn;

	while ((turn = __atomic_load_n(&g->turn, __ATOMIC_ACQUIRE)) != me)
		futex(&g->turn, FUTEX_WAIT, turn);
}

static void give_turn(struct game *g, int to)
{
	post_word(&g->turn, to);
	futex(&g->turn, FUTEX_WAKE, INT_MAX);
}

/* Only system calls: one of the players may share the other's TLS. */
static void play(struct game *g, int me)
{
	post_word(&g->arrived[me], tid_now());
	for (int i = 0; i < g->rounds; i++) {
		await_turn(g, me);
		give_turn(g, !me);
	}
	post_word(&g->finished[me], 1);
}

static void player0(void *g)
{
	play(g, 0);
}

static void player1(void *g)
{
	play(g, 1);
}

static int player1_clone(void *g)
{
	play(g, 1);
	return 0;
}

static struct game *new_game(int argc, char **argv)
{
	struct game *g = shared_memory_where(sizeof(*g), legacy ? LEGACY_MAP : 0);

	g->turn = -1;
	g->rounds = (int)number(argc, argv, 1, 10000);
	g->cpu = pick_cpu(argc, argv);
	say("cpu", "%d", g->cpu);
	say("rounds", "%d", g->rounds);
	return g;
}

/*
 * The controller sleeps in read() on purpose while they play, and on another CPU where there is
 * one, so as not to add switches of its own to the pinned one.
 */
static void run(struct game *g)
{
	ready();
	hold();
	give_turn(g, 0);
	await_end(&g->finished[0]);
	await_end(&g->finished[1]);
	printf("done rounds=%d\n", g->rounds);
	fflush(stdout);
	hold();
}

/* ---- two threads of a forked process; the controller is no party to it ---- */

static void two_threads(void *arg)
{
	struct game *g = arg;

	pin_to(0, g->cpu);
	launch_thread(player1, g);
	play(g, 0);
}

static void switch_threads(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);
	pid_t pid = fork_child(two_threads, g);

	await_word(&g->arrived[0]);
	say_task("pid", pid, "process");
	say_task("tid1", await_word(&g->arrived[1]), "thread");
	say("class", "thread");
	run(g);
}

static void pinned_process(void *arg)
{
	struct game *g = arg;

	pin_to(0, g->cpu);
	player0(g);
}

static void pinned_process1(void *arg)
{
	struct game *g = arg;

	pin_to(0, g->cpu);
	player1(g);
}

static void switch_processes(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);

	say_task("pid", fork_child(pinned_process, g), "process");
	say_task("child", fork_child(pinned_process1, g), "process");
	await_word(&g->arrived[0]);
	await_word(&g->arrived[1]);
	say("class", "process");
	run(g);
}

static void switch_legacy(int argc, char **argv)
{
	need_legacy_calls();
	legacy = true;
	switch_processes(argc, argv);
}

/* ---- two thread groups in one space ---- */

static void peers(void *arg)
{
	struct game *g = arg;

	pin_to(0, g->cpu);
	clone_child(player1_clone, g, CLONE_VM);
	play(g, 0);
}

static void switch_peers(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);
	pid_t pid = fork_child(peers, g);

	await_word(&g->arrived[0]);
	say_task("pid", pid, "process");
	say_task("child", await_word(&g->arrived[1]), "peer");
	say("class", "peer");
	run(g);
}

/* The thread that called vfork waits; its leader plays with the child. */
static void vforker(void *arg)
{
	clone_child(player1_clone, arg, CLONE_VM | CLONE_VFORK);
}

static void vfork_peers(void *arg)
{
	struct game *g = arg;

	pin_to(0, g->cpu);
	launch_thread(vforker, g);
	play(g, 0);
}

static void switch_vfork(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);
	pid_t pid = fork_child(vfork_peers, g);

	await_word(&g->arrived[0]);
	say_task("pid", pid, "process");
	say_task("child", await_word(&g->arrived[1]), "vfork");
	say("class", "peer");
	run(g);
}

/* ---- alone: to-idle and back-same ---- */

static void sleep_rounds(void *arg)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct game *g = arg;

	pin_to(0, g->cpu);
	post_word(&g->arrived[0], tid_now());
	await_turn(g, 0);
	for (int i = 0; i < g->rounds; i++)
		nanosleep(&ms, NULL);
	post_word(&g->finished[0], 1);
	post_word(&g->finished[1], 1);
}

static void switch_sleeper(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);

	say_task("pid", fork_child(sleep_rounds, g), "process");
	await_word(&g->arrived[0]);
	say("class", "to-idle,back-same");
	run(g);
}

/* ---- two processes in turn with idle between them: to-idle and back-other ---- */

/* The conductor gives the turn on only when the player that had it sleeps again. */
static void conducted(struct game *g, int me)
{
	pin_to(0, g->cpu);
	post_word(&g->arrived[me], tid_now());
	for (int i = 0; i < g->rounds; i++) {
		await_baton(&g->baton[me]);
	}
	post_word(&g->finished[me], 1);
}

static void conducted0(void *g)
{
	conducted(g, 0);
}

static void conducted1(void *g)
{
	conducted(g, 1);
}

static void conduct(struct game *g, const int pids[2])
{
	for (int i = 0; i < 2 * g->rounds; i++) {
		int *baton = &g->baton[i % 2];

		await_state(pids[i % 2], "S");
		give_baton(baton);
		while (__atomic_load_n(baton, __ATOMIC_ACQUIRE))
			sched_yield();
		await_state(pids[i % 2], "SZ");
	}
}

static void switch_alternate(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);
	int pids[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		unavailable("one CPU alone cannot stand idle between two tasks");
	pids[0] = fork_child(conducted0, g);
	pids[1] = fork_child(conducted1, g);
	say_task("pid", pids[0], "process");
	say_task("child", pids[1], "process");
	await_word(&g->arrived[0]);
	await_word(&g->arrived[1]);
	say("class", "to-idle,back-other");
	ready();
	hold();
	pin_to(0, g->cpu ? 0 : 1);
	conduct(g, pids);
	printf("done rounds=%d\n", g->rounds);
	fflush(stdout);
	hold();
}

/* ---- a kernel thread between two processes: to-kernel and back-other ---- */

/*
 * A task that moves itself off a CPU is carried by that CPU's migration thread; what waited there
 * runs next. So each round on the CPU is hopper -> migration thread -> spinner.
 */
static void hopper(void *arg)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct game *g = arg;

	pin_to(0, g->cpu);
	post_word(&g->arrived[0], tid_now());
	await_turn(g, 0);
	for (int i = 0; i < g->rounds; i++) {
		pin_to(0, g->cpu ? 0 : 1);
		nanosleep(&ms, NULL);
		pin_to(0, g->cpu);
	}
	post_word(&g->hopping, 0);
	post_word(&g->finished[0], 1);
}

static void spinner(void *arg)
{
	struct game *g = arg;

	pin_to(0, g->cpu);
	post_word(&g->arrived[1], tid_now());
	while (__atomic_load_n(&g->turn, __ATOMIC_ACQUIRE) < 0)
		futex(&g->turn, FUTEX_WAIT, -1);
	while (__atomic_load_n(&g->hopping, __ATOMIC_ACQUIRE))
		;
	post_word(&g->finished[1], 1);
}

static void switch_kernel(int argc, char **argv)
{
	struct game *g = new_game(argc, argv);

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		unavailable("there is no second CPU to hop to");
	g->hopping = 1;
	say_task("pid", fork_child(hopper, g), "process");
	say_task("child", fork_child(spinner, g), "process");
	await_word(&g->arrived[0]);
	await_word(&g->arrived[1]);
	say("class", "to-kernel,back-other");
	run(g);
}

/* ---- each of many processes hands the CPU to each other once ---- */

#define MESH_MAX 512

struct mesh {
	int n; /* a prime, so that each stride passes all of them */
	int cpu;
	int arrived;
	int finished;
	int baton[MESH_MAX];
};

struct mesh_player {
	struct mesh *mesh;
	int me;
};

static void mesh_player(void *arg)
{
	const struct mesh_player *p = arg;
	struct mesh *m = p->mesh;

	pin_to(0, m->cpu);
	__atomic_add_fetch(&m->arrived, 1, __ATOMIC_RELEASE);
	for (int stride = 1; stride < m->n; stride++) {
		await_baton(&m->baton[p->me]);
		give_baton(&m->baton[(p->me + stride) % m->n]);
	}
	if (p->me)
		return;
	await_baton(&m->baton[0]);
	post_word(&m->finished, 1);
}

static void switch_mesh(int argc, char **argv)
{
	struct mesh *m = shared_memory(sizeof(*m));

	m->n = (int)number(argc, argv, 1, 223);
	m->cpu = pick_cpu(argc, argv);
	if (m->n < 2 || m->n > MESH_MAX)
		fail("so many processes");
	for (int i = 0; i < m->n; i++) {
		struct mesh_player p = { m, i };

		fork_child(mesh_player, &p);
	}
	while (__atomic_load_n(&m->arrived, __ATOMIC_ACQUIRE) < m->n)
		usleep(1000);
	say("pairs", "%d", m->n * (m->n - 1));
	ready();
	hold();
	give_baton(&m->baton[0]);
	await_end(&m->finished);
	printf("done rounds=%d\n", m->n - 1);
	fflush(stdout);
	hold();
}

const struct situation switch_situations[] = {
	{ "switch-threads", "[ROUNDS] [CPU]", "two threads hand one CPU to each other",
	  switch_threads },
	{ "switch-processes", "[ROUNDS] [CPU]", "two processes do", switch_processes },
	{ "switch-legacy", "[ROUNDS] [CPU]", "two processes do by system calls of 32-bit programs",
	  switch_legacy },
	{ "switch-peers", "[ROUNDS] [CPU]", "two thread groups in one space do", switch_peers },
	{ "switch-vfork", "[ROUNDS] [CPU]", "a leader and its thread's vfork child do",
	  switch_vfork },
	{ "switch-sleeper", "[ROUNDS] [CPU]", "one task sleeps a millisecond at a time",
	  switch_sleeper },
	{ "switch-alternate", "[ROUNDS] [CPU]", "two processes with idle between",
	  switch_alternate },
	{ "switch-kernel", "[ROUNDS] [CPU]", "a kernel thread between two processes",
	  switch_kernel },
	{ "switch-mesh", "[N=223] [CPU]",
	  "each of N processes, a prime, hands it to each other once", switch_mesh },
	{ 0 },
};
