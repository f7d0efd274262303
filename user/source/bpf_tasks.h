/* SPDX-License-Identifier: GPL-2.0-only */
/* Translations of ABI 2 that the task iterator and the switch events share. */
#ifndef MMLENS_SOURCE_BPF_TASKS_H
#define MMLENS_SOURCE_BPF_TASKS_H

#include <stdint.h>

/* The letter of /proc/PID/stat for bits of task->__state and exit_state. */
char bpf_state_letter(uint32_t state);

#endif
