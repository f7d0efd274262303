// SPDX-License-Identifier: GPL-2.0-only
/* Snapshots in files: what goes in comes out; torn, changed and hostile bytes are refused. */
#include <errno.h>
#include <stdlib.h>

#include "analysis/crosscheck.h"
#include "analysis/ledger.h"
#include "source/snapfile.h"
#include "unit.h"

#define MUTATIONS 20000

static void make(struct snapshot *s)
{
	snapshot_init(s);
	snprintf(s->source, sizeof(s->source), "bpf");
	snprintf(s->boot_id, sizeof(s->boot_id), "0123-abcd");
	snprintf(s->withheld_why, sizeof(s->withheld_why), "no right");
	add_task(s, 10, 10, 1000, 7)->cpu = -1;
	task_set_res(add_task(s, 10, 11, UINT64_MAX, 7), RES_SECCOMP, UINT64_MAX);
	memcpy(add_task(s, 20, 20, 3000, 8)->comm, "\xff\n\x1b]0;", 7);
	task_set_res(&s->tasks[0], RES_FILES, 70);
	task_set_res(&s->tasks[1], RES_FILES, 70);
	task_set_res(&s->tasks[2], RES_FILES, 80);
	assert_int_equal(
		snapshot_add_memory(s, &(struct space_memory){ 8, 4096, UINT64_MAX, "/a" }), 0);
	assert_int_equal(snapshot_add_memory(s, &(struct space_memory){ 7, 8192, 100, NULL }), 0);
	assert_int_equal(snapshot_seal(s), 0);
}

static void what_goes_in_comes_out(void **state)
{
	struct snapshot in, out;
	struct bytes b = { 0 };
	struct cursor c;

	(void)state;
	make(&in);
	snapfile_encode(&b, &in);
	c = cursor_of(b.p, b.n);
	snapshot_init(&out);
	assert_int_equal(snapfile_decode(&c, SNAPFILE_VERSION, &out), 0);
	assert_true(cursor_done(&c) && !c.bad);
	assert_int_equal(out.n, in.n);
	assert_memory_equal(out.tasks, in.tasks, in.n * sizeof(*in.tasks));
	assert_string_equal(out.source, "bpf");
	assert_int_equal(snapshot_memory(&out, 7)->pss, 100);
	assert_int_equal(snapshot_memory(&out, 8)->pss, UINT64_MAX);
	assert_null(snapshot_memory(&out, 9));
	assert_string_equal(snapshot_memory(&out, 8)->cgroup, "/a");
	assert_null(snapshot_memory(&out, 7)->cgroup);
	assert_string_equal(out.withheld_why, "no right");
	bytes_deinit(&b);
	snapshot_deinit(&in);
	snapshot_deinit(&out);
}

/* Decodes bytes of anyone's making in a block of exactly their size, and uses the result. */
static int decode(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct ledger l;
	struct snapshot s;
	struct cursor c;
	int err;

	assert_non_null(copy);
	memcpy(copy, p, n);
	c = cursor_of(copy, n);
	snapshot_init(&s);
	err = snapfile_decode(&c, SNAPFILE_VERSION, &s);
	if (!err) {
		assert_int_equal(ledger_init(&l, &s), 0);
		ledger_deinit(&l);
	}
	snapshot_deinit(&s);
	free(copy);
	return err;
}

static void every_cut_is_refused(void **state)
{
	struct bytes b = { 0 };
	struct snapshot s;

	(void)state;
	make(&s);
	snapfile_encode(&b, &s);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(decode(b.p, n), -EBADMSG);
	bytes_deinit(&b);
	snapshot_deinit(&s);
}

