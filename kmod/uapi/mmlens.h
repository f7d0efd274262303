/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The mmlens module's interface, ABI 1.
 *
 * The module makes five files. Each opens only for a reader whose file holds CAP_SYS_PTRACE in the
 * initial user namespace (EPERM otherwise); the right is judged once, by the credentials of the
 * open file, so a descriptor passed on keeps it.
 *
 *   /proc/mmlens/version     "key: value" lines for programs that decide whether to go on: abi,
 *                            record_size, module, boot_id, kernel, arch, known (hex, see below),
 *                            space_id ("counter" or "keyed"), addresses ("raw" or "ids", for
 *                            this opener).
 *   /proc/mmlens/tasks       text: a line of column names, then a row per task, fields separated
 *                            by one space. "-" is unknown, 0 is none. A byte of comm that is not
 *                            a printable ASCII character, a space or a backslash is \ooo (octal);
 *                            an empty comm is \000.
 *   /proc/mmlens/tasks.bin   the same rows as struct mmlens_task.
 *   /proc/mmlens/ids.bin     tasks.bin with user_sp, ustack_* and kstack* left unknown, for who
 *                            does not ask for stacks. No stack is looked at for it, no space
 *                            pinned, none of their locks taken.
 *   /proc/mmlens/stacks.bin  tasks.bin with kstack_peak filled. It costs three times as much.
 *
 * Tasks
 *   One row for each task that has a pid in the pid namespace of the proc mount the file was opened
 *   through, in the order of tid. Tasks being created or reaped at the time may or may not be
 *   among them; a task that is there from the first byte of a pass to the last is. A task's
 *   key is (tgid, tid, start_ns). An exec by a thread that is no leader gives that thread the
 *   leader's key, as the kernel does: in the module's eyes the leader lived on.
 *   A row is one task's, at one moment up to a few microseconds long; two rows are not of the
 *   same moment.
 *
 * Position
 *   In the binary files the position is a cursor over tids: byte B of the row of tid T is at
 *   T * record_size + B. Slot 0 holds struct mmlens_header. A read at a slot whose tid is not
 *   in use answers with the next tid that is, and moves the position to that row's end: pread() at
 *   T * record_size answers "T, or who comes next", and a row's own tid says which. The rest of
 *   a row that was read in part is taken from that same row however long it takes, for as long as
 *   nothing else was read through the same open file; a read that starts within a row the open file
 *   is not in the middle of fails with EINVAL. A read returns 0 behind the last tid.
 *   Text has ordinary byte positions. Seeking back over what the last read returned gives the same
 *   bytes again; any other seek starts the table anew and skips to the place.
 *
 * Growth
 *   Fields are only ever added, in the reserved tail or behind it: a reader steps by the header's
 *   record_size and ignores what it does not know. abi changes only if a meaning does.
 *   Reserved space is zero.
 *
 * Values
 *   Times are nanoseconds of CLOCK_BOOTTIME in the initial time namespace, sizes bytes.
 *   Identities are never 0; 0 is "has none". Whether a field was answered at all is in `known`,
 *   one bit a field: bit clear means unknown and a field of 0. Identities compare for equality
 *   and only within one field (mm with active_mm) and one load of the module. Namespace
 *   fields are the inode numbers of /proc/PID/ns; cgroup is the inode number of the task's
 *   directory in the unified hierarchy.
 *   mm and active_mm are the processor's own never reused number of the address space where there
 *   is one (x86: mm->context.ctx_id, "counter"); then eBPF sees the same number. Elsewhere they
 *   are "keyed" as all other identities are: a keyed hash that tells nothing of the address.
 */
#ifndef MMLENS_UAPI_H
#define MMLENS_UAPI_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

#define MMLENS_ABI		1
#define MMLENS_RECORD_SIZE	512
#define MMLENS_MAGIC		"mmlens\n"	/* 8 bytes with the final 0 */

#define MMLENS_PROC_DIR		"mmlens"

/*
 * Slot 0 of a binary file. `known` has the bits that this kernel and this opener can have in any
 * row. `taken_ns` is the time of the read.
 */
