// SPDX-License-Identifier: GPL-2.0-only
/*
 * No pointer is loaded from where the verifier knows the type: for each it would look through all of
 * the kernel's types (btf_nested_type_is_trusted(), from 6.3 on). Addresses are made numbers and
 * read by bpf_probe_read_kernel(), which gives zeros for what is behind NULL.
 *
 * As in bpf/tasks.bpf.c no lock of a task is held; ids are keyed before they leave the kernel, and
 * what was only needed on the way does not leave it.
 */
#include <bpf/btf.h>
#include <errno.h>

#include "lib/cleanup.h"
#include "source/bpf_code.h"
#include "source/bpf_env.h"
#include "source/bpf_named_code.h"
#include "source/btf_ids.h"
#include "source/btf_lookup.h"
#include "source/btf_path.h"

#define INSNS_MAX 1024

/* Where it is from a task_struct, in newer kernels and in those before, or on another processor. */
struct field {
	enum slot slot;
	const char *path;
	const char *before;
};

/* Of every task. All kernels have them. */
static const struct field of_all[] = {
	{ PID, "thread_pid" },
	{ TID, "pid" },
	{ TGID, "tgid" },
	{ START, "start_boottime" },
	{ PF_FLAGS, "flags" },
	{ MM, "mm" },
	{ SPACE, "mm->context.ctx_id", "mm" },
};

/* What decides kinds, of every task too, if others are asked for. */
static const struct field of_kinds[] = {
	{ PARENT_MM, "real_parent->mm" },
	{ VFORK, "vfork_done" },
};

/* Of the named ones. A kernel may be built without some. */
static const struct field of_shares[] = {
	{ USER_NS, "real_cred->user_ns->ns.inum" },
	{ UTS_NS, "nsproxy->uts_ns->ns.inum" },
	{ IPC_NS, "nsproxy->ipc_ns->ns.inum" },
	{ MNT_NS, "nsproxy->mnt_ns->ns.inum" },
	{ NET_NS, "nsproxy->net_ns->ns.inum" },
	{ TIME_NS, "nsproxy->time_ns->ns.inum" },
	{ CGROUP_NS, "nsproxy->cgroup_ns->ns.inum" },
	{ CGROUP, "cgroups->dfl_cgrp->kn->id" },
	{ FILES, "files" },
	{ FS, "fs" },
	{ SIGHAND, "sighand" },
	{ SIGNAL, "signal" },
	{ IO, "io_context" },
	{ SYSVSEM, "sysvsem.undo_list" },
	{ CRED, "real_cred" },
	{ SECCOMP_FILTER, "seccomp.filter" },
};

static const struct field of_named[] = {
	{ PPID, "real_parent->tgid" },
	{ UID, "real_cred->uid.val" },
	{ NVCSW, "nvcsw" },
	{ NIVCSW, "nivcsw" },
	{ STATE, "__state", "state" },
	{ EXIT_STATE, "exit_state" },
	{ CPU, "thread_info.cpu", "cpu" },
	{ PTRACE, "ptrace" },
	{ ON_CPU, "on_cpu" },
	{ MM_USERS, "mm->mm_users.counter" },
	{ LAZY_SPACE, "active_mm->context.ctx_id", "active_mm" },
	{ KSTACK, "stack" },
	{ KSTACK_PAGES, "stack_vm_area->nr_pages" },
	{ KSP, "thread.sp", "thread.cpu_context.sp" },
};

/* Read last: whether what was read through it is still the task's. */
static const struct field of_end[] = {
	{ MM_AGAIN, "mm" },
};

/* The kernel that a program is made for. */
struct kernel {
	struct btf_paths *paths;
	struct named_fields *fields; /* what was found */
	uint32_t first; /* offset of the pointer whose target is in FIRST; 0: none yet */
	bool has_regs;	/* dd6e10fbd9fb ("bpf: Add bpf_task_pt_regs() helper", 5.15) */
};

