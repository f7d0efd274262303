// SPDX-License-Identifier: GPL-2.0-only
/* proc_storm: who is read. Tasks are made, exit, exec, vfork, change credentials and namespaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storm.h"

#define BATCH	    64
#define GLUTTON_MIB 512

static void *short_life(void *arg)
{
	return arg;
}

static void churn_threads(void)
{
	pthread_t thread[BATCH];
	int n = 0;

	for (int i = 0; i < BATCH; i++)
		n += !pthread_create(&thread[n], NULL, short_life, NULL);
	__atomic_add_fetch(&count->threads, n, __ATOMIC_RELAXED);
	while (n)
		pthread_join(thread[--n], NULL);
}

/* A child that does what is asked and ends. */
static void in_child(void (*work)(void))
{
	pid_t pid = fork();

	if (!pid) {
		work();
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void nothing(void)
{
}

static void churn_forks(void)
{
	in_child(nothing);
}

static void churn_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execl("/proc/self/exe", "proc_storm", "-x", NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	COUNT(vforks);
}

static void *exec_now(void *arg)
{
	execl("/proc/self/exe", "proc_storm", "-x", NULL);
	return arg;
}

/* The exec of a thread that is no leader: its tid and start time become the leader's. */
static void exec_by_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, exec_now, NULL))
		pause();
}

static void churn_exec_by_thread(void)
{
	in_child(exec_by_thread);
	COUNT(execs);
}

static void change_cred(void)
{
	for (gid_t group = 0; group < 50; group++)
		setgroups(1, &group);
	if (setresuid(1000, 1000, 1000))
		_exit(1);
}

static void churn_cred(void)
{
	in_child(change_cred);
	COUNT(creds);
}

/* In: the next children are born there. Out again: and the ones after them are not. */
static void in_and_out(void)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS))
		_exit(1);
	churn_forks();
	if (setns(own, CLONE_NEWPID))
		_exit(1);
	churn_forks();
}

static void churn_namespace(void)
{
	in_child(in_and_out);
	COUNT(namespaces);
}

/* Memory cgroup pressure: ends by the OOM killer or, where there is room, by itself. */
static void eat(void)
{
	const size_t size = (size_t)GLUTTON_MIB << 20;
	char *food = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (food != MAP_FAILED)
		memset(food, 1, size);
}

static void churn_memory(void)
{
	in_child(eat);
}

static void reload_module(void)
{
	int fd = open(storm.module, O_RDONLY | O_CLOEXEC);

	if (syscall(SYS_delete_module, "mmlens", O_NONBLOCK))
		fail(storm.module, "unload with readers", errno);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail(storm.module, "load with readers", errno);
	close(fd);
	COUNT(reloads);
}

/* No pass comes to its end but while the module stays, and who knows how long one takes here. */
static void await_pass(void)
{
	const long before = __atomic_load_n(&count->passes, __ATOMIC_RELAXED);

	while (__atomic_load_n(&count->passes, __ATOMIC_RELAXED) == before && raging())
		usleep(10000);
}

static void churn_module(void)
{
	reload_module();
	await_pass();
}

static void set_processor(const char *value)
{
	static const char name[] = "/sys/devices/system/cpu/cpu1/online";
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	/* EBUSY: the kernel may say "not now". */
	if (fd < 0 || (write(fd, value, 1) != 1 && errno != EBUSY))
		fail(name, "write", errno);
	close(fd);
}

static void churn_processor(void)
{
	set_processor("0");
	usleep(20000);
	set_processor("1");
	usleep(20000);
	COUNT(hotplugs);
}

static int start_if(bool wanted, void (*work)(void))
{
	return wanted ? (start(work), 1) : 0;
}

int start_churns(void)
{
	static void (*const always[])(void) = {
		churn_threads, churn_threads, churn_threads,	    churn_threads,   churn_forks,
		churn_vfork,   churn_cred,    churn_exec_by_thread, churn_namespace,
	};
	int n = sizeof(always) / sizeof(always[0]);

	for (int i = 0; i < n; i++)
		start(always[i]);
	n += start_if(storm.module, churn_module);
	n += start_if(storm.hotplug, churn_processor);
	n += start_if(storm.cgroup, churn_memory);
	return n;
}
