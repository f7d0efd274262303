// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one filler of a row: field group by field group, each under the lock the kernel keeps for it.
 *
 *   task_lock()   comm, mm, files, fs, nsproxy, io_context: what they point to stays while it is
 *                 held
 *   RCU           the task itself and with it signal, its pid, cred, sighand, cgroup, real_parent,
 *                 group_leader; the caller holds it for the whole row
 *   none          counters and flags the kernel itself shows torn apart by a moment
 *
 * A pointer that only becomes an identity is never followed.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/time_namespace.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "compat/compat.h"
#include "kmod.h"

/*
 * True if the tid still names the task and no exec is on its way to change that. de_thread() goes:
 * start time, the pids' task lists, thread_pid, pid, group_leader, then the old leader dies.
 * Each of the tests below fails at one of the steps between. The first step is told by two
 * equal start times while notify_count is negative, as it is for the length of de_thread().
 */
static bool identity_settled(const struct mmlens_ref *ref)
{
	struct task_struct *task = ref->task;
	struct task_struct *leader = READ_ONCE(task->group_leader);

	return READ_ONCE(task->thread_pid) == ref->pid &&
	       (READ_ONCE(task->pid) == task->tgid) == (leader == task) &&
	       (leader == task || READ_ONCE(task->signal->notify_count) >= 0 ||
		READ_ONCE(task->start_boottime) != READ_ONCE(leader->start_boottime));
}

/*
 * Every task has its tgid of the initial namespace at hand, even one that is being reaped and whose
 * row will not be given.
 */
static u32 tgid_in(struct task_struct *task, struct pid_namespace *ns)
{
	return ns == &init_pid_ns ? task->tgid : task_tgid_nr_ns(task, ns);
}

/* group_leader and real_parent may be freed once the task is unhashed, not before. */
static void fill_family(const struct mmlens_ref *ref, struct pid_namespace *ns,
			struct mmlens_task *rec)
{
	struct task_struct *task = ref->task, *parent;

	if (!pid_alive(task))
		return;
	parent = rcu_dereference(task->real_parent);
	rec->leader_start_ns = READ_ONCE(task->group_leader)->start_boottime;
	rec->ppid = tgid_in(parent, ns);
	rec->init_ppid = parent->tgid;
	rec->parent_start_ns = READ_ONCE(parent->group_leader)->start_boottime;
	rec->known |= MMLENS_KNOWN(PARENT);
}

static void fill_key(const struct mmlens_ref *ref, struct pid_namespace *ns,
		     struct mmlens_task *rec)
{
	struct task_struct *task = ref->task;

	rec->tid = ref->tid;
	rec->tgid = tgid_in(task, ns);
	rec->init_tid = pid_nr(ref->pid);
	rec->init_tgid = task->tgid;
	rec->start_ns = READ_ONCE(task->start_boottime);
	rec->known |= MMLENS_KNOWN(START);
}

/* The identity is a function of the pointer alone, so that a remembered one is never wrong. */
static u64 id_again(struct mmlens_reader *reader, enum mmlens_memo_slot slot, const void *object)
{
	struct mmlens_memo *memo = &reader->memo[slot];

	if (memo->object != object) {
		memo->object = object;
		memo->id = mmlens_id(object);
	}
	return memo->id;
}

static const struct {
	unsigned int pf;
	u32 flag;
} pf_flags[] = {
	{ PF_KTHREAD,			MMLENS_F_KTHREAD },
	{ PF_IO_WORKER,		MMLENS_F_IO_WORKER },
	{ MMLENS_PF_USER_WORKER,	MMLENS_F_USER_WORKER },
	{ PF_EXITING,			MMLENS_F_EXITING },
};

static u32 task_flags(struct task_struct *task)
{
	unsigned int pf = READ_ONCE(task->flags);
	u32 flags = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pf_flags); i++)
		if (pf & pf_flags[i].pf)
			flags |= pf_flags[i].flag;
	/* From 6.4 an io_uring worker has both bits; here it is one thing or the other. */
	if (flags & MMLENS_F_IO_WORKER)
		flags &= ~MMLENS_F_USER_WORKER;
	if (thread_group_leader(task))
		flags |= MMLENS_F_LEADER;
	if (mmlens_task_on_cpu(task))
		flags |= MMLENS_F_ON_CPU;
	if (READ_ONCE(task->ptrace))
		flags |= MMLENS_F_TRACED;
	if (mmlens_task_state(task) & TASK_NEW)
		flags |= MMLENS_F_NEWBORN;
	/* A kernel thread keeps other things in vfork_done. */
	if (!(pf & PF_KTHREAD) && in_vfork(task))
		flags |= MMLENS_F_IN_VFORK;
	return flags;
}

