/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every user of BPF here needs: whether this kernel and this process may, why not, the keys
 * of this run, and libbpf kept silent but for its last word, which is the best reason there is.
 */
#ifndef MMLENS_SOURCE_BPF_ENV_H
#define MMLENS_SOURCE_BPF_ENV_H

#include "mmlens_event.h"
#include "source/source.h"

struct bpf_map;

/* 0, or -errno with `why` saying what is missing and how to get it. */
int bpf_env_check(struct why *why);

/* The same in every object of this process, so that ids may be compared across programs. */
struct mmlens_keys bpf_env_keys(void);

/* The inode of our pid namespace, for programs that translate what they tell; 0: the initial one. */
uint32_t bpf_env_pid_ns(void);

/* Bytes to map of an array that may be mapped. */
size_t bpf_env_map_len(const struct bpf_map *map);

/*
 * Whether programs may use a ring buffer where a switch happens. On a PREEMPT_RT kernel without
 * 8b62645b09f8 ("bpf: Use raw_spinlock_t in ringbuf", 6.12 and stable) who waits for its
 * lock goes to sleep, which within the scheduler stops the machine for good: two CPUs that switched
 * all the time did it to Debian 11's 5.10-rt within seconds. 0, or -EOPNOTSUPP with `why`.
 */
int bpf_env_check_ring(struct why *why);

/* Turns libbpf's failure to load into a reason; returns err. */
int bpf_env_load_failed(struct why *why, int err);

/*
 * Whether this kernel preempts itself anywhere (PREEMPT, PREEMPT_RT, preempt=full). Such kernels,
 * emulated with a thread for each of two processors, called address 0 from __schedule while a kprobe
 * at finish_task_switch was attached: 6.1-rt within three enablings of a plain kprobe event, every
 * time and without a program of ours, a 6.12 once in a hundred. Others never did. Whether real
 * processors would is not known, and what a switch costs is not worth finding out.
 */
bool bpf_env_preempts(void);

#endif
