// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "render/tasks.h"

void value_resource(struct value *v, enum resource r, uint64_t id)
{
	if (!resource_is_inode(r) || !id)
		return value_uint(v, VALUE_ID, id);
	snprintf(v->room, sizeof(v->room), "%" PRIu64, id);
	value_str(v, v->room);
}

static void get_tgid(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_UINT, ((const struct task *)row)->key.tgid);
}

static void get_tid(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_UINT, ((const struct task *)row)->key.tid);
}

static void get_comm(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct task *)row)->comm);
}

/* NULL where the witness cannot tell. */
static const char *kind_or_null(const struct task *t)
{
	return t->kind == KIND_UNKNOWN ? NULL : task_kind_name(t->kind);
}

static void get_kind(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, kind_or_null(row));
}

static void get_state(const void *row, int arg, struct value *v)
{
	const struct task *t = row;

	(void)arg;
	if (!(t->known & KNOWN_STATE))
		return;
	snprintf(v->room, sizeof(v->room), "%c", t->state);
	value_str(v, v->room);
}

static void get_resource(const void *row, int arg, struct value *v)
{
	const struct task *t = row;

	if (task_res_known(t, arg))
		value_resource(v, arg, t->res[arg]);
}

/* Plain numbers that a witness may not know, by the bit that says so. */
enum field {
	F_PPID,
	F_START,
	F_NVCSW,
	F_NIVCSW,
	F_CPU,
	F_MM_USERS,
	F_UID,
	F_LOAN,
	F_USER_START,
	F_USER_END,
	F_USER_SP,
	F_USER_TOUCHED,
	F_USER_GUARD,
	F_USER_USED,
	F_KERNEL_SIZE,
	F_KERNEL_SP,
	F_KERNEL_USED,
	F_KERNEL_DEEPEST,
};

static uint64_t field_value(const struct task *t, enum field f)
{
	switch (f) {
	case F_PPID:
		return t->ppid;
	case F_START:
		return t->key.start_ns;
	case F_NVCSW:
		return t->nvcsw;
	case F_NIVCSW:
		return t->nivcsw;
	case F_CPU:
		return (uint64_t)t->cpu;
	case F_MM_USERS:
		return t->mm_users;
	case F_UID:
		return t->uid;
	case F_LOAN:
		return t->loan;
	case F_USER_START:
		return t->user_stack.start;
	case F_USER_END:
		return t->user_stack.end;
	case F_USER_SP:
		return t->user_stack.sp;
	case F_USER_TOUCHED:
		return t->user_stack.touched;
	case F_USER_GUARD:
		return t->user_stack.guard;
	case F_USER_USED:
		return t->user_stack.end - t->user_stack.sp;
	case F_KERNEL_SIZE:
		return t->kernel_stack.size;
	case F_KERNEL_SP:
		return t->kernel_stack.sp;
	case F_KERNEL_USED:
		return t->kernel_stack.used;
	case F_KERNEL_DEEPEST:
		return t->kernel_stack.deepest;
	}
	return 0;
}

static const struct {
	uint32_t known;
	enum value_type type;
} fields[] = {
	[F_PPID] = { KNOWN_PPID, VALUE_UINT },
	[F_START] = { KNOWN_START, VALUE_NS },
	[F_NVCSW] = { KNOWN_SWITCHES, VALUE_COUNT },
	[F_NIVCSW] = { KNOWN_SWITCHES, VALUE_COUNT },
	[F_CPU] = { KNOWN_CPU, VALUE_UINT },
	[F_MM_USERS] = { KNOWN_MM_USERS, VALUE_UINT },
	[F_UID] = { KNOWN_UID, VALUE_UINT },
	[F_LOAN] = { KNOWN_LOAN, VALUE_ID },
	[F_USER_START] = { KNOWN_USTACK, VALUE_ADDR },
	[F_USER_END] = { KNOWN_USTACK, VALUE_ADDR },
	[F_USER_SP] = { KNOWN_USP, VALUE_ADDR },
	[F_USER_TOUCHED] = { KNOWN_UTOUCHED, VALUE_SIZE },
	[F_USER_GUARD] = { KNOWN_UGUARD, VALUE_SIZE },
	[F_USER_USED] = { KNOWN_USP | KNOWN_USTACK, VALUE_SIZE },
	[F_KERNEL_SIZE] = { KNOWN_KSTACK, VALUE_SIZE },
	[F_KERNEL_SP] = { KNOWN_KUSED, VALUE_ADDR },
	[F_KERNEL_USED] = { KNOWN_KUSED, VALUE_SIZE },
	[F_KERNEL_DEEPEST] = { KNOWN_KDEEPEST, VALUE_SIZE },
};