/* Registers that calls leave alone. */
enum {
	FILE_WRITTEN = 6,
	TASK = 7,	 /* as the verifier knows it */
	TASK_NUMBER = 8, /* the same, as a number */
	COUNT = 9,
	FRAME = 10,
};

static int16_t place_of(enum slot s)
{
	return (int16_t)(8 * (s - SLOTS));
}

/* The verifier lets nobody calculate with a pointer, but negated it takes it for a number. */
static void emit_number_of(struct bpf_code *p, uint8_t to, uint8_t from)
{
	emit(p, INSN_MOVE(to, from));
	emit(p, INSN_NEGATE(to));
	emit(p, INSN_NEGATE(to));
}

/* Of what lies in `from`: an address. */
static void emit_read(struct bpf_code *p, enum slot to, enum slot from, uint32_t offset,
		      uint32_t size)
{
	if (size < 8)
		emit(p, INSN_PUT(FRAME, place_of(to), 0));
	emit(p, INSN_MOVE(1, FRAME));
	emit(p, INSN_ADD(1, place_of(to)));
	emit(p, INSN_SET(2, size));
	emit(p, from == OF_TASK ? INSN_MOVE(3, TASK_NUMBER) : INSN_LOAD(3, FRAME, place_of(from)));
	emit(p, INSN_ADD(3, offset));
	emit(p, INSN_CALL(BPF_FUNC_probe_read_kernel));
}

/* What is in the task itself, and is no pointer. */
static void emit_copy(struct bpf_code *p, enum slot to, uint32_t offset, uint32_t size)
{
	const int16_t at = (int16_t)offset;

	emit(p, size == 8   ? INSN_LOAD(1, TASK, at)
		: size == 4 ? INSN_LOAD_W(1, TASK, at)
			    : INSN_LOAD_B(1, TASK, at));
	emit(p, INSN_STORE(FRAME, place_of(to), 1));
}

/* Fields that begin with the same leap share it. */
static enum slot emit_leaps(struct bpf_code *p, struct kernel *k, const struct btf_place *at)
{
	if (!at->leaps)
		return OF_TASK;
	if (k->first != at->offset[0])
		emit_read(p, FIRST, OF_TASK, at->offset[0], 8);
	k->first = at->offset[0];
	for (uint32_t i = 1; i < at->leaps; i++)
		emit_read(p, POINTER, i == 1 ? FIRST : POINTER, at->offset[i], 8);
	return at->leaps == 1 ? FIRST : POINTER;
}

static int emit_field(struct bpf_code *p, struct kernel *k, const struct field *f)
{
	struct btf_place at;
	int err = btf_path(k->paths, "task_struct", f->path, &at);
	uint32_t offset;

	if (err == -ENOENT && f->before)
		err = btf_path(k->paths, "task_struct", f->before, &at);
	else if (!err && f->slot == SPACE)
		k->fields->counts_spaces = true;
	if (err)
		return err;
	offset = at.offset[at.leaps];
	if (at.size != 1 && at.size != 4 && at.size != 8)
		return -EPROTO;
	if (at.leaps || at.is_pointer || offset > INT16_MAX)
		emit_read(p, f->slot, emit_leaps(p, k, &at), offset, at.size);
	else
		emit_copy(p, f->slot, offset, at.size);
	k->fields->has |= 1ull << f->slot;
	return 0;
}

static int emit_fields(struct bpf_code *p, struct kernel *k, const struct field *f, size_t n,
		       bool all)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		err = emit_field(p, k, &f[i]);
		if (err != -ENOENT || all)
			continue;
		emit(p, INSN_PUT(FRAME, place_of(f[i].slot), 0));
		err = 0;
	}
	return err;
}

static int emit_comm(struct bpf_code *p, struct kernel *k)
{
	struct btf_place at;
	int err = btf_path(k->paths, "task_struct", "comm", &at);

	if (!err)
		emit_read(p, COMM, OF_TASK, at.offset[0], MMLENS_COMM_LEN);
	return err;
}

