/* SPDX-License-Identifier: GPL-2.0-only */
/* What every row the module gives must be, whatever else goes on. Used by storm and fuzzer. */
#ifndef PROC_ROWS_H
#define PROC_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "../../kmod/uapi/mmlens.h"

#define PROC_TASKS	"/proc/mmlens/tasks"
#define PROC_IDS_BIN	"/proc/mmlens/ids.bin"
#define PROC_TASKS_BIN	"/proc/mmlens/tasks.bin"
#define PROC_STACKS_BIN "/proc/mmlens/stacks.bin"

/* NULL, or what is wrong with the row. */
const char *row_fault(const struct mmlens_task *rec);
const char *header_fault(const struct mmlens_header *head);

/* One line of text without its newline: its tid, or -1 if it is not a whole row. */
long line_tid(const char *line, size_t len);

#endif /* PROC_ROWS_H */
