/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger: every address space once, with all its tasks. Built from a sealed snapshot, whose
 * tasks it refers to by index and whose kinds it sets; the caller keeps the snapshot alive.
 */
#ifndef MMLENS_ANALYSIS_LEDGER_H
#define MMLENS_ANALYSIS_LEDGER_H

#include "model/ledger.h"

/* -ENOMEM or 0. */
int ledger_init(struct ledger *l, struct snapshot *s);
void ledger_deinit(struct ledger *l);

/* NULL when there is no such space. */
struct space *ledger_find(const struct ledger *l, uint64_t id);

#endif
