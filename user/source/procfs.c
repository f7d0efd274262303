// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc and kcmp(2) as a source: weaker than the others, and the only one that serves a user
 * without rights. Credentials, seccomp filters, kernel stacks and lazy loans it cannot tell.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/kcmpids.h"
#include "source/procfs.h"
#include "source/source.h"

#define ROOT "/proc"

static int procfs_open(struct source *src, const char *arg, struct why *why)
{
	(void)src;
	(void)arg;
	if (access(ROOT "/self/stat", R_OK))
		return why_set(why, -ENOENT, "no procfs is mounted at " ROOT);
	return 0;
}

static void procfs_close(struct source *src)
{
	(void)src;
}

/* Threads of one group have one signal_struct, the leader's; it lives as long as any of them. */
static void set_signals(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct task *leader = snapshot_find(s, s->tasks[i].key.tgid);

		if (leader)
			task_set_res(&s->tasks[i], RES_SIGNAL,
				     leader->key.start_ns / 10000000 << 22 | leader->key.tid);
	}
}

/* A kernel thread that has adopted a space; what it holds lazily is not to be seen from here. */
static void set_loans(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct task *t = &s->tasks[i];

		if (!(t->flags & TASK_KTHREAD) || !task_space(t))
			continue;
		t->loan = task_space(t);
		t->known |= KNOWN_LOAN;
	}
}

static int compare_all(struct snapshot *s, bool lean)
{
	struct kcmp_world world = { kcmp_system, kcmp_nobody_new() };
	int err = world.nobody ? kcmpids_assign(s, &world, lean) : 0;

	kcmp_nobody_free(world.nobody);
	return err;
}

static int procfs_read(struct source *src, unsigned int want, struct snapshot *out, struct why *why)
{
	bool lean = want & WANT_LEAN;
	int err = procfs_walk(ROOT, lean, out);

	(void)src;
	if (!err)
		err = snapshot_seal(out);
	if (!err)
		err = compare_all(out, lean);
	if (err)
		return why_set(why, err, ROOT ": %s", strerror(-err));
	set_signals(out);
	set_loans(out);
	procfs_mark_vfork(ROOT, out);
	return 0;
}

const struct source_ops source_procfs = {
	.name = "procfs",
	.open = procfs_open,
	.read = procfs_read,
	.close = procfs_close,
};