static void fill_state(struct task_struct *task, struct mmlens_task *rec)
{
	int exit_state = READ_ONCE(task->exit_state);

	rec->flags = task_flags(task);
	rec->state = task_state_to_char(task);
	if (exit_state)
		rec->exit_state = exit_state & EXIT_DEAD ? MMLENS_EXIT_DEAD : MMLENS_EXIT_ZOMBIE;
	rec->cpu = task_cpu(task);
	rec->nvcsw = READ_ONCE(task->nvcsw);
	rec->nivcsw = READ_ONCE(task->nivcsw);
	rec->known |= MMLENS_KNOWN(STATE) | MMLENS_KNOWN(SWITCHES);
}

static void fill_seccomp(struct task_struct *task, struct mmlens_task *rec)
{
#ifdef CONFIG_SECCOMP
	rec->seccomp_mode = READ_ONCE(task->seccomp.mode);
#endif
#ifdef CONFIG_SECCOMP_FILTER
	rec->seccomp_filter = mmlens_id(READ_ONCE(task->seccomp.filter));
#endif
	rec->known |= MMLENS_KNOWN(SECCOMP);
}

static void fill_cgroup(struct task_struct *task, struct mmlens_task *rec)
{
#ifdef CONFIG_CGROUPS
	rec->cgroup = cgroup_id(task_dfl_cgroup(task));
	rec->known |= MMLENS_KNOWN(CGROUP);
#endif
}

/* real_cred, the objective ones: whom others see; kcmp(2) knows no other. */
static void fill_cred(struct task_struct *task, struct mmlens_reader *reader,
		      struct mmlens_task *rec)
{
	const struct cred *cred = __task_cred(task);

	rec->cred = id_again(reader, MMLENS_MEMO_CRED, cred);
	rec->user_ns = cred->user_ns->ns.inum;
	rec->known |= MMLENS_KNOWN(CRED) | MMLENS_KNOWN(USER_NS);
}

/* What only the pointer is wanted of. The group's signal_struct lives as long as its tasks. */
static void fill_pointers(struct task_struct *task, struct mmlens_reader *reader,
			  struct mmlens_task *rec)
{
	rec->signal = id_again(reader, MMLENS_MEMO_SIGNAL, task->signal);
	rec->sighand = id_again(reader, MMLENS_MEMO_SIGHAND, rcu_access_pointer(task->sighand));
#ifdef CONFIG_SYSVIPC
	rec->sysvsem = mmlens_id(READ_ONCE(task->sysvsem.undo_list));
#endif
	rec->known |= MMLENS_KNOWN(SIGNAL) | MMLENS_KNOWN(SIGHAND) | MMLENS_KNOWN(SYSVSEM);
}

/*
 * The namespace of the task's own pid. A task that is dead but not yet reaped still has it, and so
 * has the pid that is referenced here.
 */
static void fill_pid_ns(const struct mmlens_ref *ref, struct mmlens_task *rec)
{
	rec->pid_ns = ns_of_pid(ref->pid)->ns.inum;
	rec->known |= MMLENS_KNOWN(PID_NS);
}

#define NS_KNOWN (MMLENS_KNOWN(UTS_NS) | MMLENS_KNOWN(IPC_NS) | MMLENS_KNOWN(NET_NS) | \
		  MMLENS_KNOWN(TIME_NS) | MMLENS_KNOWN(CGROUP_NS))

/* Under task_lock(). A task that has left its namespaces behind has none. */
static void fill_namespaces(const struct nsproxy *proxy, struct mmlens_task *rec)
{
	rec->known |= NS_KNOWN;
	if (!proxy) {
		rec->known |= MMLENS_KNOWN(MNT_NS);
		return;
	}
	rec->uts_ns = proxy->uts_ns->ns.inum;
	rec->net_ns = proxy->net_ns->ns.inum;
#if defined(CONFIG_SYSVIPC) || defined(CONFIG_POSIX_MQUEUE)
	rec->ipc_ns = proxy->ipc_ns->ns.inum;
#endif
#ifdef CONFIG_TIME_NS
	rec->time_ns = proxy->time_ns->ns.inum;
#endif
#ifdef CONFIG_CGROUPS
	rec->cgroup_ns = proxy->cgroup_ns->ns.inum;
#endif
	if (!mmlens_mnt_ns_inum(proxy->mnt_ns, &rec->mnt_ns))
		rec->known |= MMLENS_KNOWN(MNT_NS);
}

/*
 * Under task_lock(), by which the space stays and is told by its pointer. Mostly active_mm is the
 * same one; if not, fill_active_mm() sees to it.
 */
static void fill_mm(struct task_struct *task, struct mmlens_task *rec)
{
	struct mm_struct *mm = task->mm;

	rec->known |= MMLENS_KNOWN(MM) | MMLENS_KNOWN(MM_COUNTS) | MMLENS_KNOWN(START_STACK);
	if (!mm)
		return;
	rec->mm = mmlens_space_id(mm);
	rec->mm_users = atomic_read(&mm->mm_users);
	rec->mm_count = atomic_read(&mm->mm_count);
	rec->start_stack = READ_ONCE(mm->start_stack);
	if (READ_ONCE(task->active_mm) == mm) {
		rec->active_mm = rec->mm;
		rec->known |= MMLENS_KNOWN(ACTIVE_MM);
	}
	if (rec->flags & MMLENS_F_KTHREAD)
		rec->flags |= MMLENS_F_LOAN;
}

