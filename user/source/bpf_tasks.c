// SPDX-License-Identifier: GPL-2.0-only
/* All tasks by one pass of a BPF task iterator: the witness where no module may be loaded. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/bpf_attach.h"
#include "source/bpf_env.h"
#include "source/bpf_named.h"
#include "source/bpf_tasks.h"
#include "source/bpf_types.h"
#include "source/btf_ids.h"
#include "tasks.skel.h"

/* The kernel's own buffer behind an iterator's file is 32 KiB. */
#define BATCH (32768 / sizeof(struct mmlens_task_rec))

struct reader {
	struct tasks_bpf *skel;
	struct bpf_link *link;
	bool stacks; /* those who are loaded tell them */
	bool ustack; /* the program that looks up user stacks is the one attached */
};

static const enum resource res_of[] = {
	[MMLENS_RES_MM] = RES_MM,	    [MMLENS_RES_FILES] = RES_FILES,
	[MMLENS_RES_FS] = RES_FS,	    [MMLENS_RES_SIGHAND] = RES_SIGHAND,
	[MMLENS_RES_IO] = RES_IO,	    [MMLENS_RES_SYSVSEM] = RES_SYSVSEM,
	[MMLENS_RES_SIGNAL] = RES_SIGNAL,   [MMLENS_RES_UTS_NS] = RES_UTS_NS,
	[MMLENS_RES_IPC_NS] = RES_IPC_NS,   [MMLENS_RES_MNT_NS] = RES_MNT_NS,
	[MMLENS_RES_PID_NS] = RES_PID_NS,   [MMLENS_RES_NET_NS] = RES_NET_NS,
	[MMLENS_RES_TIME_NS] = RES_TIME_NS, [MMLENS_RES_CGROUP_NS] = RES_CGROUP_NS,
	[MMLENS_RES_USER_NS] = RES_USER_NS, [MMLENS_RES_CRED] = RES_CRED,
	[MMLENS_RES_CGROUP] = RES_CGROUP,   [MMLENS_RES_SECCOMP] = RES_SECCOMP,
};

_Static_assert(ARRAY_SIZE(res_of) == MMLENS_RES_NR, "every resource of the ABI has its own");

static const struct {
	uint32_t rec;
	uint32_t flag;
} flag_of[] = {
	{ MMLENS_TASK_KTHREAD, TASK_KTHREAD },
	{ MMLENS_TASK_IO_WORKER, TASK_IO_WORKER },
	{ MMLENS_TASK_USER_WORKER, TASK_USER_WORKER },
	{ MMLENS_TASK_EXITING, TASK_EXITING },
	{ MMLENS_TASK_VFORK, TASK_VFORK },
	{ MMLENS_TASK_TRACED, TASK_TRACED },
	{ MMLENS_TASK_ON_CPU, TASK_ON_CPU },
	{ MMLENS_TASK_RACED, TASK_RACED },
};

/*
 * The bits of task->__state and task->exit_state that /proc/PID/stat reports, each with its
 * letter, highest first (fs/proc/array.c:task_state_array; the same since 4.14).
 */
static const struct {
	uint32_t bits;
	char letter;
} state_of[] = {
	{ 0x0402, 'I' },		  /* TASK_IDLE: uninterruptible that is no load */
	{ 0x0040, 'P' },		  /* TASK_PARKED */
	{ 0x0020, 'Z' },		  /* EXIT_ZOMBIE */
	{ 0x0010, 'X' },		  /* EXIT_DEAD */
	{ 0x0008, 't' },		  /* __TASK_TRACED */
	{ 0x0004, 'T' },		  /* __TASK_STOPPED */
	{ 0x8002, 'D' },		  /* TASK_FROZEN and TASK_UNINTERRUPTIBLE */
	{ 0x8000, 'D' }, { 0x1000, 'D' }, /* TASK_RTLOCK_WAIT */
	{ 0x0002, 'D' }, { 0x0001, 'S' },
};

char bpf_state_letter(uint32_t state)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_of); i++)
		if ((state & state_of[i].bits) == state_of[i].bits)
			return state_of[i].letter;
	return 'R';
}