struct mmlens_header {
	__u8	magic[8];
	__u32	abi;
	__u32	record_size;
	__u64	known;
	__u64	taken_ns;
	__u32	features;		/* MMLENS_FEAT_* */
	__u32	pid_ns;			/* inode of the namespace whose pids the rows carry */
	char	boot_id[40];		/* text as in /proc/sys/kernel/random/boot_id, or empty */
	char	kernel[72];		/* uname -r */
	char	arch[24];		/* uname -m */
	__u8	reserved[336];
};

enum mmlens_feature {
	MMLENS_FEAT_SPACE_COUNTER	= 1 << 0,	/* mm ids are the processor's, not keyed */
	MMLENS_FEAT_RAW_KSTACK		= 1 << 1,	/* kstack is an address, not an identity */
	MMLENS_FEAT_PEAK		= 1 << 2,	/* this file fills kstack_peak */
};

/* What the task is and does. The bits are this ABI's own, whatever the kernel's are. */
enum mmlens_flag {
	MMLENS_F_LEADER		= 1 << 0,	/* thread-group leader */
	MMLENS_F_KTHREAD	= 1 << 1,	/* kernel thread */
	MMLENS_F_IO_WORKER	= 1 << 2,	/* io_uring worker of its thread group */
	MMLENS_F_USER_WORKER	= 1 << 3,	/* other kernel-made thread of a process (vhost) */
	MMLENS_F_EXITING	= 1 << 4,	/* on its way out or a zombie */
	MMLENS_F_IN_VFORK	= 1 << 5,	/* runs in its parent's space, the parent waits */
	MMLENS_F_LOAN		= 1 << 6,	/* kernel thread that has adopted `mm` */
	MMLENS_F_ON_CPU		= 1 << 7,	/* was running when looked at */
	MMLENS_F_TRACED		= 1 << 8,	/* somebody ptraces it */
	MMLENS_F_NEWBORN	= 1 << 9,	/* has not run yet */
	MMLENS_F_RACED		= 1 << 10,	/* identity was changing each time we looked */
};

enum mmlens_exit {
	MMLENS_EXIT_NONE	= 0,		/* alive */
	MMLENS_EXIT_ZOMBIE	= 1,
	MMLENS_EXIT_DEAD	= 2,
};

enum mmlens_ustack_flag {
	MMLENS_US_GROWSDOWN	= 1 << 0,	/* VM_GROWSDOWN: the kernel grows it */
	MMLENS_US_UNMAPPED	= 1 << 1,	/* the stack pointer is in no mapping */
	MMLENS_US_BUSY		= 1 << 2,	/* its lock was held for writing: not looked up */
	MMLENS_US_BELOW		= 1 << 3,	/* ustack_gap is set: there is a mapping below */
};

/*
 * Bits of `known`. A bit stands for the field of the same name and where a comment says so for its
 * neighbours.
 */
enum mmlens_known {
	MMLENS_K_START		= 0,	/* start_ns, leader_start_ns */
	MMLENS_K_STATE		= 1,	/* state, exit_state, flags, cpu */
	MMLENS_K_SWITCHES	= 2,	/* nvcsw, nivcsw */
	MMLENS_K_PARENT		= 3,	/* ppid, init_ppid, parent_start_ns */
	MMLENS_K_MM		= 4,
	MMLENS_K_ACTIVE_MM	= 5,
	MMLENS_K_MM_COUNTS	= 6,	/* mm_users, mm_count */
	MMLENS_K_FILES		= 7,
	MMLENS_K_FS		= 8,
	MMLENS_K_SIGHAND	= 9,
	MMLENS_K_SIGNAL		= 10,
	MMLENS_K_IO		= 11,
	MMLENS_K_SYSVSEM	= 12,
	MMLENS_K_CRED		= 13,
	MMLENS_K_UTS_NS		= 14,
	MMLENS_K_IPC_NS		= 15,
	MMLENS_K_MNT_NS		= 16,
	MMLENS_K_PID_NS		= 17,
	MMLENS_K_NET_NS		= 18,
	MMLENS_K_TIME_NS	= 19,
	MMLENS_K_CGROUP_NS	= 20,
	MMLENS_K_USER_NS	= 21,
	MMLENS_K_CGROUP		= 22,
	MMLENS_K_SECCOMP	= 23,	/* seccomp_mode, seccomp_filter */
	MMLENS_K_USER_SP	= 24,
	MMLENS_K_USTACK		= 25,	/* ustack_* */
	MMLENS_K_START_STACK	= 26,
	MMLENS_K_KSTACK		= 27,	/* kstack, kstack_size */
	MMLENS_K_KSTACK_USED	= 28,
	MMLENS_K_KSTACK_PEAK	= 29,
	MMLENS_K_COUNT		= 30,
};

