// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/bpf_env.h"
#include "source/btf_path.h"
#include "source/lockdown.h"

/* linux/proc_ns.h: PROC_PID_INIT_INO */
#define INIT_PID_NS 0xEFFFFFFCu

/* linux/capability.h of Debian 12 knows both; they are since 5.8. */
static const struct {
	int cap;
	const char *name;
} needed[] = {
	{ CAP_BPF, "CAP_BPF" },
	{ CAP_PERFMON, "CAP_PERFMON" },
};

static char last_words[200];
static struct mmlens_keys keys;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Keeps the last warning only; what the program prints is its own. */
static int keep_last_words(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && !strstr(fmt, "BPF program load failed") &&
	    !strstr(fmt, "PROG LOAD LOG") && !strstr(fmt, "failed to load"))
		vsnprintf(last_words, sizeof(last_words), fmt, ap);
	return 0;
}

static void env_init(void)
{
	libbpf_set_print(keep_last_words);
	if (getrandom(&keys, sizeof(keys), 0) != (ssize_t)sizeof(keys))
		memset(&keys, 0, sizeof(keys));
}

struct mmlens_keys bpf_env_keys(void)
{
	pthread_once(&once, env_init);
	return keys;
}

static bool has_cap(const struct __user_cap_data_struct *data, int cap)
{
	return data[cap / 32].effective & (1u << (cap % 32));
}

static int check_caps(struct why *why)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	if (has_cap(data, CAP_SYS_ADMIN))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!has_cap(data, needed[i].cap))
			return why_set(why, -EPERM,
				       "no %s: run as root, or: setcap cap_bpf,cap_perfmon+ep on "
				       "this program",
				       needed[i].name);
	return 0;
}

/* Kernels before 5.11 charge maps to the memlock limit; where we may, the limit goes away. */
static void lift_memlock(void)
{
	struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &none);
}

int bpf_env_check(struct why *why)
{
	pthread_once(&once, env_init);
	*last_words = '\0';
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return why_set(why, -EOPNOTSUPP,
			       "no /sys/kernel/btf/vmlinux: this kernel was built without "
			       "CONFIG_DEBUG_INFO_BTF; load the module instead");
	if (check_caps(why))
		return -EPERM;
	if (lockdown_hides_kernel())
		return why_set(
			why, -EPERM,
			"the kernel is locked down (confidentiality) until the next boot: no "
			"program may read its memory");
	lift_memlock();
	return 0;
}

size_t bpf_env_map_len(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	return (len + page - 1) / page * page;
}

int bpf_env_load_failed(struct why *why, int err)
{
	last_words[strcspn(last_words, "\n")] = '\0';
	if (err == -EPERM)
		return why_set(why, err,
			       "the kernel refuses BPF (lockdown, seccomp or a user "
			       "namespace): run in the host's root namespaces");
	return why_set(why, err, "BPF program not accepted: %s%s%s", strerror(-err),
		       *last_words ? ": " : "", last_words);
}

uint32_t bpf_env_pid_ns(void)
{
	struct stat ns;

	return stat("/proc/self/ns/pid", &ns) || ns.st_ino == INIT_PID_NS ? 0 : (uint32_t)ns.st_ino;
}

/* A word of what uname(2) says of the kernel's build. */
static bool built_with(const char *version, const char *word)
{
	size_t len = strlen(word);
	const char *at = strstr(version, word);

	return at && (!at[len] || at[len] == ' ');
}

/* PREEMPT_DYNAMIC: chosen at boot or later, as debugfs tells where it is mounted. */
static bool chosen_full(void)
{
	cleanup_fclose FILE *f = fopen("/sys/kernel/debug/sched/preempt", "re");
	char line[64] = "";

	return f && fgets(line, sizeof(line), f) && strstr(line, "(full)");
}

static bool is_rt(void)
{
	struct utsname name;

	return !uname(&name) && built_with(name.version, "PREEMPT_RT");
}

/* A lock that sleeps has an owner. What cannot be read is taken for one. */
static bool ring_sleeps(void)
{
	struct btf_paths *paths = btf_paths_open();
	struct btf_place at;
	bool known = paths && !btf_path(paths, "bpf_ringbuf", "spinlock", &at);
	bool sleeps =
		!known || btf_path(paths, "bpf_ringbuf", "spinlock.lock.owner", &at) != -ENOENT;

	btf_paths_close(paths);
	return sleeps;
}

int bpf_env_check_ring(struct why *why)
{
	if (!is_rt() || !ring_sleeps())
		return 0;
	return why_set(
		why, -EOPNOTSUPP,
		"events would stop this PREEMPT_RT kernel: its ring buffer may sleep at a "
		"switch; mended in 6.12 and in later stable versions; mmlens stat needs no ring");
}

bool bpf_env_preempts(void)
{
	struct utsname name;

	return is_rt() || (!uname(&name) && built_with(name.version, "PREEMPT")) || chosen_full();
}