static void take_flags(struct task *t, const struct mmlens_task_rec *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_of); i++)
		if (r->flags & flag_of[i].rec)
			t->flags |= flag_of[i].flag;
	t->known |= KNOWN_FLAGS | KNOWN_VFORK;
}

static void take_resources(struct task *t, const struct mmlens_task_rec *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(res_of); i++)
		if (r->res_has & (1u << i))
			task_set_res(t, res_of[i], r->res[i]);
	t->mm_users = r->mm_users;
	t->known |= KNOWN_MM_USERS;
	if (t->flags & TASK_KTHREAD) {
		t->loan = r->loan;
		t->known |= KNOWN_LOAN;
	}
}

static void take_user_stack(struct task *t, const struct mmlens_task_rec *r)
{
	if (r->has & MMLENS_HAS_USP) {
		t->user_stack.sp = r->usp;
		t->known |= KNOWN_USP;
	}
	if (r->has & MMLENS_HAS_USTACK) {
		t->user_stack.start = r->ustack_start;
		t->user_stack.end = r->ustack_end;
		t->known |= KNOWN_USTACK;
	}
	if (r->has & MMLENS_HAS_UGUARD) {
		t->user_stack.guard = r->uguard;
		t->known |= KNOWN_UGUARD;
	}
}

static void take_kernel_stack(struct task *t, const struct mmlens_task_rec *r)
{
	if (r->has & MMLENS_HAS_KSTACK) {
		t->kernel_stack.base = r->kstack;
		t->kernel_stack.size = r->kstack_size;
		t->known |= KNOWN_KSTACK;
	}
	if ((r->has & MMLENS_HAS_KSP) && !(r->flags & MMLENS_TASK_ON_CPU)) {
		t->kernel_stack.sp = r->ksp;
		t->kernel_stack.used = r->kstack_size - r->ksp;
		t->known |= KNOWN_KUSED;
	}
}

static void take_identity(struct task *t, const struct mmlens_task_rec *r, bool init_user)
{
	t->key = (struct task_key){ .tgid = r->tgid, .tid = r->tid, .start_ns = r->start_ns };
	t->ppid = r->ppid;
	t->state = bpf_state_letter(r->state);
	t->nvcsw = r->nvcsw;
	t->nivcsw = r->nivcsw;
	t->known |= KNOWN_PPID | KNOWN_START | KNOWN_STATE | KNOWN_SWITCHES;
	if (init_user) {
		t->uid = r->uid;
		t->known |= KNOWN_UID;
	}
	if (r->has & MMLENS_HAS_CPU) {
		t->cpu = r->cpu;
		t->known |= KNOWN_CPU;
	}
	memcpy(t->comm, r->comm, sizeof(r->comm));
}

static int take(struct snapshot *out, const struct mmlens_task_rec *r, bool init_user)
{
	struct task *t = snapshot_add(out);

	if (!t)
		return -ENOMEM;
	take_identity(t, r, init_user);
	take_flags(t, r);
	take_resources(t, r);
	take_user_stack(t, r);
	take_kernel_stack(t, r);
	if (r->flags & MMLENS_TASK_RACED)
		out->raced++;
	return 0;
}

/* The initial user namespace maps every id onto itself. */
static bool in_init_user_ns(void)
{
	cleanup_fclose FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned int inside, outside, count;

	return f && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3 && !inside && !outside &&
	       count == UINT32_MAX;
}

static void bpf_tasks_close(struct source *src)
{
	struct reader *rd = src->data;

	if (!rd)
		return;
	bpf_link__destroy(rd->link);
	tasks_bpf__destroy(rd->skel);
	free(rd);
	src->data = NULL;
}

/* Only one of the two programs is loaded: each costs the verifier a few milliseconds. */
static int load(struct reader *rd, bool stacks, bool ustack)
{
	struct mmlens_keys keys = bpf_env_keys();
	cleanup_bpf_types struct bpf_types types = bpf_types_new();
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = bpf_types_path(&types));
	int err;

	err = bpf_attach_init();
	if (err)
		return err;
	rd->skel = tasks_bpf__open_opts(&opts);
	if (!rd->skel)
		return -errno;
	err = bpf_types_fill(&types, rd->skel->obj);
	memcpy((void *)&rd->skel->rodata->ask.keys, &keys, sizeof(keys));
	rd->skel->rodata->ask.page_size = sysconf(_SC_PAGESIZE);
	rd->skel->rodata->ask.stacks = stacks;
	rd->skel->rodata->ask.task_type = btf_id("task_struct");
	bpf_program__set_autoload(rd->skel->progs.mmlens_tasks, !ustack);
	bpf_program__set_autoload(rd->skel->progs.mmlens_tasks_ustack, ustack);
	if (!err)
		err = tasks_bpf__load(rd->skel);
	if (err) {
		tasks_bpf__destroy(rd->skel);
		rd->skel = NULL;
		return err;
	}
	rd->stacks = stacks;
	rd->ustack = ustack;
	return 0;
}

