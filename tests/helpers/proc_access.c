// SPDX-License-Identifier: GPL-2.0-only
/*
 * proc_access [lockdown]: who may open and who sees addresses. Run as root; exit status 1 and a line for each
 * rule that does not hold. The right is the opener's: it neither comes nor goes with the descriptor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc_rows.h"

static const char *const names[] = {
	PROC_TASKS, PROC_IDS_BIN, PROC_TASKS_BIN, PROC_STACKS_BIN, "/proc/mmlens/version",
};

static int failed;

static void want(int ok, const char *rule, const char *file)
{
	if (!ok)
		fprintf(stderr, "proc_access: %s: does not hold for %s (errno %d)\n", rule, file,
			errno);
	failed |= !ok;
}

static int without(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[capability / 32].effective &= ~(1u << (capability % 32));
	return syscall(SYS_capset, &head, data);
}

static int become_user(void)
{
	return setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000);
}

static int without_ptrace(void)
{
	return without(CAP_SYS_PTRACE);
}

static int namespace_root(void)
{
	return become_user() || unshare(CLONE_NEWUSER);
}

/* Root inside a container that has a user namespace of its own, with all capabilities there. */
static int container_root(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC);
}

/* The same with its own pid namespace and its own proc, where it is process 1. */
static int container_with_proc(void)
{
	int map, status = 1;
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
		return -1;
	map = open("/proc/self/uid_map", O_WRONLY);
	if (map < 0 || write(map, "0 0 1", 5) != 5)
		return -1;
	pid = fork();
	if (pid) {
		waitpid(pid, &status, 0);
		_exit(status != 0);
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("proc", "/proc", "proc", 0, NULL);
}

static const struct {
	const char *rule;
	int (*become)(void);
} refused[] = {
	{ "a user may not open", become_user },
	{ "root without CAP_SYS_PTRACE may not open", without_ptrace },
	{ "a user's own namespace gives no right", namespace_root },
	{ "a container's root may not open", container_root },
	{ "a container's root may not open below its own /proc", container_with_proc },
};

static void check_refused(size_t rule)
{
	size_t i;

	if (refused[rule].become()) {
		want(0, "the test could become who it wants to be", refused[rule].rule);
		return;
	}
	for (i = 0; i < 4; i++)
		want(open(names[i], O_RDONLY) < 0 && (errno == EPERM || errno == EACCES),
		     refused[rule].rule, names[i]);
}

/* A descriptor opened by root is read by whom it was handed to. */
static void check_handed_on(void)
{
	struct mmlens_task rec;
	int fd = open(PROC_TASKS_BIN, O_RDONLY);

	if (become_user())
		want(0, "become a user", PROC_TASKS_BIN);
	want(fd >= 0 && pread(fd, &rec, sizeof(rec), sizeof(rec)) == sizeof(rec) && rec.tid == 1,
	     "the opener's right stays with the descriptor", PROC_TASKS_BIN);
}

/* To open what was handed on is an opening of one's own. */
static void check_reopened(void)
{
	char path[32], byte;
	int fd = open(PROC_TASKS, O_RDONLY), named;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || become_user())
		want(0, "become a user", PROC_TASKS);
	want(open(path, O_RDONLY) < 0, "a user may not open a descriptor again", PROC_TASKS);
	named = open(PROC_TASKS, O_PATH);
	want(named < 0 || read(named, &byte, 1) < 0, "a name is no right to read", PROC_TASKS);
}

static unsigned int features(void)
{
	struct mmlens_header head = { .features = ~0u };
	int fd = open(PROC_TASKS_BIN, O_RDONLY);

	want(fd >= 0 && read(fd, &head, sizeof(head)) == sizeof(head), "header", PROC_TASKS_BIN);
	close(fd);
	return head.features;
}

static char text[1 << 16];

static const char *text_of(const char *file)
{
	int fd = open(file, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	want(n > 0, "read", file);
	text[n > 0 ? n : 0] = 0;
	return text;
}

/* A field of 16 hexadecimal digits that begins with f: no user address is that long. */
static int shows_kernel_address(const char *file)
{
	const char *at = text_of(file);

	while ((at = strstr(at, " 0xf"))) {
		at += 3;
		if (strspn(at, "0123456789abcdef") == 16)
			return 1;
	}
	return 0;
}

static int says_ids(void)
{
	return strstr(text_of("/proc/mmlens/version"), "addresses: ids") != NULL;
}

/* Kernel stacks are aligned to pages and lie where the 8 upper bits are set; an id hardly does. */
static void check_no_addresses(void)
{
	struct mmlens_task rec;
	int fd, pid;

	want(shows_kernel_address(PROC_TASKS), "addresses with CAP_SYSLOG", PROC_TASKS);
	if (without(CAP_SYSLOG))
		want(0, "drop CAP_SYSLOG", "");
	want(!(features() & MMLENS_FEAT_RAW_KSTACK), "no addresses without CAP_SYSLOG",
	     PROC_TASKS_BIN);
	want(!shows_kernel_address(PROC_TASKS), "no addresses without CAP_SYSLOG", PROC_TASKS);
	want(says_ids(), "version says so", "version");
	fd = open(PROC_TASKS_BIN, O_RDONLY);
	for (pid = 1; pread(fd, &rec, sizeof(rec), pid * sizeof(rec)) == sizeof(rec);
	     pid = rec.tid + 1)
		want(rec.kstack >> 56 != 0xff || rec.kstack & 0xfff,
		     "no addresses without CAP_SYSLOG", "kstack");
}

/*
 * Lockdown raised while a file is open takes the addresses out of it. There is no way back before
 * the next boot, so this runs only when asked for.
 */
static int check_lockdown(void)
{
	struct mmlens_header head = { .features = 0 };
	struct mmlens_task rec;
	int fd = open(PROC_TASKS_BIN, O_RDONLY);
	int row = open(PROC_TASKS_BIN, O_RDONLY);
	int lock = open("/sys/kernel/security/lockdown", O_WRONLY);

	want(pread(row, &rec, 8, sizeof(rec)) == 8, "begin a row", PROC_TASKS_BIN);

	want(pread(fd, &head, sizeof(head), 0) == sizeof(head) &&
		     head.features & MMLENS_FEAT_RAW_KSTACK,
	     "addresses before lockdown", PROC_TASKS_BIN);
	want(write(lock, "integrity", 9) == 9, "raise lockdown", "lockdown");
	want(pread(row, (char *)&rec + 8, sizeof(rec) - 8, sizeof(rec) + 8) < 0,
	     "a row with addresses is not gone on with", PROC_TASKS_BIN);
	want(pread(fd, &head, sizeof(head), 0) == sizeof(head) &&
		     !(head.features & MMLENS_FEAT_RAW_KSTACK),
	     "no addresses in lockdown", PROC_TASKS_BIN);
	want(!shows_kernel_address(PROC_TASKS), "no addresses in lockdown", PROC_TASKS);
	want(says_ids(), "version says so", "version");
	return failed;
}

static void in_child(void (*check)(void))
{
	int status;

	if (!fork()) {
		check();
		_exit(failed);
	}
	wait(&status);
	failed |= status != 0;
}

int main(int argc, char **argv)
{
	size_t i;
	int status;

	if (argc > 1 && !strcmp(argv[1], "lockdown"))
		return check_lockdown();

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!fork()) {
			check_refused(i);
			_exit(failed);
		}
		wait(&status);
		failed |= status != 0;
	}
	in_child(check_handed_on);
	in_child(check_reopened);
	in_child(check_no_addresses);
	if (!failed)
		puts("proc_access: every rule holds");
	return failed;
}
