// SPDX-License-Identifier: GPL-2.0-only
/* Places of members as libbpf finds them in the kernel's own types; what there is not is said so. */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/btf_path.h"
#include "unit.h"

static struct btf *all;
static struct btf_paths *paths;

static int open_all(void **state)
{
	(void)state;
	all = btf__load_vmlinux_btf();
	paths = all ? btf_paths_open() : NULL;
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	btf_paths_close(paths);
	btf__free(all);
	return 0;
}

/* Of a member that has a name in that structure itself. */
static uint32_t offset_in(const char *structure, const char *member)
{
	int id = btf__find_by_name_kind(all, structure, BTF_KIND_STRUCT);
	const struct btf_type *t = btf__type_by_id(all, id);

	for (unsigned int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(all, btf_members(t)[i].name_off), member))
			return btf_member_bit_offset(t, i) / 8;
	return UINT32_MAX;
}

static void assert_place(const char *path, uint32_t leaps, uint32_t last, uint32_t size)
{
	struct btf_place at;

	assert_int_equal(btf_path(paths, "task_struct", path, &at), 0);
	assert_int_equal(at.leaps, leaps);
	assert_int_equal(at.offset[leaps], last);
	assert_int_equal(at.size, size);
}

/* Behind no pointer, one, and two; a number, a pointer, an array's element. */
static void as_libbpf(void **state)
{
	struct btf_place at;

	(void)state;
	if (!paths)
		skip();
	/* task_struct, where its layout is random, keeps these within a nameless structure */
	if (offset_in("task_struct", "nvcsw") == UINT32_MAX)
		skip();
	assert_place("nvcsw", 0, offset_in("task_struct", "nvcsw"), 8);
	assert_place("exit_state", 0, offset_in("task_struct", "exit_state"), 4);
	assert_place("real_parent", 0, offset_in("task_struct", "real_parent"), 8);
	assert_place("comm", 0, offset_in("task_struct", "comm"), 1);
	assert_place("thread_pid->level", 1, offset_in("pid", "level"), 4);
	assert_place("thread_pid->numbers", 1, offset_in("pid", "numbers"), 16);
	assert_place("real_parent->group_leader->pid", 2, offset_in("task_struct", "pid"), 4);
	assert_int_equal(btf_path(paths, "task_struct", "real_parent->group_leader->pid", &at), 0);
	assert_int_equal(at.offset[0], offset_in("task_struct", "real_parent"));
	assert_int_equal(at.offset[1], offset_in("task_struct", "group_leader"));
	assert_false(at.is_pointer);
}

/* Within a structure that has no name. */
static void nameless(void **state)
{
	struct btf_place at;

	(void)state;
	if (!paths)
		skip();
	assert_int_equal(btf_path(paths, "task_struct", "mm->mm_users.counter", &at), 0);
	assert_int_equal(at.leaps, 1);
	assert_int_equal(at.size, 4);
}

static void absent(void **state)
{
	static const char *const none[] = { "no_such",	   "nvcsw.no_such",    "nvcsw->no_such",
					    "mm->no_such", "mm->no_such->pid", "nvcs",
					    "nvcsw_" };
	struct btf_place at;

	(void)state;
	if (!paths)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(btf_path(paths, "task_struct", none[i], &at), -ENOENT);
	assert_int_equal(btf_path(paths, "no_such_struct", "pid", &at), -ENOENT);
	/* and the next is found as if nothing had been asked */
	assert_int_equal(btf_path(paths, "task_struct", "pid", &at), 0);
}

/* As many leaps as there is room for, and no more. */
static void leaps(void **state)
{
	struct btf_place at;

	(void)state;
	if (!paths)
		skip();
	assert_int_equal(btf_path(paths, "task_struct",
				  "real_parent->real_parent->real_parent->pid", &at),
			 0);
	assert_int_equal(btf_path(paths, "task_struct",
				  "real_parent->real_parent->real_parent->real_parent->pid", &at),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_libbpf),
		cmocka_unit_test(nameless),
		cmocka_unit_test(absent),
		cmocka_unit_test(leaps),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
