// SPDX-License-Identifier: GPL-2.0-only
/*
 * kcmp_oracle TID TID...: what kcmp(2) says of every pair, the truth from outside.
 *
 *	A B TYPE shared|separate|both-none|error:NAME
 *
 * kcmp calls two NULL pointers equal. To tell them from one object shared, each task is compared with one
 * that has none of the resources: a zombie child of ours.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct type {
	const char *name;
	int kcmp;
} types[] = {
	{ "mm", KCMP_VM }, { "files", KCMP_FILES },	{ "fs", KCMP_FS },
	{ "io", KCMP_IO }, { "sighand", KCMP_SIGHAND }, { "sysvsem", KCMP_SYSVSEM },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

/* 0 equal, 1 and 2 an order, 3 different without one; or -errno. */
static long kcmp(pid_t a, pid_t b, int type)
{
	long r = syscall(SYS_kcmp, a, b, type, 0UL, 0UL);

	return r < 0 ? -errno : r;
}

static pid_t make_zombie(void)
{
	siginfo_t info;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) {
		perror("kcmp_oracle: a zombie to compare with");
		exit(1);
	}
	return pid;
}

static const char *judge(pid_t a, pid_t b, int type, pid_t nobody)
{
	static char text[64];
	long r = kcmp(a, b, type);

	if (r < 0) {
		snprintf(text, sizeof(text), "error:%s", strerrorname_np((int)-r));
		return text;
	}
	if (r)
		return "separate";
	/* A zombie keeps its sighand until it is reaped, and so does every task that can be found. */
	if (type != KCMP_SIGHAND && kcmp(a, nobody, type) == 0)
		return "both-none";
	return "shared";
}

int main(int argc, char **argv)
{
	pid_t nobody;

	if (argc < 2) {
		fprintf(stderr, "usage: kcmp_oracle TID TID...\n");
		return 2;
	}
	nobody = make_zombie();
	for (int i = 1; i < argc; i++)
		for (int j = i + 1; j < argc; j++)
			for (size_t t = 0; t < TYPES; t++)
				printf("%s %s %s %s\n", argv[i], argv[j], types[t].name,
				       judge(atoi(argv[i]), atoi(argv[j]), types[t].kcmp, nobody));
	return 0;
}
