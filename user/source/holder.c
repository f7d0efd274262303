// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/holder.h"

/* The kernel has no program for whom it has no space of. */
static bool has_space(uint32_t tid)
{
	char path[32], target[2];

	snprintf(path, sizeof(path), "/proc/%u/exe", tid);
	return readlink(path, target, sizeof(target)) >= 0 || errno != ENOENT;
}

uint32_t holder_of(uint32_t pid)
{
	cleanup_closedir DIR *d = NULL;
	struct dirent *de;
	char path[32];

	if (has_space(pid))
		return pid;
	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	d = opendir(path);
	while (d && (de = readdir(d))) {
		uint32_t tid =
			isdigit((unsigned char)de->d_name[0]) ? (uint32_t)atoi(de->d_name) : pid;

		if (tid != pid && has_space(tid))
			return tid;
	}
	return pid;
}
