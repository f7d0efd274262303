// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/state.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/procmem.h"
#include "source/procmeta.h"
#include "source/snapfile.h"
#include "source/source.h"
#include "source/withheld.h"

/* A file that cannot be read is a thing that failed; a source that cannot serve is missing. */
static int read_file(struct snapshot *s, const char *path)
{
	struct why why = { "" };
	int err = snapfile_load(path, s, &why);

	if (!err)
		return 0;
	snapshot_deinit(s);
	return fail(EXIT_FAILED, path, "%s", why.text);
}

/* The words that are numbers of tasks; n of them at most. */
static size_t take_tids(int n, char **words, uint32_t *tids)
{
	size_t taken = 0;
	uint64_t tid;

	for (int i = 0; i < n; i++)
		if (!parse_u64(words[i], UINT32_MAX, &tid) && tid)
			tids[taken++] = (uint32_t)tid;
	return taken;
}

static int read_living(struct snapshot *s, const char *source, unsigned int want, int n,
		       char **words)
{
	cleanup_free uint32_t *tids = calloc((size_t)n + 1, sizeof(*tids));
	const unsigned int named = WANT_NO_OTHERS | WANT_OTHERS_BRIEF;
	size_t about = tids && want & named ? take_tids(n, words, tids) : 0;
	struct why why;
	int err = source_snapshot_about(source, want, tids, about, s, &why);

	if (err) {
		snapshot_deinit(s);
		return fail(status_of(err), source, "%s", why.text);
	}
	if (*why.text)
		note("module", "%s; answering from %s", why.text, s->source);
	return 0;
}

/* The first of the named tasks that is there and was not shown; NULL when all were. */
static const char *not_shown(const struct snapshot *s, int n, char **words)
{
	for (int i = 0; i < n; i++) {
		struct why why = { "" };
		uint64_t tid;

		if (parse_u64(words[i], UINT32_MAX, &tid) == 0 && tid &&
		    !snapshot_find(s, (uint32_t)tid) &&
		    withheld_task((uint32_t)tid, s->source, &why))
			return words[i];
	}
	return NULL;
}

/* With a free choice of witnesses, the one that is shown the tasks in question is the best. */
static int read_best_for(struct snapshot *s, const struct common *common, unsigned int want, int n,
			 char **words)
{
	int status = read_living(s, common->source, want, n, words);
	const char *word =
		status || strcmp(common->source, "auto") != 0 ? NULL : not_shown(s, n, words);

	if (!word || strcmp(s->source, "procfs") == 0)
		return status;
	note(word, "%s is not shown it; answering from procfs", s->source);
	snapshot_deinit(s);
	return read_living(s, "procfs", want, n, words);
}

int state_init(struct state *st, const struct common *common, unsigned int want)
{
	return state_init_tasks(st, common, want, 0, NULL);
}

int state_init_tasks(struct state *st, const struct common *common, unsigned int want, int n,
		     char **words)
{
	int status;

	memset(st, 0, sizeof(*st));
	status = common->from ? read_file(&st->snapshot, common->from)
			      : read_best_for(&st->snapshot, common, want, n, words);
	if (status)
		return status;
	if (ledger_init(&st->ledger, &st->snapshot)) {
		snapshot_deinit(&st->snapshot);
		return fail(EXIT_FAILED, "tasks", "out of memory");
	}
	return 0;
}

void state_deinit(struct state *st)
{
	ledger_deinit(&st->ledger);
	snapshot_deinit(&st->snapshot);
}

static void recall_memory(const struct snapshot *s, struct space *sp)
{
	const struct space_memory *m = snapshot_memory(s, sp->id);

	if (m) {
		sp->memory.rss = m->rss;
		sp->memory.pss = m->pss;
	}
}

static void measure_memory(const struct state *st, struct space *sp)
{
	struct memory *m = &sp->memory;

	/* any member will do, and the first may have just gone */
	for (size_t i = 0; i < sp->tasks; i++) {
		const struct task *t = space_member(&st->ledger, sp, i);

		if (!(t->flags & TASK_KTHREAD) && procmem_read(t->key.tid, m) == 0)
			break;
	}
}

