// SPDX-License-Identifier: GPL-2.0-only
/* procfs as a witness: hostile stat lines, ids from comparisons alone, and the NULL == NULL trap. */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/clocks.h"
#include "source/kcmpids.h"
#include "source/procfs.h"
#include "unit.h"

static void stat_names_may_hold_anything(void **state)
{
	struct task t = { 0 };

	(void)state;
	assert_int_equal(
		procfs_parse_stat(&t, "77 (a) R 1 (\n\x1b) S 5 1 1 0 -1 2097216 0 0 0 0 0 0 0 0 "
				      "20 0 1 0 250 0 0 18446744073709551615 0 0 0 0 0 0 0 "
				      "2147483647 0 0 0 0 17 3 0 0\n"),
		0);
	assert_string_equal(t.comm, "a) R 1 (\n\x1b");
	assert_int_equal(t.key.tid, 77);
	assert_int_equal(t.ppid, 5);
	assert_int_equal(t.state, 'S');
	assert_int_equal(t.cpu, 3);
	assert_int_equal(t.key.start_ns, 2500000000);
	assert_int_equal(t.flags, TASK_KTHREAD);
}

static void torn_stat_is_refused(void **state)
{
	static const char *const lines[] = { "", "12", "12 (x", "12 )x(", "12 (x) S", "x (y) S 1" };
	struct task t = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_int_equal(procfs_parse_stat(&t, lines[i]), -EPROTO);
}

/* Objects of a made-up kernel: tid -> object, 0 none, -1 not permitted, -2 vanished. */
static const int objects[] = {
	[1] = 0, [10] = 5, [11] = 5, [20] = 9, [21] = 3, [30] = 5, [40] = 0, [50] = -1, [60] = -2
};
static unsigned int calls;

static int made_up(uint32_t a, uint32_t b, enum resource r)
{
	int x = objects[a], y = objects[b];

	(void)r;
	calls++;
	if (x == -2 || y == -2)
		return -ESRCH;
	if (x == -1 || y == -1)
		return -EPERM;
	return x == y ? 0 : x < y ? 1 : 2;
}

static void comparisons_become_ids(void **state)
{
	static const uint32_t tids[][2] = { { 10, 10 }, { 10, 11 }, { 20, 20 }, { 20, 21 },
					    { 30, 30 }, { 40, 40 }, { 50, 50 }, { 60, 60 } };
	struct kcmp_world world = { made_up, 1 };
	const struct task *t[61] = { 0 };
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	for (size_t i = 0; i < 8; i++)
		add_task(&s, tids[i][0], tids[i][1], 10000000 * tids[i][1], 0)->res_known = 0;
	assert_int_equal(snapshot_seal(&s), 0);
	assert_int_equal(kcmpids_assign(&s, &world, false), 0);
	for (size_t i = 0; i < 8; i++)
		t[tids[i][1]] = snapshot_find(&s, tids[i][1]);
	assert_int_equal(t[10]->res[RES_FILES], 10 << 22 | 10);
	assert_int_equal(t[11]->res[RES_FILES], t[10]->res[RES_FILES]);
	assert_int_equal(t[30]->res[RES_FILES], t[10]->res[RES_FILES]);
	assert_int_not_equal(t[20]->res[RES_FILES], t[21]->res[RES_FILES]);
	/* two that have none are known to have none, not to share */
	assert_true(task_res_known(t[40], RES_FILES));
	assert_int_equal(t[40]->res[RES_FILES], 0);
	assert_false(task_res_known(t[50], RES_FILES));
	assert_false(task_res_known(t[60], RES_FILES));
	assert_int_equal(s.withheld, 1);
	assert_int_equal(s.raced, 1);
	snapshot_deinit(&s);
}

static int one_space_each(uint32_t a, uint32_t b, enum resource r)
{
	uint32_t x = a * 2654435761u, y = b * 2654435761u;

	(void)r;
	calls++;
	return x == y ? 0 : x < y ? 1 : 2;
}

