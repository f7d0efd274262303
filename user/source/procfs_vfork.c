// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/arch.h"
#include "lib/slurp.h"
#include "source/procfs.h"

static int slurp_task(struct slurp *file, const char *root, const struct task *t, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%u/task/%u/%s", root, t->key.tgid, t->key.tid, name);
	return slurp_at(file, AT_FDCWD, path);
}

enum wait {
	WAIT_NO,
	WAIT_VFORK,
	WAIT_UNKNOWN
};

/* /proc/TID/syscall: "NR ARG0 ...". clone3's flags are in memory, but blocked there it waits. */
static enum wait waits_for_vfork(const char *root, const struct task *t)
{
	cleanup_slurp struct slurp file = { 0 };
	uint64_t nr, flags;

	if (slurp_task(&file, root, t, "syscall"))
		return WAIT_UNKNOWN;
	if (sscanf(file.text, "%" SCNu64 " %" SCNx64, &nr, &flags) != 2)
		return WAIT_NO;
	if (nr == (uint64_t)ARCH_SYS_VFORK || nr == SYS_clone3)
		return WAIT_VFORK;
	return nr == SYS_clone && flags & CLONE_VFORK ? WAIT_VFORK : WAIT_NO;
}

/* The children file lists the oldest first; the waiting thread can have made none since. */
static uint32_t newest_child(const char *root, const struct task *t)
{
	cleanup_slurp struct slurp file = { 0 };
	char *last, *end;

	if (slurp_task(&file, root, t, "children"))
		return 0;
	end = file.text + strlen(file.text);
	while (end > file.text && end[-1] == ' ')
		*--end = '\0';
	last = strrchr(file.text, ' ');
	return (uint32_t)strtoul(last ? last + 1 : file.text, NULL, 10);
}

/* A group that shares its space with its parent's group: the only ones in question. */
static bool is_candidate(const struct snapshot *s, const struct task *t)
{
	const struct task *parent = snapshot_find(s, t->ppid);

	return task_is_leader(t) && task_space(t) && parent && task_space(parent) == task_space(t);
}

static void judge_waiter(const char *root, struct snapshot *s, const struct task *t)
{
	struct task *child;

	if (waits_for_vfork(root, t) != WAIT_VFORK)
		return;
	child = (struct task *)snapshot_find(s, newest_child(root, t));
	if (child && is_candidate(s, child) && child->ppid == t->key.tgid)
		child->flags |= TASK_VFORK;
}

/* Unless each possible waiter answers, a candidate that was not found may still be one. */
static bool group_answers(const char *root, const struct snapshot *s, uint32_t tgid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->tasks[i].key.tgid == tgid && s->tasks[i].state == 'D' &&
		    waits_for_vfork(root, &s->tasks[i]) == WAIT_UNKNOWN)
			return false;
	return true;
}

static void judge_parents(const char *root, struct snapshot *s, const struct task *child)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->tasks[i].key.tgid == child->ppid && s->tasks[i].state == 'D')
			judge_waiter(root, s, &s->tasks[i]);
}

void procfs_mark_vfork(const char *root, struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct task *t = &s->tasks[i];

		if (!is_candidate(s, t)) {
			t->known |= task_res_known(t, RES_MM) ? KNOWN_VFORK : 0;
			continue;
		}
		judge_parents(root, s, t);
		if (t->flags & TASK_VFORK || group_answers(root, s, t->ppid))
			t->known |= KNOWN_VFORK;
	}
}
