// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>

#include "lib/cleanup.h"
#include "model/task.h"

static const char *const kind_names[] = {
	[KIND_UNKNOWN] = "unknown", [KIND_PROCESS] = "process", [KIND_THREAD] = "thread",
	[KIND_VFORK] = "vfork",	    [KIND_PEER] = "peer",	[KIND_WORKER] = "worker",
	[KIND_KTHREAD] = "kthread", [KIND_LOAN] = "loan",	[KIND_ZOMBIE] = "zombie",
};

static_assert(ARRAY_SIZE(kind_names) == KIND_NR, "every kind has a name");

static const char *const resource_names[] = {
	[RES_MM] = "mm",	   [RES_FILES] = "files",
	[RES_FS] = "fs",	   [RES_SIGHAND] = "sighand",
	[RES_IO] = "io",	   [RES_SYSVSEM] = "sysvsem",
	[RES_SIGNAL] = "signal",   [RES_UTS_NS] = "uts_ns",
	[RES_IPC_NS] = "ipc_ns",   [RES_MNT_NS] = "mnt_ns",
	[RES_PID_NS] = "pid_ns",   [RES_NET_NS] = "net_ns",
	[RES_TIME_NS] = "time_ns", [RES_CGROUP_NS] = "cgroup_ns",
	[RES_USER_NS] = "user_ns", [RES_CRED] = "cred",
	[RES_CGROUP] = "cgroup",   [RES_SECCOMP] = "seccomp",
};

static_assert(ARRAY_SIZE(resource_names) == RES_NR, "every resource has a name");

const char *task_kind_name(enum task_kind kind)
{
	return kind_names[kind];
}

const char *resource_name(enum resource r)
{
	return resource_names[r];
}
