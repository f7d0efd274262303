// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <bpf/btf.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/btf_ids.h"

static struct {
	const char *name;
	uint16_t kind;
	uint32_t id;
} table[] = {
	/* clang-format off */
	{ "__preempt_count",		BTF_KIND_VAR },
	{ "bpf_iter_task",		BTF_KIND_FUNC },
	{ "bpf_iter_task_vma",		BTF_KIND_FUNC },
	{ "bpf_rdonly_cast",		BTF_KIND_FUNC },
	{ "btf_trace_page_fault_user",	BTF_KIND_TYPEDEF },
	{ "btf_trace_sched_exit_tp",	BTF_KIND_TYPEDEF },
	{ "btf_trace_sched_switch",	BTF_KIND_TYPEDEF },
	{ "btf_trace_tlb_flush",	BTF_KIND_TYPEDEF },
	{ "finish_task_switch",		BTF_KIND_FUNC },
	{ "pcpu_hot",			BTF_KIND_VAR },
	{ "task_struct",		BTF_KIND_STRUCT },
	/* clang-format on */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool known;

size_t btf_ids_count(void)
{
	return ARRAY_SIZE(table);
}

const char *btf_ids_name(size_t i)
{
	return table[i].name;
}

void btf_ids_take(const char *name, uint32_t id, const struct btf_type *head)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].kind == btf_kind(head) && strcmp(table[i].name, name) == 0)
			table[i].id = id;
}

void btf_ids_taken(void)
{
	known = true;
}

static int take(uint32_t id, const struct btf_type *head, const struct btf_name *name, void *arg)
{
	(void)arg;
	btf_ids_take(name->name, id, head);
	return 0;
}

static void look_all_up(void)
{
	struct btf_name names[ARRAY_SIZE(table)];
	struct kernel_btf *k = kernel_btf_open();
	const struct btf_visit v = { .visit = take };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		names[i] = (struct btf_name){ .name = table[i].name };
	if (k && !kernel_btf_names(k, names, ARRAY_SIZE(names)))
		kernel_btf_types(k, names, ARRAY_SIZE(names), &v);
	kernel_btf_close(k);
	known = true;
}

uint32_t btf_id(const char *name)
{
	pthread_mutex_lock(&lock);
	if (!known)
		look_all_up();
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].id;
	assert(!"a name that is not in the table");
	return 0;
}
