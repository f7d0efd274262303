/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of proc_storm know of each other: proc_storm.c begins and ends it, storm_churn.c is
 * who is read, storm_witness.c who must be found whatever happens, storm_read.c who reads.
 */
#ifndef STORM_H
#define STORM_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "proc_rows.h"

struct settings {
	int readers;
	int seconds;
	int threads;	    /* of the crowd, which lives throughout */
	int goal;	    /* threads to be made at least; 0 for as many as there are */
	const char *module; /* loaded and unloaded meanwhile; or NULL */
	const char *cgroup; /* whose memory is short: readers and a glutton live there; or NULL */
	bool hotplug;	    /* a processor comes and goes */
};

extern struct settings storm;

/* What all processes of the storm add to; in shared memory. */
struct counts {
	long threads, execs, vforks, creds, namespaces, reloads, hotplugs, passes, rows;
};

extern struct counts *count;

#define COUNT(what) __atomic_add_fetch(&count->what, 1, __ATOMIC_RELAXED)

unsigned long rnd(unsigned long below);
void fail(const char *file, const char *what, long detail) __attribute__((noreturn));
bool raging(void);
pid_t start(void (*work)(void)); /* in a child, again and again while it rages */

/* storm_churn.c */
int start_churns(void); /* how many children */

/* storm_witness.c */
void make_witnesses(void);
void end_witnesses(void);
int witnesses_total(void);
bool saw_record(const char *file, const struct mmlens_task *rec);
bool saw_line(const char *file, const char *line);
pid_t any_witness(void);
void exec_for_ever(void) __attribute__((noreturn));

/* storm_read.c */
void read_on(void);

#endif /* STORM_H */
