/* SPDX-License-Identifier: GPL-2.0-only */
/* What each task is in its space, from facts that the witness read. */
#ifndef MMLENS_ANALYSIS_KINDS_H
#define MMLENS_ANALYSIS_KINDS_H

#include "analysis/ledger.h"

/* Sets `kind` of every task of the ledger's snapshot. */
void kinds_assign(struct ledger *l);

/* The kind of a task; `first_tgid` is the thread group that its space calls its process. */
enum task_kind kind_of(const struct task *t, uint32_t first_tgid);

#endif