static void calls_grow_as_n_log_n(void **state)
{
	struct kcmp_world world = { one_space_each, 1 };
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	for (uint32_t i = 2; i < 4098; i++)
		add_task(&s, i, i, i, 0)->res_known = 0;
	assert_int_equal(snapshot_seal(&s), 0);
	calls = 0;
	assert_int_equal(kcmpids_assign(&s, &world, true), 0);
	assert_true(calls < 4096 * (12 + 4));
	snapshot_deinit(&s);
}

/* A tree in place of /proc with one task, 100; files are written with `count` numbers in them. */
struct tree {
	char root[32];
	char task[64];
};

static void tree_init(struct tree *t)
{
	char path[48];

	strcpy(t->root, "/tmp/mmlens-procfs-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	snprintf(path, sizeof(path), "%s/100", t->root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(t->task, sizeof(t->task), "%s/task", path);
	assert_int_equal(mkdir(t->task, 0700), 0);
	snprintf(t->task, sizeof(t->task), "%s/task/100", path);
	assert_int_equal(mkdir(t->task, 0700), 0);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void tree_deinit(const struct tree *t)
{
	assert_int_equal(nftw(t->root, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void put(const struct tree *t, const char *name, const char *head, unsigned int count,
		const char *tail)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t->task, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(head, f);
	for (unsigned int i = 0; i < count; i++)
		fprintf(f, "%u ", 100000 + i);
	fputs(tail, f);
	assert_int_equal(fclose(f), 0);
}

#define STAT_100                                                                                  \
	"100 (x) D 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 250 0 0 18446744073709551615 0 0 " \
	"0 0 0 0 0 0 0 0 0 0 17 3 0 0\n"

/* A task may be in 65,536 groups; what stands behind them in status must not be lost or cut. */
static void many_groups_cut_no_number(void **state)
{
	struct snapshot s;
	struct tree t;

	(void)state;
	for (unsigned int groups = 1130; groups < 60000; groups += groups < 1175 ? 1 : 20000) {
		snapshot_init(&s);
		tree_init(&t);
		put(&t, "stat", STAT_100, 0, "");
		put(&t, "status", "Name:\tx\nUid:\t7\t7\t7\t7\nGroups:\t", groups,
		    "\nSeccomp_filters:\t0\nvoluntary_ctxt_switches:\t123456789\n"
		    "nonvoluntary_ctxt_switches:\t987654321\n");
		assert_int_equal(procfs_walk(t.root, false, &s), 0);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.tasks[0].uid, 7);
		assert_true(s.tasks[0].known & KNOWN_SWITCHES);
		assert_int_equal(s.tasks[0].nvcsw, 123456789);
		assert_int_equal(s.tasks[0].nivcsw, 987654321);
		tree_deinit(&t);
		snapshot_deinit(&s);
	}
}

static uint64_t word_of(const char *uid, const char *groups, const char *caps, const char *more)
{
	struct task t = { 0 };
	char text[512];

	snprintf(text, sizeof(text),
		 "Name:\tx\nState:\tS (sleeping)\n%s\nGid:\t7\t7\t7\t7\nFDSize:\t64\n"
		 "Groups:\t%s\nVmPeak:\t1 kB\nCapInh:\t0\nCapPrm:\t%s\nCapEff:\t%s\n"
		 "CapBnd:\t1ff\nCapAmb:\t0\n%s",
		 uid, groups, caps, caps, more);
	procfs_parse_status(&t, text);
	return t.cred_word;
}

/* Only what stands in credentials makes the word, and all of it. */
static void status_tells_credentials_apart(void **state)
{
	static const char uid[] = "Uid:\t7\t7\t7\t7", saved[] = "Uid:\t7\t7\t8\t7";
	uint64_t word = word_of(uid, "1 2 ", "3", "NoNewPrivs:\t0\n");

	(void)state;
	assert_int_not_equal(word, 0);
	assert_int_equal(word, word_of(uid, "1 2 ", "3", "NoNewPrivs:\t1\nThreads:\t9\n"));
	assert_int_not_equal(word, word_of(saved, "1 2 ", "3", ""));
	assert_int_not_equal(word, word_of(uid, "1 ", "3", ""));
	assert_int_not_equal(word, word_of(uid, "1 2 ", "1", ""));
	assert_int_equal(word_of("NoUid:\t7", "1 2 ", "3", ""), 0);
}

/* Of a task on its way out the number of filters tells nothing: it stays when they are gone. */
static void filters_are_counted_of_the_living(void **state)
{
	struct task living = { 0 }, dying = { .flags = TASK_EXITING }, free = { 0 };

	(void)state;
	procfs_parse_status(&living, "Name:\tx\nSeccomp_filters:\t1\n");
	assert_int_equal(living.flags, TASK_FILTERED);
	assert_false(task_res_known(&living, RES_SECCOMP));
	procfs_parse_status(&dying, "Name:\tx\nSeccomp_filters:\t1\n");
	assert_int_equal(dying.flags, TASK_EXITING);
	assert_false(task_res_known(&dying, RES_SECCOMP));
	procfs_parse_status(&free, "Name:\tx\nSeccomp_filters:\t0\n");
	assert_true(task_res_known(&free, RES_SECCOMP));
	assert_int_equal(free.flags, 0);
}

/* A reader whose namespace has no map of users yet may see the same user by two numbers. */
static void ids_settle_with_the_map(void **state)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	char path[64];
	struct tree t;

	(void)state;
	tree_init(&t);
	snprintf(path, sizeof(path), "%s/self", t.root);
	assert_int_equal(symlink("100/task/100", path), 0);
	assert_true(procfs_ids_settled(t.root));
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		put(&t, maps[i], "", 0, "");
		assert_false(procfs_ids_settled(t.root));
		put(&t, maps[i], "0 1000 1\n", 0, "");
		assert_true(procfs_ids_settled(t.root));
	}
	tree_deinit(&t);
}

/* The child that a parent of thousands waits for in vfork() is the newest, at the list's end. */
static void newest_of_many_children(void **state)
{
	struct task *parent, *child;
	char call[64];
	struct snapshot s;
	struct tree t;

	(void)state;
	snapshot_init(&s);
	tree_init(&t);
	snprintf(call, sizeof(call), "%d 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n", SYS_clone3);
	put(&t, "syscall", call, 0, "");
	put(&t, "children", "", 20000, "");
	parent = add_task(&s, 100, 100, 1, 0x77);
	parent->state = 'D';
	child = add_task(&s, 119999, 119999, 2, 0x77);
	child->ppid = 100;
	assert_int_equal(snapshot_seal(&s), 0);
	procfs_mark_vfork(t.root, &s);
	child = (struct task *)snapshot_find(&s, 119999);
	assert_true(child->flags & TASK_VFORK);
	tree_deinit(&t);
	snapshot_deinit(&s);
}

static void offsets_of_a_time_namespace(void **state)
{
	const char *text = "monotonic      -100         7\nboottime    1000000 500000000\n";

	(void)state;
	assert_int_equal(clocks_parse_offset(text, "boottime"), 1000000500000000);
	assert_int_equal(clocks_parse_offset(text, "monotonic"), (uint64_t)-99999999993);
	assert_int_equal(clocks_parse_offset(text, "realtime"), 0);
	assert_int_equal(clocks_parse_offset("monotonic  12", "monotonic"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_names_may_hold_anything),
		cmocka_unit_test(torn_stat_is_refused),
		cmocka_unit_test(many_groups_cut_no_number),
		cmocka_unit_test(status_tells_credentials_apart),
		cmocka_unit_test(filters_are_counted_of_the_living),
		cmocka_unit_test(ids_settle_with_the_map),
		cmocka_unit_test(newest_of_many_children),
		cmocka_unit_test(comparisons_become_ids),
		cmocka_unit_test(calls_grow_as_n_log_n),
		cmocka_unit_test(offsets_of_a_time_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
