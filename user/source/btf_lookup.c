// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/bpf_code.h"
#include "source/btf_lookup.h"

#define NAME_MAX_LEN 32

/* What the program is called with. */
struct question {
	char name[NAME_MAX_LEN];
	uint64_t kind;
	uint64_t id; /* the answer; in the upper half the descriptor of a module's types */
};

/*
 * 3d78417b60fb ("bpf: Add bpf_btf_find_by_name_kind() helper", 5.14), for programs that are run by
 * a system call.
 */
static int load(size_t len)
{
	struct bpf_insn insns[32];
	struct bpf_code p = { .insns = insns, .room = ARRAY_SIZE(insns) };

	emit(&p, INSN_MOVE(6, 1));
	for (int at = 0; at < NAME_MAX_LEN; at += 8) {
		emit(&p, INSN_LOAD(2, 6, at));
		emit(&p, INSN_STORE(10, at - NAME_MAX_LEN, 2));
	}
	emit(&p, INSN_MOVE(1, 10));
	emit(&p, INSN_ADD(1, -NAME_MAX_LEN));
	emit(&p, INSN_SET(2, len));
	emit(&p, INSN_LOAD(3, 6, offsetof(struct question, kind)));
	emit(&p, INSN_SET(4, 0));
	emit(&p, INSN_CALL(BPF_FUNC_btf_find_by_name_kind));
	emit(&p, INSN_STORE(6, offsetof(struct question, id), 0));
	emit(&p, INSN_SET(0, 0));
	emit(&p, INSN_EXIT);
	return bpf_code_load(&p, BPF_PROG_TYPE_SYSCALL, 0, 0);
}

uint32_t btf_lookup(const char *name, uint32_t kind)
{
	const size_t len = strlen(name) + 1;
	struct question q = { .kind = kind };
	cleanup_close int prog = len <= sizeof(q.name) ? load(len) : -1;

	memcpy(q.name, name, prog < 0 ? 0 : len);
	if (prog < 0 || bpf_code_run(prog, &q, sizeof(q)))
		return 0;
	return q.id <= INT32_MAX ? (uint32_t)q.id : 0;
}
