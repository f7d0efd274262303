/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For programs that attach to something of the kernel by its BTF id libbpf takes all of the
 * kernel's types into memory, even where btf_custom_path has given it what else it needs. Here the
 * id is put in when the program is loaded, by the way of source/btf_ids.h.
 */
#ifndef MMLENS_SOURCE_BPF_ATTACH_H
#define MMLENS_SOURCE_BPF_ATTACH_H

/*
 * Before objects with SEC("iter/task") are opened; once is enough. Such a program is attached by
 * bpf_program__attach_iter(). 0 or -errno.
 */
int bpf_attach_init(void);

#endif
