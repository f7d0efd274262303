/* SPDX-License-Identifier: GPL-2.0-only */
/* How switches are shown: by class and by task. */
#ifndef MMLENS_RENDER_SWITCHES_H
#define MMLENS_RENDER_SWITCHES_H

#include "model/group.h"
#include "render/column.h"

/* Rows are struct class_row. */
struct class_row {
	const struct switches *all;
	enum switch_class class;
};

extern const struct column class_columns[];
extern const size_t class_columns_n;

/* Rows are struct task_switches. */
extern const struct column task_switches_columns[];
extern const size_t task_switches_columns_n;

/* Rows are struct cpu_switches. */
extern const struct column cpu_columns[];
extern const size_t cpu_columns_n;

/* Rows are struct pair_switches. */
extern const struct column pair_columns[];
extern const size_t pair_columns_n;

/* Rows are struct group. */
extern const struct column cgroup_columns[];
extern const size_t cgroup_columns_n;

/* Rows are struct delay_row. */
struct delay_row {
	const struct switches *all;
	enum delay delay;
};

extern const struct column delay_columns[];
extern const size_t delay_columns_n;

#endif
