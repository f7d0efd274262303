/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two witnesses of the same tasks held against each other. Only what both know is compared.
 *
 * Ids of resources are words of each witness, so what is compared is who shares with whom: the
 * tasks that one puts together the other must put together too. Inode numbers, and the space
 * between the module and BPF, are the same words in both and must be equal.
 *
 * The two looked at different moments. What is found may be a task that changed between; what is
 * found again in a second round, of the same task and field, is a disagreement.
 */
#ifndef MMLENS_ANALYSIS_CROSSCHECK_H
#define MMLENS_ANALYSIS_CROSSCHECK_H

#include "model/snapshot.h"

struct disagreement {
	struct task_key key;
	char comm[64];
	const char *field; /* a JSON key of the task, or "present" */
	char by[2][16];	   /* names of the witnesses */
	char value[2][72]; /* raw */
};

struct findings {
	struct disagreement *d;
	size_t n;
	size_t room;
	size_t compared; /* tasks that both witnesses saw */
	size_t changed;	 /* tasks that were not judged: they changed while they were looked at */
};

void findings_deinit(struct findings *f);
/* Appends what two sealed snapshots, kinds assigned, disagree about. -ENOMEM or 0. */
int crosscheck(const struct snapshot *a, const struct snapshot *b, struct findings *f);
/*
 * Drops what is said of tasks that changed meanwhile: `before` and `after` are one witness, asked
 * before the others and after them. -ENOMEM or 0.
 */
int findings_drop_changed(struct findings *f, const struct snapshot *before,
			  const struct snapshot *after);
/* Keeps of `f` what `again` found as well. */
void findings_keep_common(struct findings *f, const struct findings *again);

#endif