/* The namespace a task is in, not the one its children will be born in: that of the last number. */
static int emit_pid_ns(struct bpf_code *p, struct kernel *k)
{
	struct btf_place level, numbers, inum;
	int err = btf_path(k->paths, "task_struct", "thread_pid->level", &level);

	if (!err)
		err = btf_path(k->paths, "task_struct", "thread_pid->numbers", &numbers);
	if (!err)
		err = btf_path(k->paths, "task_struct", "thread_pid->numbers.ns->ns.inum", &inum);
	if (err)
		return err;
	emit_read(p, LEVEL, PID, level.offset[1], level.size);
	emit(p, INSN_LOAD(1, FRAME, place_of(LEVEL)));
	emit(p, INSN(BPF_ALU64 | BPF_MUL | BPF_K, 1, 0, 0, numbers.size));
	emit(p, INSN_LOAD(2, FRAME, place_of(PID)));
	emit(p, INSN_ALU(BPF_ADD, 2, 1));
	emit(p, INSN_STORE(FRAME, place_of(POINTER), 2));
	emit_read(p, POINTER, POINTER, inum.offset[1], 8);
	emit_read(p, PID_NS, POINTER, inum.offset[2], inum.size);
	k->fields->has |= 1ull << PID_NS;
	return 0;
}

static int emit_user_sp(struct bpf_code *p, struct kernel *k)
{
	struct btf_place at;
	int err = k->has_regs ? btf_path(k->paths, "pt_regs", "sp", &at) : -ENOENT;

	if (err == -ENOENT) {
		emit(p, INSN_PUT(FRAME, place_of(USP), 0));
		return 0;
	}
	if (err)
		return err;
	emit(p, INSN_MOVE(1, TASK));
	emit(p, INSN_CALL(BPF_FUNC_task_pt_regs));
	emit_number_of(p, 1, 0);
	emit(p, INSN_STORE(FRAME, place_of(POINTER), 1));
	emit_read(p, USP, POINTER, at.offset[0], at.size);
	k->fields->has |= 1ull << USP;
	return 0;
}

/* vfork_done is set for a child that has a space of its own, too, and for every kernel thread. */
static void emit_vfork(struct bpf_code *p, bool asked)
{
	if (!asked) {
		emit(p, INSN_PUT(FRAME, place_of(VFORK), 0));
		return;
	}
	emit(p, INSN_LOAD(1, FRAME, place_of(VFORK)));
	emit(p, INSN_LOAD(2, FRAME, place_of(MM)));
	emit(p, INSN_LOAD(3, FRAME, place_of(PARENT_MM)));
	emit(p, INSN_PUT(FRAME, place_of(VFORK), 0));
	emit(p, INSN_JUMP_IF(1, 0, 3));
	emit(p, INSN_JUMP_IF(2, 0, 2));
	emit(p, INSN_JUMP_UNEQUAL(2, 3, 1));
	emit(p, INSN_PUT(FRAME, place_of(VFORK), 1));
}

/* What was read through the space may be of another: the task has taken one meanwhile. */
static void emit_raced(struct bpf_code *p)
{
	emit(p, INSN_LOAD(1, FRAME, place_of(MM)));
	emit(p, INSN_LOAD(2, FRAME, place_of(MM_AGAIN)));
	emit(p, INSN_PUT(FRAME, place_of(RACED), 0));
	emit(p, INSN_JUMP_SAME(1, 2, 1));
	emit(p, INSN_PUT(FRAME, place_of(RACED), 1));
}

/* From an address to how deep in the stack it is. */
static void emit_depth(struct bpf_code *p)
{
	emit(p, INSN_LOAD(1, FRAME, place_of(KSP)));
	emit(p, INSN_LOAD(2, FRAME, place_of(KSTACK)));
	emit(p, INSN_ALU(BPF_SUB, 1, 2));
	emit(p, INSN_STORE(FRAME, place_of(KSP), 1));
}

