// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "proc_rows.h"

#define TEXT_COLUMNS 48

static bool all_zero(const void *at, size_t size)
{
	const unsigned char *byte = at;

	while (size--)
		if (*byte++)
			return false;
	return true;
}

static const char *key_fault(const struct mmlens_task *rec)
{
	if (!rec->tid || !rec->tgid || !rec->init_tid || !rec->init_tgid)
		return "a pid of 0";
	if (rec->flags & MMLENS_F_RACED)
		return "gave up on a racing task";
	if ((rec->tid == rec->tgid) != (rec->init_tid == rec->init_tgid))
		return "leader in one namespace and not in the other";
	if (rec->tid == rec->tgid && rec->start_ns != rec->leader_start_ns && rec->leader_start_ns)
		return "a leader that did not start when its leader did";
	if (rec->tid != rec->tgid && rec->flags & MMLENS_F_LEADER)
		return "a leader with another's tid";
	return NULL;
}

static const char *stack_fault(const struct mmlens_task *rec)
{
	if (rec->ustack_start > rec->ustack_end)
		return "a stack upside down";
	if (rec->ustack_end &&
	    (rec->user_sp < rec->ustack_start || rec->user_sp >= rec->ustack_end))
		return "a stack that does not hold its pointer";
	if (!(rec->known & MMLENS_KNOWN(USTACK)) &&
	    (rec->ustack_start | rec->ustack_end | rec->ustack_guard | rec->ustack_gap))
		return "where a stack lies that nobody looked for";
	if (rec->kstack_used > rec->kstack_size || rec->kstack_peak > rec->kstack_size)
		return "more kernel stack used than there is";
	if (rec->flags & MMLENS_F_ON_CPU && rec->kstack_used)
		return "a kernel stack pointer of a running task";
	return NULL;
}

const char *row_fault(const struct mmlens_task *rec)
{
	const char *fault = key_fault(rec);

	if (fault)
		return fault;
	if (!rec->state || !strchr("RSDTtXZPI", rec->state))
		return "no state letter";
	if (!(rec->known & MMLENS_KNOWN(STATE)) || rec->known >> MMLENS_K_COUNT)
		return "known makes no sense";
	if (rec->mm && !(rec->flags & MMLENS_F_KTHREAD) && !rec->mm_users)
		return "a space nobody uses";
	if (!all_zero(rec->reserved, sizeof(rec->reserved)) || rec->pad0 || rec->pad1)
		return "reserved space is not zero";
	if (rec->comm[15])
		return "comm without an end";
	return stack_fault(rec);
}

const char *header_fault(const struct mmlens_header *head)
{
	if (memcmp(head->magic, MMLENS_MAGIC, sizeof(head->magic)))
		return "no magic";
	if (head->abi != MMLENS_ABI || head->record_size != MMLENS_RECORD_SIZE)
		return "another ABI";
	if (!all_zero(head->reserved, sizeof(head->reserved)))
		return "reserved space of the header is not zero";
	return NULL;
}

long line_tid(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t i, columns = 1;

	for (i = 0; i < len; i++) {
		if (line[i] == ' ')
			columns++;
		else if (line[i] < ' ' || line[i] > '~')
			return -1;
	}
	if (columns != TEXT_COLUMNS || !space)
		return -1;
	return strtol(space + 1, NULL, 10);
}
