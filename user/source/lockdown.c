// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/lockdown.h"

#define CONFIDENTIALITY "confidentiality"

const char *lockdown_level(void)
{
	static const char *const levels[] = { "integrity", CONFIDENTIALITY };
	cleanup_close int fd = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);
	char said[128], marked[32];
	ssize_t got = fd >= 0 ? read(fd, said, sizeof(said) - 1) : -1;

	said[got > 0 ? got : 0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		snprintf(marked, sizeof(marked), "[%s]", levels[i]);
		if (strstr(said, marked))
			return levels[i];
	}
	return NULL;
}

bool lockdown_hides_kernel(void)
{
	const char *level = lockdown_level();

	return level && strcmp(level, CONFIDENTIALITY) == 0;
}