/* The numbers of keyed_id(), each in a register for as long as ids are made. */
enum {
	BY_ONE = 0,
	BY_TWO = 3,
	KEY_ZERO = 4,
	KEY_ONE = TASK,
	KEY_TWO = TASK_NUMBER,
};

/* mix64() of bpf/ids.bpf.h, of what is in register 1. */
static void emit_mix(struct bpf_code *p)
{
	static const uint8_t by[] = { BY_ONE, BY_TWO };

	for (size_t i = 0; i <= ARRAY_SIZE(by); i++) {
		emit(p, INSN_MOVE(2, 1));
		emit(p, INSN_SHIFT_RIGHT(2, 33));
		emit(p, INSN_ALU(BPF_XOR, 1, 2));
		if (i < ARRAY_SIZE(by))
			emit(p, INSN_ALU(BPF_MUL, 1, by[i]));
	}
}

/*
 * keyed_id() of bpf/ids.bpf.h, of each of these slots. After that the task can be read no more. NULL,
 * alone without an address's highest bit, stays 0 by no jump: the verifier would go both ways of each.
 */
static void emit_keyed_ids(struct bpf_code *p, enum slot from, enum slot to)
{
	const struct mmlens_keys keys = bpf_env_keys();
	size_t loop;

	emit_number(p, BY_ONE, 0xff51afd7ed558ccdULL);
	emit_number(p, BY_TWO, 0xc4ceb9fe1a85ec53ULL);
	emit_number(p, KEY_ZERO, keys.k[0]);
	emit_number(p, KEY_ONE, keys.k[1]);
	emit_number(p, KEY_TWO, keys.k[2]);
	emit(p, INSN_MOVE(5, FRAME));
	emit(p, INSN_ADD(5, place_of(from)));
	emit(p, INSN_SET(COUNT, to - from));
	loop = p->n;
	emit(p, INSN_LOAD(1, 5, 0));
	emit(p, INSN_NEGATE(1));
	emit(p, INSN_ALU(BPF_XOR, 1, KEY_ZERO));
	emit_mix(p);
	emit(p, INSN_ALU(BPF_XOR, 1, KEY_ONE));
	emit_mix(p);
	emit(p, INSN_ALU(BPF_XOR, 1, KEY_TWO));
	emit(p, INSN_LOAD(2, 5, 0));
	emit(p, INSN_SPREAD_SIGN(2));
	emit(p, INSN_ALU(BPF_AND, 1, 2));
	emit(p, INSN_STORE(5, 0, 1));
	emit(p, INSN_ADD(5, 8));
	emit(p, INSN_ADD(COUNT, -1));
	emit(p, INSN_JUMP_NOT(COUNT, 0, (int16_t)(loop - p->n - 1)));
}

static void emit_space_id(struct bpf_code *p, const struct kernel *k)
{
	if (!k->fields->counts_spaces)
		emit_keyed_ids(p, SPACE, SPACE + 1);
}

static void emit_end(struct bpf_code *p)
{
	emit(p, INSN_SET(0, 0));
	emit(p, INSN_EXIT);
}

/* struct bpf_iter__task and bpf_iter_meta are what programs are given, not what a kernel may change. */
enum {
	CONTEXT_META = 0,
	CONTEXT_TASK = 8,
	META_SEQ = 0,
};

static void emit_write(struct bpf_code *p, enum slot length)
{
	emit(p, INSN_PUT(FRAME, place_of(LENGTH), length));
	emit(p, INSN_MOVE(1, FILE_WRITTEN));
	emit(p, INSN_MOVE(2, FRAME));
	emit(p, INSN_ADD(2, place_of(0)));
	emit(p, INSN_SET(3, length * 8));
	emit(p, INSN_CALL(BPF_FUNC_seq_write));
	emit_end(p);
}

