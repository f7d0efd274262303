// SPDX-License-Identifier: GPL-2.0-only
/*
 * From one task to the next by tid, without tasklist_lock (which no module gets).
 *
 * The namespace's idr is ordered by tid and may be walked under RCU from any place: a tid is a
 * cursor that stays right whatever is born and dies meanwhile. Tids only rise in a pass, so no
 * row comes twice; a task that lives throughout keeps its tid and is met.
 *
 * But for one thing: an exec by a thread that is no leader takes over the leader's tid and start
 * time (de_thread()), behind or before the cursor, in several steps under tasklist_lock. A row
 * is therefore only given if its tid names the same task before and after it was filled and no such
 * change is half way; otherwise the tid is looked up again.
 */
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "kmod.h"

#define BRISK_TRIES	4	/* looks before we sleep: the writer needs microseconds */
#define MAX_TRIES	64	/* then the row is given with MMLENS_F_RACED */

/* The first task whose tid is at least @tid. 0, or -ENOENT behind the last. Under RCU. */
static int find_ref(struct pid_namespace *ns, u32 tid, struct mmlens_ref *ref)
{
	int nr = tid;
	struct pid *pid;

	for (; (pid = idr_get_next(&ns->idr, &nr)); nr++) {
		struct task_struct *task = pid_task(pid, PIDTYPE_PID);

		/* A pid that is only a group's or a session's by now has no task of its own. */
		if (!task)
			continue;
		ref->pid = pid;
		ref->task = task;
		ref->tid = nr;
		return 0;
	}
	return -ENOENT;
}

/*
 * Rows up to the first that cannot be given at once: how many, or of the first -ENOENT behind the
 * last task, or what mmlens_fill() says. Nothing is referenced: pids and tasks that can be found
 * are freed a grace period after they are let go (free_pid(), put_task_struct_rcu_user()), and
 * nothing sleeps here. Four atomics less for a row.
 */
static int fill_rows(struct mmlens_reader *reader, u32 tid, int room, struct mmlens_ref *ref)
{
	int n, err = 0;

	rcu_read_lock();
	for (n = 0; n < room; n++, tid = ref->tid + 1) {
		err = tid > INT_MAX ? -ENOENT : find_ref(reader->ns, tid, ref);
		if (!err)
			err = mmlens_fill(ref, reader, &reader->rows[n]);
		if (err)
			break;
	}
	rcu_read_unlock();
	return n ?: err;
}

/* The writer may be preempted with the lock held (PREEMPT_RT, a virtual CPU): give way to it. */
static void give_way(int tries)
{
	if (tries < BRISK_TRIES)
		cond_resched();
	else
		usleep_range(50, 500);
}

/*
 * Fills the reader's rows, at most @room, with the first at or behind @tid. How many, 0 behind the
 * last task, or -EINTR for a reader that is being killed.
 */
int mmlens_next_rows(struct mmlens_reader *reader, u32 tid, int room)
{
	struct mmlens_ref ref;
	int tries = 0, got;

	while (!fatal_signal_pending(current)) {
		got = fill_rows(reader, tid, room, &ref);
		if (got > 0)
			return got;
		if (got == -ENOENT)
			return 0;
		tries = ref.tid == tid ? tries + 1 : 1;
		tid = ref.tid;
		if (got == -EAGAIN && tries >= MAX_TRIES) {
			reader->rows[0].flags |= MMLENS_F_RACED;
			return 1;
		}
		/* A thread's exec may have taken the dead leader's place: look who is there now. */
		if (got == -ESRCH && tries >= BRISK_TRIES) {
			tid++;
			tries = 0;
		}
		give_way(tries);
	}
	return -EINTR;
}
