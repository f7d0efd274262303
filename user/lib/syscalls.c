// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"

/* Made from <sys/syscall.h> by user.mk. */
static const char *const names[] = {
#include "syscall_names.inc"
};

bool syscall_known(int nr)
{
	return nr >= 0 && (size_t)nr < ARRAY_SIZE(names) && names[nr];
}

char *syscall_name(char *buf, size_t n, int nr)
{
	if (syscall_known(nr))
		snprintf(buf, n, "%s", names[nr]);
	else
		snprintf(buf, n, "call %d", nr);
	return buf;
}
