/* SPDX-License-Identifier: GPL-2.0-only */
/* Where processors differ for the inspector. Nothing else in user/ asks for one. */
#ifndef LIB_ARCH_H
#define LIB_ARCH_H

#include <sys/syscall.h>

/* The number of vfork(2); -1 where libc makes it of clone(2), as on arm64 and riscv. */
#ifdef SYS_vfork
#define ARCH_SYS_VFORK SYS_vfork
#else
#define ARCH_SYS_VFORK (-1)
#endif

#endif /* LIB_ARCH_H */
