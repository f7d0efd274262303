/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs of a few instructions, written where they are loaded. To fit a compiled object to a kernel
 * libbpf first asks what that kernel can do, by loading a dozen programs: several times of what it
 * takes to load one of these.
 */
#ifndef MMLENS_SOURCE_BPF_CODE_H
#define MMLENS_SOURCE_BPF_CODE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_code {
	struct bpf_insn *insns; /* the caller's */
	size_t n, room;
	bool full; /* some did not fit: not to be loaded */
};

static inline void emit(struct bpf_code *p, struct bpf_insn insn)
{
	p->full |= p->n == p->room;
	if (!p->full)
		p->insns[p->n++] = insn;
}

/*
 * The kernel's answer: a descriptor, which the caller closes, or -errno. `to` is the BTF id of what
 * the program is attached to, `attach` an enum bpf_attach_type.
 */
int bpf_code_load(const struct bpf_code *p, enum bpf_prog_type type, uint32_t attach, uint32_t to);
/* Runs one of BPF_PROG_TYPE_SYSCALL, which may change what it is called with. 0 or -errno. */
int bpf_code_run(int prog, void *with, size_t size);
/* An iterator's file. All tasks. */
int bpf_code_iterate(int prog);

#define INSN(how, to, from, at, number)                                         \
	(struct bpf_insn)                                                       \
	{                                                                       \
		.code = (how), .dst_reg = (to), .src_reg = (from), .off = (at), \
		.imm = (int32_t)(number)                                        \
	}

#define INSN_SET(to, n)		      INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, n)
#define INSN_MOVE(to, from)	      INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define INSN_ADD(to, n)		      INSN(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, n)
#define INSN_ALU(op, to, from)	      INSN(BPF_ALU64 | (op) | BPF_X, to, from, 0, 0)
#define INSN_NEGATE(to)		      INSN(BPF_ALU64 | BPF_NEG, to, 0, 0, 0)
#define INSN_SHIFT_RIGHT(to, n)	      INSN(BPF_ALU64 | BPF_RSH | BPF_K, to, 0, 0, n)
#define INSN_SPREAD_SIGN(to)	      INSN(BPF_ALU64 | BPF_ARSH | BPF_K, to, 0, 0, 63)
#define INSN_LOAD(to, from, at)	      INSN(BPF_LDX | BPF_MEM | BPF_DW, to, from, at, 0)
#define INSN_LOAD_W(to, from, at)     INSN(BPF_LDX | BPF_MEM | BPF_W, to, from, at, 0)
#define INSN_LOAD_B(to, from, at)     INSN(BPF_LDX | BPF_MEM | BPF_B, to, from, at, 0)
#define INSN_STORE(to, at, from)      INSN(BPF_STX | BPF_MEM | BPF_DW, to, from, at, 0)
#define INSN_PUT(to, at, n)	      INSN(BPF_ST | BPF_MEM | BPF_DW, to, 0, at, n)
#define INSN_JUMP_IF(reg, n, skip)    INSN(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, skip, n)
#define INSN_JUMP_NOT(reg, n, skip)   INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, skip, n)
#define INSN_JUMP_SAME(a, b, skip)    INSN(BPF_JMP | BPF_JEQ | BPF_X, a, b, skip, 0)
#define INSN_JUMP_UNEQUAL(a, b, skip) INSN(BPF_JMP | BPF_JNE | BPF_X, a, b, skip, 0)
#define INSN_CALL(helper)	      INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define INSN_EXIT		      INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* A number of 64 bits takes two. */
static inline void emit_number(struct bpf_code *p, uint8_t to, uint64_t n)
{
	emit(p, INSN(BPF_LD | BPF_DW | BPF_IMM, to, 0, 0, n));
	emit(p, INSN(0, 0, 0, 0, n >> 32));
}

/* The jump at `from` goes to what is written next. */
static inline void land(struct bpf_code *p, size_t from)
{
	if (!p->full)
		p->insns[from].off = (int16_t)(p->n - from - 1);
}

#endif
