// SPDX-License-Identifier: GPL-2.0-only
/*
 * peak COMMAND...: runs it, and tells on stderr the most memory it held: `peak_kib=N`. A process
 * inherits the peak of whoever makes it, so a large one cannot ask for that of a small one.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid = argc > 1 ? fork() : -1;

	if (pid < 0)
		return 125;
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		return 125;
	fprintf(stderr, "peak_kib=%ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
