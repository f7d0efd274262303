// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks.bin and stacks.bin: the position is a cursor over tids (uapi/mmlens.h, "Position").
 *
 * The open file keeps the row it is in the middle of, so that the rest of it comes from the same
 * look at the task, and the reader that asks byte by byte gets what the one gets that asks for all.
 */
#include <linux/math64.h>
#include <linux/proc_fs.h>
#include <linux/uio.h>

#include "compat/compat.h"
#include "kmod.h"

/* Makes the record that a read at @slot begins with. 1, 0 behind the last, -errno. */
static int latch_slot(struct mmlens_reader *reader, u64 slot)
{
	int got = 1;

	reader->latched = false;
	if (slot > INT_MAX)
		return 0;
	if (slot == 0)
		mmlens_fill_header(&reader->head, mmlens_reader_features(reader),
				   reader->ns->ns.inum);
	else
		got = mmlens_next_row(reader, slot);
	if (got <= 0)
		return got;

	reader->asked = slot;
	reader->slot = slot ? reader->rec.tid : 0;
	reader->latched = true;
	return 1;
}

/*
 * The record a read at @slot goes on with. A reader that moves the position itself by the bytes it
 * got (sendfile(2) after a short write) counts from the slot it asked for, not from the one
 * that answered: both names stand for the record.
 */
static int find_latched(const struct mmlens_reader *reader, u64 slot)
{
	if (!reader->latched || (slot != reader->slot && slot != reader->asked))
		return -EINVAL;
	return 1;
}

/* One record or what is left of it: the bytes copied, 0 behind the last, -errno. */
static ssize_t read_slot(struct mmlens_reader *reader, loff_t *pos, struct iov_iter *to)
{
	u32 offset;
	u64 slot = div_u64_rem(*pos, MMLENS_RECORD_SIZE, &offset);
	int got = offset ? find_latched(reader, slot) : latch_slot(reader, slot);
	size_t copied;

	if (got <= 0)
		return got;
	copied = copy_to_iter((u8 *)&reader->rec + offset, MMLENS_RECORD_SIZE - offset, to);
	*pos = (loff_t)reader->slot * MMLENS_RECORD_SIZE + offset + copied;
	return copied ?: -EFAULT;
}

/*
 * A pipe gets one record at a time: splice may take fewer bytes than it was given and then moves
 * the position itself, which is only right within one record.
 */
static ssize_t read_slots(struct mmlens_reader *reader, loff_t *pos, struct iov_iter *to)
{
	bool many = mmlens_iter_is_user(to);
	ssize_t done = 0, n;

	do {
		n = read_slot(reader, pos, to);
		if (n <= 0)
			break;
		done += n;
		cond_resched();
	} while (many && iov_iter_count(to));
	return done ?: n;
}

static ssize_t bin_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return mmlens_reader_read(iocb, to, read_slots);
}

static int bin_open(struct inode *inode, struct file *file)
{
	return mmlens_reader_open(inode, file, 0);
}

static int stacks_open(struct inode *inode, struct file *file)
{
	int err = bin_open(inode, file);

	if (!err)
		((struct mmlens_reader *)file->private_data)->peak = true;
	return err;
}

const struct proc_ops mmlens_tasks_bin_ops = {
	.proc_open	= bin_open,
	.proc_read_iter	= bin_read_iter,
	.proc_lseek	= no_seek_end_llseek,
	.proc_release	= mmlens_reader_release,
};

const struct proc_ops mmlens_stacks_bin_ops = {
	.proc_open	= stacks_open,
	.proc_read_iter	= bin_read_iter,
	.proc_lseek	= no_seek_end_llseek,
	.proc_release	= mmlens_reader_release,
};
