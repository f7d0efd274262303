/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls by name, as the C library's headers of this architecture have them. */
#ifndef MMLENS_LIB_SYSCALLS_H
#define MMLENS_LIB_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

bool syscall_known(int nr);

/* "futex"; "call 999" for one that was not known when this was built. Returns `buf`. */
char *syscall_name(char *buf, size_t n, int nr);

#endif
