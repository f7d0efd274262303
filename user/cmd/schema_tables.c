// SPDX-License-Identifier: GPL-2.0-only
/* The documents: what no column table prints, and which table prints the rest. */
#include "analysis/verdict.h"
#include "cmd/pages_breakers.h"
#include "cmd/pages_family.h"
#include "cmd/schema.h"
#include "lib/cleanup.h"
#include "model/proof.h"
#include "model/switches.h"
#include "render/channels.h"
#include "render/regions.h"
#include "render/spaces.h"
#include "render/switches.h"
#include "render/tasks.h"

#define UINT(key, help)                  \
	{                                \
		key, SHAPE_UINT, 0, help \
	}
#define UINT0(key, help)                          \
	{                                         \
		key, SHAPE_UINT, SHAPE_NULL, help \
	}
#define STR(key, help)                  \
	{                               \
		key, SHAPE_STR, 0, help \
	}
#define STR0(key, help)                          \
	{                                        \
		key, SHAPE_STR, SHAPE_NULL, help \
	}
#define WORD(key, w, help)                         \
	{                                          \
		key, SHAPE_STR, 0, help, .word = w \
	}
#define ROWS(table) .cols = table, .n_cols = &table##_n
#define END       \
	{         \
		0 \
	}

/* ---- words ---- */

static const char *kind_word(int n)
{
	return n < KIND_NR ? task_kind_name(n) : NULL;
}

/* The unknown verdict is null. */
static const char *verdict_word(int n)
{
	return n + 1 < VERDICT_NR ? verdict_name(n + 1) : NULL;
}

static const char *class_word(int n)
{
	return n < CLASS_NR ? switch_class_name(n) : NULL;
}

static const char *proof_word(int n)
{
	return n <= PROOF_NOT_TRUE_HERE ? proof_verdict_name(n) : NULL;
}

/* ---- spaces and tasks ---- */

static const struct shape member[] = {
	UINT("tgid", "its thread group"),
	UINT("tid", "its own id"),
	STR("comm", "its name"),
	WORD("kind", kind_word, "what it is in its space"),
	END,
};

static const struct shape space[] = {
	{ "members", SHAPE_LIST, 0, "the tasks that run in it", member },
	END,
};

static const struct shape list_totals[] = {
	UINT("spaces", "address spaces"),
	UINT("tasks", "tasks in them"),
	{ "rss", SHAPE_UINT, SHAPE_NULL, "memory of those where it is known, each space once" },
	{ "pss", SHAPE_UINT, SHAPE_NULL, "the same, each page divided by its mappers" },
	{ "claimed", SHAPE_UINT, SHAPE_NULL, "what per-pid tools add up to" },
	UINT("rss_spaces", "spaces whose rss is known"),
	UINT("pss_spaces", "spaces whose pss is known"),
	END,
};

static const struct shape list[] = {
	{ "spaces", SHAPE_LIST, 0, "the ledger", space, ROWS(space_columns) },
	{ "totals", SHAPE_OBJECT, 0, "of the spaces listed", list_totals },
	END,
};

static const struct shape task[] = {
	{ "unknown", SHAPE_STRS, 0,
	  "ids that the source cannot tell, by name; of those it can, null is none" },
	END,
};

static const struct shape show[] = {
	{ "tasks", SHAPE_LIST, 0, "all tasks of the program", task, ROWS(task_columns) },
	{ "spaces", SHAPE_LIST, 0, "its address spaces", space, ROWS(space_columns) },
	END,
};

static const struct shape page_counts[] = {
	{ "same_va", SHAPE_UINT, SHAPE_OPTIONAL, "pages of mappings present at the same address" },
	UINT("page_size", "bytes of a page"),
	END,
};

static const struct shape compare[] = {
	{ "a", SHAPE_OBJECT, 0, "the first task", task, ROWS(task_columns) },
	{ "b", SHAPE_OBJECT, 0, "the second task", task, ROWS(task_columns) },
	{ "verdict", SHAPE_STR, SHAPE_NULL, "in a word", .word = verdict_word },
	STR("sentence", "in a sentence"),
	{ "resources", SHAPE_LIST, 0, "each with its state", NULL, .of = &cmd_compare },
	{ "pages", SHAPE_OBJECT, SHAPE_NULL | SHAPE_PARTIAL, "evidence in the pages of both",
	  page_counts, ROWS(region_columns) },
	END,
};

