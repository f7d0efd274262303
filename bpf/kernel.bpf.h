/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fields of kernel structures that the programs read, and no others. Offsets come from the
 * running kernel's BTF when the object is loaded (preserve_access_index), so order, holes and
 * what surrounds a field here mean nothing. Where kernels differ, see compat.bpf.h.
 */
#ifndef MMLENS_KERNEL_BPF_H
#define MMLENS_KERNEL_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__u64 ctx_id; /* x86: never reused, so the best name of an address space */
} mm_context_t;

typedef struct {
	int counter;
} atomic_t;

struct mm_struct {
	atomic_t mm_users;
	mm_context_t context;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct net {
	struct ns_common ns;
};

struct time_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct user_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct time_namespace *time_ns;
	struct cgroup_namespace *cgroup_ns;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
	struct user_namespace *user_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct sem_undo_list;

struct sysv_sem {
	struct sem_undo_list *undo_list;
};

struct seccomp_filter;

struct seccomp {
	struct seccomp_filter *filter;
};

struct vm_struct {
	unsigned int nr_pages;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
};

struct completion;
struct io_context;
struct fs_struct;
struct files_struct;
struct sighand_struct;

struct signal_struct {
	atomic_t live;
};

struct kernel_siginfo {
	int si_code;
};

struct task_struct {
	unsigned int __state;
	int exit_state;
	int exit_code;
	void *stack;
	unsigned int flags;
	unsigned int ptrace;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct completion *vfork_done;
	unsigned long nvcsw;
	unsigned long nivcsw;
	__u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct sysv_sem sysvsem;
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct seccomp seccomp;
	struct io_context *io_context;
	struct css_set *cgroups;
	struct vm_struct *stack_vm_area;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

/* include/linux/sched.h; the same value in every kernel supported. */
#define PF_IDLE	       0x00000002
#define PF_EXITING     0x00000004
#define PF_IO_WORKER   0x00000010
#define PF_USER_WORKER 0x00004000
#define PF_KTHREAD     0x00200000

#endif
