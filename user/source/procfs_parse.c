// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/slurp.h"
#include "source/clocks.h"
#include "source/procfs.h"

/* Bits of field 9 of stat (include/linux/sched.h); these have not moved since they exist. */
static const struct {
	uint32_t pf;
	uint32_t flag;
} flag_map[] = {
	{ 0x00200000, TASK_KTHREAD },
	{ 0x00000010, TASK_IO_WORKER },
	{ 0x00004000, TASK_USER_WORKER },
	{ 0x00000004, TASK_EXITING },
};

void procfs_set_flags(struct task *t, uint64_t pf)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_map); i++)
		if (pf & flag_map[i].pf)
			t->flags |= flag_map[i].flag;
	/* 0x4000 was PF_USED_ASYNC until 5.16, which workers of the kernel never had alone */
	if (t->flags & TASK_KTHREAD)
		t->flags &= ~TASK_USER_WORKER;
	t->known |= KNOWN_FLAGS;
}

/* What is asked of a stat line, by the number of its field in proc(5). */
enum {
	FIELD_STATE = 3,
	FIELD_PPID = 4,
	FIELD_FLAGS = 9,
	FIELD_START = 22,
	FIELD_CPU = 39,
	FIELDS
};

/* The fields behind the name. False when there are fewer. */
static bool split_fields(const char *at, const char **field)
{
	for (int i = FIELD_STATE; i < FIELDS; i++) {
		at += strspn(at, " ");
		if (!*at)
			return false;
		field[i] = at;
		at += strcspn(at, " ");
	}
	return true;
}

/* "TID (COMM) S PPID ...": the name may hold anything, so the last parenthesis ends it. */
static int parse_stat(struct task *t, const char *line)
{
	const char *open = strchr(line, '('), *close = strrchr(line, ')');
	const char *field[FIELDS];
	size_t len;

	if (!open || !close || close < open || !isdigit((unsigned char)*line) ||
	    !split_fields(close + 1, field))
		return -EPROTO;
	len = (size_t)(close - open - 1);
	len = len < sizeof(t->comm) ? len : sizeof(t->comm) - 1;
	memcpy(t->comm, open + 1, len);
	t->comm[len] = '\0';
	t->key.tid = (uint32_t)strtoul(line, NULL, 10);
	t->key.start_ns = strtoull(field[FIELD_START], NULL, 10) *
			  (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	t->state = *field[FIELD_STATE];
	t->ppid = (uint32_t)strtoul(field[FIELD_PPID], NULL, 10);
	t->cpu = (int)strtol(field[FIELD_CPU], NULL, 10);
	t->known |= KNOWN_STATE | KNOWN_PPID | KNOWN_START | KNOWN_CPU;
	procfs_set_flags(t, strtoull(field[FIELD_FLAGS], NULL, 10));
	return 0;
}

static uint64_t starts_ahead;

/* The start of a process that is born now; 0: it cannot be told. */
static uint64_t start_of_newborn(void)
{
	cleanup_slurp struct slurp stat = { 0 };
	struct task t = { 0 };
	pid_t pid = fork();
	char path[32];

	if (pid < 0)
		return 0;
	if (!pid)
		_exit(0);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	/* until it is waited for it is there */
	if (!slurp_record_at(&stat, AT_FDCWD, path))
		parse_stat(&t, stat.text);
	waitpid(pid, NULL, 0);
	return t.key.start_ns;
}

/*
 * Where a time namespace moves the clock of boots, 5.10 does not move the starts in /proc with it,
 * and later kernels do: one that is now is nearer to now by the one clock than by the other.
 */
static void learn_starts_ahead(void)
{
	uint64_t ahead = clocks_boottime_ahead(), now = clocks_boottime();
	uint64_t start = ahead ? start_of_newborn() : 0;

	if (start && llabs((int64_t)(start - now - ahead)) < llabs((int64_t)(start - now)))
		starts_ahead = ahead;
}

int procfs_parse_stat(struct task *t, const char *line)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int err = parse_stat(t, line);

	pthread_once(&once, learn_starts_ahead);
	t->key.start_ns -= starts_ahead;
	return err;
}

static bool status_u64(const char *text, const char *key, uint64_t *out)
{
	const char *line = strstr(text, key);

	return line && sscanf(line + strlen(key), "%" SCNu64, out) == 1;
}

/* From `key` to the end of the line; NULL without it. FNV-1a. */
static const char *mix_line(uint64_t *word, const char *text, const char *key)
{
	const char *line = text ? strstr(text, key) : NULL;

	if (!line)
		return NULL;
	do
		*word = (*word ^ (unsigned char)*line++) * 0x100000001b3;
	while (*line && *line != '\n');
	return line;
}

/* What credentials allow, in the order in which status tells it. Without a line it proves nothing. */
static uint64_t cred_word(const char *text)
{
	static const char *const keys[] = { "\nUid:",	 "\nGid:",    "\nGroups:", "\nCapInh:",
					    "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:" };
	uint64_t word = 0xcbf29ce484222325;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		text = mix_line(&word, text, keys[i]);
	return text ? word : 0;
}

void procfs_parse_status(struct task *t, const char *text)
{
	uint64_t a, b;

	if (status_u64(text, "\nUid:", &a)) {
		t->uid = (uint32_t)a;
		t->known |= KNOWN_UID;
	}
	if (status_u64(text, "\nTracerPid:", &a) && a)
		t->flags |= TASK_TRACED;
	/* which filter it is, procfs does not say: only whether there is one */
	if (status_u64(text, "\nSeccomp_filters:", &a)) {
		/* the number stays when the filter is given up on the way out */
		if (a && !(t->flags & TASK_EXITING))
			t->flags |= TASK_FILTERED;
		else if (!a)
			task_set_res(t, RES_SECCOMP, 0);
	}
	t->cred_word = cred_word(text);
	if (status_u64(text, "\nvoluntary_ctxt_switches:", &a) &&
	    status_u64(text, "\nnonvoluntary_ctxt_switches:", &b)) {
		t->nvcsw = a;
		t->nivcsw = b;
		t->known |= KNOWN_SWITCHES;
	}
}
