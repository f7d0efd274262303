/* SPDX-License-Identifier: GPL-2.0-only */
/* How switches are shown: by class, by task, and one by one. */
#ifndef MMLENS_RENDER_SWITCHES_H
#define MMLENS_RENDER_SWITCHES_H

#include "model/switches.h"
#include "render/json.h"

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

/* {ts cpu class cost prev next how}, an object of its own. */
void json_switch(struct json *j, const struct switch_event *ev);
/* "   0.001234 cpu1 thread  312ns  memcached/163 S -> mc-worker/168", with newline. */
void print_switch(FILE *out, const struct switch_event *ev, uint64_t since);

#endif
