// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/endpoints.h"
#include "source/holder.h"

#define MQUEUE_MAGIC 0x19800202

/* fdinfo: flags in octal, and the id that makes an eventfd one */
static void read_fdinfo(uint32_t pid, int fd, struct endpoint *e)
{
	char path[64], line[128];
	cleanup_fclose FILE *f = NULL;
	unsigned int flags = 0;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "flags: %o", &flags);
		if (e->type == CHANNEL_EVENTFD)
			sscanf(line, "eventfd-id: %" SCNu64, &e->id);
	}
	e->reads = (flags & O_ACCMODE) != O_WRONLY;
	e->writes = (flags & O_ACCMODE) != O_RDONLY;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* What memory object a name of the kernel's means; CHANNEL_FILE for all others. */
static enum channel_type memory_type(const char *name)
{
	static const struct {
		const char *prefix;
		enum channel_type type;
	} names[] = {
		{ "/SYSV", CHANNEL_SYSV_SHM },
		{ "/memfd:", CHANNEL_MEMFD },
		{ "/dev/zero", CHANNEL_ANON_SHM },
		{ "/dev/shm/", CHANNEL_POSIX_SHM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (begins(name, names[i].prefix))
			return names[i].type;
	return CHANNEL_FILE;
}

/* What a descriptor leads to; -1 when to nobody else. */
static int fd_type(const char *path, const char *target, const struct stat *st)
{
	struct statfs fs;

	if (begins(target, "pipe:["))
		return CHANNEL_PIPE;
	if (begins(target, "socket:["))
		return CHANNEL_SOCKET;
	if (begins(target, "anon_inode:[eventfd]"))
		return CHANNEL_EVENTFD;
	if (S_ISFIFO(st->st_mode))
		return CHANNEL_FIFO;
	if (!S_ISREG(st->st_mode))
		return -1;
	if (!statfs(path, &fs) && fs.f_type == MQUEUE_MAGIC)
		return CHANNEL_POSIX_QUEUE;
	return memory_type(target);
}

static int take_fd(struct endpoints *es, uint32_t pid, uint32_t holder, int fd)
{
	struct endpoint *e;
	char path[64], target[256];
	struct stat st;
	ssize_t len;
	int type;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", holder, fd);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0 || stat(path, &st))
		return 0;
	target[len] = '\0';
	type = fd_type(path, target, &st);
	if (type < 0)
		return 0;
	e = endpoints_add(es);
	if (!e)
		return -ENOMEM;
	e->type = (enum channel_type)type;
	e->tgid = pid;
	e->fd = fd;
	e->dev = type == CHANNEL_SOCKET || type == CHANNEL_EVENTFD ? 0 : st.st_dev;
	e->paired = type == CHANNEL_PIPE || type == CHANNEL_FIFO;
	e->id = st.st_ino;
	snprintf(e->name, sizeof(e->name), "%.*s", NAME_ROOM - 1, target);
	read_fdinfo(holder, fd, e);
	return 0;
}

static int read_fds(struct endpoints *es, uint32_t pid, uint32_t holder)
{
	cleanup_closedir DIR *d = NULL;
	struct dirent *de;
	char path[32];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%u/fd", holder);
	d = opendir(path);
	if (!d) {
		es->withheld += errno == EACCES;
		return 0;
	}
	while (!err && (de = readdir(d)))
		if (isdigit((unsigned char)de->d_name[0]))
			err = take_fd(es, pid, holder, atoi(de->d_name));
	return err;
}

/* Futex words that the threads of a process sleep on now. */
struct sleepers {
	uint64_t at[64];
	size_t n;
};

static void read_sleepers(uint32_t pid, struct sleepers *s)
{
	cleanup_closedir DIR *d = NULL;
	struct dirent *de;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	d = opendir(path);
	while (d && (de = readdir(d)) && s->n < ARRAY_SIZE(s->at)) {
		cleanup_fclose FILE *f = NULL;
		long nr;

		snprintf(path, sizeof(path), "/proc/%u/task/%s/syscall", pid, de->d_name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%ld %" SCNx64, &nr, &s->at[s->n]) == 2 && nr == SYS_futex)
			s->n++;
	}
}

static int take_mapping(struct endpoints *es, uint32_t pid, const char *line,
			const struct sleepers *s)
{
	uint64_t start, end, offset, inode;
	unsigned int maj, min;
	char perms[5];
	struct endpoint *e;
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &start,
		   &end, perms, &offset, &maj, &min, &inode, &at) < 7 ||
	    perms[3] != 's' || !inode)
		return 0;
	e = endpoints_add(es);
	if (!e)
		return -ENOMEM;
	e->type = memory_type(line + at);
	e->tgid = pid;
	e->reads = perms[0] == 'r';
	e->writes = perms[1] == 'w';
	e->dev = makedev(maj, min);
	e->id = inode;
	e->size = end - start;
	snprintf(e->name, sizeof(e->name), "%.*s", (int)strcspn(line + at, "\n"), line + at);
	for (size_t i = 0; i < s->n; i++)
		e->waited |= s->at[i] >= start && s->at[i] < end;
	return 0;
}

static int read_mappings(struct endpoints *es, uint32_t pid, uint32_t holder)
{
	cleanup_fclose FILE *f = NULL;
	cleanup_free char *line = NULL;
	struct sleepers sleepers = { .n = 0 };
	char path[32];
	size_t room = 0;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%u/maps", holder);
	f = fopen(path, "re");
	if (!f)
		return 0;
	read_sleepers(pid, &sleepers);
	while (!err && getline(&line, &room, f) > 0)
		err = take_mapping(es, pid, line, &sleepers);
	return err;
}

static struct endpoint *add_named(struct endpoints *es, enum channel_type type, uint32_t pid,
				  uint64_t id)
{
	struct endpoint *e = endpoints_add(es);

	if (!e)
		return NULL;
	e->type = type;
	e->tgid = pid;
	e->id = id;
	e->reads = e->writes = true;
	return e;
}

static int read_tracer(struct endpoints *es, uint32_t pid)
{
	cleanup_fclose FILE *f = NULL;
	struct endpoint *tracer, *traced;
	char path[32], line[128];
	uint32_t by = 0;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TracerPid: %u", &by) == 1)
			break;
	if (!by)
		return 0;
	traced = add_named(es, CHANNEL_PTRACE, pid, pid);
	if (!traced)
		return -ENOMEM;
	snprintf(traced->name, sizeof(traced->name), "traced by %u", by);
	tracer = add_named(es, CHANNEL_PTRACE, by, pid);
	if (!tracer)
		return -ENOMEM;
	snprintf(tracer->name, sizeof(tracer->name), "tracer of %u", pid);
	return 0;
}

/* A queue has no holders; its last sender and receiver are what the kernel tells. */
static int read_queues(struct endpoints *es)
{
	cleanup_fclose FILE *f = fopen("/proc/sysvipc/msg", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		uint32_t sender, receiver;
		struct endpoint *s, *r;
		int key, id;

		if (sscanf(line, "%d %d %*o %*u %*u %u %u", &key, &id, &sender, &receiver) != 4 ||
		    !sender || !receiver)
			continue;
		s = add_named(es, CHANNEL_SYSV_QUEUE, sender, (uint64_t)id);
		if (!s)
			return -ENOMEM;
		s->reads = false;
		snprintf(s->name, sizeof(s->name), "key %#x id %d", key, id);
		r = add_named(es, CHANNEL_SYSV_QUEUE, receiver, (uint64_t)id);
		if (!r)
			return -ENOMEM;
		r->writes = false;
		snprintf(r->name, sizeof(r->name), "key %#x id %d", key, id);
	}
	return 0;
}

static int read_process(struct endpoints *es, uint32_t pid)
{
	uint32_t holder = holder_of(pid);
	int err = read_fds(es, pid, holder);

	if (!err)
		err = read_mappings(es, pid, holder);
	return err ? err : read_tracer(es, pid);
}

static int read_all(struct endpoints *es)
{
	cleanup_closedir DIR *d = opendir("/proc");
	struct dirent *de;
	int err = d ? 0 : -errno;

	while (!err && (de = readdir(d)))
		if (isdigit((unsigned char)de->d_name[0]))
			err = read_process(es, (uint32_t)atoi(de->d_name));
	return err;
}

static int finish(struct endpoints *out, int err)
{
	if (!err)
		err = read_queues(out);
	if (!err)
		err = sockets_resolve(out);
	if (err)
		endpoints_deinit(out);
	return err;
}

int endpoints_read_some(const uint32_t *pids, size_t n, struct endpoints *out)
{
	int err = 0;

	*out = (struct endpoints){ 0 };
	for (size_t i = 0; !err && i < n; i++)
		err = read_process(out, pids[i]);
	return finish(out, err);
}

int endpoints_read(uint32_t a, uint32_t b, struct endpoints *out)
{
	if (b)
		return endpoints_read_some((const uint32_t[]){ a, b }, 2, out);
	*out = (struct endpoints){ 0 };
	return finish(out, read_all(out));
}
