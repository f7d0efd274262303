// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload: the directory /proc/mmlens and its files.
 *
 * Unload with readers is safe by procfs: proc_remove() makes new calls fail, waits for those
 * inside to return and releases what open files still hold. Nothing else outlives a call: no timer,
 * no work item, no RCU callback of ours, and mmput_async()'s work is the kernel's own.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "kmod.h"

static const struct {
	const char *name;
	const struct proc_ops *ops;
} files[] = {
	{ "version",	&mmlens_version_ops },
	{ "tasks",	&mmlens_tasks_ops },
	{ "ids.bin",	&mmlens_ids_bin_ops },
	{ "tasks.bin",	&mmlens_tasks_bin_ops },
	{ "stacks.bin",	&mmlens_stacks_bin_ops },
};

static struct proc_dir_entry *dir;

static int __init make_files(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (!proc_create(files[i].name, 0400, dir, files[i].ops))
			return -ENOMEM;
	}
	return 0;
}

static int __init mmlens_init(void)
{
	int err = mmlens_id_init();

	if (err)
		return err;
	dir = proc_mkdir(MMLENS_PROC_DIR, NULL);
	if (!dir)
		return -ENOMEM;
	err = make_files();
	if (err)
		proc_remove(dir);
	return err;
}

static void __exit mmlens_exit(void)
{
	proc_remove(dir);
}

module_init(mmlens_init);
module_exit(mmlens_exit);

MODULE_DESCRIPTION("What tasks share: identities, stacks and switch counts in /proc/mmlens");
MODULE_AUTHOR("The mmlens authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(MMLENS_VERSION);
