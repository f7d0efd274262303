/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Context switches: what a window of them added up to, and one of them.
 *
 * A switch is classified by what the CPU must do. `loads` are the classes that load another
 * address space: process and back-other.
 *
 *   thread      user -> user, same space, same thread group
 *   peer        user -> user, same space, another thread group
 *   process     user -> user, another space
 *   to-kernel   user -> kernel thread: the space stays loaded, on loan
 *   to-idle     anything -> idle
 *   kernel      kernel thread or idle -> kernel thread
 *   back-same   kernel thread or idle -> user, its space still loaded
 *   back-other  kernel thread or idle -> user, another space
 *
 * A switch is counted for the task that left the CPU, as the kernel's nvcsw and nivcsw are.
 * Pids are those of the initial pid namespace, times are ns.
 */
#ifndef MMLENS_MODEL_SWITCHES_H
#define MMLENS_MODEL_SWITCHES_H

#include <stddef.h>

#include "model/task.h"

enum switch_class {
	CLASS_THREAD,
	CLASS_PEER,
	CLASS_PROCESS,
	CLASS_TO_KERNEL,
	CLASS_TO_IDLE,
	CLASS_KERNEL,
	CLASS_BACK_SAME,
	CLASS_BACK_OTHER,
	CLASS_NR
};

/* Why the task left: voluntary and exit are nvcsw, preempted is nivcsw. */
enum switch_how {
	HOW_VOLUNTARY,
	HOW_PREEMPTED,
	HOW_EXIT,
	HOW_NR
};

/* Every 5 % of a distribution, and the first and last 1 %. */
#define COST_QUANTILES 21

/* Which of 100 the i-th is: 1, 5, 10 ... 95, 99. */
static inline unsigned int cost_percent(size_t i)
{
	return !i ? 1 : i == COST_QUANTILES - 1 ? 99 : 5 * (unsigned int)i;
}

/* A distribution of durations; quantiles are upper edges of buckets, at most an eighth too high. */
struct cost {
	uint64_t n; /* 0: nothing was measured and the rest means nothing */
	uint64_t mean;
	uint64_t p50;
	uint64_t p90;
	uint64_t p99;
	uint64_t max;
	uint64_t q[COST_QUANTILES]; /* at cost_percent(i) */
};

struct class_count {
	uint64_t how[HOW_NR];
	struct cost cost;
};

/* What a task that is on no CPU waits for: a CPU, or by the state in which it left. */
enum delay {
	DELAY_RUNNABLE, /* preempted, or woken and not running yet */
	DELAY_SLEEP,
	DELAY_DISK,
	DELAY_OTHER, /* stopped, traced, parked */
	DELAY_NR
};

struct task_switches {
	struct task_key key;
	char comm[16];
	uint64_t space; /* at its last switch, 0 for kernel threads */
	uint64_t count[CLASS_NR];
	uint64_t how[HOW_NR];
	uint64_t before;	/* the kernel's nvcsw + nivcsw before the first switch seen */
	uint64_t after;		/* and at the last one */
	uint64_t on_cpu;	/* ns, up to its last switch */
	uint64_t off[DELAY_NR]; /* ns of the waits that ended */
	bool delays_known;	/* on_cpu and off; not so of whom a filter did not choose */
	uint64_t cgroup;	/* inode number */
};

struct cpu_switches {
	uint32_t cpu;
	uint64_t how[CLASS_NR][HOW_NR];
	uint64_t lost_tasks; /* no room in the table of tasks */
	uint64_t lost_ring;  /* the reader was too slow: events, not all of them switches */
	uint64_t lost_pairs;
};

/* Two spaces, 0 for idle and kernel threads, and the name of a task of each. */
struct pair_switches {
	uint64_t from;
	uint64_t to;
	uint64_t count;
	uint64_t loads;
	char from_comm[16];
	char to_comm[16];
};

struct switches {
	uint64_t duration_ns;
	uint64_t lost;	     /* switches or events that could not be kept, all causes */
	uint64_t lost_tasks; /* of these: no room in the table of tasks */
	struct class_count classes[CLASS_NR];
	struct task_switches *tasks; /* most switches first; owned */
	size_t n_tasks;
	char cost_end[48]; /* where the cost was measured to; empty: not measured */
	bool tlb_known;	   /* the processor's own count of loads was asked for and is there */
	uint64_t tlb_loads;
	uint64_t tlb_flushed; /* of these, those that flushed the TLB */
	bool filtered;	      /* only switches with a watched process on one side */
	uint64_t clock_ns; /* one reading of the clock by the programs, part of each cost; 0: unknown */
	uint64_t missed; /* runs of the programs that the kernel refused, as it counts them */
	struct cpu_switches *cpus; /* those that had any; owned */
	size_t n_cpus;
	struct pair_switches *pairs; /* most first; owned; none unless asked for */
	size_t n_pairs;
	bool pairs_known;
	bool delays_known;
	struct cost delays[DELAY_NR];
};

void switches_deinit(struct switches *s);

/* The words of the contract. */
const char *switch_class_name(enum switch_class class);
const char *switch_class_summary(enum switch_class class);
const char *switch_how_name(enum switch_how how);
/* Whether the CPU had to load another address space. */
bool switch_class_loads(enum switch_class class);

/* "runnable", "sleep", "disk", "other" */
const char *delay_name(enum delay d);

uint64_t cpu_switches_total(const struct cpu_switches *c);
uint64_t cpu_switches_loads(const struct cpu_switches *c);
uint64_t class_total(const struct class_count *c);
uint64_t task_switches_total(const struct task_switches *t);
uint64_t switches_total(const struct switches *s);
uint64_t switches_loads(const struct switches *s);

#endif
