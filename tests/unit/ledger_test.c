// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots, the ledger of spaces, and the kind of every task in its space. */
#include "analysis/ledger.h"
#include "analysis/totals.h"
#include "unit.h"

struct fixture {
	struct snapshot s;
	struct ledger l;
};

static int setup(void **state)
{
	static struct fixture f;

	snapshot_init(&f.s);
	memset(&f.l, 0, sizeof(f.l));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ledger_deinit(&f->l);
	snapshot_deinit(&f->s);
	return 0;
}

static void build(struct fixture *f)
{
	assert_int_equal(snapshot_seal(&f->s), 0);
	assert_int_equal(ledger_init(&f->l, &f->s), 0);
}

static enum task_kind kind(const struct fixture *f, uint32_t tid)
{
	const struct task *t = snapshot_find(&f->s, tid);

	assert_non_null(t);
	return t->kind;
}

static void threads_share_one_space(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 100, 102, 12, 7);
	add_task(&f->s, 100, 100, 10, 7);
	add_task(&f->s, 100, 101, 11, 7);
	add_task(&f->s, 200, 200, 20, 8);
	build(f);
	assert_int_equal(f->l.n, 2);
	assert_int_equal(f->l.spaces[0].id, 7);
	assert_int_equal(f->l.spaces[0].tasks, 3);
	assert_int_equal(f->l.spaces[0].processes, 1);
	assert_int_equal(space_member(&f->l, &f->l.spaces[0], 0)->key.tid, 100);
	assert_int_equal(kind(f, 100), KIND_PROCESS);
	assert_int_equal(kind(f, 101), KIND_THREAD);
	assert_int_equal(kind(f, 200), KIND_PROCESS);
}

static void oldest_group_is_the_process_even_with_a_higher_pid(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 300, 300, 10, 7);
	add_task(&f->s, 50, 50, 20, 7);
	build(f);
	assert_int_equal(f->l.spaces[0].processes, 2);
	assert_int_equal(kind(f, 300), KIND_PROCESS);
	assert_int_equal(kind(f, 50), KIND_PEER);
}

static void vfork_child_is_no_process_of_the_space(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 100, 100, 10, 7);
	add_task(&f->s, 101, 101, 10, 7)->flags |= TASK_VFORK;
	build(f);
	assert_int_equal(kind(f, 100), KIND_PROCESS);
	assert_int_equal(kind(f, 101), KIND_VFORK);
}

static void kernel_threads_and_loans(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 2, 2, 1, 0)->flags |= TASK_KTHREAD;
	add_task(&f->s, 90, 90, 5, 7)->flags |= TASK_KTHREAD;
	add_task(&f->s, 100, 100, 10, 7);
	build(f);
	assert_int_equal(kind(f, 2), KIND_KTHREAD);
	assert_int_equal(kind(f, 90), KIND_LOAN);
	assert_int_equal(kind(f, 100), KIND_PROCESS);
	assert_int_equal(f->l.spaces[0].tasks, 2);
	assert_int_equal(f->l.spaces[0].processes, 1);
	assert_int_equal(space_member(&f->l, &f->l.spaces[0], 0)->key.tid, 100);
}

static void zombie_leader_leaves_its_threads(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 100, 100, 10, 0);
	add_task(&f->s, 100, 101, 30, 7);
	add_task(&f->s, 150, 150, 20, 7);
	build(f);
	assert_int_equal(kind(f, 100), KIND_ZOMBIE);
	assert_int_equal(kind(f, 101), KIND_THREAD);
	/* group 100 is as old as its dead leader */
	assert_int_equal(kind(f, 150), KIND_PEER);
}

static void unknown_space_is_no_zombie(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 100, 100, 10, 0)->res_known = 0;
	add_task(&f->s, 100, 101, 10, 0)->res_known = 0;
	build(f);
	assert_int_equal(f->l.n, 0);
	assert_int_equal(kind(f, 100), KIND_UNKNOWN);
	assert_int_equal(kind(f, 101), KIND_THREAD);
}

static void reused_tid_is_kept_once(void **state)
{
	struct fixture *f = *state;

	add_task(&f->s, 100, 101, 11, 7);
	add_task(&f->s, 101, 101, 99, 8);
	add_task(&f->s, 100, 100, 10, 7);
	build(f);
	assert_int_equal(f->s.n, 2);
	assert_int_equal(f->s.raced, 1);
	assert_int_equal(snapshot_find(&f->s, 101)->key.start_ns, 99);
	assert_null(snapshot_find(&f->s, 55));
	assert_null(snapshot_find_key(&f->s, &(struct task_key){ 100, 101, 11 }));
}

/* Whose rows are none of the next one's. */
static void memory_of_the_last_is_used_again(void **state)
{
	struct fixture *f = *state;
	const struct task *rows;

	for (uint32_t tid = 1; tid <= 4000; tid++)
		add_task(&f->s, tid, tid, tid, tid);
	rows = f->s.tasks;
	snapshot_deinit(&f->s);
	snapshot_init(&f->s);
	assert_ptr_equal(snapshot_add(&f->s), rows);
	assert_memory_equal(rows, &(struct task){ 0 }, sizeof(*rows));
}

static void empty_snapshot(void **state)
{
	struct fixture *f = *state;

	build(f);
	assert_int_equal(f->l.n, 0);
	assert_null(snapshot_find(&f->s, 1));
	assert_null(ledger_find(&f->l, 0));
}

static void totals_say_of_how_many(void **state)
{
	struct space known = { .tasks = 3, .memory = { 4096, 1024, 8192 } };
	struct space refused = { .tasks = 2, .memory = { 4096, MEMORY_UNKNOWN, 4096 } };
	struct totals t = { 0 };

	(void)state;
	assert_int_equal(totals_bytes(&t, &t.pss), 0);
	totals_add(&t, &refused);
	assert_int_equal(totals_bytes(&t, &t.rss), 4096);
	assert_int_equal(totals_bytes(&t, &t.pss), MEMORY_UNKNOWN);
	totals_add(&t, &known);
	assert_int_equal(t.spaces, 2);
	assert_int_equal(t.tasks, 5);
	assert_int_equal(totals_bytes(&t, &t.claimed), 12288);
	assert_int_equal(totals_bytes(&t, &t.pss), 1024);
	assert_int_equal(t.pss.of, 1);
	assert_int_equal(t.rss.of, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(totals_say_of_how_many),
		TEST(threads_share_one_space),
		TEST(oldest_group_is_the_process_even_with_a_higher_pid),
		TEST(vfork_child_is_no_process_of_the_space),
		TEST(kernel_threads_and_loans),
		TEST(zombie_leader_leaves_its_threads),
		TEST(unknown_space_is_no_zombie),
		TEST(reused_tid_is_kept_once),
		TEST(memory_of_the_last_is_used_again),
		TEST(empty_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
