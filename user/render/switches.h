/* SPDX-License-Identifier: GPL-2.0-only */
/* How switches are shown: by class and by task. */
#ifndef MMLENS_RENDER_SWITCHES_H
#define MMLENS_RENDER_SWITCHES_H

#include "model/switches.h"
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

#endif
