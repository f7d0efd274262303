// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/procmem.h"

/* Whole small /proc files: one open, one read. */
static int slurp(uint32_t tid, const char *file, char *buf, size_t n)
{
	cleanup_close int fd = -1;
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%u/%s", tid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, buf, n - 1);
	if (got < 0)
		return -errno;
	buf[got] = '\0';
	return got ? 0 : -ESRCH;
}

int procmem_parse_statm(const char *statm, struct memory *m)
{
	uint64_t size, resident;

	if (sscanf(statm, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
		return -EPROTO;
	/* the zeros of a task without a space are no measurement */
	if (!size)
		return -ESRCH;
	m->rss = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

void procmem_parse_rollup(const char *rollup, struct memory *m)
{
	const char *line = strstr(rollup, "\nPss:");
	uint64_t kib;

	if (line && sscanf(line, "\nPss: %" SCNu64 " kB", &kib) == 1)
		m->pss = kib * 1024;
}

int procmem_read(uint32_t tid, struct memory *m)
{
	char buf[2048];
	int err = slurp(tid, "statm", buf, sizeof(buf));

	m->rss = m->pss = MEMORY_UNKNOWN;
	if (!err)
		err = procmem_parse_statm(buf, m);
	if (!err && !slurp(tid, "smaps_rollup", buf, sizeof(buf)))
		procmem_parse_rollup(buf, m);
	return err;
}
