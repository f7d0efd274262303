// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identities: equal for the same object, telling nothing of where it lies.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>
#include <linux/path.h>
#include <linux/proc_ns.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

#include "arch/arch.h"
#include "kmod.h"

#define NO_OFFSET	-1

static siphash_key_t key __read_mostly;
static char boot_id[40] __read_mostly;

/* Where struct ns_common lies in the mount namespace, whose type the kernel keeps to itself. */
static long mnt_ns_offset __read_mostly = NO_OFFSET;

u64 mmlens_keyed_id(const void *object)
{
	return siphash_1u64((unsigned long)object, &key) ?: 1;
}

/* Of a space that stays while we look, or of none. */
u64 mmlens_space_id(const struct mm_struct *mm)
{
	if (!mm || !MMLENS_ARCH_SPACE_COUNTER)
		return mmlens_id(mm);
	return mmlens_arch_space_counter(mm);
}

/* Of one that may be freed meanwhile: see arch.h. */
u64 mmlens_loose_space_id(const struct mm_struct *mm)
{
	if (!mm || !MMLENS_ARCH_SPACE_COUNTER)
		return mmlens_id(mm);
	return mmlens_arch_space_counter_nofault(mm);
}

/*
 * The one field of struct mnt_namespace that is wanted is the ns_common in it, and the inode of
 * /proc/thread-self/ns/mnt points to that of our own: the difference holds for all. Where no
 * proc is mounted at the time of loading the field stays unknown.
 */
static long __init find_mnt_ns_offset(void)
{
	struct path path;
	long offset = NO_OFFSET;

	if (kern_path("/proc/thread-self/ns/mnt", LOOKUP_FOLLOW, &path))
		return NO_OFFSET;
	if (path.dentry->d_sb->s_magic == NSFS_MAGIC)
		offset = (char *)get_proc_ns(d_inode(path.dentry)) -
			 (char *)current->nsproxy->mnt_ns;
	path_put(&path);
	return offset >= 0 && offset < 64 ? offset : NO_OFFSET;
}

/* The caller holds task_lock() of the task whose namespace it is. */
int mmlens_mnt_ns_inum(const void *mnt_ns, u32 *inum)
{
	if (mnt_ns_offset == NO_OFFSET)
		return -EOPNOTSUPP;
	*inum = ((const struct ns_common *)((const char *)mnt_ns + mnt_ns_offset))->inum;
	return 0;
}

/* random.c keeps the boot id to itself; its text is to be had where everybody gets it. */
static void __init read_boot_id(void)
{
	struct file *file = filp_open("/proc/sys/kernel/random/boot_id", O_RDONLY, 0);
	loff_t pos = 0;

	if (IS_ERR(file))
		return;
	if (kernel_read(file, boot_id, sizeof(boot_id) - 1, &pos) < 0)
		boot_id[0] = 0;
	strim(boot_id);
	filp_close(file, NULL);
}

const char *mmlens_boot_id(void)
{
	return boot_id;
}

/* Loaded early at boot it waits until the key can be random: moments, or a signal ends it. */
int __init mmlens_id_init(void)
{
	int err = get_random_bytes_wait(&key, sizeof(key));

	if (err)
		return err;
	mnt_ns_offset = find_mnt_ns_offset();
	read_boot_id();
	return 0;
}

#define STACKS_KNOWN (MMLENS_KNOWN(USER_SP) | MMLENS_KNOWN(USTACK) | \
		      MMLENS_KNOWN(KSTACK) | MMLENS_KNOWN(KSTACK_USED))

/* A configuration that lacks a thing makes the field unknown, not none. */
u64 mmlens_known_ever(enum mmlens_depth depth)
{
	u64 known = (1ULL << MMLENS_K_COUNT) - 1;

	if (mnt_ns_offset == NO_OFFSET)
		known &= ~MMLENS_KNOWN(MNT_NS);
	if (!MMLENS_ARCH_HAS_STACK_POINTERS)
		known &= ~(MMLENS_KNOWN(USER_SP) | MMLENS_KNOWN(USTACK) |
			   MMLENS_KNOWN(KSTACK_USED));
	if (!IS_ENABLED(CONFIG_CGROUPS))
		known &= ~MMLENS_KNOWN(CGROUP);
	if (depth < MMLENS_DEPTH_STACKS)
		known &= ~STACKS_KNOWN;
	if (depth < MMLENS_DEPTH_PEAKS)
		known &= ~MMLENS_KNOWN(KSTACK_PEAK);
	return known;
}

void mmlens_fill_header(struct mmlens_reader *reader)
{
	struct mmlens_header *head = &reader->head;

	memset(head, 0, sizeof(*head));
	memcpy(head->magic, MMLENS_MAGIC, sizeof(head->magic));
	head->abi = MMLENS_ABI;
	head->record_size = MMLENS_RECORD_SIZE;
	head->known = mmlens_known_ever(reader->depth);
	head->taken_ns = ktime_get_boottime_ns();
	head->features = mmlens_reader_features(reader);
	head->pid_ns = reader->ns->ns.inum;
	strscpy(head->boot_id, boot_id, sizeof(head->boot_id));
	strscpy(head->kernel, init_utsname()->release, sizeof(head->kernel));
	strscpy(head->arch, init_utsname()->machine, sizeof(head->arch));
}