/* ---- memory ---- */

static const struct shape relative[] = {
	{ "regions", SHAPE_LIST, SHAPE_OPTIONAL, "by mapping, where asked for", NULL,
	  ROWS(erosion_columns) },
	END,
};

static const struct shape pages[] = {
	UINT("a", "the first process"),
	{ "b", SHAPE_UINT, SHAPE_OPTIONAL, "the second one" },
	{ "regions", SHAPE_LIST, 0, "mappings, or what both have of them", NULL,
	  ROWS(region_columns) },
	{ "totals", SHAPE_OBJECT, SHAPE_PARTIAL, "of all regions", page_counts,
	  ROWS(region_columns) },
	UINT("raced_mappings", "mappings that changed while they were read"),
	{ "relatives", SHAPE_LIST, SHAPE_NULL | SHAPE_OPTIONAL,
	  "of one process: what is left shared since fork, with each relative", relative,
	  ROWS(relative_columns) },
	END,
};

static const struct shape breaker[] = {
	{ "stack", SHAPE_UINTS, 0, "addresses in the program, with --stacks" },
	END,
};

static const struct shape breakers[] = {
	STR("hook", "where in the kernel copies are counted"),
	UINT("lost", "copies that were not counted"),
	{ "tasks", SHAPE_LIST, 0, "by task and mapping", breaker, ROWS(breaker_columns) },
	END,
};

static const struct shape round_of_pages[] = {
	UINT("a", "the process"),
	UINT("round", "which of --watch"),
	{ "relatives", SHAPE_LIST, 0, "what is left shared since fork", relative,
	  ROWS(relative_columns) },
	{ "breakers", SHAPE_OBJECT, SHAPE_NULL, "who copied since the watch began", breakers },
	END,
};

static const struct shape spot[] = {
	UINT("pid", "whose"),
	STR("state", "what is there"),
	STR0("name", "of the mapping"),
	STR0("perms", "of the mapping"),
	STR0("nature", "of the mapping"),
	STR0("frame", "id of the physical frame, or its number"),
	STR0("flags", "of the frame, by the kernel's names"),
	UINT0("mappings", "how often the frame is mapped"),
	STR0("bytes", "the content, in hex"),
	END,
};

static const struct shape one_address[] = {
	UINT("at", "the virtual address"),
	STR0("frames", "whether both are the same"),
	{ "spots", SHAPE_LIST, 0, "what each has there", spot },
	END,
};

static const struct shape object[] = {
	{ "pids", SHAPE_UINTS, 0, "a task of each space that maps it" },
	END,
};

static const struct shape pages_objects[] = {
	{ "objects", SHAPE_LIST, 0, "shared memory, with who maps it", object,
	  ROWS(object_columns) },
	END,
};

static const struct shape stacks[] = {
	{ "stacks", SHAPE_LIST, 0, "of every thread", NULL, .of = &cmd_stacks },
	END,
};

/* ---- switches ---- */

static const struct shape cost[] = {
	UINT("n", "switches measured"),
	UINT("mean", "ns"),
	UINT("p50", "ns, median"),
	UINT("p90", "ns"),
	UINT("p99", "ns"),
	UINT("max", "ns"),
	END,
};

static const struct shape class_extra[] = {
	{ "cost", SHAPE_OBJECT, SHAPE_NULL, "what a switch took", cost },
	END,
};

static const struct shape tlb[] = {
	UINT("loads", "address spaces loaded"),
	UINT("flushed", "those that flushed the TLB"),
	END,
};

static const struct shape odd[] = {
	UINT("tgid", "its thread group"),
	UINT("tid", "its own id"),
	STR("comm", "its name"),
	UINT("counted", "switches seen"),
	UINT("grown", "switches by the kernel's counters"),
	END,
};

static const struct shape agreement[] = {
	UINT("tasks", "compared"),
	UINT("agree", "that do"),
	{ "disagree", SHAPE_LIST, 0, "those that do not", odd },
	END,
};

