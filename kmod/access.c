// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may read.
 *
 * ptrace_may_access() is exported to no module, and a copy of it without the dumpable flag and the
 * security module's word would be weaker than the kernel's. So the gate is the capability that
 * makes that check moot, in the namespace where nothing stands above it. It is asked of f_cred, who
 * opened the file: a descriptor handed on neither gains nor loses a right, as with pagemap.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/security.h>

#include "kmod.h"

int mmlens_may_open(const struct file *file)
{
	return file_ns_capable(file, &init_user_ns, CAP_SYS_PTRACE) ? 0 : -EPERM;
}

bool mmlens_may_see_addresses(const struct file *file)
{
	return file_ns_capable(file, &init_user_ns, CAP_SYSLOG);
}

/*
 * Any lockdown hides addresses: the reason asked about is one that already the lower of its two
 * levels refuses. It can be raised after the open, so it is asked for at each read.
 */
bool mmlens_locked_down(void)
{
	return security_locked_down(LOCKDOWN_DEV_MEM);
}
