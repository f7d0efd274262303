// SPDX-License-Identifier: GPL-2.0-only
/* Tasks of every kind, made by clone flags and read back through every witness there is. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "analysis/verdict.h"
#include "analysis/ledger.h"
#include "lab/lab.h"
#include "lib/cleanup.h"
#include "source/source.h"

#define STACK_SIZE (64u << 10)

enum shape {
	BY_PTHREAD,
	BY_CLONE,
	BY_VFORK
};

/* What is made, and what it must then share with its maker. */
static const struct situation {
	const char *name;
	const char *flags;
	enum shape shape;
	int clone_flags;
	enum share mm;
	enum share files;
	enum task_kind kind;
} situations[] = {
	{ "thread", "CLONE_VM|FS|FILES|SIGHAND|THREAD", BY_PTHREAD, 0, SHARE_SHARED, SHARE_SHARED,
	  KIND_THREAD },
	{ "fork", "none", BY_CLONE, 0, SHARE_SEPARATE, SHARE_SEPARATE, KIND_PROCESS },
	{ "fork that shares files", "CLONE_FILES", BY_CLONE, CLONE_FILES, SHARE_SEPARATE,
	  SHARE_SHARED, KIND_PROCESS },
	{ "peer", "CLONE_VM", BY_CLONE, CLONE_VM, SHARE_SHARED, SHARE_SEPARATE, KIND_PEER },
	{ "peer that shares files", "CLONE_VM|FILES", BY_CLONE, CLONE_VM | CLONE_FILES,
	  SHARE_SHARED, SHARE_SHARED, KIND_PEER },
	{ "vfork child", "CLONE_VM|VFORK", BY_VFORK, CLONE_VM | CLONE_VFORK, SHARE_SHARED,
	  SHARE_SEPARATE, KIND_VFORK },
};

#define N ARRAY_SIZE(situations)

/* Stacks are ours: a peer runs on the memory of its maker. */
static char stacks[N][STACK_SIZE] __attribute__((aligned(16)));
static uint32_t *tids; /* shared with the children; 0 until each is there */
#define UNBORN UINT32_MAX

static int live(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	lab_post(&tids[i], (uint32_t)syscall(SYS_gettid));
	for (;;)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	return 0;
}

static void *live_thread(void *arg)
{
	live(arg);
	return NULL;
}

/* vfork(2) holds its maker until the child is gone, so the maker is a thread of its own. */
static void *vfork_thread(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;

	if (clone(live, stacks[i] + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, arg) < 0)
		lab_post(&tids[i], UNBORN);
	return NULL;
}

static int make(size_t i)
{
	const struct situation *s = &situations[i];
	void *arg = (void *)(uintptr_t)i;
	pthread_t t;

	if (s->shape == BY_PTHREAD)
		return -pthread_create(&t, NULL, live_thread, arg);
	if (s->shape == BY_VFORK)
		return -pthread_create(&t, NULL, vfork_thread, arg);
	return clone(live, stacks[i] + STACK_SIZE, s->clone_flags | SIGCHLD, arg) < 0 ? -errno : 0;
}

static bool state_refutes(enum share seen, enum share expected)
{
	return seen != SHARE_UNKNOWN && seen != expected;
}

static void judge(struct lab *l, const char *witness, const struct snapshot *snap, size_t i,
		  const struct task *self)
{
	const struct situation *s = &situations[i];
	const struct task *t = snapshot_find(snap, tids[i]);
	enum share mm, files;
	bool wrong_kind;

	if (!t)
		return lab_fact(l, false, "%s sees the %s", witness, s->name);
	mm = resource_share(self, t, RES_MM);
	files = resource_share(self, t, RES_FILES);
	/* a witness that cannot tell a vfork child calls it a peer, rightly as far as it sees */
	wrong_kind = t->kind != s->kind && !(s->kind == KIND_VFORK && !(t->known & KNOWN_VFORK));
	lab_say(l, PROOF_SAW, "%s: %s (%s): a %s; mm %s, files %s", witness, s->name, s->flags,
		task_kind_name((enum task_kind)t->kind), share_name(mm), share_name(files));
	if (mm == SHARE_UNKNOWN)
		return lab_say(l, PROOF_SAW, "%s cannot tell the space of the %s", witness,
			       s->name);
	lab_fact(l, mm == s->mm && !state_refutes(files, s->files) && !wrong_kind,
		 "%s: %s as its flags say", witness, s->name);
}

static void look_through(struct lab *l, const char *witness, size_t made)
{
	struct snapshot snap;
	struct ledger ledger;
	struct why why = { "" };
	const struct task *self;

	snapshot_init(&snap);
	if (!source_by_name(witness) || source_snapshot(witness, 0, &snap, &why)) {
		lab_say(l, PROOF_SAW, "%s: not here%s%s", witness, *why.text ? ": " : "", why.text);
		return;
	}
	self = snapshot_find(&snap, (uint32_t)getpid());
	if (self && !ledger_init(&ledger, &snap)) {
		for (size_t i = 0; i < made; i++)
			if (tids[i])
				judge(l, witness, &snap, i, self);
		ledger_deinit(&ledger);
	}
	snapshot_deinit(&snap);
}

/* A child of vfork is not found by its tid alone when it never came to life. */
static size_t make_all(struct lab *l)
{
	size_t made;

	for (made = 0; made < N; made++) {
		int err = make(made);

		if (!err)
			lab_wait(&tids[made], 0);
		if (!err && tids[made] == UNBORN)
			err = -EAGAIN;
		if (err) {
			lab_say(l, PROOF_CANNOT, "a %s could not be made: %s (ulimit -u?)",
				situations[made].name, strerror(-err));
			break;
		}
	}
	return made;
}

void lab_definition(struct lab *l)
{
	static const char *const witnesses[] = { "module", "bpf", "procfs" };
	size_t made;

	tids = lab_shared(N * sizeof(*tids));
	if (!tids)
		return lab_say(l, PROOF_CANNOT, "no shared memory for the children's names");
	lab_say(l, PROOF_STEP,
		"make a task in each of %zu ways, textbook and in between, and read "
		"them back through every witness",
		N);
	made = make_all(l);
	for (size_t i = 0; i < ARRAY_SIZE(witnesses); i++)
		if (!strcmp(l->source, "auto") || !strcmp(l->source, witnesses[i]))
			look_through(l, witnesses[i], made);
	lab_say(l, PROOF_TRY, "mmlens compare TASK TASK");
	lab_say(l, PROOF_TRY, "mmlens list");
	for (size_t i = 0; i < made; i++)
		if (situations[i].shape != BY_PTHREAD)
			kill((pid_t)tids[i], SIGKILL);
}
