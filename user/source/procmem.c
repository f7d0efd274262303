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

static int read_rss(uint32_t tid, struct memory *m)
{
	char buf[256];
	uint64_t size, resident;
	int err = slurp(tid, "statm", buf, sizeof(buf));

	if (err)
		return err;
	if (sscanf(buf, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
		return -EPROTO;
	/* the zeros of a task without a space are no measurement */
	if (!size)
		return -ESRCH;
	m->rss = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static void read_pss(uint32_t tid, struct memory *m)
{
	char buf[2048];
	uint64_t kib;
	const char *line;

	if (slurp(tid, "smaps_rollup", buf, sizeof(buf)))
		return;
	line = strstr(buf, "\nPss:");
	if (line && sscanf(line, "\nPss: %" SCNu64 " kB", &kib) == 1)
		m->pss = kib * 1024;
}

int procmem_read(uint32_t tid, struct memory *m)
{
	int err;

	m->rss = m->pss = MEMORY_UNKNOWN;
	err = read_rss(tid, m);
	if (!err)
		read_pss(tid, m);
	return err;
}