static const struct shape stat[] = {
	UINT("duration_ns", "length of the window"),
	UINT("switches", "in the window"),
	UINT("loads", "those that loaded another address space"),
	UINT("lost", "switches counted and not classified"),
	STR0("cost_end", "what the cost was measured to"),
	{ "classes", SHAPE_LIST, 0, "switches by class", class_extra, ROWS(class_columns) },
	{ "tasks", SHAPE_LIST, 0, "switches by task", NULL, ROWS(task_switches_columns) },
	{ "loads_per_second", SHAPE_NUMBER, 0, "the same by time" },
	UINT0("clock_ns", "what reading the clock adds to each cost"),
	{ "cpus", SHAPE_LIST, 0, "switches by CPU", NULL, ROWS(cpu_columns) },
	{ "pairs", SHAPE_LIST, SHAPE_NULL, "by the spaces left and entered", NULL,
	  ROWS(pair_columns) },
	{ "cgroups", SHAPE_LIST, SHAPE_NULL, "switches by cgroup", NULL, ROWS(cgroup_columns) },
	{ "delays", SHAPE_OBJECT, SHAPE_NULL | SHAPE_OPEN, "waiting, by its sort" },
	{ "tlb", SHAPE_OBJECT, SHAPE_NULL, "the hardware's word on loads", tlb },
	{ "agreement", SHAPE_OBJECT, SHAPE_NULL | SHAPE_OPTIONAL, "with the kernel's counters",
	  agreement },
	{ "command_status", SHAPE_UINT, SHAPE_OPTIONAL, "exit status of the command that was run" },
	END,
};

static const struct shape party[] = {
	UINT0("tgid", "its thread group"),
	UINT0("tid", "its own id"),
	STR0("comm", "its name"),
	STR0("space", "its address space"),
	END,
};

static const struct shape prev[] = {
	UINT0("tgid", "its thread group"), UINT0("tid", "its own id"),
	STR0("comm", "its name"),	   STR0("space", "its address space"),
	STR0("state", "it was left in"),   END,
};

static const struct shape trace[] = {
	UINT("ts", "ns since boot"),
	UINT("cpu", "where"),
	WORD("class", class_word, "what the CPU had to do"),
	STR("how", "voluntary, preempted or exit"),
	UINT0("cost", "ns"),
	{ "prev", SHAPE_OBJECT, 0, "who left the CPU", prev },
	{ "next", SHAPE_OBJECT, 0, "who got it", party },
	END,
};

#define PARTY(key, help)                                       \
	{                                                      \
		key, SHAPE_OBJECT, SHAPE_OPTIONAL, help, party \
	}

static const struct shape trace_event[] = {
	STR("event", "wake, fork, exec, exit or lost"),
	UINT("ts", "ns since boot"),
	UINT("cpu", "where"),
	PARTY("waker", "of a wake"),
	PARTY("wakee", "of a wake"),
	{ "same_space", SHAPE_BOOL, SHAPE_OPTIONAL, "whether both share their memory" },
	{ "interrupt", SHAPE_BOOL, SHAPE_OPTIONAL | SHAPE_NULL, "whether an interrupt woke it" },
	{ "call", SHAPE_STR, SHAPE_OPTIONAL | SHAPE_NULL, "system call of the waker" },
	PARTY("parent", "of a fork"),
	PARTY("child", "of a fork"),
	{ "flags", SHAPE_UINT, SHAPE_OPTIONAL, "of clone(2)" },
	{ "shared", SHAPE_STRS, SHAPE_OPTIONAL, "what both share by these" },
	PARTY("task", "of an exec or exit"),
	{ "code", SHAPE_UINT, SHAPE_OPTIONAL, "exit code" },
	{ "last", SHAPE_BOOL, SHAPE_OPTIONAL, "whether its thread group ends" },
	{ "dropped", SHAPE_UINT, SHAPE_OPTIONAL, "events of this CPU that are missing" },
	END,
};

static const struct shape trace_lost[] = {
	UINT("lost", "switches that are missing here"),
	END,
};

/* ---- proofs, channels, what there is ---- */

