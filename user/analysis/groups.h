/* SPDX-License-Identifier: GPL-2.0-only */
/* Switches of tasks added up by what the tasks have in common. */
#ifndef MMLENS_ANALYSIS_GROUPS_H
#define MMLENS_ANALYSIS_GROUPS_H

#include "model/group.h"

/* -ENOMEM or 0. */
int groups_by_cgroup(struct groups *g, const struct switches *sw);
void groups_deinit(struct groups *g);

#endif
