// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/bpf_env.h"
#include "source/btf_ids.h"
#include "source/kcmpids.h"
#include "source/lockdown.h"
#include "source/probe.h"
#include "source/withheld.h"

static bool yes(struct why *why, const char *text)
{
	why_set(why, 0, "%s", text);
	return true;
}

static bool no(struct why *why, const char *text)
{
	why_set(why, 0, "%s", text);
	return false;
}

/* The first word of a small file; empty when it cannot be read. */
static const char *word_of(const char *path, char *buf, size_t n)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, buf, n - 1) : -1;

	buf[got > 0 ? got : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static bool serves(const struct source_ops *ops, struct why *why)
{
	struct source src = { .ops = ops };

	if (ops->open(&src, NULL, why))
		return false;
	ops->close(&src);
	return yes(why, "serves");
}

static bool probe_module(struct why *why)
{
	return serves(&source_module, why);
}

#define SIGN_IT                                                                       \
	"sign mmlens.ko with a key that the kernel trusts (DKMS signs with its own: " \
	"mokutil --import /var/lib/dkms/mok.pub, then reboot)"

static bool probe_module_loading(struct why *why)
{
	char buf[128];
	const char *level = lockdown_level();

	if (access("/proc/modules", F_OK))
		return no(why, "this kernel was built without loadable modules (CONFIG_MODULES)");
	if (*word_of("/proc/sys/kernel/modules_disabled", buf, sizeof(buf)) == '1')
		return no(why, "kernel.modules_disabled is 1 until the next boot");
	if (*word_of("/sys/module/module/parameters/sig_enforce", buf, sizeof(buf)) == 'Y')
		return no(why, "the kernel takes signed modules only: " SIGN_IT);
	if (level) {
		why_set(why, 0, "the kernel is locked down (%s), unsigned modules are refused: %s",
			level, SIGN_IT);
		return false;
	}
	return geteuid() ? no(why, "loading a module needs root")
			 : yes(why, "modules can be loaded");
}

static bool probe_btf(struct why *why)
{
	return access("/sys/kernel/btf/vmlinux", R_OK)
		       ? no(why, "no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)")
		       : yes(why, "/sys/kernel/btf/vmlinux");
}

static bool probe_bpf(struct why *why)
{
	return bpf_env_check(why) ? false : yes(why, "programs may be loaded");
}

static bool btf_function(struct why *why, const char *name, const char *since)
{
	if (btf_id(name))
		return yes(why, "in the kernel's BTF");
	why_set(why, 0, "this kernel has none (%s), or no BTF that would tell", since);
	return false;
}

static bool probe_iter_task(struct why *why)
{
	return btf_function(why, "bpf_iter_task", "since 5.8");
}

static bool probe_iter_task_vma(struct why *why)
{
	return btf_function(why, "bpf_iter_task_vma", "since 5.12");
}

static bool probe_tp_btf(struct why *why)
{
	return btf_function(why, "btf_trace_sched_switch", "since 5.5");
}

static bool probe_sched_exit_tp(struct why *why)
{
	return btf_function(why, "btf_trace_sched_exit_tp", "since 6.18");
}

static bool probe_ringbuf(struct why *why)
{
	return bpf_env_check(why) || bpf_env_check_ring(why)
		       ? false
		       : yes(why, "for trace and the events of record");
}

static bool probe_procfs(struct why *why)
{
	return serves(&source_procfs, why);
}

static bool probe_kcmp(struct why *why)
{
	uint32_t me = (uint32_t)getpid();
	int said = kcmp_system(me, me, RES_MM);

	if (said == -ENOSYS)
		return no(why, "this kernel has no kcmp(2) (CONFIG_KCMP)");
	return said ? no(why, "kcmp(2) is refused here (seccomp?)")
		    : yes(why, "kcmp(2) compares tasks that may be traced");
}

static bool probe_ptrace(struct why *why)
{
	struct why right = { "" };
	char buf[16];

	if (kcmp_system((uint32_t)getpid(), 1, RES_MM) >= 0)
		return yes(why, "every task may be inspected");
	word_of("/proc/sys/kernel/yama/ptrace_scope", buf, sizeof(buf));
	withheld_right(1, &right);
	why_set(why, 0, "not every task may be inspected; of pid 1: %s%s%s", right.text,
		*buf ? "; ptrace_scope is " : "", buf);
	return false;
}

static int pagemap_of_self(void)
{
	return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

static bool probe_frames(struct why *why)
{
	cleanup_close int fd = pagemap_of_self();
	uint64_t entry = 0;
	off_t at = (off_t)((uintptr_t)&entry / (uintptr_t)sysconf(_SC_PAGESIZE) * sizeof(entry));

	if (fd < 0 || pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
		return no(why, "/proc/PID/pagemap cannot be read");
	return entry & ((1ULL << 55) - 1)
		       ? yes(why, "pagemap tells page frames")
		       : no(why, "pagemap hides page frames: CAP_SYS_ADMIN in the "
				 "initial user namespace shows them");
}

/* struct pm_scan_arg of linux/fs.h since 6.7; Debian 12's header is older */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

static bool probe_pagemap_scan(struct why *why)
{
	cleanup_close int fd = pagemap_of_self();
	struct scan_arg arg = { .size = sizeof(arg), .return_mask = 1 };

	if (fd >= 0 && ioctl(fd, _IOWR('f', 16, struct scan_arg), &arg) >= 0)
		return yes(why, "pagemap can be scanned by range");
	return no(why, "this kernel has no PAGEMAP_SCAN (since 6.7)");
}

static bool probe_kpagecount(struct why *why)
{
	cleanup_close int fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return yes(why, "mappers of a page frame can be counted");
	return no(why, errno == ENOENT ? "no /proc/kpagecount (CONFIG_PROC_PAGE_MONITOR)"
				       : "/proc/kpagecount needs root");
}

static bool probe_perf(struct why *why)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CONTEXT_SWITCHES };
	cleanup_close int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);
	char buf[16];

	if (fd >= 0)
		return yes(why, "perf_event_open(2) counts switches");
	word_of("/proc/sys/kernel/perf_event_paranoid", buf, sizeof(buf));
	why_set(why, 0, "perf_event_open(2) is refused%s%s",
		*buf ? "; perf_event_paranoid is " : "", buf);
	return false;
}

static bool probe_children(struct why *why)
{
	return access("/proc/thread-self/children", R_OK)
		       ? no(why,
			    "no children file (CONFIG_PROC_CHILDREN): procfs cannot tell vfork")
		       : yes(why, "procfs can tell vfork children");
}

const struct probe probes[] = {
	{ "module", probe_module },
	{ "module-loading", probe_module_loading },
	{ "btf", probe_btf },
	{ "bpf", probe_bpf },
	{ "iter/task", probe_iter_task },
	{ "iter/task_vma", probe_iter_task_vma },
	{ "tp_btf", probe_tp_btf },
	{ "sched_exit_tp", probe_sched_exit_tp },
	{ "ringbuf", probe_ringbuf },
	{ "procfs", probe_procfs },
	{ "kcmp", probe_kcmp },
	{ "ptrace", probe_ptrace },
	{ "children", probe_children },
	{ "pagemap-frames", probe_frames },
	{ "pagemap-scan", probe_pagemap_scan },
	{ "kpagecount", probe_kpagecount },
	{ "perf", probe_perf },
};

const size_t probes_n = ARRAY_SIZE(probes);
