// SPDX-License-Identifier: GPL-2.0-only
/* The module as a source: its binary files. The one file that knows its ABI. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <mmlens.h>

#include "lib/cleanup.h"
#include "source/source.h"

#define DIR_PATH "/proc/" MMLENS_PROC_DIR
#define IDS	 "ids.bin"
#define TASKS	 "tasks.bin"
#define STACKS	 "stacks.bin"

/* Records that one read may bring: 128 KiB keeps the module's own batches whole. */
#define BATCH_BYTES (128 * 1024)

static const struct {
	uint8_t bit; /* MMLENS_K_* */
	uint32_t known;
} known_map[] = {
	{ MMLENS_K_START, KNOWN_START },
	{ MMLENS_K_STATE, KNOWN_STATE | KNOWN_FLAGS | KNOWN_CPU | KNOWN_VFORK },
	{ MMLENS_K_SWITCHES, KNOWN_SWITCHES },
	{ MMLENS_K_PARENT, KNOWN_PPID },
	{ MMLENS_K_ACTIVE_MM, KNOWN_LOAN },
	{ MMLENS_K_MM_COUNTS, KNOWN_MM_USERS },
	{ MMLENS_K_USER_SP, KNOWN_USP },
	{ MMLENS_K_KSTACK, KNOWN_KSTACK },
	{ MMLENS_K_KSTACK_USED, KNOWN_KUSED },
	{ MMLENS_K_KSTACK_PEAK, KNOWN_KDEEPEST },
};

static const struct {
	uint32_t from; /* MMLENS_F_* */
	uint32_t to;
} flag_map[] = {
	{ MMLENS_F_KTHREAD, TASK_KTHREAD }, { MMLENS_F_IO_WORKER, TASK_IO_WORKER },
	{ MMLENS_F_EXITING, TASK_EXITING }, { MMLENS_F_USER_WORKER, TASK_USER_WORKER },
	{ MMLENS_F_IN_VFORK, TASK_VFORK },  { MMLENS_F_ON_CPU, TASK_ON_CPU },
	{ MMLENS_F_TRACED, TASK_TRACED },   { MMLENS_F_RACED, TASK_RACED },
};

/* Where each resource stands in the record; namespaces are 32 bits wide. */
#define RESOURCE(r, bit, field)                                         \
	{                                                               \
		r, MMLENS_K_##bit, offsetof(struct mmlens_task, field), \
			sizeof(((struct mmlens_task *)0)->field)        \
	}

static const struct {
	uint8_t res;
	uint8_t bit;
	uint16_t at;
	uint8_t size;
} resource_map[] = {
	RESOURCE(RES_MM, MM, mm),
	RESOURCE(RES_FILES, FILES, files),
	RESOURCE(RES_FS, FS, fs),
	RESOURCE(RES_SIGHAND, SIGHAND, sighand),
	RESOURCE(RES_SIGNAL, SIGNAL, signal),
	RESOURCE(RES_IO, IO, io),
	RESOURCE(RES_SYSVSEM, SYSVSEM, sysvsem),
	RESOURCE(RES_CRED, CRED, cred),
	RESOURCE(RES_UTS_NS, UTS_NS, uts_ns),
	RESOURCE(RES_IPC_NS, IPC_NS, ipc_ns),
	RESOURCE(RES_MNT_NS, MNT_NS, mnt_ns),
	RESOURCE(RES_PID_NS, PID_NS, pid_ns),
	RESOURCE(RES_NET_NS, NET_NS, net_ns),
	RESOURCE(RES_TIME_NS, TIME_NS, time_ns),
	RESOURCE(RES_CGROUP_NS, CGROUP_NS, cgroup_ns),
	RESOURCE(RES_USER_NS, USER_NS, user_ns),
	RESOURCE(RES_CGROUP, CGROUP, cgroup),
	RESOURCE(RES_SECCOMP, SECCOMP, seccomp_filter),
};

struct reader {
	const char *dir;
	const char *name; /* of the file that is open */
	int fd;
	struct mmlens_header header;
};

/* What the bits of a record stand for: most records have the same as the one before. */
struct meaning {
	uint64_t known_bits;
	uint32_t flag_bits;
	uint32_t known;
	uint32_t res_known;
	uint32_t flags;
};

