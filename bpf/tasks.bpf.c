// SPDX-License-Identifier: GPL-2.0-only
/*
 * iter/task: one mmlens_task_rec for each task of the reader's pid namespace.
 *
 * No lock of the task is held. What is read through task->mm could therefore belong to an mm that
 * is being replaced; the pointer is read again at the end, and a row that changed says so.
 */
#include "compat.bpf.h"
#include "ids.bpf.h"
#include "mmlens_event.h"

const volatile struct mmlens_task_ask ask = {};

#define VM_ACCESS 0x7UL /* VM_READ | VM_WRITE | VM_EXEC */

/*
 * A global function, which the verifier walks once: inlined, the branch in it doubled the paths
 * through the program at each of ten calls.
 */
__noinline __u64 object_id(__u64 obj)
{
	return keyed_id(&ask.keys, (const void *)obj);
}

/* The number of `pid` in the namespace `level` levels below the first; 0 if it is not in there. */
static __always_inline __u32 pid_nr(const struct pid *pid, __u32 level)
{
	const char *upid;

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	upid = (const char *)&pid->numbers[0] + level * bpf_core_type_size(struct upid);
	return BPF_CORE_READ((const struct upid *)upid, nr);
}

static __always_inline __u32 task_nr(const struct task_struct *t, __u32 level)
{
	return pid_nr(BPF_CORE_READ(t, thread_pid), level);
}

static __always_inline __u32 reader_level(void)
{
	const struct task_struct *reader = (void *)bpf_get_current_task();

	return BPF_CORE_READ(reader, thread_pid, level);
}

static __always_inline void put_res(struct mmlens_task_rec *r, enum mmlens_res which, __u64 id)
{
	r->res[which] = id;
	r->res_has |= 1u << which;
}

#define put_object(r, which, t, field)                                                \
	do {                                                                          \
		if (compat_has_field((t)->field))                                     \
			put_res(r, which, object_id((__u64)BPF_CORE_READ(t, field))); \
	} while (0)

static __always_inline void fill_objects(struct mmlens_task_rec *r, const struct task_struct *t)
{
	put_object(r, MMLENS_RES_FILES, t, files);
	put_object(r, MMLENS_RES_FS, t, fs);
	put_object(r, MMLENS_RES_SIGHAND, t, sighand);
	put_object(r, MMLENS_RES_SIGNAL, t, signal);
	put_object(r, MMLENS_RES_IO, t, io_context);
	put_object(r, MMLENS_RES_SYSVSEM, t, sysvsem.undo_list);
	put_object(r, MMLENS_RES_CRED, t, real_cred);
}

/* A dead task has no proxy: reading through NULL gives 0, which is the answer. */
#define put_ns(r, which, proxy, field)                                           \
	do {                                                                     \
		if (compat_has_field((proxy)->field))                            \
			put_res(r, which, BPF_CORE_READ(proxy, field, ns.inum)); \
	} while (0)

static __always_inline void fill_namespaces(struct mmlens_task_rec *r, const struct task_struct *t)
{
	const struct nsproxy *proxy = BPF_CORE_READ(t, nsproxy);
	const struct pid *pid = BPF_CORE_READ(t, thread_pid);
	const char *upid;

	put_ns(r, MMLENS_RES_UTS_NS, proxy, uts_ns);
	put_ns(r, MMLENS_RES_IPC_NS, proxy, ipc_ns);
	put_ns(r, MMLENS_RES_MNT_NS, proxy, mnt_ns);
	put_ns(r, MMLENS_RES_NET_NS, proxy, net_ns);
	put_ns(r, MMLENS_RES_TIME_NS, proxy, time_ns);
	put_ns(r, MMLENS_RES_CGROUP_NS, proxy, cgroup_ns);
	put_res(r, MMLENS_RES_USER_NS, BPF_CORE_READ(t, real_cred, user_ns, ns.inum));

	/* The namespace a task is in, not the one its children will be born in. */
	if (!pid)
		return;
	upid = (const char *)&pid->numbers[0] +
	       BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
	put_res(r, MMLENS_RES_PID_NS, BPF_CORE_READ((const struct upid *)upid, ns, ns.inum));
}

static __always_inline void fill_limits(struct mmlens_task_rec *r, const struct task_struct *t)
{
	const struct seccomp_filter *filter;

	if (compat_has_field(t->cgroups))
		put_res(r, MMLENS_RES_CGROUP, BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id));
	if (!compat_has_field(t->seccomp.mode))
		return;
	/* Strict mode has no filter object: its only id is 1, which no keyed id is in practice. */
	filter = BPF_CORE_READ(t, seccomp.filter);
	put_res(r, MMLENS_RES_SECCOMP,
		filter ? object_id((__u64)filter) : BPF_CORE_READ(t, seccomp.mode));
}

static __always_inline void fill_space(struct mmlens_task_rec *r, const struct task_struct *t)
{
	const struct mm_struct *mm = BPF_CORE_READ(t, mm);
	bool kthread = BPF_CORE_READ(t, flags) & PF_KTHREAD;

	if (mm)
		r->mm_users = BPF_CORE_READ(mm, mm_users.counter);
	/* A kernel thread has an mm while kthread_use_mm() lasts; lazily only active_mm is set. */
	put_res(r, MMLENS_RES_MM, space_id(&ask.keys, mm));
	if (kthread)
		r->loan = mm ? r->res[MMLENS_RES_MM]
			     : space_id(&ask.keys, BPF_CORE_READ(t, active_mm));
	/* vfork_done is set for every kernel thread too, and for a child that does not share. */
	if (mm && !kthread && BPF_CORE_READ(t, vfork_done) &&
	    BPF_CORE_READ(t, real_parent, mm) == mm)
		r->flags |= MMLENS_TASK_VFORK;
	if (BPF_CORE_READ(t, mm) != mm)
		r->flags |= MMLENS_TASK_RACED;
}

