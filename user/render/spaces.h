/* SPDX-License-Identifier: GPL-2.0-only */
/* How an address space is shown: the rows of the ledger. */
#ifndef MMLENS_RENDER_SPACES_H
#define MMLENS_RENDER_SPACES_H

#include "model/ledger.h"
#include "render/json.h"

/* Rows are struct space_row. */
struct space_row {
	const struct ledger *ledger;
	const struct space *space;
};

extern const struct column space_columns[];
extern const size_t space_columns_n;

/* "1 process, 5 threads": the members by kind. */
char *space_kinds(char *buf, size_t n, const struct ledger *l, const struct space *sp);

/* {space tasks processes rss pss claimed members [...]} */
void json_space(struct json *j, const struct ledger *l, const struct space *sp);

#endif
