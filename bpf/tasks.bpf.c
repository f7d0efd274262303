// SPDX-License-Identifier: GPL-2.0-only
/*
 * iter/task: one mmlens_task_rec for each task of the reader's pid namespace.
 *
 * The verifier knows the type of what it iterates over, so fields are plain loads, several of them
 * on their way from memory at once. bpf_probe_read_kernel() is a call for each, and they waited
 * for one another: that was half the time of a pass.
 *
 * No lock of the task is held. What is read through task->mm could therefore belong to an mm that
 * is being replaced; the pointer is read again at the end, and a row that changed says so.
 */
#include "compat.bpf.h"
#include "ids.bpf.h"
#include "mmlens_event.h"

const volatile struct mmlens_task_ask ask = {};

/* The one that is being filled: an iterator's file runs its program for one task at a time. */
static struct mmlens_task_rec rec;

/*
 * What is the same for all tasks of a pass. Not in a struct: clang takes one that is never used whole
 * apart, and does not tell the BTF of the object, which the kernel then refuses.
 */
static __u32 pass_level; /* of the reader's pid namespace */
static __u32 pass_kstack_size;

static volatile __u64 laundry;

#define VM_ACCESS 0x7UL /* VM_READ | VM_WRITE | VM_EXEC */

/* The verifier lets nobody calculate with a pointer; what is read back from a map is a number. */
static __always_inline __u64 number_of(const volatile void *obj)
{
	laundry = (__u64)obj;
	return laundry;
}

static __always_inline __u64 object_id(const volatile void *obj)
{
	return keyed_id(&ask.keys, (const void *)number_of(obj));
}

/* The entry of `pid` for the namespace that is `level` levels below the first. */
static __always_inline const struct upid *upid_at(const struct pid *pid, __u32 level)
{
	return (const void *)((const char *)&pid->numbers[0] +
			      level * bpf_core_type_size(struct upid));
}

/* Its number in the reader's namespace; 0 if it is not in there, or is being released. */
static __always_inline __u32 task_nr(const struct task_struct *t)
{
	const struct pid *pid = t->thread_pid;
	const struct upid *upid;

	if (!pid)
		return 0;
	if (!pass_level)
		return t->pid;
	if (pid->level < pass_level)
		return 0;
	upid = upid_at((const void *)number_of(pid), pass_level);
	return BPF_CORE_READ(upid, nr);
}

static __always_inline __u32 reader_level(void)
{
	const struct task_struct *reader = (void *)bpf_get_current_task();

	return BPF_CORE_READ(reader, thread_pid, level);
}

static __always_inline void put_res(enum mmlens_res which, __u64 id)
{
	rec.res[which] = id;
	rec.res_has |= 1u << which;
}

#define put_object(which, t, field)                            \
	do {                                                   \
		if (compat_has_field((t)->field))              \
			put_res(which, object_id((t)->field)); \
	} while (0)

static __always_inline void fill_objects(const struct task_struct *t)
{
	put_object(MMLENS_RES_FILES, t, files);
	put_object(MMLENS_RES_FS, t, fs);
	put_object(MMLENS_RES_SIGHAND, t, sighand);
	put_object(MMLENS_RES_SIGNAL, t, signal);
	put_object(MMLENS_RES_IO, t, io_context);
	put_object(MMLENS_RES_SYSVSEM, t, sysvsem.undo_list);
	put_object(MMLENS_RES_CRED, t, real_cred);
	put_object(MMLENS_RES_SECCOMP, t, seccomp.filter);
}

/* A dead task has no proxy: then it has none of these. */
#define put_ns(which, proxy, field)                                            \
	do {                                                                   \
		if (compat_has_field((proxy)->field))                          \
			put_res(which, (proxy) ? (proxy)->field->ns.inum : 0); \
	} while (0)

static __always_inline __u32 pid_ns_of(const struct pid *pid)
{
	const struct upid *upid;

	if (!pid->level)
		return pid->numbers[0].ns->ns.inum;
	upid = upid_at((const void *)number_of(pid), pid->level);
	return BPF_CORE_READ(upid, ns, ns.inum);
}