void state_memory(const struct state *st, struct space *sp)
{
	struct memory *m = &sp->memory;

	if (st->snapshot.recorded)
		recall_memory(&st->snapshot, sp);
	else
		measure_memory(st, sp);
	if (m->rss != MEMORY_UNKNOWN)
		m->claimed = m->rss * sp->processes;
}

int state_cgroup(const struct state *st, const struct space *sp, char *path, size_t n)
{
	const struct space_memory *m = snapshot_memory(&st->snapshot, sp->id);

	if (!st->snapshot.recorded)
		return procmeta_cgroup(space_member(&st->ledger, sp, 0)->key.tid, path, n);
	if (!m || !m->cgroup)
		return -ENODATA;
	snprintf(path, n, "%s", m->cgroup);
	return 0;
}

int state_check_pids(int n, char **words)
{
	uint64_t tid;

	for (int i = 0; i < n; i++)
		if (parse_u64(words[i], UINT32_MAX, &tid) == -EINVAL)
			return fail(EXIT_USAGE, words[i], "not a pid: a pid is a decimal number");
	return 0;
}

/* What one witness does not show another may: "no such task" is said of none that is there. */
static int unknown_task(const struct snapshot *s, const char *word, uint32_t tid)
{
	struct why why = { "" };

	if (s->recorded)
		return fail(EXIT_FAILED, word, "no such task in the file%s",
			    s->withheld ? ", or withheld from who recorded it" : "");
	if (tid && withheld_task(tid, s->source, &why))
		return fail(EXIT_MISSING, word, "%s", why.text);
	if (withheld_pids())
		return fail(
			EXIT_FAILED, word,
			"no such task, or one that /proc hides from you (hidepid): run as root");
	return fail(EXIT_FAILED, word, "no such task");
}

int state_task(const struct state *st, const char *word, const struct task **out)
{
	uint64_t tid;
	int err = parse_u64(word, UINT32_MAX, &tid);

	/* a number too large for a pid is a pid that does not exist */
	if (err == -EINVAL)
		return fail(EXIT_USAGE, word, "not a pid: a pid is a decimal number");
	*out = err || !tid ? NULL : snapshot_find(&st->snapshot, (uint32_t)tid);
	if (*out)
		return 0;
	return unknown_task(&st->snapshot, word, err ? 0 : (uint32_t)tid);
}

const struct space *state_space(const struct state *st, const struct task *t)
{
	const struct snapshot *s = &st->snapshot;
	uint64_t space = task_space(t);

	for (size_t i = 0; !space && task_is_leader(t) && i < s->n; i++)
		if (s->tasks[i].key.tgid == t->key.tgid)
			space = task_space(&s->tasks[i]);
	return space ? ledger_find(&st->ledger, space) : NULL;
}

void state_withheld(FILE *out, const struct snapshot *s)
{
	char why[320];

	if (!s->withheld)
		return;
	text_escape(why, sizeof(why), s->withheld_why);
	if (s->withheld == WITHHELD_UNKNOWN)
		fprintf(out, "More tasks are withheld: %s.\n", why);
	else
		fprintf(out, "%llu %s withheld, in part or whole: %s.\n",
			(unsigned long long)s->withheld, s->withheld == 1 ? "task is" : "tasks are",
			why);
}

void state_source(const struct snapshot *s)
{
	printf("Source: %s.\n", s->source);
}

void json_head(struct json *j, const char *command, const struct snapshot *s)
{
	char schema[48];

	snprintf(schema, sizeof(schema), "mmlens.%s/1", command);
	json_str(j, "schema", schema);
	json_str(j, "source", s->source);
	json_str(j, "boot_id", *s->boot_id ? s->boot_id : NULL);
	if (s->withheld == WITHHELD_UNKNOWN)
		json_null(j, "withheld");
	else
		json_uint(j, "withheld", s->withheld);
	json_str(j, "withheld_why", *s->withheld_why ? s->withheld_why : NULL);
	json_uint(j, "raced", s->raced);
}

static int finish(const char *what, int err, int status)
{
	if (!err || status)
		return status;
	return fail(EXIT_FAILED, what, "cannot be written: %s", strerror(err));
}

int json_finish(struct json *j, int status)
{
	return finish("output", -json_close(j), status);
}

int file_finish(FILE *f, const char *path, int status)
{
	int err = fflush(f) ? errno : 0;

	return finish(path, !err && ferror(f) ? EIO : err, status);
}
