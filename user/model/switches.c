// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "model/switches.h"

static const struct {
	const char *name;
	const char *summary;
	bool loads;
} classes[] = {
	[CLASS_THREAD] = { "thread", "thread to thread of one process", false },
	[CLASS_PEER] = { "peer", "process to process in one space", false },
	[CLASS_PROCESS] = { "process", "process to process, space loaded", true },
	[CLASS_TO_KERNEL] = { "to-kernel", "to a kernel thread, space on loan", false },
	[CLASS_TO_IDLE] = { "to-idle", "to idle, space on loan", false },
	[CLASS_KERNEL] = { "kernel", "kernel or idle to a kernel thread", false },
	[CLASS_BACK_SAME] = { "back-same", "back to the space still loaded", false },
	[CLASS_BACK_OTHER] = { "back-other", "back to another space, loaded", true },
};

static_assert(ARRAY_SIZE(classes) == CLASS_NR, "every class has its words");

static const char *const hows[] = {
	[HOW_VOLUNTARY] = "voluntary",
	[HOW_PREEMPTED] = "preempted",
	[HOW_EXIT] = "exit",
};

static_assert(ARRAY_SIZE(hows) == HOW_NR, "every cause has its word");

const char *switch_class_name(enum switch_class class)
{
	return classes[class].name;
}

const char *switch_class_summary(enum switch_class class)
{
	return classes[class].summary;
}

bool switch_class_loads(enum switch_class class)
{
	return classes[class].loads;
}

const char *switch_how_name(enum switch_how how)
{
	return hows[how];
}

void switches_deinit(struct switches *s)
{
	free(s->tasks);
	free(s->cpus);
	free(s->pairs);
	memset(s, 0, sizeof(*s));
}

static const char *const delays[] = {
	[DELAY_RUNNABLE] = "runnable",
	[DELAY_SLEEP] = "sleep",
	[DELAY_DISK] = "disk",
	[DELAY_OTHER] = "other",
};

static_assert(ARRAY_SIZE(delays) == DELAY_NR, "every delay has its word");

const char *delay_name(enum delay d)
{
	return delays[d];
}

static uint64_t cpu_class(const struct cpu_switches *c, int class)
{
	uint64_t sum = 0;

	for (int h = 0; h < HOW_NR; h++)
		sum += c->how[class][h];
	return sum;
}

uint64_t cpu_switches_total(const struct cpu_switches *c)
{
	uint64_t sum = 0;

	for (int class = 0; class < CLASS_NR; class ++)
		sum += cpu_class(c, class);
	return sum;
}

uint64_t cpu_switches_loads(const struct cpu_switches *c)
{
	uint64_t sum = 0;

	for (int class = 0; class < CLASS_NR; class ++)
		if (switch_class_loads(class))
			sum += cpu_class(c, class);
	return sum;
}

uint64_t class_total(const struct class_count *c)
{
	uint64_t sum = 0;

	for (int h = 0; h < HOW_NR; h++)
		sum += c->how[h];
	return sum;
}

uint64_t task_switches_total(const struct task_switches *t)
{
	uint64_t sum = 0;

	for (int c = 0; c < CLASS_NR; c++)
		sum += t->count[c];
	return sum;
}

uint64_t switches_total(const struct switches *s)
{
	uint64_t sum = 0;

	for (int c = 0; c < CLASS_NR; c++)
		sum += class_total(&s->classes[c]);
	return sum;
}

uint64_t switches_loads(const struct switches *s)
{
	uint64_t sum = 0;

	for (int c = 0; c < CLASS_NR; c++)
		if (switch_class_loads(c))
			sum += class_total(&s->classes[c]);
	return sum;
}