static __always_inline void fill_namespaces(const struct task_struct *t)
{
	const struct nsproxy *proxy = t->nsproxy;
	const struct cred *cred = t->real_cred;
	const struct pid *pid = t->thread_pid;

	put_ns(MMLENS_RES_UTS_NS, proxy, uts_ns);
	put_ns(MMLENS_RES_IPC_NS, proxy, ipc_ns);
	put_ns(MMLENS_RES_MNT_NS, proxy, mnt_ns);
	put_ns(MMLENS_RES_NET_NS, proxy, net_ns);
	put_ns(MMLENS_RES_TIME_NS, proxy, time_ns);
	put_ns(MMLENS_RES_CGROUP_NS, proxy, cgroup_ns);
	if (cred)
		put_res(MMLENS_RES_USER_NS, cred->user_ns->ns.inum);
	/* The namespace a task is in, not the one its children will be born in. */
	if (pid)
		put_res(MMLENS_RES_PID_NS, pid_ns_of(pid));
}

static __always_inline void fill_cgroup(const struct task_struct *t)
{
	const struct css_set *set;

	if (!compat_has_field(t->cgroups))
		return;
	set = t->cgroups;
	if (set)
		put_res(MMLENS_RES_CGROUP, set->dfl_cgrp->kn->id);
}

static __always_inline __u64 space_of(const struct mm_struct *mm)
{
	if (!mm)
		return 0;
	return compat_counts_spaces(mm) ? space_of_ctx(mm->context.ctx_id) : object_id(mm);
}

/* vfork_done is set for every kernel thread too, and for a child that does not share. */
static __always_inline bool in_vfork(const struct task_struct *t, const struct mm_struct *mm)
{
	const struct task_struct *parent = t->real_parent;

	return parent && parent->mm == mm && t->vfork_done;
}

static __always_inline void fill_space(const struct task_struct *t)
{
	const struct mm_struct *mm = t->mm;
	bool kthread = t->flags & PF_KTHREAD;

	if (mm)
		rec.mm_users = mm->mm_users.counter;
	/* A kernel thread has an mm while kthread_use_mm() lasts; lazily only active_mm is set. */
	put_res(MMLENS_RES_MM, space_of(mm));
	if (kthread)
		rec.loan = mm ? rec.res[MMLENS_RES_MM] : space_of(t->active_mm);
	else if (mm && in_vfork(t, mm))
		rec.flags |= MMLENS_TASK_VFORK;
	if (((const volatile struct task_struct *)t)->mm != mm)
		rec.flags |= MMLENS_TASK_RACED;
}

static __always_inline void fill_flags(const struct task_struct *t)
{
	__u32 pf = t->flags;

	if (pf & PF_KTHREAD)
		rec.flags |= MMLENS_TASK_KTHREAD;
	if (pf & PF_IO_WORKER)
		rec.flags |= MMLENS_TASK_IO_WORKER;
	/* Before 6.4 this bit belonged to something else, of kernel threads only. */
	if ((pf & PF_USER_WORKER) && !(pf & (PF_KTHREAD | PF_IO_WORKER)))
		rec.flags |= MMLENS_TASK_USER_WORKER;
	if (pf & PF_EXITING)
		rec.flags |= MMLENS_TASK_EXITING;
	if (t->ptrace)
		rec.flags |= MMLENS_TASK_TRACED;
	if (compat_on_cpu(t))
		rec.flags |= MMLENS_TASK_ON_CPU;
}

/* All kernel stacks are of one size, so only the first is asked for it. */
static __always_inline __u32 kernel_stack_size(const struct task_struct *t)
{
	if (!pass_kstack_size && compat_has_field(t->stack_vm_area))
		pass_kstack_size = t->stack_vm_area->nr_pages * ask.page_size;
	return pass_kstack_size;
}

static __always_inline void fill_kernel_stack(const struct task_struct *t)
{
	__u64 base = number_of(t->stack);
	__u64 sp = arch_kernel_sp(t);

	rec.kstack_size = base ? kernel_stack_size(t) : 0;
	if (!rec.kstack_size)
		return;
	rec.kstack = keyed_id(&ask.keys, (const void *)base);
	rec.has |= MMLENS_HAS_KSTACK;
	if (sp - base >= rec.kstack_size)
		return;
	rec.ksp = sp - base;
	rec.has |= MMLENS_HAS_KSP;
}

static long take_stack_vma(struct task_struct *t, struct vm_area_struct *vma, void *data)
{
	rec.ustack_start = vma->vm_start;
	rec.ustack_end = vma->vm_end;
	rec.has |= MMLENS_HAS_USTACK;
	return 0;
}

static long take_guard_vma(struct task_struct *t, struct vm_area_struct *vma, void *data)
{
	if (vma->vm_flags & VM_ACCESS)
		return 0;
	rec.uguard = vma->vm_end - vma->vm_start;
	rec.has |= MMLENS_HAS_UGUARD;
	return 0;
}

