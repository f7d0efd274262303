// SPDX-License-Identifier: GPL-2.0-only
/* Of the kernel's types those that an object names are handed over, as they are in the kernel. */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mmlens_event.h"
#include "source/bpf_types.h"
#include "source/btf_ids.h"
#include "source/btf_lookup.h"
#include "tasks.skel.h"
#include "unit.h"

static const char *const named[] = { "task_struct", "mm_struct",      "upid",	"nsproxy",
				     "cred",	    "vm_area_struct", "css_set" };

static struct btf *all;

static int load_all(void **state)
{
	(void)state;
	all = btf__load_vmlinux_btf();
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	btf__free(all);
	return 0;
}

static struct btf *selected(void)
{
	struct bpf_types types = bpf_types_new();
	struct tasks_bpf *skel = tasks_bpf__open();
	struct btf *btf;

	assert_non_null(skel);
	assert_non_null(bpf_types_path(&types));
	assert_int_equal(bpf_types_fill(&types, skel->obj), 0);
	btf = btf__parse(bpf_types_path(&types), NULL);
	assert_non_null(btf);
	bpf_types_free(&types);
	assert_null(bpf_types_path(&types));
	tasks_bpf__destroy(skel);
	return btf;
}

static void assert_same_member(const struct btf *a, const struct btf_type *in_a,
			       const struct btf *b, const struct btf_type *in_b, unsigned int i)
{
	const struct btf_member *x = btf_members(in_a) + i, *y = btf_members(in_b) + i;

	const char *name = btf__name_by_offset(a, x->name_off);

	/* what the object does not name has a name that says nothing; none stays none */
	if (strcmp(btf__name_by_offset(b, y->name_off), "_") == 0)
		assert_string_not_equal(name, "");
	else
		assert_string_equal(btf__name_by_offset(b, y->name_off), name);
	assert_int_equal(x->offset, y->offset);
	assert_int_equal(btf__resolve_size(a, x->type), btf__resolve_size(b, y->type));
}

/* {name}: same size, same members in the same places, each of the same size. */
static void same_layout(void **state)
{
	struct btf *few;

	(void)state;
	if (!all)
		skip();
	few = selected();
	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		int a = btf__find_by_name_kind(all, named[i], BTF_KIND_STRUCT);
		int b = btf__find_by_name_kind(few, named[i], BTF_KIND_STRUCT);
		const struct btf_type *in_all = btf__type_by_id(all, a);
		const struct btf_type *in_few = btf__type_by_id(few, b);

		assert_true(a > 0 && b > 0);
		assert_int_equal(in_all->size, in_few->size);
		assert_int_equal(btf_vlen(in_all), btf_vlen(in_few));
		for (unsigned int m = 0; m < btf_vlen(in_all); m++)
			assert_same_member(all, in_all, few, in_few, m);
	}
	btf__free(few);
}

/* What the programs read of it goes by the kernel's own name. */
static void names_are_kept(void **state)
{
	static const char *const kept[] = { "mm", "signal", "start_boottime", "thread_pid" };
	struct btf *few;
	size_t found = 0;

	(void)state;
	if (!all)
		skip();
	few = selected();
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		int id = btf__find_by_name_kind(few, "task_struct", BTF_KIND_STRUCT);
		const struct btf_type *t = btf__type_by_id(few, id);

		for (unsigned int m = 0; m < btf_vlen(t); m++)
			found += !strcmp(btf__name_by_offset(few, btf_members(t)[m].name_off),
					 kept[i]);
	}
	assert_int_equal(found, ARRAY_SIZE(kept));
	btf__free(few);
}

/* An enumeration has all its values: by them the programs ask what helpers there are. */
static void same_values(void **state)
{
	struct btf *few;
	int a, b;

	(void)state;
	if (!all)
		skip();
	few = selected();
	a = btf__find_by_name_kind(all, "bpf_func_id", BTF_KIND_ENUM);
	b = btf__find_by_name_kind(few, "bpf_func_id", BTF_KIND_ENUM);
	assert_true(a > 0 && b > 0);
	assert_int_equal(btf_vlen(btf__type_by_id(all, a)), btf_vlen(btf__type_by_id(few, b)));
	btf__free(few);
}