/* Global for the verifier's sake, as object_id(). */
__noinline __u32 flags_of(__u32 pf)
{
	__u32 flags = 0;

	if (pf & PF_KTHREAD)
		flags |= MMLENS_TASK_KTHREAD;
	if (pf & PF_IO_WORKER)
		flags |= MMLENS_TASK_IO_WORKER;
	/* Before 6.4 this bit belonged to something else, of kernel threads only. */
	if ((pf & PF_USER_WORKER) && !(pf & (PF_KTHREAD | PF_IO_WORKER)))
		flags |= MMLENS_TASK_USER_WORKER;
	if (pf & PF_EXITING)
		flags |= MMLENS_TASK_EXITING;
	return flags;
}

static __always_inline void fill_flags(struct mmlens_task_rec *r, const struct task_struct *t)
{
	r->flags |= flags_of(BPF_CORE_READ(t, flags));
	if (BPF_CORE_READ(t, ptrace))
		r->flags |= MMLENS_TASK_TRACED;
	if (compat_on_cpu(t))
		r->flags |= MMLENS_TASK_ON_CPU;
}

static __always_inline void fill_kernel_stack(struct mmlens_task_rec *r,
					      const struct task_struct *t)
{
	const char *base = BPF_CORE_READ(t, stack);
	__u64 sp = arch_kernel_sp(t);

	if (!base || !compat_has_field(t->stack_vm_area))
		return;
	r->kstack_size = BPF_CORE_READ(t, stack_vm_area, nr_pages) * ask.page_size;
	if (!r->kstack_size)
		return;
	r->kstack = object_id((__u64)base);
	r->has |= MMLENS_HAS_KSTACK;
	if (sp - (__u64)base >= r->kstack_size)
		return;
	r->ksp = sp - (__u64)base;
	r->has |= MMLENS_HAS_KSP;
}

static long take_stack_vma(struct task_struct *t, struct vm_area_struct *vma, void *data)
{
	struct mmlens_task_rec *r = data;

	r->ustack_start = BPF_CORE_READ(vma, vm_start);
	r->ustack_end = BPF_CORE_READ(vma, vm_end);
	r->has |= MMLENS_HAS_USTACK;
	return 0;
}

static long take_guard_vma(struct task_struct *t, struct vm_area_struct *vma, void *data)
{
	struct mmlens_task_rec *r = data;

	if (!(BPF_CORE_READ(vma, vm_flags) & VM_ACCESS))
		r->uguard = BPF_CORE_READ(vma, vm_end) - BPF_CORE_READ(vma, vm_start);
	return 0;
}

static __always_inline void fill_user_sp(struct mmlens_task_rec *r, struct task_struct *t)
{
	const void *regs;

	if ((r->flags & MMLENS_TASK_KTHREAD) || !r->res[MMLENS_RES_MM])
		return;
	if (!compat_has_helper(task_pt_regs))
		return;
	regs = (const void *)bpf_task_pt_regs(t);
	if (!regs)
		return;
	r->usp = arch_user_sp(regs);
	r->has |= MMLENS_HAS_USP;
}

static __always_inline void fill_user_stack(struct mmlens_task_rec *r, struct task_struct *t)
{
	if (!(r->has & MMLENS_HAS_USP))
		return;
	if (bpf_find_vma(t, r->usp, take_stack_vma, r, 0) || !r->ustack_start)
		return;
	/* -ENOENT: nothing lies right below, so there is no guard that is a mapping. */
	bpf_find_vma(t, r->ustack_start - 1, take_guard_vma, r, 0);
	r->has |= MMLENS_HAS_UGUARD;
}

/* False for a task that is being released: it has no pid any more and nobody can name it. */
static __always_inline bool fill_identity(struct mmlens_task_rec *r, const struct task_struct *t)
{
	__u32 level = reader_level();

	r->tid = task_nr(t, level);
	r->tgid = task_nr(BPF_CORE_READ(t, group_leader), level);
	if (!r->tid || !r->tgid)
		return false;
	r->ppid = task_nr(BPF_CORE_READ(t, real_parent, group_leader), level);
	r->uid = BPF_CORE_READ(t, real_cred, uid.val);
	r->start_ns = BPF_CORE_READ(t, start_boottime);
	r->nvcsw = BPF_CORE_READ(t, nvcsw);
	r->nivcsw = BPF_CORE_READ(t, nivcsw);
	r->state = compat_state(t) | BPF_CORE_READ(t, exit_state);
	r->cpu = compat_cpu(t);
	if (r->cpu >= 0)
		r->has |= MMLENS_HAS_CPU;
	bpf_core_read(&r->comm, sizeof(r->comm), &t->comm);
	return true;
}

static __always_inline bool fill(struct mmlens_task_rec *r, struct task_struct *t)
{
	__builtin_memset(r, 0, sizeof(*r));
	if (!fill_identity(r, t))
		return false;
	fill_flags(r, t);
	fill_space(r, t);
	fill_objects(r, t);
	fill_namespaces(r, t);
	fill_limits(r, t);
	fill_kernel_stack(r, t);
	fill_user_sp(r, t);
	return true;
}

SEC("iter/task")
int mmlens_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct mmlens_task_rec r;

	if (t && fill(&r, t))
		bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/* A program of its own, because kernels without bpf_find_vma() (5.17) refuse its callbacks. */
SEC("iter/task")
int mmlens_tasks_ustack(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct mmlens_task_rec r;

	if (t && fill(&r, t)) {
		fill_user_stack(&r, t);
		bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