static const struct shape measurement[] = {
	STR("name", "what was measured"),
	{ "value", SHAPE_NUMBER, SHAPE_NULL, "the figure" },
	STR0("unit", "its unit"),
	{ "low", SHAPE_NUMBER, SHAPE_NULL | SHAPE_OPTIONAL, "lower end of what it may be" },
	{ "high", SHAPE_NUMBER, SHAPE_NULL | SHAPE_OPTIONAL, "upper end" },
	{ "samples", SHAPE_UINT, SHAPE_OPTIONAL, "measurements behind it" },
	END,
};

static const struct shape claim[] = {
	STR("claim", "which of the five"),
	STR("sentence", "what it says"),
	WORD("verdict", proof_word, "whether it holds here"),
	STR0("because", "of what"),
	{ "measurements", SHAPE_LIST, 0, "the numbers", measurement },
	{ "steps", SHAPE_LIST, SHAPE_OPTIONAL | SHAPE_OPEN, "what was done" },
	END,
};

static const struct shape prove[] = {
	{ "claims", SHAPE_LIST, 0, "the claims that were tried", claim },
	END,
};

static const struct shape watch[] = {
	UINT("duration_ns", "length of the window"),
	UINT("lost", "wake-ups not counted"),
	{ "wakeups", SHAPE_LIST, 0, "who woke whom", NULL, ROWS(wakeup_columns) },
	END,
};

static const struct shape channels[] = {
	UINT("withheld_processes", "whose descriptors are not for the reader to see"),
	{ "same_space", SHAPE_BOOL, 0, "whether both need no channel: they share their memory" },
	{ "channels", SHAPE_LIST, 0, "what they can talk through", NULL, ROWS(channel_columns) },
	{ "watch", SHAPE_OBJECT, SHAPE_OPTIONAL, "wake-ups by --watch", watch },
	END,
};

static const struct shape witness[] = {
	STR("source", "module, bpf or procfs"),
	UINT("tasks", "it sees"),
	UINT0("withheld", "it may not see"),
	UINT("raced", "it saw change"),
	{ "reach", SHAPE_OBJECT, SHAPE_OPEN,
	  "how many tasks it knows each fact of, of those asked" },
	END,
};

static const struct shape who[] = {
	UINT("tgid", "its thread group"),
	UINT("tid", "its own id"),
	UINT("start_ns", "its start, since boot"),
	STR("comm", "its name"),
	END,
};

static const struct shape disagreement[] = {
	{ "task", SHAPE_OBJECT, 0, "about whom", who },
	STR("field", "about what"),
	{ "values", SHAPE_MAP, 0, "what each witness says" },
	END,
};

static const struct shape doctor[] = {
	{ "features", SHAPE_LIST, 0, "what there is, and why not", NULL, .of = &cmd_doctor },
	{ "witnesses", SHAPE_LIST, 0, "who could be asked", witness },
	UINT("compared", "tasks held against each other"),
	UINT("changed", "tasks that did not stand still and were left out"),
	{ "disagreements", SHAPE_LIST, 0, "where they differ", disagreement },
	END,
};

#define DOC(name, help)                                 \
	{                                               \
#name, "mmlens." #name "/1", help, name \
	}

const struct document documents[] = {
	DOC(list, "mmlens list: every address space once"),
	DOC(show, "mmlens show: one program whole"),
	DOC(compare, "mmlens compare: what two tasks share"),
	DOC(pages, "mmlens pages: frames by region"),
	{ "pages_round", "mmlens.pages/1", "mmlens pages --watch: one a line", round_of_pages },
	{ "pages_at", "mmlens.pages/1", "mmlens pages --at: one address", one_address },
	{ "pages_objects", "mmlens.pages/1", "mmlens pages --shared: who maps what",
	  pages_objects },
	DOC(stacks, "mmlens stacks: every thread's stack"),
	DOC(stat, "mmlens stat: switches by class"),
	{ "trace", NULL, "mmlens trace: one switch, one a line", trace },
	{ "trace_event", NULL, "mmlens trace: what else happened, one a line", trace_event },
	{ "trace_lost", NULL, "mmlens trace: what is missing", trace_lost },
	DOC(prove, "mmlens prove: the claims, tried here"),
	DOC(channels, "mmlens channels: between processes"),
	DOC(doctor, "mmlens doctor: what there is, and whether witnesses agree"),
};

const size_t documents_n = ARRAY_SIZE(documents);
