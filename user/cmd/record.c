// SPDX-License-Identifier: GPL-2.0-only
/* mmlens record: the state of now in a file, for --from. */
#include <string.h>

#include "cmd/state.h"
#include "lib/cleanup.h"
#include "source/recfile.h"
#include "source/snapfile.h"

struct record_args {
	struct common common;
	const char *out;
};

static int keep_memory(struct state *st)
{
	for (size_t i = 0; i < st->ledger.n; i++) {
		struct space *sp = &st->ledger.spaces[i];
		struct space_memory m = { .space = sp->id };
		char cgroup[4096];

		state_memory(st, sp);
		m.rss = sp->memory.rss;
		m.pss = sp->memory.pss;
		m.cgroup = state_cgroup(st, sp, cgroup, sizeof(cgroup)) ? NULL : cgroup;
		if (snapshot_add_memory(&st->snapshot, &m))
			return fail(EXIT_FAILED, "record", "out of memory");
	}
	return 0;
}

static int write_file(const struct state *st, const char *path)
{
	struct recfile *f;
	struct bytes b = { 0 };
	int err = recfile_create(path, &f), end;

	if (err)
		return fail(EXIT_FAILED, path, "%s", strerror(-err));
	snapfile_encode(&b, &st->snapshot);
	err = recfile_put(f, REC_SNAPSHOT, SNAPFILE_VERSION, &b);
	bytes_deinit(&b);
	end = recfile_close(f);
	err = err ? err : end;
	return err ? fail(EXIT_FAILED, path, "cannot be written: %s", strerror(-err)) : EXIT_DONE;
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct record_args *a = args;
	struct state st;
	int status;

	(void)argc;
	(void)argv;
	if (!a->out)
		return fail(EXIT_USAGE, cmd->name, "needs -o FILE; see mmlens record --help");
	status = state_init(&st, &a->common, WANT_USER_STACK | WANT_MEMORY);
	if (status)
		return status;
	status = keep_memory(&st);
	if (!status)
		status = write_file(&st, a->out);
	state_deinit(&st);
	return status;
}

static const struct option_def options[] = {
	{ "output-file", 'o', "FILE", OPTION_STRING, offsetof(struct record_args, out),
	  "the file to make or overwrite" },
};

const struct command cmd_record = {
	.name = "record",
	.operands = "",
	.summary = "state now into a file, for --from of the other commands",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct record_args),
	.max_operands = 0,
	.run = run,
};
