// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of one open file. Charged to the opener's memory cgroup, as many as may be open.
 */
#include <linux/proc_fs.h>
#include <linux/slab.h>

#include "arch/arch.h"
#include "kmod.h"

struct mmlens_reader *mmlens_reader_new(struct inode *inode, struct file *file)
{
	struct mmlens_reader *reader;
	int err = mmlens_may_open(file);

	if (err)
		return ERR_PTR(err);
	reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);
	if (!reader)
		return ERR_PTR(-ENOMEM);
	mutex_init(&reader->lock);
	reader->ns = get_pid_ns(proc_pid_ns(inode->i_sb));
	reader->may_see_addresses = mmlens_may_see_addresses(file);
	return reader;
}

void mmlens_reader_free(struct mmlens_reader *reader)
{
	put_pid_ns(reader->ns);
	mutex_destroy(&reader->lock);
	kfree(reader);
}

u32 mmlens_reader_features(const struct mmlens_reader *reader)
{
	u32 features = 0;

	if (MMLENS_ARCH_SPACE_COUNTER)
		features |= MMLENS_FEAT_SPACE_COUNTER;
	if (reader->raw_addresses)
		features |= MMLENS_FEAT_RAW_KSTACK;
	if (reader->peak)
		features |= MMLENS_FEAT_PEAK;
	return features;
}
