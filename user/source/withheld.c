// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <sys/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/slurp.h"
#include "lib/text.h"
#include "source/procfs.h"
#include "source/withheld.h"

/* PROC_PID_INIT_INO and PROC_USER_INIT_INO: inodes of the first namespaces, the same on all kernels */
#define INIT_PID_NS  0xEFFFFFFCu
#define INIT_USER_NS 0xEFFFFFFDu

/* A task as young as that may be newborn. */
#define NEWBORN_NS (2 * START_TICK_NS)

static bool slurp(const char *path, char *buf, size_t n)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, buf, n - 1) : -1;

	buf[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static bool is_namespace(const char *link, ino_t inode)
{
	struct stat st;

	return stat(link, &st) == 0 && st.st_ino == inode;
}

static uint64_t own_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	return capget(&head, data) ? 0 : (uint64_t)data[1].effective << 32 | data[0].effective;
}

static bool may_trace_all(void)
{
	return own_caps() & 1ULL << CAP_SYS_PTRACE;
}

/* Any of its values hides tasks of others, or all but their numbers. */
static bool proc_hides_pids(void)
{
	cleanup_fclose FILE *f = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	bool hides = false;
	size_t room = 0;

	/* of several mounts at one place the last is on top */
	while (f && getline(&line, &room, f) > 0) {
		const char *option = strstr(line, "hidepid=");

		if (strstr(line, " /proc ") && strstr(line, " - proc "))
			hides = option && strncmp(option, "hidepid=0", 9) != 0 &&
				strncmp(option, "hidepid=off", 11) != 0;
	}
	return hides;
}

uint64_t withheld_census(void)
{
	char buf[128];
	uint64_t threads;

	if (!slurp("/proc/loadavg", buf, sizeof(buf)) ||
	    sscanf(buf, "%*s %*s %*s %*u/%" SCNu64, &threads) != 1)
		return 0;
	return threads;
}

/* How many tasks of that group there were when the pass began. */
static uint64_t hidden_threads(const char *pid, uint64_t begin_ns)
{
	char path[64], buf[1024];
	struct task leader = { 0 };
	cleanup_close int dir = -1;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	if (!slurp(path, buf, sizeof(buf)) || procfs_parse_stat(&leader, buf) ||
	    leader.key.start_ns + NEWBORN_NS > begin_ns)
		return 0;
	snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? 0 : procfs_threads(dir);
}

/* Groups of which the witness has nothing. Within one group no witness hides single threads. */
static uint64_t hidden_groups(const struct snapshot *s)
{
	cleanup_closedir DIR *dir = opendir("/proc");
	struct dirent *e;
	uint64_t n = 0;

	while (dir && (e = readdir(dir))) {
		uint64_t pid;

		if (parse_u64(e->d_name, UINT32_MAX, &pid) || snapshot_find(s, (uint32_t)pid))
			continue;
		n += hidden_threads(e->d_name, s->begin_ns);
	}
	return n;
}

/* /proc itself shows less than there is: the host's count of threads is all that is left to ask. */
static void count_unlisted(struct snapshot *s, uint64_t census)
{
	if (!census || !is_namespace("/proc/self/ns/pid", INIT_PID_NS))
		s->withheld = WITHHELD_UNKNOWN;
	else if (census > s->n)
		s->withheld += census - s->n;
}

static void explain(char *buf, size_t n, bool one, bool hidepid)
{
	const char *them = one ? "it" : "them";

	if (!may_trace_all())
		snprintf(buf, n, "CAP_SYS_PTRACE would show %s: run as root%s", them,
			 hidepid ? " (/proc is mounted with hidepid)" : "");
	else if (!is_namespace("/proc/self/ns/user", INIT_USER_NS))
		snprintf(buf, n, "a user namespace above yours has %s: run as root of the host",
			 them);
	else
		snprintf(buf, n,
			 "the kernel refuses %s even to CAP_SYS_PTRACE: a sandbox or security "
			 "module guards %s",
			 them, them);
}

bool withheld_pids(void)
{
	return !may_trace_all() && proc_hides_pids();
}

void withheld_count(struct snapshot *s, uint64_t census)
{
	bool hidepid = withheld_pids();
	uint64_t after = withheld_census();

	census = census > after ? census : after;
	if (hidepid)
		count_unlisted(s, census);
	else if (strcmp(s->source, "procfs") != 0 && (!census || census > s->n))
		s->withheld += hidden_groups(s);
	if (s->withheld)
		explain(s->withheld_why, sizeof(s->withheld_why), s->withheld == 1, hidepid);
}

void withheld_count_named(struct snapshot *s, const uint32_t *tids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%u", tids[i]);
		s->withheld += !snapshot_find(s, tids[i]) && !access(path, F_OK);
	}
	if (s->withheld)
		explain(s->withheld_why, sizeof(s->withheld_why), s->withheld == 1, false);
}

/* The first capability the task may use and we may not. */
static const char *capability_lacking(uint32_t tid, char *name, size_t n)
{
	cleanup_slurp struct slurp status = { 0 };
	char path[48];
	const char *line;
	uint64_t theirs, lacking;
	char *known;

	*name = '\0';
	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	line = slurp_at(&status, AT_FDCWD, path) ? NULL : strstr(status.text, "\nCapPrm:");
	if (!line || sscanf(line, "\nCapPrm: %" SCNx64, &theirs) != 1)
		return name;
	lacking = theirs & ~own_caps();
	known = lacking ? cap_to_name((cap_value_t)__builtin_ctzll(lacking)) : NULL;
	for (size_t i = 0; known && known[i] && i + 1 < n; i++) {
		name[i] = (char)toupper((unsigned char)known[i]);
		name[i + 1] = '\0';
	}
	cap_free(known);
	return name;
}

void withheld_right(uint32_t tid, struct why *why)
{
	char name[40];

	if (!may_trace_all())
		why_set(why, -EPERM, "CAP_SYS_PTRACE would show it: run as its user or as root");
	else if (!is_namespace("/proc/self/ns/user", INIT_USER_NS))
		why_set(why, -EPERM,
			"it may belong to a user namespace above yours: run as root "
			"of the host");
	else if (*capability_lacking(tid, name, sizeof(name)))
		why_set(why, -EPERM,
			"it holds %s, which you lack, and a sandbox or security module guards it",
			name);
	else
		why_set(why, -EPERM, "a sandbox or security module guards it");
}

bool withheld_task(uint32_t tid, const char *source, struct why *why)
{
	struct why right = { "" };
	char path[48], buf[1024];
	struct task t = { .comm = "its name is hidden too" };
	char comm[80];

	snprintf(path, sizeof(path), "/proc/%u", tid);
	if (access(path, F_OK))
		return false;
	strcat(path, "/stat");
	if (slurp(path, buf, sizeof(buf)))
		procfs_parse_stat(&t, buf);
	withheld_right(tid, &right);
	why_set(why, -EPERM, "it is there (%s), but %s is not shown it: %s",
		text_escape(comm, sizeof(comm), t.comm), source, right.text);
	return true;
}