#define MMLENS_KNOWN(field)	(1ULL << MMLENS_K_##field)

struct mmlens_task {
	__u64	known;

	/* The key. tgid and tid are of the reader's pid namespace. */
	__u32	tgid;
	__u32	tid;
	__u64	start_ns;
	__u64	leader_start_ns;	/* start_ns of the thread-group leader */

	__u32	flags;			/* enum mmlens_flag */
	__u8	state;			/* the letter of /proc/PID/stat */
	__u8	exit_state;		/* enum mmlens_exit */
	__u8	seccomp_mode;		/* 0 off, 1 strict, 2 filter */
	__u8	pad0;
	__u8	comm[16];		/* raw bytes, ended by the first 0 */

	/* As the initial pid namespace and eBPF see it. */
	__u32	init_tgid;
	__u32	init_tid;
	__u32	init_ppid;
	__u32	ppid;			/* of the reader's namespace; 0: the parent is outside it */
	__u64	parent_start_ns;	/* with ppid the parent's key */

	__u32	cpu;			/* where it runs or ran last */
	__u32	pad1;
	__u64	nvcsw;
	__u64	nivcsw;

	/* The space: mm is the task's own (or adopted), active_mm what it borrows while it runs. */
	__u64	mm;
	__u64	active_mm;
	__u32	mm_users;
	__u32	mm_count;

	__u64	files;
	__u64	fs;
	__u64	sighand;
	__u64	signal;
	__u64	io;			/* io_context */
	__u64	sysvsem;		/* SysV semaphore undo list */
	__u64	cred;			/* the objective credentials */

	__u32	uts_ns;
	__u32	ipc_ns;
	__u32	mnt_ns;
	__u32	pid_ns;			/* the task's own, not its children's */
	__u32	net_ns;
	__u32	time_ns;
	__u32	cgroup_ns;
	__u32	user_ns;
	__u64	cgroup;
	__u64	seccomp_filter;		/* the newest filter */

	/*
	 * The user stack. user_sp is what the task had when it last entered the kernel: exact
	 * unless MMLENS_F_ON_CPU, then as old as that entry. The bounds are those of the mapping
	 * that holds it, which is a stack only if user_sp was one's (signal stacks and coroutines
	 * run on others). Below it come ustack_gap unmapped bytes and then, or directly if that
	 * is 0, a mapping; if that one is directly below and forbids all access, ustack_guard is
	 * its size.
	 */
	__u64	user_sp;
	__u64	ustack_start;
	__u64	ustack_end;
	__u64	ustack_guard;
	__u64	ustack_gap;
	__u64	start_stack;		/* where exec put the initial stack pointer of the space */
	__u32	ustack_flags;		/* enum mmlens_ustack_flag */

	/*
	 * The kernel stack: its base is an identity, or its lowest address
	 * (MMLENS_FEAT_RAW_KSTACK).
	 * kstack_used is answered for a task that is not running. The stack pointer is
	 * kstack + kstack_size - kstack_used. kstack_peak is the deepest use so far.
	 */
	__u32	kstack_size;
	__u32	kstack_used;
	__u32	kstack_peak;
	__u64	kstack;

	__u64	reserved[26];
};

static_assert(sizeof(struct mmlens_header) == MMLENS_RECORD_SIZE, "mmlens: header size is ABI");
static_assert(sizeof(struct mmlens_task) == MMLENS_RECORD_SIZE, "mmlens: record size is ABI");
static_assert(MMLENS_K_COUNT <= 64, "mmlens: known has 64 bits");

#endif /* MMLENS_UAPI_H */
