// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/bpf_code.h"

/*
 * Not by bpf_prog_load(): whether it has a memlock limit to lift, which bpf_env_check() has done,
 * that asks of the kernel by loading another program first.
 */
int bpf_code_load(const struct bpf_code *p, enum bpf_prog_type type, uint32_t attach, uint32_t to)
{
	union bpf_attr attr;
	long fd;

	if (p->full)
		return -E2BIG;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insn_cnt = (uint32_t)p->n;
	attr.insns = (uintptr_t)p->insns;
	attr.license = (uintptr_t) "GPL";
	/* a system call may sleep, and a program for one says so */
	attr.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0;
	attr.expected_attach_type = attach;
	attr.attach_btf_id = to;
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd < 0 ? -errno : (int)fd;
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
