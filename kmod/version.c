// SPDX-License-Identifier: GPL-2.0-only
/*
 * version: what a program must know before it reads the tables.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>

#include "arch/arch.h"
#include "kmod.h"

static int version_show(struct seq_file *m, void *unused)
{
	bool raw = mmlens_may_see_addresses(m->file) && !mmlens_locked_down();

	seq_printf(m, "abi: %u\n", MMLENS_ABI);
	seq_printf(m, "record_size: %u\n", MMLENS_RECORD_SIZE);
	seq_printf(m, "module: %s\n", MMLENS_VERSION);
	seq_printf(m, "boot_id: %s\n", mmlens_boot_id()[0] ? mmlens_boot_id() : "-");
	seq_printf(m, "kernel: %s\n", init_utsname()->release);
	seq_printf(m, "arch: %s\n", init_utsname()->machine);
	seq_printf(m, "known: 0x%llx\n", mmlens_known_ever(MMLENS_DEPTH_PEAKS));
	seq_printf(m, "space_id: %s\n", MMLENS_ARCH_SPACE_COUNTER ? "counter" : "keyed");
	seq_printf(m, "addresses: %s\n", raw ? "raw" : "ids");
	return 0;
}

static int version_open(struct inode *inode, struct file *file)
{
	int err = mmlens_may_open(file);

	return err ?: single_open(file, version_show, NULL);
}

const struct proc_ops mmlens_version_ops = {
	.proc_open	= version_open,
	.proc_read_iter	= seq_read_iter,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
};
