// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/bpf_code.h"

static int call(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long said = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return said < 0 ? -errno : (int)said;
}

int bpf_code_load(const struct bpf_code *p, enum bpf_prog_type type, uint32_t attach, uint32_t to)
{
	union bpf_attr attr;

	if (p->full)
		return -E2BIG;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uintptr_t)p->insns;
	attr.insn_cnt = (uint32_t)p->n;
	attr.license = (uintptr_t) "GPL";
	attr.expected_attach_type = attach;
	attr.attach_btf_id = to;
	/* a system call may sleep, and a program for one says so */
	attr.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0;
	return call(BPF_PROG_LOAD, &attr);
}

int bpf_code_run(int prog, void *with, size_t size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)prog;
	attr.test.ctx_in = (uintptr_t)with;
	attr.test.ctx_size_in = (uint32_t)size;
	return call(BPF_PROG_TEST_RUN, &attr);
}

int bpf_code_iterate(int prog)
{
	cleanup_close int link = -1;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)prog;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	link = call(BPF_LINK_CREATE, &attr);
	if (link < 0)
		return link;
	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (uint32_t)link;
	/* the file keeps the program, and needs the link no more */
	return call(BPF_ITER_CREATE, &attr);
}
