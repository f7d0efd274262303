// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/state.h"
#include "lib/text.h"
#include "source/procmem.h"
#include "source/snapfile.h"
#include "source/source.h"

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

static int read_living(struct snapshot *s, const char *source, unsigned int want)
{
	struct why why;
	int err = source_snapshot(source, want, s, &why);

	if (err) {
		snapshot_deinit(s);
		return fail(status_of(err), source, "%s", why.text);
	}
	if (*why.text)
		note("module", "%s; answering from %s", why.text, s->source);
	return 0;
}

int state_init(struct state *st, const struct common *common, unsigned int want)
{
	int status;

	memset(st, 0, sizeof(*st));
	status = common->from ? read_file(&st->snapshot, common->from)
			      : read_living(&st->snapshot, common->source, want);
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

int state_check_pids(int n, char **words)
{
	uint64_t tid;

	for (int i = 0; i < n; i++)
		if (parse_u64(words[i], UINT32_MAX, &tid) == -EINVAL)
			return fail(EXIT_USAGE, words[i], "not a pid: a pid is a decimal number");
	return 0;
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
	if (st->snapshot.withheld)
		return fail(EXIT_FAILED, word, "no such task, or not for you to see: run as root");
	return fail(EXIT_FAILED, word, "no such task");
}

void json_head(struct json *j, const char *command, const struct snapshot *s)
{
	char schema[48];

	snprintf(schema, sizeof(schema), "mmlens.%s/1", command);
	json_str(j, "schema", schema);
	json_str(j, "source", s->source);
	json_str(j, "boot_id", *s->boot_id ? s->boot_id : NULL);
	json_uint(j, "withheld", s->withheld);
	json_uint(j, "raced", s->raced);
}
