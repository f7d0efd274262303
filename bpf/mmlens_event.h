/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ABI 2: what the BPF programs and the inspector say to each other. Both are built from one tree
 * and shipped in one file, so this ABI need not be stable; it must be unambiguous. Widths are
 * fixed, padding is named, sizes are asserted, absence is always a bit and never a magic value.
 *
 * Object ids are keyed: a kernel address is mixed with random words that the inspector chose for
 * this run (struct mmlens_keys) before it is written, so equal objects have equal ids within a
 * run, and no address leaves the kernel. Exceptions are names the kernel itself gives out and
 * never hides: the space on x86 (mm->context.ctx_id, so that it is the same id as the module's),
 * namespaces (their inode number) and cgroups (their inode number).
 *
 * An id of 0 always means "has none".
 */
#ifndef MMLENS_EVENT_H
#define MMLENS_EVENT_H

#include <linux/types.h>

#include "mmlens_hist.h"

#define MMLENS_EVENT_ABI 2
#define MMLENS_COMM_LEN	 16

struct mmlens_keys {
	__u64 k[3];
};

/* Indices of mmlens_task_rec.res. */
enum mmlens_res {
	MMLENS_RES_MM,
	MMLENS_RES_FILES,
	MMLENS_RES_FS,
	MMLENS_RES_SIGHAND,
	MMLENS_RES_IO,
	MMLENS_RES_SYSVSEM,
	MMLENS_RES_SIGNAL,
	MMLENS_RES_UTS_NS,
	MMLENS_RES_IPC_NS,
	MMLENS_RES_MNT_NS,
	MMLENS_RES_PID_NS,
	MMLENS_RES_NET_NS,
	MMLENS_RES_TIME_NS,
	MMLENS_RES_CGROUP_NS,
	MMLENS_RES_USER_NS,
	MMLENS_RES_CRED,
	MMLENS_RES_CGROUP,
	MMLENS_RES_SECCOMP,
	MMLENS_RES_NR
};

/* mmlens_task_rec.flags */
enum mmlens_task_flag {
	MMLENS_TASK_KTHREAD = 1 << 0,
	MMLENS_TASK_IO_WORKER = 1 << 1,
	MMLENS_TASK_USER_WORKER = 1 << 2,
	MMLENS_TASK_EXITING = 1 << 3,
	MMLENS_TASK_VFORK = 1 << 4, /* runs in its parent's space, and the parent waits */
	MMLENS_TASK_TRACED = 1 << 5,
	MMLENS_TASK_ON_CPU = 1 << 6, /* was running: ksp is stale and usp may be */
	MMLENS_TASK_RACED = 1 << 7,  /* its space changed while the record was filled */
};

/* mmlens_task_rec.has: which of the optional fields were answered. */
enum mmlens_has {
	MMLENS_HAS_USP = 1 << 0,
	MMLENS_HAS_USTACK = 1 << 1,
	MMLENS_HAS_UGUARD = 1 << 2,
	MMLENS_HAS_KSTACK = 1 << 3, /* kstack, kstack_size */
	MMLENS_HAS_KSP = 1 << 4,
	MMLENS_HAS_CPU = 1 << 5,
};

/*
 * One task, as iter/task saw it; the iterator's file is a sequence of these. Pids are numbers in
 * the pid namespace of the reader. Times are ns of CLOCK_BOOTTIME, sizes and offsets bytes.
 */
struct mmlens_task_rec {
	__u32 tgid;
	__u32 tid;
	__u32 ppid; /* 0 if the parent is outside the reader's namespace */
	__u32 uid;  /* in the initial user namespace */
	__u32 flags;
	__u32 has;
	__u32 res_has; /* bit per enum mmlens_res: this kernel has such a thing at all */
	__s32 cpu;
	__u64 start_ns;
	__u64 nvcsw;
	__u64 nivcsw;
	__u64 loan; /* space held by a kernel thread, 0 if none */
	__u64 res[MMLENS_RES_NR];
	__u64 usp;
	__u64 ustack_start;
	__u64 ustack_end;
	__u64 uguard;
	__u64 kstack; /* keyed id of the kernel stack */
	__u64 ksp;    /* offset of the saved kernel stack pointer in the stack */
	__u32 kstack_size;
	__u32 state; /* bits of task->__state and task->exit_state, or'ed */
	__u32 mm_users;
	__u32 pad;
	char comm[MMLENS_COMM_LEN];
};

_Static_assert(sizeof(struct mmlens_task_rec) == 8 * 4 + 10 * 8 + MMLENS_RES_NR * 8 + 16 + 16,
	       "mmlens_task_rec has holes");

/* What the inspector asks of the task iterator, set before the program is loaded. */
struct mmlens_task_ask {
	struct mmlens_keys keys;
	__u32 page_size;
	__u32 task_type; /* BTF id of the kernel's task_struct */
	__u8 stacks;	 /* the two stack pointers and the kernel stack are wanted */
	__u8 pad[7];
};

/* The number of a helper that no kernel has: a call of bpf_rdonly_cast() where there is that. */
#define MMLENS_CALL_CAST 0x6d6d6c

/*
 * Switches.
 *
 * A switch belongs to the task that left the CPU (`prev`): it is that task's nvcsw or nivcsw that
 * the kernel has just incremented. Pids are those of the initial pid namespace. The classes are
 * told by what the CPU must do, see model/switches.h.
 */
enum mmlens_class {
	MMLENS_CLASS_THREAD,
	MMLENS_CLASS_PEER,
	MMLENS_CLASS_PROCESS,
	MMLENS_CLASS_TO_KERNEL,
	MMLENS_CLASS_TO_IDLE,
	MMLENS_CLASS_KERNEL,
	MMLENS_CLASS_BACK_SAME,
	MMLENS_CLASS_BACK_OTHER,
	MMLENS_CLASS_NR
};

/* Why prev left, as the kernel counts: VOLUNTARY and EXIT are nvcsw, PREEMPTED nivcsw. */
enum mmlens_how {
	MMLENS_HOW_VOLUNTARY,
	MMLENS_HOW_PREEMPTED,
	MMLENS_HOW_EXIT,
	MMLENS_HOW_NR
};

/* Durations in ns; the buckets are those of mmlens_hist.h. */
struct mmlens_cost {
	__u64 n;
	__u64 sum;
	__u64 max;
	__u64 bucket[HIST_BUCKETS];
};

/*
 * The stream. The ring carries messages; each begins with struct mmlens_msg. Tasks are named by
 * the number of their entry, 0 for idle, MMLENS_NOBODY for one that found no room in the table. Who
 * a number is, is told once (MMLENS_MSG_TASK), and again when that message found no room in the
 * ring, or when the task has ended and another got its entry.
 *
 * What happens with interrupts off and often (switches, wake-ups) is gathered by the CPU in
 * records of 24 bytes and sent as one batch; what is rare is sent at once. So messages of one CPU
 * arrive in no strict order; the times in them are true, and the records of one batch are in order.
 */
#define MMLENS_NOBODY 0xffffffffu

enum mmlens_msg_type {
	MMLENS_MSG_BATCH = 1,
	MMLENS_MSG_TASK,
	MMLENS_MSG_FORK,
	MMLENS_MSG_EXEC,
	MMLENS_MSG_EXIT,
};

struct mmlens_msg {
	__u16 type;
	__u16 n; /* records of a batch */
	__u32 cpu;
	__u64 lost; /* records and messages that this CPU had to drop until now */
};

enum mmlens_rec_kind {
	MMLENS_REC_SWITCH = 1,
	MMLENS_REC_WAKE,
};

/* mmlens_rec.flags of a wake-up */
enum mmlens_wake_flag {
	MMLENS_WAKE_SAME = 1 << 0,    /* waker and wakee in one space */
	MMLENS_WAKE_IRQ = 1 << 1,     /* by an interrupt, which borrowed the waker's time */
	MMLENS_WAKE_TASK = 1 << 2,    /* certainly not by an interrupt; neither bit: not known */
	MMLENS_WAKE_IN_CALL = 1 << 3, /* `more` is the number of the waker's system call */
};

/* `ts` is ns of CLOCK_MONOTONIC. */
struct mmlens_rec {
	__u64 ts;
	__u32 from; /* switch: who left; wake-up: the waker */
	__u32 to;   /* switch: who came; wake-up: the wakee */
	__u32 cost; /* switch: ns, saturated; 0: its end was not seen */
	__u16 more; /* switch: prev's task->__state, low bits; wake-up: a system call */
	__u8 kind;  /* enum mmlens_rec_kind */
	__u8 flags; /* switch: enum mmlens_class | enum mmlens_how << 4 */
};

_Static_assert(sizeof(struct mmlens_rec) == 24, "a switch in the stream is 24 bytes");

#define MMLENS_BATCH 128
/* Sent when it is this full: what happens while a switch awaits its end still finds room. */
#define MMLENS_BATCH_SEND 120

struct mmlens_batch {
	struct mmlens_msg head;
	struct mmlens_rec rec[MMLENS_BATCH];
	__u32 held; /* 1 + the index of the switch that awaits its cost; 0: none */
	__u32 sending; /* on its way to the ring: an interrupt, which may come then, sends for itself */
};

struct mmlens_ev_task {
	struct mmlens_msg head;
	__u64 start_ns; /* CLOCK_BOOTTIME */
	__u64 space;
	__u64 cgroup;
	__u32 id;
	__u32 tgid; /* in the reader's pid namespace; 0: it is not in there */
	__u32 tid;
	__u32 ppid;
	__u32 flags; /* enum mmlens_task_flag */
	__u32 pad;
	char comm[MMLENS_COMM_LEN];
};

/* A birth, told by the one who called. */
struct mmlens_ev_fork {
	struct mmlens_msg head;
	__u64 ts;
	__u64 flags; /* CLONE_* */
	__u32 parent;
	__u32 child;
};

struct mmlens_ev_exec {
	struct mmlens_msg head;
	__u64 ts;
	__u64 space; /* the new one */
	__u32 task;
	__u32 was; /* its tid before, in the initial namespace: another's if no leader execs */
	char comm[MMLENS_COMM_LEN];
};

struct mmlens_ev_exit {
	struct mmlens_msg head;
	__u64 ts;
	__u32 task;
	__u32 code; /* as wait(2) has it */
	__u32 last; /* the last task of its thread group */
	__u32 pad;
};

#define MMLENS_TIMED_ALL  4096 /* of a class on a CPU: the first are all timed */
#define MMLENS_TIMED_EACH 8    /* then one of so many, unless there is time for every one */

enum mmlens_timing {
	MMLENS_TIMING_OFF, /* nobody watches the ends of switches */
	MMLENS_TIMING_SAMPLE,
	MMLENS_TIMING_EVERY,
};

/* Where in the table a task is that this CPU has met. */
struct mmlens_near {
	__u64 key; /* mmlens_task_key(); 0: none */
	__u32 at;
	__u32 told; /* the stream has said who this is, so its entry need not be looked at */
};

#define MMLENS_NEAR	32 /* chosen by tid */
#define MMLENS_CPU_PAGE 4096

/*
 * One element for each possible CPU. Only that CPU writes it, with preemption off, and so needs no
 * atomics; the inspector may see a number a moment old. What interrupts may count as well is added
 * atomically.
 *
 * At a switch the TLB is cold, and each page that is touched is dearer than all that is done with
 * it. So what every switch needs lies in the first page, and the distributions behind it.
 */
struct mmlens_cpu {
	__u64 since;	 /* when the switch began whose end is awaited; 0: none */
	__u32 waiting;	 /* its enum mmlens_class */
	__u32 timing;	 /* enum mmlens_timing, set by the inspector */
	__u64 running;	 /* 1 + the place of the task that the stream knows to run here; 0: none */
	__u64 came;	 /* who came in the last switch that was seen here, as an address */
	__u64 ran_since; /* when the task that runs here came; 0: before the programs did */
	__u64 count[MMLENS_CLASS_NR][MMLENS_HOW_NR];
	__u64 tasks_full;  /* switches of tasks, and births, that found no room in their table */
	__u64 ring_full;   /* records and messages that the reader did not fetch in time */
	__u64 leaving;	   /* who leaves in the last switch, as an address; 0: it does not count */
	__u64 tlb_loads;   /* tlb_flush for a task switch: the processor's own count of loads */
	__u64 tlb_flushed; /* of these, how many did flush: PCID spared the others */
	__u64 pairs_full;  /* switches of pairs of spaces that found no room */
	__u32 seen[MMLENS_CLASS_NR]; /* for choosing which are timed */
	__u64 entered;		     /* tasks that this CPU has entered into the table */
	__u64 born;		     /* to processes that are followed, and so followed too */
	__u32 borrows; /* the task that runs here is dying and has a space only on loan */
	/*
	 * Set by the inspector when every program is attached: until then nothing but switches is
	 * told, whose program is the last. Else the stream would begin with wake-ups alone.
	 */
	__u32 all_watch;
	struct mmlens_near near[MMLENS_NEAR];
	struct mmlens_batch batch;
	struct mmlens_cost cost[MMLENS_CLASS_NR] __attribute__((aligned(MMLENS_CPU_PAGE)));
};

_Static_assert(__builtin_offsetof(struct mmlens_cpu, cost) == MMLENS_CPU_PAGE &&
		       sizeof(struct mmlens_cpu) % MMLENS_CPU_PAGE == 0,
	       "what every switch needs is one page");

/* What a task that is on no CPU waits for: a CPU, or by the state in which it left. */
enum mmlens_delay {
	MMLENS_DELAY_RUNNABLE, /* preempted, or woken and not running yet */
	MMLENS_DELAY_SLEEP,    /* S */
	MMLENS_DELAY_DISK,     /* D */
	MMLENS_DELAY_OTHER,    /* stopped, traced, parked */
	MMLENS_DELAY_NR
};

/* One element for each possible CPU, as struct mmlens_cpu: waits that ended there. */
struct mmlens_waits {
	struct mmlens_cost of[MMLENS_DELAY_NR];
};

/* Switches between two spaces; 0: a kernel thread or idle. */
struct mmlens_pair_key {
	__u64 from;
	__u64 to;
};

struct mmlens_pair {
	__u64 count;
	__u64 loads;
	char from[MMLENS_COMM_LEN]; /* a task of each, the first that was met */
	char to[MMLENS_COMM_LEN];
};

/* A filter's value. */
enum mmlens_want_kind {
	MMLENS_WANT_TID,
	MMLENS_WANT_SPACE,
	MMLENS_WANT_CGROUP,
	MMLENS_WANT_COMM,
	MMLENS_WANT_CPU,
	MMLENS_WANT_NR
};

struct mmlens_want {
	__u64 kind;
	__u64 v[2]; /* a number, or the bytes of a comm, zeros behind */
};

/*
 * A task in the table, whose place is found by mmlens_task_key(). The kernel's own counters are
 * kept as they were before the first and at the last switch seen: if the growth of their sum is
 * the number of switches counted, none in between was missed.
 */
struct mmlens_entry {
	__u64 start_ns;
	__u64 space; /* at the last switch */
	__u32 tgid;
	__u32 tid;
	__u64 before; /* nvcsw + nivcsw before the first switch seen */
	__u64 nvcsw;  /* at the last switch */
	__u64 nivcsw;
	__u64 count[MMLENS_CLASS_NR];
	__u64 how[MMLENS_HOW_NR];
	__u64 on_cpu;		    /* ns */
	__u64 off[MMLENS_DELAY_NR]; /* ns, by enum mmlens_delay; only if delays are asked for */
	__u64 left_at;		    /* 0: it runs, or was not seen to leave */
	__u64 woken_at;		    /* 0: not since it left */
	__u64 left_as;		    /* enum mmlens_delay */
	__u64 cgroup;
	__u32 ppid;
	__u32 flags; /* enum mmlens_task_flag */
	__u32 id;    /* in the stream, 1 + its place in the table; 0: nobody is here */
	__u32 told;  /* the stream has said who this is */
	char comm[MMLENS_COMM_LEN];
	__u64 key; /* mmlens_task_key() */
	__u64 pad;
};

_Static_assert(sizeof(struct mmlens_entry) == 256, "none lies in two pages");

/*
 * 22 bits of tid, the most there are, and the start time in us modulo 52 days. A tid is not
 * reused within a microsecond, so within any 52 days the key is unique.
 */
static inline __attribute__((always_inline)) __u64 mmlens_task_key(__u32 tid, __u64 start_ns)
{
	return (__u64)tid | (start_ns >> 10) << 22;
}

/* What the inspector asks of the switch programs, set before they are loaded: what is seldom looked at. */
struct mmlens_switch_ask {
	struct mmlens_keys keys;
	__u32 command; /* watched from its exec on; 0: none */
	__u32 ns_inum; /* the reader's pid namespace; 0: the initial one */
};

/*
 * And what is looked at with every switch: in the instructions, for each page that a program
 * touches costs. The values here mean nothing: bpf_core_enum_value() has those of bpf_types_set().
 */
enum mmlens_asked {
	MMLENS_ASKED_WANTS, /* bit per enum mmlens_want_kind: a side, or the CPU, must be in the table */
	MMLENS_ASKED_CLASSES, /* bit per enum mmlens_class that counts; 0: all */
	MMLENS_ASKED_FILTER,  /* only switches with a watched process on one side */
	MMLENS_ASKED_EVENTS,  /* stream into the ring */
	MMLENS_ASKED_COST,    /* the end of a switch is seen: events wait for it */
	MMLENS_ASKED_DELAYS,
	MMLENS_ASKED_PAIRS,
	MMLENS_ASKED_CGROUPS, /* the cgroup of a task at each switch, not as it was at first sight */
	MMLENS_ASKED_EVERY,   /* the cost of each switch */
	MMLENS_ASKED_TLB,     /* the processor's own loads, of counted switches */
	MMLENS_ASKED_NR
};

#endif
