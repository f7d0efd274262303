// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/child.h"

static _Noreturn void run(const struct child *c, char **argv)
{
	char go;
	int err;

	/* a parent that dies without a word leaves end of file, and then nothing shall run */
	if (read(c->go, &go, 1) != 1)
		_exit(127);
	execvp(argv[0], argv);
	err = errno;
	if (write(c->failed, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

int child_init(struct child *c, char **argv)
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return -errno;
	/* what outlives the command comes to us, so that its end is seen too */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (!c->pid) {
		close(go[1]);
		close(failed[0]);
		c->go = go[0];
		c->failed = failed[1];
		run(c, argv);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
	return 0;
}

int child_go(struct child *c)
{
	int err = 0;
	ssize_t got;

	if (write(c->go, "g", 1) != 1)
		return -errno;
	do
		got = read(c->failed, &err, sizeof(err));
	while (got < 0 && errno == EINTR);
	return got == sizeof(err) ? -err : 0;
}

bool child_gone(struct child *c)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == c->pid)
			c->status = status;
	return pid < 0 && errno == ECHILD;
}

void child_deinit(struct child *c)
{
	if (c->pid <= 0)
		return;
	close(c->go);
	close(c->failed);
	if (!child_gone(c)) {
		kill(c->pid, SIGTERM);
		waitpid(c->pid, &c->status, 0);
	}
	c->pid = 0;
}
