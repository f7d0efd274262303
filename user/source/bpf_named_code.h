/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program of source/bpf_named.h writes of each task, and how the program is made. */
#ifndef MMLENS_SOURCE_BPF_NAMED_CODE_H
#define MMLENS_SOURCE_BPF_NAMED_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A row, 8 bytes each, on the program's stack. 0 is what could not be read, too. */
enum slot {
	TID,
	TGID,
	START,
	PF_FLAGS,
	VFORK,
	SPACE,	/* keyed unless the kernel itself gives spaces numbers */
	LENGTH, /* of this row: one of the three below */

	ROW_OF_OTHERS,
	RACED = ROW_OF_OTHERS,
	UTS_NS,
	IPC_NS,
	MNT_NS,
	PID_NS,
	NET_NS,
	TIME_NS,
	CGROUP_NS,
	USER_NS,
	CGROUP,
	/* keyed from here on */
	FILES,
	FS,
	SIGHAND,
	SIGNAL,
	IO,
	SYSVSEM,
	CRED,
	SECCOMP_FILTER,

	ROW_OF_SHARES,
	KSTACK = ROW_OF_SHARES,
	LAZY_SPACE, /* as SPACE; the last that is keyed */
	KSTACK_PAGES,
	KSP,
	USP,
	PPID,
	UID,
	NVCSW,
	NIVCSW,
	STATE,
	EXIT_STATE,
	CPU,
	COMM,
	COMM_END,
	PTRACE,
	ON_CPU,
	MM_USERS,

	ROW,
	/* for the program alone */
	MM = ROW,
	MM_AGAIN,
	PARENT_MM,
	PID,
	LEVEL,
	FIRST, /* where the first leap of the last field led to, and the last of its others */
	POINTER,
	SLOTS,
	OF_TASK = SLOTS, /* no slot: the task itself */
};

_Static_assert(SLOTS * 8 <= 512, "a program's stack");

/* What of it this kernel has. */
struct named_fields {
	uint64_t has;	    /* bit per slot */
	bool counts_spaces; /* x86 counts its address spaces up: SPACE and LAZY_SPACE are such numbers */
};

#define NAMED_MAX 16

/* Of which tasks, NAMED_MAX at most, and what: ROW, or ROW_OF_SHARES: no more than what they share. */
struct named_ask {
	const uint32_t *tids;
	size_t n;
	enum slot length;
	bool others; /* of every other ROW_OF_OTHERS */
};

/* Loads one that writes their rows. The descriptor of an iterator's program, or -errno. */
int bpf_named_load(const struct named_ask *ask, struct named_fields *fields);

#endif
