// SPDX-License-Identifier: GPL-2.0-only
/*
 * One pass over all tasks, timed without the start of the program:
 *
 *	bench_read module|bpf|procfs WARM	by that source of the inspector
 *	bench_read walk WARM			open, read and close of each /proc/PID/task/TID/{stat,status}
 *	bench_read floor WARM			a task iterator whose program does nothing
 *
 * WARM passes go before it. Prints `ns=… tasks=… maxrss_kib=…`.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "source/source.h"

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_read: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* ---- what others do: the least a walk can cost, nothing of it parsed ---- */

static void drain(int dir, const char *tid, const char *file)
{
	char path[64], buf[4096];
	int fd;

	snprintf(path, sizeof(path), "%.20s/%s", tid, file);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static size_t walk_group(int proc, const char *pid)
{
	struct dirent *entry;
	char path[64];
	size_t n = 0;
	DIR *tasks;
	int fd;

	snprintf(path, sizeof(path), "%.20s/task", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tasks = fd < 0 ? NULL : fdopendir(fd);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		drain(fd, entry->d_name, "stat");
		drain(fd, entry->d_name, "status");
		n++;
	}
	if (tasks)
		closedir(tasks);
	return n;
}

static size_t walk(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	if (!proc)
		die("/proc", strerror(errno));
	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			n += walk_group(dirfd(proc), entry->d_name);
	closedir(proc);
	return n;
}

/* ---- what the kernel alone takes to iterate ---- */

static int floor_link;

static void open_floor(void)
{
	/* r0 = 0; exit */
	const struct bpf_insn nothing[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
					    { .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER,
		    .attach_btf_id = libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER));
	int prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", nothing, 2, &opts);

	floor_link = prog < 0 ? -1 : bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);
	if (floor_link < 0)
		die("floor", strerror(errno));
}

static size_t iterate(void)
{
	int fd = bpf_iter_create(floor_link);
	char buf[64];

	if (fd < 0 || read(fd, buf, sizeof(buf)))
		die("floor", "the iterator does not end at once");
	close(fd);
	return 0;
}

/* ---- the inspector ---- */

static struct source source;

static void open_source(const char *name)
{
	struct why why = { "" };

	source.ops = source_by_name(name);
	if (!source.ops)
		die(name, "no such witness");
	if (source.ops->open(&source, NULL, &why))
		die(name, why.text);
}

static size_t ask(void)
{
	struct why why = { "" };
	struct snapshot s;
	size_t n;

	snapshot_init(&s);
	if (source.ops->read(&source, 0, &s, &why))
		die(source.ops->name, why.text);
	n = s.n;
	snapshot_deinit(&s);
	return n;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	size_t (*pass)(void) = walk;
	size_t tasks = 0;
	uint64_t ns = 0;

	if (argc != 3)
		die("usage", "bench_read module|bpf|procfs|walk|floor WARM");
	if (strcmp(argv[1], "floor") == 0) {
		open_floor();
		pass = iterate;
	} else if (strcmp(argv[1], "walk") != 0) {
		open_source(argv[1]);
		pass = ask;
	}
	for (int n = atoi(argv[2]); n >= 0; n--) {
		uint64_t begin = now();

		tasks = pass();
		ns = now() - begin;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("ns=%llu tasks=%zu maxrss_kib=%ld\n", (unsigned long long)ns, tasks,
	       usage.ru_maxrss);
	return 0;
}
