// SPDX-License-Identifier: GPL-2.0-only
/*
 * The binary files: the position is a cursor over tids (uapi/mmlens.h, "Position").
 *
 * The open file keeps the row it is in the middle of, so that the rest of it comes from the same
 * look at the task, and the reader that asks byte by byte gets what the one gets that asks for all.
 */
#include <linux/math64.h>
#include <linux/proc_fs.h>
#include <linux/uio.h>

#include "compat/compat.h"
#include "kmod.h"

/* Makes the records that a read at @slot begins with. How many, 0 behind the last, -errno. */
static int latch_slots(struct mmlens_reader *reader, u64 slot, int room)
{
	int got = 1;

	reader->latched = false;
	if (slot > INT_MAX)
		return 0;
	if (slot == 0)
		mmlens_fill_header(reader);
	else
		got = mmlens_next_rows(reader, slot, room);
	if (got <= 0)
		return got;

	reader->asked = slot;
	reader->rec = reader->rows;
	reader->slot = slot ? reader->rec->tid : 0;
	reader->latched = true;
	return got;
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

/* Of the records that begin with the one being given out, the @end bytes given make another so. */
static void advance(struct mmlens_reader *reader, size_t end, loff_t *pos)
{
	size_t n = end ? (end - 1) / MMLENS_RECORD_SIZE : 0;

	if (n) {
		reader->rec += n;
		reader->slot = reader->rec->tid;
		reader->asked = reader->slot;
	}
	*pos = (loff_t)reader->slot * MMLENS_RECORD_SIZE + end - n * MMLENS_RECORD_SIZE;
}

/*
 * As many records as were made at one look, or what is left of one: the bytes copied, 0 behind the
 * last, -errno.
 */
static ssize_t read_some(struct mmlens_reader *reader, loff_t *pos, struct iov_iter *to, int room)
{
	u32 offset;
	u64 slot = div_u64_rem(*pos, MMLENS_RECORD_SIZE, &offset);
	int got = offset ? find_latched(reader, slot) : latch_slots(reader, slot, room);
	size_t copied;

	if (got <= 0)
		return got;
	copied = copy_to_iter((u8 *)reader->rec + offset, got * MMLENS_RECORD_SIZE - offset, to);
	advance(reader, offset + copied, pos);
	return copied ?: -EFAULT;
}

/* Whole records that fit; a record that does not is begun. */
static int room_in(const struct iov_iter *to)
{
	return clamp_t(size_t, iov_iter_count(to) / MMLENS_RECORD_SIZE, 1, MMLENS_ROWS);
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
		n = read_some(reader, pos, to, many ? room_in(to) : 1);
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

static int ids_open(struct inode *inode, struct file *file)
{
	return mmlens_reader_open(inode, file, MMLENS_DEPTH_IDS, 0);
}

static int tasks_open(struct inode *inode, struct file *file)
{
	return mmlens_reader_open(inode, file, MMLENS_DEPTH_STACKS, 0);
}

static int stacks_open(struct inode *inode, struct file *file)
{
	return mmlens_reader_open(inode, file, MMLENS_DEPTH_PEAKS, 0);
}

const struct proc_ops mmlens_ids_bin_ops = {
	.proc_open	= ids_open,
	.proc_read_iter	= bin_read_iter,
	.proc_lseek	= no_seek_end_llseek,
	.proc_release	= mmlens_reader_release,
};

const struct proc_ops mmlens_tasks_bin_ops = {
	.proc_open	= tasks_open,
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
