// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "source/objectid.h"

/* Of the handles of tmpfs, which are 12 bytes: a number drawn when the inode was made, the inode. */
#define HANDLE_MAX 128

void objectid_path(char path[OBJECT_PATH_MAX], uint32_t tid, const struct region *r)
{
	snprintf(path, OBJECT_PATH_MAX, "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, tid, r->start,
		 r->end);
}

static uint64_t ipc_namespace(const char *pid)
{
	struct stat st;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%s/ns/ipc", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

static uint64_t ipc_namespace_of(uint32_t tid)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", tid);
	return ipc_namespace(pid);
}

bool objectid_ipc_is_ours(uint32_t tid)
{
	uint64_t theirs = ipc_namespace_of(tid);

	return theirs && theirs == ipc_namespace("self");
}

/*
 * The inode of a SysV segment is its shmid, which each IPC namespace counts from 0. The number in
 * its handle follows it even where a mapper changed its namespace since; without the right to that
 * the namespace has to do.
 */
static uint64_t sysv_epoch(uint32_t tid, const struct region *r)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + HANDLE_MAX];
	} u = { .h.handle_bytes = HANDLE_MAX };
	char path[OBJECT_PATH_MAX];
	uint32_t generation;
	int mount;

	objectid_path(path, tid, r);
	if (name_to_handle_at(AT_FDCWD, path, &u.h, &mount, AT_SYMLINK_FOLLOW) ||
	    u.h.handle_bytes < sizeof(generation))
		return ipc_namespace_of(tid);
	memcpy(&generation, u.h.f_handle, sizeof(generation));
	/* apart from numbers of namespaces */
	return 1ULL << 63 | generation;
}

static bool is_device(uint32_t tid, const struct region *r)
{
	char path[OBJECT_PATH_MAX];
	struct stat st;

	if (strncmp(r->name, "/dev/", 5) != 0)
		return false;
	objectid_path(path, tid, r);
	/* without the right to follow the link, the name; where even that says nothing, its place */
	if (stat(path, &st) && stat(r->name, &st))
		return true;
	return S_ISCHR(st.st_mode);
}

bool objectid_of(uint32_t tid, const struct region *r, struct object_key *key)
{
	enum nature nature = region_nature(r);

	*key = (struct object_key){
		.device = (uint64_t)r->major << 32 | r->minor,
		.inode = r->inode,
	};
	if (nature == NATURE_SYSV) {
		key->epoch = sysv_epoch(tid, r);
		return true;
	}
	if (!r->inode || strncmp(r->name, "anon_inode:", 11) == 0)
		return false;
	return nature != NATURE_FILE || !is_device(tid, r);
}