/*
 * Returns the task's space, which may be gone by then unless it is in @pinned too (mm_users). That
 * is NULL if no stacks are wanted, there is no space, or it is being left.
 */
static struct mm_struct *fill_locked(struct task_struct *task, struct mmlens_reader *reader,
				     struct mmlens_task *rec, struct mm_struct **pinned)
{
	struct mm_struct *mm;

	task_lock(task);
	memcpy(rec->comm, task->comm, sizeof(rec->comm));
	mm = task->mm;
	fill_mm(task, rec);
	rec->files = id_again(reader, MMLENS_MEMO_FILES, task->files);
	rec->fs = id_again(reader, MMLENS_MEMO_FS, task->fs);
#ifdef CONFIG_BLOCK
	rec->io = mmlens_id(task->io_context);
#endif
	fill_namespaces(task->nsproxy, rec);
	*pinned = mm && reader->depth >= MMLENS_DEPTH_STACKS && mmget_not_zero(mm) ? mm : NULL;
	task_unlock(task);

	rec->known |= MMLENS_KNOWN(FILES) | MMLENS_KNOWN(FS) | MMLENS_KNOWN(IO);
	return mm;
}

/*
 * A space that is not the task's own is not pinned for us: the processor that runs the task may
 * drop it at any time.
 * mmlens_loose_space_id() does not trust the pointer, and if the task still has it afterwards the
 * number was read from a space that was there. Freed and used again between the two looks it is
 * the task's new one.
 */
static void fill_active_mm(struct task_struct *task, struct mmlens_task *rec)
{
	struct mm_struct *mm = READ_ONCE(task->active_mm);
	u64 id = mmlens_loose_space_id(mm);

	smp_rmb();	/* the number, then the second look */
	if (READ_ONCE(task->active_mm) != mm)
		return;
	rec->active_mm = id;
	rec->known |= MMLENS_KNOWN(ACTIVE_MM);
}

/*
 * False if the task changed its space meanwhile: an exec, whose row would mix two programs. It
 * takes two of them to bring back the address of the first space, and the former has counted
 * itself in self_exec_id before the latter begins.
 */
static bool fill_spaces_and_stacks(struct task_struct *task, struct mmlens_reader *reader,
				   struct mmlens_task *rec)
{
	u64 execs = READ_ONCE(task->self_exec_id);
	struct mm_struct *mm, *pinned;
	bool same;

	smp_rmb();	/* the count, then the space */
	mm = fill_locked(task, reader, rec, &pinned);
	if (!(rec->known & MMLENS_KNOWN(ACTIVE_MM)))
		fill_active_mm(task, rec);
	if (reader->depth >= MMLENS_DEPTH_STACKS)
		mmlens_fill_stacks(task, pinned, reader, rec);
	same = !mm || READ_ONCE(task->mm) == mm;
	smp_rmb();	/* the space, then the count */
	same &= READ_ONCE(task->self_exec_id) == execs;
	/* Not mmput(): were ours the last reference, the reader would tear the space down. */
	if (pinned)
		mmput_async(pinned);
	return same;
}

/*
 * 0, -EAGAIN if what the tid names changed meanwhile, -ESRCH if the task is being reaped: then
 * the tid is nobody's soon, or already that of the thread whose exec took this leader's place.
 */
int mmlens_fill(const struct mmlens_ref *ref, struct mmlens_reader *reader,
		struct mmlens_task *rec)
{
	struct task_struct *task = ref->task;
	bool settled = identity_settled(ref);

	/* the tail is zero since the file was opened, a header before the row did not reach it */
	BUILD_BUG_ON(offsetof(struct mmlens_header, reserved) >
		     offsetof(struct mmlens_task, reserved));
	memset(rec, 0, offsetof(struct mmlens_task, reserved));
	fill_key(ref, reader->ns, rec);
	fill_state(task, rec);
	settled &= fill_spaces_and_stacks(task, reader, rec);
	fill_family(ref, reader->ns, rec);
	fill_pid_ns(ref, rec);
	fill_pointers(task, reader, rec);
	fill_cred(task, reader, rec);
	fill_cgroup(task, rec);
	fill_seccomp(task, rec);

	if (READ_ONCE(task->exit_state) == EXIT_DEAD)
		return -ESRCH;
	smp_rmb();	/* the fields, then the second look */
	settled &= identity_settled(ref) && rec->start_ns == READ_ONCE(task->start_boottime);
	return settled ? 0 : -EAGAIN;
}