static __always_inline void fill_user_sp(struct task_struct *t)
{
	const void *regs;

	if ((rec.flags & MMLENS_TASK_KTHREAD) || !rec.res[MMLENS_RES_MM])
		return;
	if (!compat_has_helper(task_pt_regs))
		return;
	regs = (const void *)bpf_task_pt_regs(t);
	if (!regs)
		return;
	rec.usp = arch_user_sp(regs);
	rec.has |= MMLENS_HAS_USP;
}

static __always_inline void fill_user_stack(struct task_struct *t)
{
	if (!(rec.has & MMLENS_HAS_USP))
		return;
	if (bpf_find_vma(t, rec.usp, take_stack_vma, NULL, 0) || !rec.ustack_start)
		return;
	/* Without one there may still be the kernel's gap, or a guard that is no mapping. */
	bpf_find_vma(t, rec.ustack_start - 1, take_guard_vma, NULL, 0);
}

/* False for a task that is being released: it has no pid any more and nobody can name it. */
static __always_inline bool fill_identity(const struct task_struct *t)
{
	const struct task_struct *leader = t->group_leader, *parent = t->real_parent;
	const struct cred *cred = t->real_cred;

	rec.tid = task_nr(t);
	rec.tgid = leader ? task_nr(leader) : 0;
	if (!rec.tid || !rec.tgid)
		return false;
	parent = parent ? parent->group_leader : NULL;
	rec.ppid = parent ? task_nr(parent) : 0;
	rec.uid = cred ? cred->uid.val : 0;
	rec.start_ns = t->start_boottime;
	rec.nvcsw = t->nvcsw;
	rec.nivcsw = t->nivcsw;
	rec.state = compat_state(t) | t->exit_state;
	rec.cpu = compat_cpu(t);
	if (rec.cpu >= 0)
		rec.has |= MMLENS_HAS_CPU;
	*(__u64 *)&rec.comm[0] = *(const __u64 *)&t->comm[0];
	*(__u64 *)&rec.comm[8] = *(const __u64 *)&t->comm[8];
	return true;
}

#define touch(t, field)                              \
	do {                                         \
		if (compat_has_field((t)->field))    \
			laundry = (__u64)(t)->field; \
	} while (0)

/*
 * A task_struct spreads what is asked over many cache lines, most of them cold. Asked for all at
 * once they come together; one by one, with the work in between, the processor would wait for each.
 */
static __always_inline void touch_all(const struct task_struct *t)
{
	touch(t, stack);
	touch(t, mm);
	touch(t, real_parent);
	touch(t, thread_pid);
	touch(t, nvcsw);
	touch(t, real_cred);
	touch(t, files);
	touch(t, sighand);
	touch(t, seccomp.filter);
	touch(t, io_context);
	touch(t, cgroups);
	if (ask.stacks)
		laundry = arch_kernel_sp(t);
}

/*
 * Of what it iterates over the verifier knows that it is a task and alive, and for each pointer read
 * from such a one it looks through all of the kernel's types, up to four times, for the word that
 * this is alive too (btf_nested_type_is_trusted(), from 6.3 on): half the time to load. Nothing here
 * needs that word, so it is given up.
 */
static void *(*const cast)(const void *obj, __u32 type) = (void *)MMLENS_CALL_CAST;

static __always_inline bool fill(struct bpf_iter__task *ctx, struct task_struct *alive)
{
	struct task_struct *t = cast(alive, ask.task_type);

	if (!ctx->meta->seq_num)
		pass_level = reader_level();
	touch_all(t);
	__builtin_memset(&rec, 0, sizeof(rec));
	if (!fill_identity(t))
		return false;
	fill_flags(t);
	fill_space(t);
	fill_objects(t);
	fill_namespaces(t);
	fill_cgroup(t);
	if (ask.stacks) {
		fill_kernel_stack(t);
		fill_user_sp(alive);
	}
	return true;
}

SEC("iter/task")
int mmlens_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t && fill(ctx, t))
		bpf_seq_write(ctx->meta->seq, &rec, sizeof(rec));
	return 0;
}

/* A program of its own, because kernels without bpf_find_vma() (5.17) refuse its callbacks. */
SEC("iter/task")
int mmlens_tasks_ustack(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t && fill(ctx, t)) {
		fill_user_stack(t);
		bpf_seq_write(ctx->meta->seq, &rec, sizeof(rec));
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
