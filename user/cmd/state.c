// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/state.h"
#include "lib/text.h"
#include "source/procmem.h"
#include "source/source.h"

int state_init(struct state *st, const struct common *common, unsigned int want)
{
	struct why why;
	int err;

	memset(st, 0, sizeof(*st));
	err = source_snapshot(common->source, want, &st->snapshot, &why);
	if (err)
		return fail(status_of(err), common->source, "%s", why.text);
	if (*why.text)
		note("module", "%s; answering from %s", why.text, st->snapshot.source);
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

void state_memory(const struct state *st, struct space *sp)
{
	struct memory *m = &sp->memory;

	/* any member will do, and the first may have just gone */
	for (size_t i = 0; i < sp->tasks; i++) {
		const struct task *t = space_member(&st->ledger, sp, i);

		if (!(t->flags & TASK_KTHREAD) && procmem_read(t->key.tid, m) == 0)
			break;
	}
	if (m->rss != MEMORY_UNKNOWN)
		m->claimed = m->rss * sp->processes;
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
