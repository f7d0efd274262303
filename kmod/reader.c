// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of one open file. Charged to the opener's memory cgroup, as many as may be open.
 */
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "arch/arch.h"
#include "kmod.h"

static int make_window(struct mmlens_reader *reader, size_t size)
{
	if (!size)
		return 0;
	reader->window = kmalloc(size, GFP_KERNEL_ACCOUNT);
	return reader->window ? 0 : -ENOMEM;
}

/* @window: bytes of text kept between two reads; 0 for a binary file. */
int mmlens_reader_open(struct inode *inode, struct file *file, enum mmlens_depth depth,
		       size_t window)
{
	struct mmlens_reader *reader;
	int err = mmlens_may_open(file);

	if (err)
		return err;
	reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);
	if (!reader)
		return -ENOMEM;
	err = make_window(reader, window);
	if (err) {
		kfree(reader);
		return err;
	}
	mutex_init(&reader->lock);
	reader->ns = get_pid_ns(proc_pid_ns(inode->i_sb));
	reader->raw_addresses = mmlens_may_see_addresses(file);
	reader->depth = depth;
	file->private_data = reader;
	return 0;
}

int mmlens_reader_release(struct inode *inode, struct file *file)
{
	struct mmlens_reader *reader = file->private_data;

	put_pid_ns(reader->ns);
	mutex_destroy(&reader->lock);
	kfree(reader->window);
	kfree(reader);
	return 0;
}

/* What was read before is no longer there to go on with: the next read looks anew. */
void mmlens_reader_forget(struct mmlens_reader *reader)
{
	reader->latched = false;
	reader->base = 0;
	reader->len = 0;
	reader->next = 0;
}

/* Lockdown is only ever raised; what was made before it may hold addresses. */
static void heed_lockdown(struct mmlens_reader *reader)
{
	if (!reader->raw_addresses || !mmlens_locked_down())
		return;
	reader->raw_addresses = false;
	mmlens_reader_forget(reader);
}

/* @give copies what the kind of file has at the position, and moves it. */
ssize_t mmlens_reader_read(struct kiocb *iocb, struct iov_iter *to, mmlens_give_fn give)
{
	struct mmlens_reader *reader = iocb->ki_filp->private_data;
	ssize_t done;

	if (!iov_iter_count(to))
		return 0;
	if (mutex_lock_killable(&reader->lock))
		return -EINTR;
	heed_lockdown(reader);
	done = give(reader, &iocb->ki_pos, to);
	mutex_unlock(&reader->lock);
	return done;
}

u32 mmlens_reader_features(const struct mmlens_reader *reader)
{
	u32 features = 0;

	if (MMLENS_ARCH_SPACE_COUNTER)
		features |= MMLENS_FEAT_SPACE_COUNTER;
	if (reader->raw_addresses)
		features |= MMLENS_FEAT_RAW_KSTACK;
	if (reader->depth >= MMLENS_DEPTH_PEAKS)
		features |= MMLENS_FEAT_PEAK;
	return features;
}
