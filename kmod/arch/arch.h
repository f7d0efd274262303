/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each architecture answers for itself:
 *
 *   MMLENS_ARCH_SPACE_COUNTER       the kernel numbers its address spaces and never reuses a number
 *   mmlens_arch_space_counter(mm)   that number, of a space that stays meanwhile
 *   mmlens_arch_space_counter_nofault(mm)
 *                                   of one that may be freed meanwhile: it is read without
 *                                   trusting the pointer, and the caller looks again whether
 *                                   it still means the same space
 *   MMLENS_ARCH_HAS_STACK_POINTERS
 *   mmlens_arch_user_sp(task, sp)   the user stack pointer saved at the last entry into the kernel,
 *                                   -errno if the kernel stack is gone
 *   mmlens_arch_kernel_sp(task)     where a task that does not run will go on
 */
#ifndef MMLENS_ARCH_H
#define MMLENS_ARCH_H

#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <asm/processor.h>
#include <asm/ptrace.h>

#if defined(CONFIG_X86)
#include "x86.h"
#elif defined(CONFIG_ARM64)
#include "arm64.h"
#else
#include "generic.h"
#endif

#endif /* MMLENS_ARCH_H */