static void take_meaning(struct meaning *m, const struct mmlens_task *r)
{
	if (m->known_bits == r->known && m->flag_bits == r->flags)
		return;
	*m = (struct meaning){ .known_bits = r->known, .flag_bits = r->flags };
	for (size_t i = 0; i < ARRAY_SIZE(known_map); i++)
		if (r->known & 1ULL << known_map[i].bit)
			m->known |= known_map[i].known;
	for (size_t i = 0; i < ARRAY_SIZE(resource_map); i++)
		if (r->known & 1ULL << resource_map[i].bit)
			m->res_known |= 1u << resource_map[i].res;
	for (size_t i = 0; i < ARRAY_SIZE(flag_map); i++)
		if (r->flags & flag_map[i].from)
			m->flags |= flag_map[i].to;
}

static bool answered(const struct mmlens_task *r, unsigned int bit)
{
	return r->known & (1ULL << bit);
}

/* What was not answered is 0. */
static void fill_resources(struct task *t, const struct mmlens_task *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(resource_map); i++) {
		const char *at = (const char *)r + resource_map[i].at;

		t->res[resource_map[i].res] = resource_map[i].size == sizeof(uint64_t)
						      ? *(const uint64_t *)at
						      : *(const uint32_t *)at;
	}
}

static void fill_user_stack(struct task *t, const struct mmlens_task *r)
{
	t->user_stack.sp = r->user_sp;
	if (!answered(r, MMLENS_K_USTACK) ||
	    r->ustack_flags & (MMLENS_US_UNMAPPED | MMLENS_US_BUSY))
		return;
	t->user_stack.start = r->ustack_start;
	t->user_stack.end = r->ustack_end;
	t->known |= KNOWN_USTACK;
	/* without one there may still be the kernel's gap, or a guard that is no mapping */
	if (!r->ustack_guard)
		return;
	t->user_stack.guard = r->ustack_guard;
	t->known |= KNOWN_UGUARD;
}

static void fill_kernel_stack(struct task *t, const struct mmlens_task *r, bool raw)
{
	t->kernel_stack = (struct kernel_stack){
		.base = r->kstack,
		.base_is_address = raw,
		.size = r->kstack_size,
		.used = r->kstack_used,
		.sp = r->kstack_size - r->kstack_used,
		.deepest = r->kstack_peak,
	};
}

/* A kernel thread's loan is what it adopted, or holds lazily while it runs. */
static uint64_t loan_of(const struct mmlens_task *r)
{
	if (!(r->flags & MMLENS_F_KTHREAD))
		return 0;
	return r->mm ? r->mm : r->active_mm;
}

static void fill_task(struct task *t, const struct mmlens_task *r, const struct meaning *m,
		      const struct mmlens_header *h)
{
	t->key = (struct task_key){ r->tgid, r->tid, r->start_ns };
	t->ppid = r->ppid;
	t->cpu = (int32_t)r->cpu;
	t->mm_users = r->mm_users;
	t->state = (char)r->state;
	t->nvcsw = r->nvcsw;
	t->nivcsw = r->nivcsw;
	t->loan = loan_of(r);
	memcpy(t->comm, r->comm, sizeof(r->comm));
	t->known = m->known;
	t->res_known = m->res_known;
	t->flags = m->flags;
	fill_resources(t, r);
	fill_user_stack(t, r);
	fill_kernel_stack(t, r, h->features & MMLENS_FEAT_RAW_KSTACK);
}

static int open_file(const struct reader *r, const char *name)
{
	cleanup_close int dir = open(r->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC);
}

static int open_why(const struct reader *r, const char *name, struct why *why, int err)
{
	if (err == -ENOENT)
		return why_set(
			why, err,
			"the module is not loaded (no %s): insmod mmlens.ko or modprobe mmlens, as "
			"root, on a test machine",
			r->dir);
	if (err == -EPERM || err == -EACCES)
		return why_set(why, err,
			       "%s/%s needs CAP_SYS_PTRACE in the initial user namespace: run as "
			       "root",
			       r->dir, name);
	return why_set(why, err, "%s/%s: %s", r->dir, name, strerror(-err));
}

