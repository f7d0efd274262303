// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_empty TRACEPOINT...: the least that watching these can cost, a program on each that only
 * returns. Stays until it is killed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <unistd.h>

static int watch(const char *tracepoint)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int prog;

	opts.attach_btf_id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP);
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "empty", "GPL", insns, 2, &opts);
	return prog < 0 ? prog : bpf_raw_tracepoint_open(NULL, prog);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (watch(argv[i]) < 0) {
			perror(argv[i]);
			return 1;
		}
	}
	pause();
}
