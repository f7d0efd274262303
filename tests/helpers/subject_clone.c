// SPDX-License-Identifier: GPL-2.0-only
/* Situations between a process and a child it made: what clone(2) shares at birth. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "subject.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_BE_4	   (2 << 13 | 4)

/* Gives the caller an io_context: the kernel makes one only for who needs it. */
static void need_io_context(void)
{
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_BE_4))
		unavailable("ioprio_set is refused");
}

/* Gives the caller a list of semaphore undos: one operation that exit would have to undo. */
static void need_sem_undo(void)
{
	struct sembuf up = { .sem_op = 1, .sem_flg = SEM_UNDO };
	int id = semget(IPC_PRIVATE, 1, 0600);

	if (id < 0 || semop(id, &up, 1))
		fail("semop");
	/* The list outlives the set, and the set must not outlive us. */
	if (semctl(id, 0, IPC_RMID))
		fail("semctl");
}

static void need_both(void)
{
	need_io_context();
	need_sem_undo();
}

/* What a child shares, and what its kind is then. */
static const struct birth {
	const char *name;
	int flags;
	const char *kind;
	const char *shares; /* of: mm files fs sighand io sysvsem */
	void (*before)(void);
} births[] = {
	{ "fork", 0, "process", "-", NULL },
	{ "fork-owners", 0, "process", "-", need_both },
	{ "peer", CLONE_VM, "peer", "mm", NULL },
	{ "files", CLONE_FILES, "process", "files", NULL },
	{ "fs", CLONE_FS, "process", "fs", NULL },
	{ "files-fs", CLONE_FILES | CLONE_FS, "process", "files,fs", NULL },
	{ "sighand", CLONE_VM | CLONE_SIGHAND, "peer", "mm,sighand", NULL },
	{ "peer-all", CLONE_VM | CLONE_SIGHAND | CLONE_FILES | CLONE_FS, "peer",
	  "mm,files,fs,sighand", NULL },
	{ "io", CLONE_IO, "process", "io", need_io_context },
	{ "sysvsem", CLONE_SYSVSEM, "process", "sysvsem", need_sem_undo },
};

static int sleeper(void *arg)
{
	(void)arg;
	sleep_for_ever();
}

static void born(int argc, char **argv)
{
	const struct birth *b = births;

	(void)argc;
	while (strcmp(b->name, argv[0]))
		b++;
	if (b->before)
		b->before();
	say_task("pid", getpid(), "process");
	say_task("child", clone_child(sleeper, NULL, b->flags), b->kind);
	say("shares", "%s", b->shares);
	ready_and_hold();
}

/* What a stage, which cannot talk itself, says through shared memory. */
struct family {
	int parent, child;
};

/* ---- vfork: the parent waits in the kernel ---- */

static int vfork_child(void *arg)
{
	struct family *stage = arg;

	post_word(&stage->child, tid_now());
	sleep_for_ever();
}

static void vfork_parent(void *arg)
{
	struct family *stage = arg;

	post_word(&stage->parent, getpid());
	clone_child(vfork_child, stage, CLONE_VM | CLONE_VFORK);
}

static void vforked(int argc, char **argv)
{
	struct family *stage = shared_memory(sizeof(*stage));

	(void)argc, (void)argv;
	fork_child(vfork_parent, stage);
	say_task("pid", await_word(&stage->parent), "process");
	say_task("child", await_word(&stage->child), "vfork");
	say("shares", "mm");
	ready_and_hold();
}

static void vfork_from_thread(void *arg)
{
	clone_child(vfork_child, arg, CLONE_VM | CLONE_VFORK);
}

static void crowd(int argc, char **argv)
{
	static struct family stage;

	(void)argc, (void)argv;
	say_task("pid", getpid(), "process");
	say_task("tid1", start_thread(NULL, NULL), "thread");
	say_task("peer", clone_child(sleeper, NULL, CLONE_VM), "peer");
	say_task("tid2", launch_thread(vfork_from_thread, &stage), "thread");
	say_task("child", await_word(&stage.child), "vfork");
	say_task("apart", fork_child(NULL, NULL), "process");
	ready_and_hold();
}

/* ---- CLONE_PARENT: a stage makes it, so that it becomes our child and dies with us ---- */

static void sibling_maker(void *arg)
{
	struct family *stage = arg;

	post_word(&stage->parent, getpid());
	post_word(&stage->child, clone_child(sleeper, NULL, CLONE_PARENT));
}

static void sibling(int argc, char **argv)
{
	struct family *stage = shared_memory(sizeof(*stage));

	(void)argc, (void)argv;
	fork_child(sibling_maker, stage);
	say_task("pid", await_word(&stage->parent), "process");
	say_task("child", await_word(&stage->child), "process");
	say("parent", "%d", getpid());
	say("shares", "-");
	ready_and_hold();
}

const struct situation clone_situations[] = {
	{ "fork", "", "a forked child", born },
	{ "fork-owners", "", "a forked child of a parent with io_context and semaphore undos",
	  born },
	{ "vfork", "", "a child in its parent's space while the parent waits", vforked },
	{ "peer", "", "CLONE_VM without CLONE_THREAD", born },
	{ "files", "", "CLONE_FILES without CLONE_VM", born },
	{ "fs", "", "CLONE_FS alone", born },
	{ "files-fs", "", "CLONE_FILES and CLONE_FS", born },
	{ "sighand", "", "CLONE_VM and CLONE_SIGHAND", born },
	{ "peer-all", "", "everything shared but the thread group", born },
	{ "io", "", "CLONE_IO of an existing io_context", born },
	{ "sysvsem", "", "CLONE_SYSVSEM of existing semaphore undos", born },
	{ "parent", "", "CLONE_PARENT: the child is its maker's sibling", sibling },
	{ "crowd", "", "leader, threads, peer and vfork child in one space, a fork apart", crowd },
	{ 0 },
};
