// SPDX-License-Identifier: GPL-2.0-only
/* Tasks that several threads read are those that one reads, whatever of them is short or missing. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/procfs.h"
#include "unit.h"

#define TASKS 700

/* Threads that could be made, and how many more can. */
static unsigned int made, allowed;

/* In place of the C library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
			 void *))dlsym(RTLD_NEXT, "pthread_create");

	if (!allowed)
		return EAGAIN;
	allowed--;
	made++;
	return real(thread, attr, run, arg);
}

/* A group in place of /proc; of its tasks some have gone, the files of some are torn. */
static char root[] = "/tmp/mmlens-proctasks-XXXXXX";

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void put_task(unsigned int tid)
{
	char path[64], text[160];
	int dir;

	snprintf(path, sizeof(path), "%s/1000/task/%u", root, tid);
	assert_int_equal(mkdir(path, 0700), 0);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	snprintf(text, sizeof(text),
		 "%u (t%u) S %u 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0 1 0 0 "
		 "0 0 0 0 0 0 0 0 0 0 17 3 0 0\n",
		 tid, tid, tid / 3, 5 * tid);
	if (tid % 11 == 3)
		text[60] = '\0';
	if (tid % 7 != 2)
		put(dir, "stat", text);
	snprintf(text, sizeof(text), "Name:\tx\nUid:\t%u\t7\t7\t7\n", tid);
	put(dir, "status", text);
	put(dir, "cgroup", "0::/\n");
	close(dir);
}

static int make_group(void **state)
{
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/1000", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/1000/task", root);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned int tid = 1000; tid < 1000 + TASKS; tid++)
		put_task(tid);
	return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int drop_group(void **state)
{
	(void)state;
	return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* With so many threads besides, and so many descriptors in all. */
static int walk(struct snapshot *s, bool lean, unsigned int threads, rlim_t descriptors)
{
	struct rlimit before, less;
	int err;

	snapshot_init(s);
	made = 0;
	allowed = threads;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	less = (struct rlimit){ descriptors, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, descriptors ? &less : &before), 0);
	err = procfs_walk(root, lean, s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return err;
}

static void compare(bool lean, unsigned int threads, rlim_t descriptors)
{
	struct snapshot one, many;
	int err = walk(&one, lean, 0, descriptors);

	assert_int_equal(walk(&many, lean, threads, descriptors), err);
	assert_int_equal(many.n, one.n);
	assert_int_equal(many.raced, one.raced);
	for (size_t i = 0; i < one.n; i++)
		assert_memory_equal(&many.tasks[i], &one.tasks[i], sizeof(struct task));
	snapshot_deinit(&one);
	snapshot_deinit(&many);
}

static void all_in_their_order(void **state)
{
	struct snapshot s;
	cpu_set_t cpus;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	for (int lean = 0; lean < 2; lean++) {
		assert_int_equal(walk(&s, lean, 9, 0), 0);
		assert_int_equal(made, (CPU_COUNT(&cpus) < 4 ? CPU_COUNT(&cpus) : 4) - 1);
		assert_int_equal(s.n + s.raced, TASKS);
		assert_true(s.raced > TASKS / 7 && s.raced < TASKS / 4);
		for (size_t i = 1; i < s.n; i++)
			assert_true(s.tasks[i - 1].key.tid < s.tasks[i].key.tid);
		snapshot_deinit(&s);
		for (int round = 0; round < 8; round++)
			compare(lean, 9, 0);
	}
}

static void threads_that_cannot_be_made(void **state)
{
	(void)state;
	for (unsigned int threads = 0; threads < 3; threads++)
		compare(true, threads, 0);
}

/* Where one reader has just enough descriptors, the second has none. */
static void few_descriptors(void **state)
{
	struct snapshot s;
	size_t read = 0;

	(void)state;
	for (rlim_t n = 3; n < 20; n++) {
		compare(true, 9, n);
		compare(false, 9, n);
		assert_true(walk(&s, false, 9, n) <= 0);
		read = s.n;
		snapshot_deinit(&s);
	}
	assert_true(read > TASKS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_in_their_order),
		cmocka_unit_test(threads_that_cannot_be_made),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests(tests, make_group, drop_group);
}