static void emit_begin(struct bpf_code *p)
{
	emit(p, INSN_LOAD(TASK, 1, CONTEXT_TASK));
	emit(p, INSN_JUMP_NOT(TASK, 0, 2));
	emit_end(p);
	emit(p, INSN_LOAD(FILE_WRITTEN, 1, CONTEXT_META));
	emit(p, INSN_LOAD(FILE_WRITTEN, FILE_WRITTEN, META_SEQ));
	emit_number_of(p, TASK_NUMBER, TASK);
}

/* Of a task that is being released nobody knows the number any more. */
static void emit_leave_released(struct bpf_code *p)
{
	emit(p, INSN_LOAD(1, FRAME, place_of(PID)));
	emit(p, INSN_JUMP_NOT(1, 0, 2));
	emit_end(p);
}

static int emit_details(struct bpf_code *p, struct kernel *k)
{
	int err = emit_comm(p, k);

	if (!err)
		err = emit_user_sp(p, k);
	if (!err)
		err = emit_fields(p, k, of_named, ARRAY_SIZE(of_named), false);
	emit_depth(p);
	return err;
}

static int emit_rest_of_named(struct bpf_code *p, struct kernel *k, enum slot length)
{
	const enum slot keyed_of_all = k->fields->counts_spaces ? LAZY_SPACE : LAZY_SPACE + 1;
	int err = emit_pid_ns(p, k);

	if (!err)
		err = emit_fields(p, k, of_shares, ARRAY_SIZE(of_shares), false);
	if (!err && length == ROW)
		err = emit_details(p, k);
	if (!err)
		err = emit_fields(p, k, of_end, ARRAY_SIZE(of_end), true);
	emit_raced(p);
	emit_space_id(p, k);
	emit_keyed_ids(p, FILES, length == ROW ? keyed_of_all : ROW_OF_SHARES);
	emit_write(p, length);
	return err;
}

static int emit_all(struct bpf_code *p, struct kernel *k, const struct named_ask *ask)
{
	size_t named[NAMED_MAX];
	int err;

	emit_begin(p);
	err = emit_fields(p, k, of_all, ARRAY_SIZE(of_all), true);
	if (err)
		return err;
	emit_leave_released(p);
	if (ask->others)
		err = emit_fields(p, k, of_kinds, ARRAY_SIZE(of_kinds), true);
	if (err)
		return err;
	emit_vfork(p, ask->others);
	emit(p, INSN_LOAD(1, FRAME, place_of(TID)));
	for (size_t i = 0; i < ask->n; i++) {
		named[i] = p->n;
		emit(p, INSN_JUMP_IF(1, ask->tids[i], 0));
	}
	if (ask->others) {
		emit_space_id(p, k);
		emit_write(p, ROW_OF_OTHERS);
	} else {
		emit_end(p);
	}
	for (size_t i = 0; i < ask->n; i++)
		land(p, named[i]);
	return emit_rest_of_named(p, k, ask->length);
}

static int load(struct kernel *k, const struct named_ask *ask, uint32_t iterator)
{
	struct bpf_insn insns[INSNS_MAX];
	struct bpf_code p = { .insns = insns, .room = ARRAY_SIZE(insns) };
	int err;

	*k->fields = (struct named_fields){ 0 };
	k->first = 0;
	err = emit_all(&p, k, ask);
	return err ? err : bpf_code_load(&p, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, iterator);
}

int bpf_named_load(const struct named_ask *ask, struct named_fields *fields)
{
	struct kernel k = { .fields = fields, .has_regs = true };
	uint32_t iterator = btf_lookup("bpf_iter_task", BTF_KIND_FUNC);
	int prog;

	if (ask->n > NAMED_MAX)
		return -E2BIG;
	if (!iterator)
		iterator = btf_id("bpf_iter_task");
	k.paths = iterator ? btf_paths_open() : NULL;
	if (!k.paths)
		return -ENOENT;
	prog = load(&k, ask, iterator);
	if (prog < 0 && ask->length == ROW) {
		k.has_regs = false;
		prog = load(&k, ask, iterator);
	}
	btf_paths_close(k.paths);
	return prog;
}
