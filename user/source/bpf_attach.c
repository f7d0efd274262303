// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "mmlens_event.h"
#include "source/bpf_attach.h"
#include "source/btf_ids.h"

/* A kernel before 6.2 cannot cast, and has no need to: there the pointer stays what it is. */
static struct bpf_insn cast_insn(void)
{
	uint32_t id = btf_id("bpf_rdonly_cast");
	const struct bpf_insn call = { .code = BPF_JMP | BPF_CALL,
				       .src_reg = BPF_PSEUDO_KFUNC_CALL,
				       .imm = (int32_t)id },
			      move = { .code = BPF_ALU64 | BPF_MOV | BPF_X,
				       .dst_reg = BPF_REG_0,
				       .src_reg = BPF_REG_1 };

	return id ? call : move;
}

static int put_casts(struct bpf_program *prog)
{
	size_t n = bpf_program__insn_cnt(prog);
	cleanup_free struct bpf_insn *insns = malloc(n * sizeof(*insns));

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), n * sizeof(*insns));
	for (size_t i = 0; i < n; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == MMLENS_CALL_CAST)
			insns[i] = cast_insn();
	return bpf_program__set_insns(prog, insns, n);
}

/*
 * Until now the program went for one of another type, because libbpf loads the kernel's types for
 * each object that has a tracing program, whether or not they are asked for anything.
 */
static int prepare_iter(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	int err = put_casts(prog);

	(void)cookie;
	opts->attach_btf_id = btf_id("bpf_iter_task");
	if (!err && !opts->attach_btf_id)
		err = -ENOENT;
	return err ? err : bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING);
}

static int registered;

static void register_all(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare_iter);

	registered = libbpf_register_prog_handler("iter/task", BPF_PROG_TYPE_RAW_TRACEPOINT,
						  BPF_TRACE_ITER, &opts);
}

int bpf_attach_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_all);
	return registered < 0 ? registered : 0;
}
