/* SPDX-License-Identifier: GPL-2.0-only */
/* Who copied on write, by task and mapping, the busiest first. */
#ifndef MMLENS_CMD_PAGES_BREAKERS_H
#define MMLENS_CMD_PAGES_BREAKERS_H

#include "model/region.h"
#include "render/json.h"
#include "render/table.h"
#include "source/bpf_faults.h"

struct breaker {
	uint32_t tgid;
	uint32_t tid;
	uint64_t count;
	char comm[64]; /* empty: it has ended */
	struct region region;
	uint64_t stack[FAULT_DEPTH];
};

struct breakers {
	struct breaker *b; /* owned */
	size_t n;
	uint64_t lost;
};

extern const struct column breaker_columns[];
extern const size_t breaker_columns_n;

/* All since `w` was opened. -ENOMEM. */
int breakers_read(struct breakers *b, const struct faultwatch *w);
void breakers_deinit(struct breakers *b);

void breakers_json(struct json *j, const struct breakers *b);
void breakers_text(const struct view *view, const struct breakers *b);

#endif
