// SPDX-License-Identifier: GPL-2.0-only
/*
 * insmod canary.ko what=FAULT,...: commits them in that order: atomic, rcu, abba, bounds or leak, each of
 * which the debug kernel must report. A net that catches nothing looks like a module that has no faults.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define MAX_FAULTS 8

static char *what[MAX_FAULTS];
static int faults_wanted;
module_param_array(what, charp, &faults_wanted, 0);
MODULE_PARM_DESC(what, "the faults: atomic, rcu, abba, bounds or leak");

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static int value;
static int __rcu *guarded = (int __rcu *)&value;

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

static void dereference_without_rcu(void)
{
	pr_info("canary: %d\n", *rcu_dereference(guarded));
}

static void lock_both_ways(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void read_behind_the_end(void)
{
	size_t size = 24;
	char *bytes = kzalloc(size, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(size);
	if (bytes)
		pr_info("canary: %d\n", ((volatile char *)bytes)[size]);
	kfree(bytes);
}

/* More than one, as a stale register or stack slot may still point to the last. */
static void forget(void)
{
	int i;

	for (i = 0; i < 16; i++)
		if (!kmalloc(1024, GFP_KERNEL))
			return;
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "atomic", sleep_in_atomic },
	{ "rcu", dereference_without_rcu },
	{ "abba", lock_both_ways },
	{ "bounds", read_behind_the_end },
	{ "leak", forget },
};

static int commit(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(faults[i].name, name))
			continue;
		faults[i].commit();
		return 0;
	}
	return -EINVAL;
}

static int __init canary_init(void)
{
	int i, err = 0;

	for (i = 0; i < faults_wanted && !err; i++)
		err = commit(what[i]);
	return err;
}

static void __exit canary_exit(void)
{
}

module_init(canary_init);
module_exit(canary_exit);

MODULE_DESCRIPTION("Commits the faults a debug kernel must report");
MODULE_LICENSE("GPL");