static void get_field(const void *row, int arg, struct value *v)
{
	const struct task *t = row;

	if ((t->known & fields[arg].known) == fields[arg].known)
		value_uint(v, fields[arg].type, field_value(t, arg));
}

static void get_raced(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_BOOL, !!(((const struct task *)row)->flags & TASK_RACED));
}

/* An address only where the reader may see it; else the id that stands for it. */
static void get_kernel_base(const void *row, int arg, struct value *v)
{
	const struct task *t = row;

	(void)arg;
	if (!(t->known & KNOWN_KSTACK))
		return;
	value_uint(v, VALUE_ID, t->kernel_stack.base);
}

#define RESOURCE(word, json, r, text)                                                      \
	{                                                                                  \
		.name = word, .key = "resources." json, .help = text, .get = get_resource, \
		.arg = r, .type = VALUE_ID                                                 \
	}

#define FIELD(word, json, f, text)                                                             \
	{                                                                                      \
		.name = word, .key = json, .help = text, .flags = COL_RIGHT, .get = get_field, \
		.arg = f, .type = VALUE_UINT                                                   \
	}

const struct column task_columns[] = {
	{ "TGID", "tgid", "thread group: the process's pid", 0, COL_RIGHT, get_tgid, 0,
	  VALUE_UINT },
	{ "TID", "tid", "the task's own id", 0, COL_RIGHT, get_tid, 0, VALUE_UINT },
	FIELD("PPID", "ppid", F_PPID, "thread group of the parent"),
	{ "COMM", "comm", "the task's name", 0.1, COL_TRUNC, get_comm, 0, VALUE_STR },
	{ "KIND", "kind", "process, thread, vfork, peer, worker, kthread, loan or zombie", 0, 0,
	  get_kind, 0, VALUE_STR },
	{ "SPACE", "space", "address space (mm_struct) it runs in", 0, 0, get_resource, RES_MM,
	  VALUE_ID },
	FIELD("START", "start_ns", F_START, "start, since boot"),
	{ "S", "state", "state: R S D T t Z X I", 0, 0, get_state, 0, VALUE_STR },
	FIELD("NVCSW", "nvcsw", F_NVCSW, "voluntary context switches"),
	FIELD("NIVCSW", "nivcsw", F_NIVCSW, "involuntary context switches"),
	FIELD("CPU", "cpu", F_CPU, "CPU it ran on last"),
	FIELD("UID", "uid", F_UID, "real user id"),
	FIELD("MM-USERS", "mm_users", F_MM_USERS, "users of its space as the kernel counts them"),
	{ "LOAN", "loan", "space a kernel thread holds lazily or has adopted", 0, COL_RIGHT,
	  get_field, F_LOAN, VALUE_ID },
	RESOURCE("MM", "mm", RES_MM, "address space"),
	RESOURCE("FILES", "files", RES_FILES, "descriptor table"),
	RESOURCE("FS", "fs", RES_FS, "root, working directory, umask"),
	RESOURCE("SIGHAND", "sighand", RES_SIGHAND, "signal handlers"),
	RESOURCE("SIGNAL", "signal", RES_SIGNAL, "signal_struct: the thread group"),
	RESOURCE("IO", "io", RES_IO, "io_context"),
	RESOURCE("SYSVSEM", "sysvsem", RES_SYSVSEM, "SysV semaphore undo list"),
	RESOURCE("UTS", "uts_ns", RES_UTS_NS, "UTS namespace"),
	RESOURCE("IPC", "ipc_ns", RES_IPC_NS, "IPC namespace"),
	RESOURCE("MNT", "mnt_ns", RES_MNT_NS, "mount namespace"),
	RESOURCE("PIDNS", "pid_ns", RES_PID_NS, "pid namespace"),
	RESOURCE("NET", "net_ns", RES_NET_NS, "network namespace"),
	RESOURCE("TIME", "time_ns", RES_TIME_NS, "time namespace"),
	RESOURCE("CGROUPNS", "cgroup_ns", RES_CGROUP_NS, "cgroup namespace"),
	RESOURCE("USERNS", "user_ns", RES_USER_NS, "user namespace"),
	RESOURCE("CRED", "cred", RES_CRED, "credentials"),
	RESOURCE("CGROUP", "cgroup", RES_CGROUP, "cgroup (of the default hierarchy)"),
	RESOURCE("SECCOMP", "seccomp", RES_SECCOMP, "seccomp filter"),
	{ "RACED", "raced", "changed while it was read", 0, 0, get_raced },
	FIELD("STACK-START", "user_stack.start", F_USER_START,
	      "mapping of the stack pointer, from"),
	FIELD("STACK-END", "user_stack.end", F_USER_END, "mapping of the stack pointer, to"),
	FIELD("SP", "user_stack.sp", F_USER_SP, "user stack pointer"),
	FIELD("DEPTH", "user_stack.used", F_USER_USED, "bytes of the user stack in use"),
	FIELD("TOUCHED", "user_stack.touched", F_USER_TOUCHED, "bytes of the user stack in memory"),
	FIELD("GUARD", "user_stack.guard", F_USER_GUARD, "guard below the user stack"),
	{ "KBASE", "kernel_stack.base", "kernel stack (an id, or its address where allowed)", 0, 0,
	  get_kernel_base, 0, VALUE_ID },
	FIELD("KSIZE", "kernel_stack.size", F_KERNEL_SIZE, "kernel stack size"),
	FIELD("KSP", "kernel_stack.sp", F_KERNEL_SP, "kernel stack pointer, from the base"),
	FIELD("KUSED", "kernel_stack.used", F_KERNEL_USED, "bytes of the kernel stack in use"),
	FIELD("KDEEPEST", "kernel_stack.deepest", F_KERNEL_DEEPEST,
	      "bytes of the kernel stack ever used"),
};

const size_t task_columns_n = ARRAY_SIZE(task_columns);

/* An id is null for "has none" as well as for "cannot be told": these are the latter. */
static void json_unknown(struct json *j, const struct task *t)
{
	json_array(j, "unknown");
	for (int r = 0; r < RES_NR; r++)
		if (!task_res_known(t, r))
			json_str(j, NULL, resource_name(r));
	if ((t->flags & TASK_KTHREAD || !(t->known & KNOWN_FLAGS)) && !(t->known & KNOWN_LOAN))
		json_str(j, NULL, "loan");
	json_array_end(j);
}

void json_task(struct json *j, const char *key, const struct task *t)
{
	json_object(j, key);
	json_columns(j, task_columns, task_columns_n, t);
	json_unknown(j, t);
	json_object_end(j);
}

void json_task_brief(struct json *j, const char *key, const struct task *t)
{
	json_object(j, key);
	json_uint(j, "tgid", t->key.tgid);
	json_uint(j, "tid", t->key.tid);
	json_str(j, "comm", t->comm);
	json_str(j, "kind", kind_or_null(t));
	json_object_end(j);
}
