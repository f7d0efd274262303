// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/procmeta.h"

static FILE *open_task(uint32_t tid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", tid, file);
	return fopen(path, "re");
}

int procmeta_uid(uint32_t tid, uint32_t *uid)
{
	cleanup_fclose FILE *f = open_task(tid, "status");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %u", uid) == 1)
			return 0;
	return -ESRCH;
}

/* "NSpid:" and one number for each pid namespace from the reader's to its own. */
int procmeta_inner_tid(uint32_t tid, uint32_t *inner)
{
	cleanup_fclose FILE *f = open_task(tid, "status");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		const char *last = strrchr(line, '\t');

		if (strncmp(line, "NSpid:", 6) == 0 && last && sscanf(last, "%u", inner) == 1)
			return 0;
	}
	return -ESRCH;
}

int procmeta_cgroup(uint32_t tid, char *path, size_t n)
{
	cleanup_fclose FILE *f = open_task(tid, "cgroup");
	char line[4608];
	int err = -ESRCH;

	while (f && fgets(line, sizeof(line), f)) {
		const char *colon = strchr(line, ':'), *at = colon ? strchr(colon + 1, ':') : NULL;

		if (!at || (!err && strncmp(line, "0::", 3) != 0))
			continue;
		snprintf(path, n, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
		err = 0;
	}
	return err;
}

int procmeta_comm(uint32_t tid, char *comm, size_t n)
{
	cleanup_fclose FILE *f = open_task(tid, "comm");
	size_t got = f ? fread(comm, 1, n - 1, f) : 0;

	if (got)
		comm[got - (comm[got - 1] == '\n')] = '\0';
	return got ? 0 : -ESRCH;
}
