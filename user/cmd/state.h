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
/*
 * The same for a command about these tasks: --source=auto takes a witness that is shown them. With
 * WANT_OTHERS_BRIEF or WANT_NO_OTHERS the snapshot may know little of all others, or be without them,
 * as struct source has it.
 */
int state_init_tasks(struct state *st, const struct common *common, unsigned int want, int n,
		     char **words);
void state_deinit(struct state *st);

/*
 * Whether all words can be pids, asked before anything is read: a wrong command line is told as
 * such whatever rights the user has. 0 or the exit status, its line printed.
 */
int state_check_pids(int n, char **words);

/* rss, pss and claimed of one space. */
void state_memory(const struct state *st, struct space *sp);

/* The path of its cgroup: of its first user task, or as it was recorded. -errno or 0. */
int state_cgroup(const struct state *st, const struct space *sp, char *path, size_t n);

/*
 * Finds the task that a word of the command line names. Returns 0 or the exit status, its line
 * printed: usage when the word can be no pid, failed when there is no such task.
 */
int state_task(const struct state *st, const char *word, const struct task **out);

/*
 * The space of the task's process, which a leader that has exited left to its threads. NULL: it
 * has none, or it is not known.
 */
const struct space *state_space(const struct state *st, const struct task *t);

/* A line under a table about the tasks that the reader is not shown; none when he sees all. */
void state_withheld(FILE *out, const struct snapshot *s);

/* A line under a table about who told it. */
void state_source(const struct snapshot *s);

/* The members every document begins with: schema, source, boot_id, withheld. */
void json_head(struct json *j, const char *command, const struct snapshot *s);

/*
 * The end of what a command writes, to stdout as JSON or to a file of the user's: what could not be
 * written is told, and makes a failure of a `status` that was none. The file stays open.
 */
int json_finish(struct json *j, int status);
int file_finish(FILE *f, const char *path, int status);

#endif
