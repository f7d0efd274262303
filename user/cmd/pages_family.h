/* SPDX-License-Identifier: GPL-2.0-only */
/* Copy-on-write erosion: the relatives of a process, and how much of what fork shared still is. */
#ifndef MMLENS_CMD_PAGES_FAMILY_H
#define MMLENS_CMD_PAGES_FAMILY_H

#include "cmd/pages.h"

struct erosion {
	uint64_t start;
	uint64_t end;
	uint64_t shared; /* pages */
	uint64_t broken;
	char perms[5];
	char name[REGION_NAME_MAX];
};

struct relative {
	uint32_t tgid;
	char comm[64];
	const char *relation;
	struct erosion sum;
	bool by_region;
	struct erosion *regions; /* owned; those that hold either, if asked for */
	size_t n;
	size_t room;
};

struct family {
	struct relative *who; /* owned */
	size_t n;
	bool by_region;
	uint64_t unseen; /* relatives whose pages are not for us to read */
};

/* A relative, and a mapping of one. */
extern const struct column relative_columns[], erosion_columns[];
extern const size_t relative_columns_n, erosion_columns_n;

/* Of pc->a: all its relatives, or pc->b alone. -errno as pagecount_run(). */
int family_measure(struct family *f, struct pagecount *pc, bool by_region);
void family_deinit(struct family *f);

void family_json(struct json *j, const struct family *f);
void family_text(const struct pages_args *args, const struct family *f, uint32_t pid);

#endif