/* What nobody named is not there, else it would be no help. */
static void few_types(void **state)
{
	struct btf *few;

	(void)state;
	if (!all)
		skip();
	few = selected();
	assert_true(btf__find_by_name_kind(few, "super_block", BTF_KIND_STRUCT) < 0);
	assert_true(btf__type_cnt(few) * 20 < btf__type_cnt(all));
	btf__free(few);
}

static uint32_t value_in(const struct bpf_types *types, const char *name)
{
	struct btf *btf = btf__parse(bpf_types_path(types), NULL);
	const struct btf_type *t;
	uint32_t value = UINT32_MAX;
	int id;

	assert_non_null(btf);
	assert_true(btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT) > 0);
	id = btf__find_by_name_kind(btf, "asked", BTF_KIND_ENUM);
	assert_true(id > 0);
	t = btf__type_by_id(btf, id);
	for (unsigned int i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), name))
			value = (uint32_t)btf_enum(t)[i].val;
	btf__free(btf);
	return value;
}

/* Constants stand beside the kernel's types, and the last that were set are the ones. */
static void constants(void **state)
{
	const struct bpf_constant first[] = { { "A", 1 }, { "B", 0x80000001 } };
	const struct bpf_constant then[] = { { "B", 7 } };
	struct bpf_types types = bpf_types_new();
	struct tasks_bpf *skel = tasks_bpf__open();

	(void)state;
	if (!all)
		skip();
	assert_int_equal(bpf_types_set(&types, "asked", first, 2), -ENOENT);
	assert_int_equal(bpf_types_fill(&types, skel->obj), 0);
	assert_int_equal(bpf_types_set(&types, "asked", first, 2), 0);
	assert_int_equal(value_in(&types, "A"), 1);
	assert_int_equal(value_in(&types, "B"), 0x80000001);
	assert_int_equal(bpf_types_set(&types, "asked", then, 1), 0);
	assert_int_equal(value_in(&types, "B"), 7);
	assert_int_equal(value_in(&types, "A"), UINT32_MAX);
	bpf_types_free(&types);
	tasks_bpf__destroy(skel);
}

/* The ids found on the way are those that libbpf finds; what there is not has none. */
static void same_ids(void **state)
{
	(void)state;
	if (!all)
		skip();
	btf__free(selected());
	assert_int_equal(btf_id("bpf_iter_task"),
			 btf__find_by_name_kind(all, "bpf_iter_task", BTF_KIND_FUNC));
	assert_int_equal(btf_id("btf_trace_sched_switch"),
			 btf__find_by_name_kind(all, "btf_trace_sched_switch", BTF_KIND_TYPEDEF));
	if (btf__find_by_name_kind(all, "pcpu_hot", BTF_KIND_VAR) < 0)
		assert_int_equal(btf_id("pcpu_hot"), 0);
}

/* The kernel's own search finds the same, where it searches for us. */
static void looked_up(void **state)
{
	uint32_t id;

	(void)state;
	if (!all)
		skip();
	id = btf_lookup("bpf_iter_task", BTF_KIND_FUNC);
	if (!id)
		skip();
	assert_int_equal(id, btf__find_by_name_kind(all, "bpf_iter_task", BTF_KIND_FUNC));
	assert_int_equal(btf_lookup("bpf_iter_task", BTF_KIND_UNION), 0);
	assert_int_equal(btf_lookup("a name that is longer than any question", BTF_KIND_FUNC), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_layout), cmocka_unit_test(names_are_kept),
		cmocka_unit_test(same_values), cmocka_unit_test(few_types),
		cmocka_unit_test(same_ids),    cmocka_unit_test(looked_up),
		cmocka_unit_test(constants),
	};

	return cmocka_run_group_tests(tests, load_all, free_all);
}
