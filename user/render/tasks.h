/* SPDX-License-Identifier: GPL-2.0-only */
/* How a task is shown: one column table for tables, -o and the contract's JSON task. */
#ifndef MMLENS_RENDER_TASKS_H
#define MMLENS_RENDER_TASKS_H

#include "model/task.h"
#include "render/json.h"

/* Rows are struct task. */
extern const struct column task_columns[];
extern const size_t task_columns_n;

/* An id as the user knows it from elsewhere: namespaces and cgroups by inode, in decimal. */
void value_resource(struct value *v, enum resource r, uint64_t id);

/* The whole task as a member `key` of the open object, or an element of the open array (NULL). */
void json_task(struct json *j, const char *key, const struct task *t);
/* {tgid tid comm kind} */
void json_task_brief(struct json *j, const char *key, const struct task *t);

#endif
