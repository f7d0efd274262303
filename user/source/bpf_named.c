// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "mmlens_event.h"
#include "source/bpf_code.h"
#include "source/bpf_env.h"
#include "source/bpf_named.h"
#include "source/bpf_named_code.h"
#include "source/bpf_tasks.h"
#include "source/procfs.h"

/* Read at a time. */
#define ROWS 16

/* The space of no user: on x86 init_mm is born with this ctx_id (INIT_MM_CONTEXT). */
#define INIT_MM_CTX_ID 1

static const struct {
	enum slot slot;
	enum resource res;
	bool always; /* 0 is not to have none, but not to be told */
} resources[] = {
	{ FILES, RES_FILES },
	{ FS, RES_FS },
	{ SIGHAND, RES_SIGHAND },
	{ IO, RES_IO },
	{ SYSVSEM, RES_SYSVSEM },
	{ SIGNAL, RES_SIGNAL },
	{ UTS_NS, RES_UTS_NS },
	{ IPC_NS, RES_IPC_NS },
	{ MNT_NS, RES_MNT_NS },
	{ PID_NS, RES_PID_NS, true },
	{ NET_NS, RES_NET_NS },
	{ TIME_NS, RES_TIME_NS },
	{ CGROUP_NS, RES_CGROUP_NS },
	{ USER_NS, RES_USER_NS, true },
	{ CRED, RES_CRED },
	{ CGROUP, RES_CGROUP, true },
	{ SECCOMP_FILTER, RES_SECCOMP },
};

/* x86 gives the space of no user a number, too: that of init_mm. */
static uint64_t space_of(const struct named_fields *f, uint64_t id)
{
	return f->counts_spaces && id == INIT_MM_CTX_ID ? 0 : id;
}

static void take_resources(struct task *t, const struct named_fields *f, const uint64_t *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		if (f->has >> resources[i].slot & 1 &&
		    !(resources[i].always && !row[resources[i].slot]))
			task_set_res(t, resources[i].res, row[resources[i].slot]);
}

static void take_memory(struct task *t, const struct named_fields *f, const uint64_t *row)
{
	t->mm_users = (uint32_t)row[MM_USERS];
	t->known |= KNOWN_MM_USERS;
	if (!(t->flags & TASK_KTHREAD))
		return;
	t->loan = task_space(t) ? task_space(t) : space_of(f, row[LAZY_SPACE]);
	t->known |= KNOWN_LOAN;
}

static void take_stacks(struct task *t, const struct named_fields *f, const uint64_t *row)
{
	struct kernel_stack *ks = &t->kernel_stack;

	if (f->has >> USP & 1 && task_space(t) && !(t->flags & TASK_KTHREAD)) {
		t->user_stack.sp = row[USP];
		t->known |= KNOWN_USP;
	}
	if (!row[KSTACK] || !row[KSTACK_PAGES])
		return;
	ks->base = row[KSTACK];
	ks->size = (uint32_t)row[KSTACK_PAGES] * (uint32_t)sysconf(_SC_PAGESIZE);
	t->known |= KNOWN_KSTACK;
	if (row[KSP] >= ks->size || t->flags & TASK_ON_CPU)
		return;
	ks->sp = row[KSP];
	ks->used = ks->size - (uint32_t)row[KSP];
	t->known |= KNOWN_KUSED;
}

static void take_details(struct task *t, const struct named_fields *f, const uint64_t *row,
			 bool init_user)
{
	if (row[PTRACE])
		t->flags |= TASK_TRACED;
	if (row[ON_CPU])
		t->flags |= TASK_ON_CPU;
	t->ppid = (uint32_t)row[PPID];
	t->state = bpf_state_letter((uint32_t)(row[STATE] | row[EXIT_STATE]));
	t->nvcsw = row[NVCSW];
	t->nivcsw = row[NIVCSW];
	t->known |= KNOWN_PPID | KNOWN_STATE | KNOWN_SWITCHES;
	if (init_user) {
		t->uid = (uint32_t)row[UID];
		t->known |= KNOWN_UID;
	}
	if (f->has >> CPU & 1) {
		t->cpu = (int32_t)row[CPU];
		t->known |= KNOWN_CPU;
	}
	memcpy(t->comm, &row[COMM], MMLENS_COMM_LEN);
	take_memory(t, f, row);
	take_stacks(t, f, row);
}

static int take(struct snapshot *out, const struct named_fields *f, const uint64_t *row,
		bool init_user)
{
	struct task *t = snapshot_add(out);

	if (!t)
		return -ENOMEM;
	t->key = (struct task_key){ (uint32_t)row[TGID], (uint32_t)row[TID], row[START] };
	procfs_set_flags(t, row[PF_FLAGS]);
	if (row[VFORK] && !(t->flags & TASK_KTHREAD))
		t->flags |= TASK_VFORK;
	if (row[LENGTH] != ROW_OF_SHARES)
		t->known |= KNOWN_VFORK;
	t->known |= KNOWN_START;
	task_set_res(t, RES_MM, space_of(f, row[SPACE]));
	if (row[LENGTH] == ROW_OF_OTHERS)
		return 0;
	take_resources(t, f, row);
	if (row[RACED])
		t->flags |= TASK_RACED;
	out->raced += row[RACED];
	if (row[LENGTH] == ROW)
		take_details(t, f, row, init_user);
	return 0;
}

/* Rows that are there whole; *have becomes what is left. */
static int take_rows(struct snapshot *out, const struct named_fields *f, uint64_t *rows,
		     size_t *have, bool init_user)
{
	size_t words = *have / 8, at = 0;
	int err = 0;

	while (!err && words - at >= ROW_OF_OTHERS) {
		const uint64_t *row = &rows[at];

		if (words - at < row[LENGTH])
			break;
		err = take(out, f, row, init_user);
		at += row[LENGTH];
	}
	*have -= 8 * at;
	memmove(rows, &rows[at], *have);
	return err;
}

static int read_rows(int fd, const struct named_fields *f, bool init_user, struct snapshot *out)
{
	uint64_t rows[ROWS * ROW];
	size_t have = 0;
	ssize_t got;
	int err = 0;

	while (!err && (got = read(fd, (char *)rows + have, sizeof(rows) - have)) != 0) {
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			return -errno;
		have += (size_t)got;
		err = take_rows(out, f, rows, &have, init_user);
	}
	return err;
}

int bpf_named_read(const struct source *src, unsigned int want, bool init_user,
		   struct snapshot *out)
{
	/* who is told of no others compares what these share */
	const bool others = !(want & WANT_NO_OTHERS);
	const struct named_ask ask = { src->about, src->n_about, others ? ROW : ROW_OF_SHARES,
				       others };
	struct named_fields fields;
	cleanup_close int prog = -1, fd = -1;
	int err;

	/* numbers of tasks are those of the first pid namespace, or another program's business */
	if (!src->n_about || bpf_env_pid_ns())
		return -EOPNOTSUPP;
	prog = bpf_named_load(&ask, &fields);
	fd = prog < 0 ? prog : bpf_code_iterate(prog);
	if (fd < 0)
		return fd;
	err = read_rows(fd, &fields, init_user, out);
	if (err)
		out->n = out->raced = 0;
	return err;
}