static int check_header(const struct reader *r, struct why *why)
{
	const struct mmlens_header *h = &r->header;

	if (memcmp(h->magic, MMLENS_MAGIC, sizeof(h->magic)) != 0)
		return why_set(why, -EPROTO, "%s/%s is not what the mmlens module writes", r->dir,
			       r->name);
	if (h->abi != MMLENS_ABI || h->record_size < sizeof(struct mmlens_task))
		return why_set(why, -EPROTO,
			       "the loaded module speaks ABI %u, this program ABI %u: rmmod mmlens "
			       "and load the module built with this program",
			       h->abi, MMLENS_ABI);
	return 0;
}

/* A module of before there was ids.bin has what it holds in tasks.bin. */
static int open_ids(struct reader *r)
{
	r->name = IDS;
	r->fd = open_file(r, r->name);
	if (r->fd < 0 && errno == ENOENT) {
		r->name = TASKS;
		r->fd = open_file(r, r->name);
	}
	return r->fd;
}

static int read_header(struct reader *r, struct why *why)
{
	ssize_t got = open_ids(r) < 0 ? -1 : pread(r->fd, &r->header, sizeof(r->header), 0);

	if (got < 0)
		return open_why(r, r->name, why, -errno);
	if (got != sizeof(r->header))
		return why_set(why, -EPROTO, "%s/%s has no header", r->dir, r->name);
	return check_header(r, why);
}

static int kmod_open(struct source *src, const char *arg, struct why *why)
{
	struct reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return why_set(why, -ENOMEM, "out of memory");
	r->dir = arg ? arg : DIR_PATH;
	err = read_header(r, why);
	src->data = r;
	if (err)
		src->ops->close(src);
	return err;
}

static void kmod_close(struct source *src)
{
	struct reader *r = src->data;

	if (r->fd >= 0)
		close(r->fd);
	free(r);
	src->data = NULL;
}

/* Takes the whole records of a buffer; a record torn by the buffer's end is the caller's. */
static int take(const struct reader *r, const char *buf, size_t n, struct snapshot *out)
{
	struct meaning meaning = { 0 };

	for (size_t at = 0; at + r->header.record_size <= n; at += r->header.record_size) {
		const struct mmlens_task *rec = (const void *)(buf + at);
		struct task *t = snapshot_add(out);

		if (!t)
			return -ENOMEM;
		take_meaning(&meaning, rec);
		fill_task(t, rec, &meaning, &r->header);
		out->raced += !!(rec->flags & MMLENS_F_RACED);
	}
	return 0;
}

static int read_all(const struct reader *r, int fd, struct snapshot *out)
{
	size_t size = r->header.record_size;
	size_t room = BATCH_BYTES / size * size;
	cleanup_free char *buf = malloc(room ? room : size);
	ssize_t got;

	if (!buf)
		return -ENOMEM;
	/* slot 0 is the header again */
	if (lseek(fd, (off_t)size, SEEK_SET) < 0)
		return -errno;
	while ((got = read(fd, buf, room ? room : size)) > 0) {
		int err = (size_t)got % size ? -EPROTO : take(r, buf, got, out);

		if (err)
			return err;
	}
	return got < 0 ? -errno : 0;
}

/* The file that has what is wanted, or NULL: the one that is open. Who names tasks is shown all. */
static const char *dear_file(unsigned int want)
{
	if (want & WANT_KERNEL_DEEPEST)
		return STACKS;
	return want & (WANT_STACKS | WANT_OTHERS_BRIEF) ? TASKS : NULL;
}

static int kmod_read(struct source *src, unsigned int want, struct snapshot *out, struct why *why)
{
	const struct reader *r = src->data;
	const char *name = dear_file(want);
	cleanup_close int dear = -1;
	int err;

	if (name) {
		dear = open_file(r, name);
		if (dear < 0)
			return open_why(r, name, why, -errno);
	}
	err = read_all(r, dear >= 0 ? dear : r->fd, out);
	if (!err)
		err = snapshot_seal(out);
	return err ? why_set(why, err, "%s/%s: %s", r->dir, name ? name : r->name, strerror(-err))
		   : 0;
}

const struct source_ops source_module = {
	.name = "module",
	.open = kmod_open,
	.read = kmod_read,
	.close = kmod_close,
};