static int attach(struct reader *rd)
{
	struct bpf_program *prog =
		rd->ustack ? rd->skel->progs.mmlens_tasks_ustack : rd->skel->progs.mmlens_tasks;

	rd->link = bpf_program__attach_iter(prog, NULL);
	return rd->link ? 0 : -errno;
}

/* What is loaded depends on what is wanted, so open() only finds out whether it could be. */
static int bpf_tasks_open(struct source *src, const char *arg, struct why *why)
{
	struct reader *rd;
	int err = bpf_env_check(why);

	(void)arg;
	if (err)
		return err;
	rd = calloc(1, sizeof(*rd));
	if (!rd)
		return why_set(why, -ENOMEM, "out of memory");
	src->data = rd;
	return 0;
}

static int prepare(struct reader *rd, bool stacks, struct why *why)
{
	int err = -EOPNOTSUPP;

	if (rd->link && rd->stacks == stacks)
		return 0;
	bpf_link__destroy(rd->link);
	rd->link = NULL;
	tasks_bpf__destroy(rd->skel);
	rd->skel = NULL;
	/* Without bpf_find_vma() (5.17) their mappings stay unknown, all else is answered. */
	if (stacks)
		err = load(rd, true, true);
	if (err)
		err = load(rd, stacks, false);
	if (err)
		return bpf_env_load_failed(why, err);
	err = attach(rd);
	return err ? bpf_env_load_failed(why, err) : 0;
}

static int read_all(int fd, bool init_user, struct snapshot *out)
{
	cleanup_free struct mmlens_task_rec *recs = malloc(BATCH * sizeof(*recs));
	size_t have = 0, room = BATCH * sizeof(*recs);
	ssize_t got;
	int err;

	if (!recs)
		return -ENOMEM;
	while ((got = read(fd, (char *)recs + have, room - have)) != 0) {
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			return -errno;
		have += got;
		for (size_t i = 0; i < have / sizeof(*recs); i++) {
			err = take(out, &recs[i], init_user);
			if (err)
				return err;
		}
		/* A read may end within a record. */
		memmove(recs, &recs[have / sizeof(*recs)], have % sizeof(*recs));
		have %= sizeof(*recs);
	}
	return 0;
}

static int seal(struct snapshot *out, struct why *why)
{
	int err = snapshot_seal(out);

	return err ? why_set(why, err, "out of memory") : 0;
}

static int bpf_tasks_read(struct source *src, unsigned int want, struct snapshot *out,
			  struct why *why)
{
	struct reader *rd = src->data;
	/* whose task it is is none of what tasks share */
	const bool init_user = !(want & WANT_NO_OTHERS) && in_init_user_ns();
	cleanup_close int fd = -1;
	int err = want & WANT_STACKS ? -EOPNOTSUPP : bpf_named_read(src, want, init_user, out);

	if (!err)
		return seal(out, why);
	/* who names tasks is shown all of them */
	err = prepare(rd, want & (WANT_STACKS | WANT_OTHERS_BRIEF), why);
	if (err)
		return err;
	fd = bpf_iter_create(bpf_link__fd(rd->link));
	if (fd < 0)
		return why_set(why, -errno, "cannot open the task iterator: %s", strerror(errno));
	err = read_all(fd, init_user, out);
	if (err)
		return why_set(why, err, "cannot read the task iterator: %s", strerror(-err));
	return seal(out, why);
}

const struct source_ops source_bpf = {
	.name = "bpf",
	.open = bpf_tasks_open,
	.read = bpf_tasks_read,
	.close = bpf_tasks_close,
};
