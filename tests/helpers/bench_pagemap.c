// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_pagemap START END PID...: reads the pagemaps of that range (hexadecimal) in preads of 1 MiB,
 * and does nothing with them: the least that a command which compares their pages has to do.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ENTRY 8

static char buffer[1 << 20];

static void read_pagemap(const char *pid, unsigned long start, unsigned long end)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (unsigned long at = start; at < end; at += sizeof(buffer) / ENTRY * page)
		if (pread(fd, buffer, sizeof(buffer), at / page * ENTRY) <= 0) {
			perror(path);
			exit(1);
		}
	close(fd);
}

int main(int argc, char **argv)
{
	for (int i = 3; i < argc; i++)
		read_pagemap(argv[i], strtoul(argv[1], NULL, 16), strtoul(argv[2], NULL, 16));
	return 0;
}
