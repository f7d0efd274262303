/* SPDX-License-Identifier: GPL-2.0-only */
/* What list, show and compare share: reading the state, naming tasks, opening a document. */
#ifndef MMLENS_CMD_STATE_H
#define MMLENS_CMD_STATE_H

#include "analysis/ledger.h"
#include "cmd/cmd.h"
#include "render/json.h"

/* A snapshot and its ledger, kinds assigned. */
struct state {
	struct snapshot snapshot;
	struct ledger ledger;
};

/* Reads as the options say. Returns 0 or the exit status, its line printed. */
int state_init(struct state *st, const struct common *common, unsigned int want);
void state_deinit(struct state *st);

/*
 * Whether all words can be pids, asked before anything is read: a wrong command line is told as
 * such whatever rights the user has. 0 or the exit status, its line printed.
 */
int state_check_pids(int n, char **words);

/* rss, pss and claimed of one space. */
void state_memory(const struct state *st, struct space *sp);

/*
 * Finds the task that a word of the command line names. Returns 0 or the exit status, its line
 * printed: usage when the word can be no pid, failed when there is no such task.
 */
int state_task(const struct state *st, const char *word, const struct task **out);

/* The members every document begins with: schema, source, boot_id, withheld. */
void json_head(struct json *j, const char *command, const struct snapshot *s);

#endif