static void changed_bytes_do_no_harm(void **state)
{
	struct bytes b = { 0 };
	struct snapshot s;
	unsigned int seed = 1;

	(void)state;
	make(&s);
	snapfile_encode(&b, &s);
	for (int i = 0; i < MUTATIONS; i++) {
		size_t at = (size_t)rand_r(&seed) % b.n, at2 = (size_t)rand_r(&seed) % b.n;
		uint8_t was = b.p[at], was2 = b.p[at2];
		int err;

		b.p[at] = (uint8_t)rand_r(&seed);
		b.p[at2] = i % 2 ? 0xff : (uint8_t)rand_r(&seed);
		err = decode(b.p, b.n);
		assert_true(err == 0 || err == -EBADMSG);
		b.p[at2] = was2;
		b.p[at] = was;
	}
	bytes_deinit(&b);
	snapshot_deinit(&s);
}

static void later_versions_are_refused(void **state)
{
	struct cursor c = cursor_of("", 0);
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	assert_int_equal(snapfile_decode(&c, SNAPFILE_VERSION + 1, &s), -EPROTO);
	assert_int_equal(snapfile_decode(&c, 0, &s), -EPROTO);
	snapshot_deinit(&s);
}

static void look(struct snapshot *s, size_t i, uint64_t sp, uint64_t switches)
{
	struct task *t = &s->tasks[i];

	t->known |= KNOWN_STATE | KNOWN_SWITCHES | KNOWN_USP | KNOWN_USTACK;
	t->state = 'S';
	t->nvcsw = switches;
	t->user_stack = (struct user_stack){ .start = 0x1000, .end = 0x9000, .sp = sp };
}

/* Where a stack pointer stands is compared of who has not run in between. */
static void the_cross_check_holds_stacks_of_the_resting(void **state)
{
	struct findings f = { 0 };
	struct snapshot a, b;

	(void)state;
	make(&a);
	make(&b);
	look(&a, 0, 0x8000, 7);
	look(&b, 0, 0x8000, 7);
	look(&a, 1, 0x8000, 7);
	look(&b, 1, 0x7000, 8);
	assert_int_equal(crosscheck(&a, &b, &f), 0);
	assert_int_equal(f.n, 0);
	b.tasks[0].user_stack.end = 0x8800;
	look(&b, 1, 0x7000, 7);
	assert_int_equal(crosscheck(&a, &b, &f), 0);
	assert_int_equal(f.n, 2);
	assert_string_equal(f.d[0].field, "user_stack.end");
	assert_string_equal(f.d[1].field, "user_stack.sp");
	b.tasks[0].state = 'R';
	b.tasks[1].known &= ~KNOWN_USP;
	findings_deinit(&f);
	assert_int_equal(crosscheck(&a, &b, &f), 0);
	assert_int_equal(f.n, 0);
	findings_deinit(&f);
	snapshot_deinit(&a);
	snapshot_deinit(&b);
}

/* The same tasks under ids of another witness agree; one id put wrong is named. */
static void the_cross_check_names_the_field(void **state)
{
	struct findings f = { 0 }, again = { 0 };
	struct snapshot a, b;

	(void)state;
	make(&a);
	make(&b);
	snprintf(b.source, sizeof(b.source), "procfs");
	for (size_t i = 0; i < b.n; i++) {
		b.tasks[i].res[RES_MM] += 100;
		b.tasks[i].res[RES_FILES] += 100;
	}
	assert_int_equal(crosscheck(&a, &b, &f), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(f.compared, 3);
	b.tasks[2].res[RES_FILES] = b.tasks[0].res[RES_FILES];
	assert_int_equal(crosscheck(&a, &b, &f), 0);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.d[0].field, "files");
	assert_int_equal(f.d[0].key.tid, 20);
	/* a second round without it clears it */
	findings_keep_common(&f, &again);
	assert_int_equal(f.n, 0);
	/* none is not some */
	b.tasks[2].res[RES_MM] = 0;
	assert_int_equal(crosscheck(&a, &b, &f), 0);
	assert_string_equal(f.d[0].field, "mm");
	findings_deinit(&f);
	snapshot_deinit(&a);
	snapshot_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(changed_bytes_do_no_harm),
		cmocka_unit_test(later_versions_are_refused),
		cmocka_unit_test(the_cross_check_names_the_field),
		cmocka_unit_test(the_cross_check_holds_stacks_of_the_resting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
