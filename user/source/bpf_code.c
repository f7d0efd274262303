// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>

#include "lib/cleanup.h"
#include "source/bpf_code.h"

int bpf_code_load(const struct bpf_code *p, enum bpf_prog_type type, uint32_t attach, uint32_t to)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach, .attach_btf_id = to);

	if (p->full)
		return -E2BIG;
	/* a system call may sleep, and a program for one says so */
	opts.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0;
	return bpf_prog_load(type, NULL, "GPL", p->insns, p->n, &opts);
}

int bpf_code_run(int prog, void *with, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = with, .ctx_size_in = (uint32_t)size);

	return bpf_prog_test_run_opts(prog, &opts);
}

int bpf_code_iterate(int prog)
{
	cleanup_close int link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);

	/* the file keeps the program, and needs the link no more */
	return link < 0 ? link : bpf_iter_create(link);
}
