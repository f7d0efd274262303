// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of a task under /proc with bytes changed, cut off, doubled: whatever they say, the parsers
 * come to an end, overrun nothing (ASan watches a copy of just that length) and leave whole values.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/procfs.h"
#include "source/procmem.h"
#include "source/procmeta.h"
#include "unit.h"

#define STAT                                                                                        \
	"100 (a (b) c) D 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 250 0 0 18446744073709551615 " \
	"0 0 0 0 0 0 0 0 0 0 0 17 3 0 0\n"
#define STATUS                                                                                \
	"Name:\tx\nUid:\t7\t7\t7\t7\nTracerPid:\t0\nNSpid:\t100\t3\t1\nSeccomp_filters:\t0\n" \
	"voluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t34\n"
#define CGROUP	 "3:cpu,cpuacct:/a\n1:name=systemd:/b:c\n0::/user.slice/x\n"
#define STATM	 "8192 1024 512 1 0 300 0\n"
#define ROLLUP	 "1000-7ffe0000 ---p 00000000 00:00 0 [rollup]\nRss:     900 kB\nPss:     123 kB\n"
#define SYSCALL	 "56 0x4111 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7fff\n"
#define CHILDREN "101 102 "

/* The seed with a few things wrong with it, in memory that ends where it does. */
static char *noisy(const char *seed)
{
	static const char spice[] = "\n\t :()-0/\\9\xff\0";
	size_t n = strlen(seed), at;
	char *text = malloc(2 * n + 1);

	assert_non_null(text);
	memcpy(text, seed, n);
	memcpy(text + n, seed, n);
	n *= rand() % 4 ? 1 : 2;
	for (int k = rand() % 8; k > 0; k--) {
		at = (size_t)rand() % n;
		text[at] = rand() % 2 ? (char)rand() : spice[(size_t)rand() % (sizeof(spice) - 1)];
	}
	if (rand() % 2)
		n = (size_t)rand() % (n + 1);
	text[n] = '\0';
	return realloc(text, n + 1);
}

static void on_noise(const char *seed, void (*parse)(const char *text))
{
	srand(4);
	/* first as it is: a parser that refuses all would survive anything */
	parse(seed);
	for (int round = 0; round < 20000; round++) {
		char *text = noisy(seed);

		parse(text);
		free(text);
	}
}

static size_t parsed;

static void parse_stat(const char *text)
{
	struct task t = { 0 };

	memset(t.comm, 'x', sizeof(t.comm));
	if (procfs_parse_stat(&t, text))
		return;
	parsed++;
	assert_true(strnlen(t.comm, sizeof(t.comm)) < sizeof(t.comm));
	assert_true(t.known & KNOWN_START && t.state);
}

static void parse_status(const char *text)
{
	struct task t = { 0 };
	uint32_t uid = 0, inner = 0;

	procfs_parse_status(&t, text);
	parsed += !!(t.known & KNOWN_SWITCHES);
	/* two readers of one line */
	if (!procmeta_parse_uid(text, &uid) && t.known & KNOWN_UID && uid < 1000)
		assert_int_equal(uid, t.uid);
	procmeta_parse_inner_tid(text, &inner);
}

static void parse_cgroup(const char *text)
{
	char *path = malloc(16);

	assert_non_null(path);
	memset(path, 'x', 16);
	if (!procmeta_parse_cgroup(text, path, 16)) {
		parsed++;
		assert_true(strnlen(path, 16) < 16);
		assert_null(strchr(path, '\n'));
	}
	free(path);
}

static void parse_memory(const char *text)
{
	struct memory m = { .rss = MEMORY_UNKNOWN, .pss = MEMORY_UNKNOWN };

	parsed += !procmem_parse_statm(text, &m);
	assert_true(m.pss == MEMORY_UNKNOWN);
	procmem_parse_rollup(text, &m);
	parsed += m.pss != MEMORY_UNKNOWN;
}

static void texts_of_noise(void **state)
{
	static const struct {
		const char *seed;
		void (*parse)(const char *text);
	} kinds[] = {
		{ STAT, parse_stat },	 { STATUS, parse_status }, { CGROUP, parse_cgroup },
		{ STATM, parse_memory }, { ROLLUP, parse_memory },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		parsed = 0;
		on_noise(kinds[i].seed, kinds[i].parse);
		/* and it was no file of another kind all the time */
		assert_true(parsed > 2000 && parsed <= 40002);
	}
}

static void what_they_say_undisturbed(void **state)
{
	struct memory m = { 0 };
	uint32_t uid, inner;
	char path[32];

	(void)state;
	assert_int_equal(procmeta_parse_uid(STATUS, &uid), 0);
	assert_int_equal(uid, 7);
	assert_int_equal(procmeta_parse_inner_tid(STATUS, &inner), 0);
	assert_int_equal(inner, 1);
	assert_int_equal(procmeta_parse_cgroup(CGROUP, path, sizeof(path)), 0);
	assert_string_equal(path, "/user.slice/x");
	assert_int_equal(
		procmeta_parse_cgroup("3:cpu:/a\n1:name=systemd:/b:c\n", path, sizeof(path)), 0);
	assert_string_equal(path, "/a");
	assert_int_equal(procmeta_parse_cgroup("", path, sizeof(path)), -EPROTO);
	assert_int_equal(procmem_parse_statm("0 0 0 0 0 0 0\n", &m), -ESRCH);
	assert_int_equal(procmem_parse_statm(STATM, &m), 0);
	assert_int_equal(m.rss, 1024 * sysconf(_SC_PAGESIZE));
	procmem_parse_rollup(ROLLUP, &m);
	assert_int_equal(m.pss, 123 * 1024);
}

/* ---- a tree of such files, through the walk ---- */

static const struct {
	const char *name;
	const char *seed;
} files[] = {
	{ "stat", STAT },	{ "status", STATUS },	  { "cgroup", CGROUP },
	{ "syscall", SYSCALL }, { "children", CHILDREN },
};

static void put_noise(int dir)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char *text = noisy(files[i].seed);
		int fd = openat(dir, files[i].name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
		close(fd);
		free(text);
	}
}

static void walk_noise(const char *root)
{
	struct snapshot s;
	struct task *child;

	snapshot_init(&s);
	assert_int_equal(procfs_walk(root, false, &s), 0);
	assert_true(s.n + s.raced == 1);
	if (s.n)
		task_set_res(&s.tasks[0], RES_MM, 77);
	child = add_task(&s, 102, 102, 9, 77);
	child->ppid = 100;
	assert_int_equal(snapshot_seal(&s), 0);
	procfs_mark_vfork(root, &s);
	parsed += s.n == 2;
	snapshot_deinit(&s);
}

static void a_task_of_noise(void **state)
{
	static const char *const dirs[] = { "100", "100/task", "100/task/100" };
	char root[] = "/tmp/mmlens-noise-XXXXXX", path[64];
	int dir;

	(void)state;
	srand(6);
	parsed = 0;
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	for (int round = 0; round < 300; round++) {
		put_noise(dir);
		walk_noise(root);
	}
	assert_true(parsed > 30);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(dir, files[i].name, 0);
	close(dir);
	for (size_t i = 3; i-- > 0;) {
		snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_they_say_undisturbed),
		cmocka_unit_test(texts_of_noise),
		cmocka_unit_test(a_task_of_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
