// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/slurp.h"
#include "source/procmeta.h"

static int slurp_task(struct slurp *file, uint32_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", tid, name);
	return slurp_record_at(file, AT_FDCWD, path);
}

int procmeta_parse_uid(const char *status, uint32_t *uid)
{
	const char *line = strstr(status, "\nUid:");

	return line && sscanf(line, "\nUid: %u", uid) == 1 ? 0 : -EPROTO;
}

int procmeta_uid(uint32_t tid, uint32_t *uid)
{
	cleanup_slurp struct slurp file = { 0 };
	int err = slurp_task(&file, tid, "status");

	return err ? err : procmeta_parse_uid(file.text, uid);
}

/* One number for each pid namespace from the reader's to its own. */
int procmeta_parse_inner_tid(const char *status, uint32_t *inner)
{
	const char *line = strstr(status, "\nNSpid:");
	const char *at = line ? line + strlen("\nNSpid:") : NULL;
	int used;

	if (!at || sscanf(at, " %u%n", inner, &used) != 1)
		return -EPROTO;
	do
		at += used;
	while (*at == '\t' && sscanf(at, " %u%n", inner, &used) == 1);
	return 0;
}

int procmeta_inner_tid(uint32_t tid, uint32_t *inner)
{
	cleanup_slurp struct slurp file = { 0 };
	int err = slurp_task(&file, tid, "status");

	return err ? err : procmeta_parse_inner_tid(file.text, inner);
}

/* "ID:CONTROLLERS:PATH" */
int procmeta_parse_cgroup(const char *cgroup, char *path, size_t n)
{
	int err = -EPROTO;

	for (const char *line = cgroup, *end; *line; line = *end ? end + 1 : end) {
		const char *at = strchr(line, ':');

		end = line + strcspn(line, "\n");
		at = at ? strchr(at + 1, ':') : NULL;
		if (!at || at >= end || (!err && strncmp(line, "0::", 3) != 0))
			continue;
		snprintf(path, n, "%.*s", (int)(end - at - 1), at + 1);
		err = 0;
	}
	return err;
}

int procmeta_cgroup(uint32_t tid, char *path, size_t n)
{
	cleanup_slurp struct slurp file = { 0 };
	int err = slurp_task(&file, tid, "cgroup");

	return err ? err : procmeta_parse_cgroup(file.text, path, n);
}

int procmeta_comm(uint32_t tid, char *comm, size_t n)
{
	cleanup_slurp struct slurp file = { 0 };
	int err = slurp_task(&file, tid, "comm");
	size_t len = err ? 0 : strlen(file.text);

	if (len)
		snprintf(comm, n, "%.*s", (int)(len - (file.text[len - 1] == '\n')), file.text);
	return err;
}
