// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc and kcmp(2) as a source: weaker than the others, and the only one that serves a user
 * without rights. Whether two threads of a process have the same credentials it can tell only where
 * they allow different things; which seccomp filter a task has, kernel stacks and lazy loans not at
 * all.
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
			task_set_res(&s->tasks[i], RES_SIGNAL, kcmpids_word(leader));
	}
}

static bool is_asked(const struct source *src, const struct task *t)
{
	for (size_t i = 0; i < src->n_about; i++)
		if (src->about[i] == t->key.tid)
			return true;
	return !src->n_about;
}

/* Whether another thread of its group is asked about; they lie side by side. */
static bool has_company(const struct source *src, const struct snapshot *s, size_t i)
{
	const struct task *t = &s->tasks[i];

	return (i > 0 && t[-1].key.tgid == t->key.tgid && is_asked(src, &t[-1])) ||
	       (i + 1 < s->n && t[1].key.tgid == t->key.tgid && is_asked(src, &t[1]));
}

/*
 * Of its parent's credentials a new process gets a copy, only a thread the same (copy_creds()), and
 * nothing puts one task's in another's place: two groups never share theirs. Where the threads of
 * one do, neither /proc nor kcmp(2) tells, so who is asked about among them remains unknown; where
 * they do not, it may show in what they allow (task_creds_differ()).
 */
static void set_creds(const struct source *src, struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_asked(src, &s->tasks[i]) && !has_company(src, s, i))
			task_set_res(&s->tasks[i], RES_CRED, kcmpids_word(&s->tasks[i]));
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

static void forget_creds(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->tasks[i].cred_word = 0;
}

static int read_tasks(const struct source *src, const struct kcmp_world *world, bool lean,
		      struct snapshot *out)
{
	const bool settled = lean || procfs_ids_settled(ROOT);
	int err = src->n_about ? procfs_walk_few(ROOT, src->about, src->n_about, out)
			       : procfs_walk(ROOT, lean, out);

	if (!settled)
		forget_creds(out);
	if (!err)
		err = snapshot_seal(out);
	return !err && world->nobody ? kcmpids_assign(out, world, lean) : err;
}

static int procfs_read(struct source *src, unsigned int want, struct snapshot *out, struct why *why)
{
	/* who is told about the others, too, is told as much about them */
	const struct source all = { 0 }, *few = want & WANT_NO_OTHERS ? src : &all;
	struct kcmp_world world = { kcmp_system, kcmp_nobody_new() };
	int err = read_tasks(few, &world, want & WANT_LEAN, out);

	kcmp_nobody_free(world.nobody);
	if (err)
		return why_set(why, err, ROOT ": %s", strerror(-err));
	set_signals(out);
	set_creds(few, out);
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
