/* SPDX-License-Identifier: GPL-2.0-only */
/* `pages` in parts: pages.c reads the command line and lists mappings, the others do the rest. */
#ifndef MMLENS_CMD_PAGES_H
#define MMLENS_CMD_PAGES_H

#include "cmd/cmd.h"
#include "cmd/pagecount.h"
#include "cmd/state.h"

struct pages_args {
	struct common common;
	const char *at;
	bool all;
	bool shared;
	bool frames;
	bool by_region;
	bool stacks;
	uint64_t watch_ns;
	uint32_t count;
};

/* The head of a document that needs no snapshot of tasks. */
void pages_json_head(struct json *j);

/* pages_at.c: one address in one or two spaces. */
int pages_at(const struct pages_args *args, struct pagecount *pc);
/* pages_watch.c: a process and its relatives, again and again. */
int pages_watch(const struct pages_args *args, struct pagecount *pc);
extern const struct column object_columns[];
extern const size_t object_columns_n;
/* pages_shared.c: memory objects that more than one space maps. */
int pages_shared(const struct pages_args *args, int argc, char **argv);

#endif
