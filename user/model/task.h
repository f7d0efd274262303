/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A task as one witness saw it: plain data, no I/O, no ownership.
 *
 * Absence: a field whose bit is missing from `known` (or `res_known` for resources) was not
 * answered by the witness; its value is meaningless and is printed as null. A resource that is
 * known and 0 is one that the task does not have. The two must never be confused: kcmp(2) calls
 * two absent objects equal, this model does not.
 *
 * Units: times in ns since boot, sizes and addresses in bytes.
 */
#ifndef MMLENS_MODEL_TASK_H
#define MMLENS_MODEL_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* procfs tells starts in clock ticks, rounded down: so far behind the true one its answer may be. */
#define START_TICK_NS 10000000

/* Pids are reused; the start time makes the key true. */
struct task_key {
	uint32_t tgid;
	uint32_t tid;
	uint64_t start_ns;
};

/* What a task is in its space; derived by analysis/kinds.c, never read. */
enum task_kind {
	KIND_UNKNOWN,
	KIND_PROCESS,
	KIND_THREAD,
	KIND_VFORK,
	KIND_PEER,
	KIND_WORKER,
	KIND_KTHREAD,
	KIND_LOAN,
	KIND_ZOMBIE,
	KIND_NR
};

/* The order is that of the output; the first six are what kcmp(2) can judge as well. */
enum resource {
	RES_MM,
	RES_FILES,
	RES_FS,
	RES_SIGHAND,
	RES_IO,
	RES_SYSVSEM,
	RES_SIGNAL,
	RES_UTS_NS,
	RES_IPC_NS,
	RES_MNT_NS,
	RES_PID_NS,
	RES_NET_NS,
	RES_TIME_NS,
	RES_CGROUP_NS,
	RES_USER_NS,
	RES_CRED,
	RES_CGROUP,
	RES_SECCOMP,
	RES_NR
};

/* Facts that decide the kind; translated by each source from what its kernel calls them. */
enum task_flag {
	TASK_KTHREAD = 1u << 0,	    /* PF_KTHREAD */
	TASK_IO_WORKER = 1u << 1,   /* PF_IO_WORKER */
	TASK_USER_WORKER = 1u << 2, /* PF_USER_WORKER: vhost and alike, since 6.4 */
	TASK_EXITING = 1u << 3,	    /* PF_EXITING: on its way out, maybe not yet a zombie */
	TASK_VFORK = 1u << 4,	    /* shares its parent's mm, and the parent waits for it */
	TASK_TRACED = 1u << 5,	    /* has a ptracer */
	TASK_ON_CPU = 1u << 6,	 /* was running while it was read: its stack pointers are stale */
	TASK_RACED = 1u << 7,	 /* changed while it was read: its fields may be of two moments */
	TASK_FILTERED = 1u << 8, /* has a seccomp filter; which one may be unknown */
};

enum task_known {
	KNOWN_PPID = 1u << 0,
	KNOWN_START = 1u << 1,
	KNOWN_STATE = 1u << 2,
	KNOWN_SWITCHES = 1u << 3, /* nvcsw and nivcsw */
	KNOWN_VFORK = 1u << 4,	  /* TASK_VFORK can be told */
	KNOWN_LOAN = 1u << 5,
	KNOWN_USP = 1u << 6,	/* user_stack.sp */
	KNOWN_USTACK = 1u << 7, /* user_stack.start, end: the mapping that holds sp */
	KNOWN_UGUARD = 1u << 8,
	KNOWN_UTOUCHED = 1u << 9,
	KNOWN_KSTACK = 1u << 10, /* kernel_stack.base, size */
	KNOWN_KUSED = 1u << 11,	 /* kernel_stack.sp, used */
	KNOWN_KDEEPEST = 1u << 12,
	KNOWN_CPU = 1u << 13,
	KNOWN_MM_USERS = 1u << 14,
	KNOWN_FLAGS = 1u << 15, /* task_flag bits other than TASK_VFORK */
	KNOWN_UID = 1u << 16,
};

/* Where the user stack pointer stands; for the main thread and pthreads that mapping is the stack. */
struct user_stack {
	uint64_t start;
	uint64_t end;
	uint64_t sp;
	uint64_t touched; /* bytes of it present in memory */
	uint64_t guard;	  /* bytes below start that nobody may touch, 0 if there is none */
};

struct kernel_stack {
	uint64_t base; /* an id, or the address where the reader may see it (base_is_address) */
	uint64_t sp;   /* offset from base */
	uint32_t size;
	uint32_t used;
	uint32_t deepest; /* high-water mark since the stack was handed out */
	bool base_is_address;
};

struct task {
	struct task_key key;
	uint32_t ppid;
	uint32_t uid; /* real uid, in the reader's user namespace */
	uint32_t flags;
	uint32_t known;
	uint32_t res_known; /* bit per enum resource */
	int32_t cpu;
	uint32_t mm_users;
	uint8_t kind; /* enum task_kind */
	char state;   /* the letter of /proc/PID/stat */
	char comm[64]; /* raw bytes as the kernel has them (kthreads: up to 63); escape before printing */
	uint64_t nvcsw;
	uint64_t nivcsw;
	uint64_t cred_word; /* made of what its credentials allow, 0: not read; see task_creds_differ() */
	uint64_t loan; /* space a kernel thread holds lazily or has adopted, 0 if none */
	uint64_t res[RES_NR];
	struct user_stack user_stack;
	struct kernel_stack kernel_stack;
};

static inline bool task_res_known(const struct task *t, enum resource r)
{
	return t->res_known & (1u << r);
}

static inline void task_set_res(struct task *t, enum resource r, uint64_t id)
{
	t->res[r] = id;
	t->res_known |= 1u << r;
}

/* The task's address space, 0 when it has none or the source cannot tell. */
static inline uint64_t task_space(const struct task *t)
{
	return task_res_known(t, RES_MM) ? t->res[RES_MM] : 0;
}

/*
 * Whether the credentials of two tasks are certainly two objects. What is in one never changes (a
 * task is given another, commit_creds()), and only at birth does a thread come to share its
 * maker's: who once had different ones has them for life, at whatever moments they were read.
 */
static inline bool task_creds_differ(const struct task *a, const struct task *b)
{
	return a->cred_word && b->cred_word && a->cred_word != b->cred_word;
}

static inline bool task_is_leader(const struct task *t)
{
	return t->key.tgid == t->key.tid;
}

/* The words of the contract: "process", "thread", ... */
const char *task_kind_name(enum task_kind kind);
/* JSON keys of the contract ("mm", "uts_ns", ...), also used as column words. */
const char *resource_name(enum resource r);

/* Whether its id is an inode number that other tools print too (lsns, stat). */
static inline bool resource_is_inode(enum resource r)
{
	return (r >= RES_UTS_NS && r <= RES_USER_NS) || r == RES_CGROUP;
}

/* Here, as a snapshot of many tasks is compared task by task. */
static inline int task_key_cmp(const struct task_key *a, const struct task_key *b)
{
	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	/* the leader before its threads, also when a tid below it was reused for one of them */
	if ((a->tid == a->tgid) != (b->tid == b->tgid))
		return a->tid == a->tgid ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return 0;
}

#endif
