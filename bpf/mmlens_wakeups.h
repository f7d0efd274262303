/* SPDX-License-Identifier: GPL-2.0-only */
/* Who woke whom, counted in the kernel: the key and what the inspector fills in. */
#ifndef MMLENS_WAKEUPS_H
#define MMLENS_WAKEUPS_H

#include <linux/types.h>

#define WAKEUPS_MAX 4096
#define SIGNALS_MAX 1024

/* Pids are those of the initial pid namespace. */
struct wakeup_key {
	__u32 waker; /* tgid */
	__u32 wakee;
	__s32 nr;   /* the waker's system call, -1: in none, or not known on this kernel */
	__u32 same; /* 1: both in one space */
	__u64 arg;  /* the call's first argument: a descriptor, or a futex word's address */
};

/* A signal, blocked or not, on its way from the task that runs. */
struct signal_key {
	__u32 sender; /* tgid */
	__u32 receiver;
	__s32 signo;
	__s32 code; /* si_code; above 0: the kernel's own doing while the sender ran */
};

#endif
