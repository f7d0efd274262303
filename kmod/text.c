// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasks: the rows as text. The columns are a table; what a row says comes from fill.c alone.
 *
 * The stream is an ordinary one, byte after byte, made a window at a time. The window is kept, so
 * that a reader who seeks back over what it did not use (the shell's `read`, head(1)) finds the
 * same bytes, and not the rows of another moment cut at the old place.
 */
#include <linux/kernel.h>
#include <linux/proc_fs.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "arch/arch.h"
#include "kmod.h"

#define WINDOW_SIZE	(16 * 1024)
#define MAX_ROW		2048	/* far above the longest; checked as each row is made */

/* Letters in front keep awk from taking two 64-bit identities for the same rounded number. */
enum form { DEC8, DEC32, DEC64, HEX64, ID, SPACE, KSTACK, LETTER, COMM, FLAGS, USTACK_FLAGS };

#define COLUMN(field, form, known) { #field, form, offsetof(struct mmlens_task, field), known }
#define ALWAYS	-1

static const struct column {
	const char *name;
	enum form form;
	u16 offset;
	s8 known;
} columns[] = {
	COLUMN(tgid,		DEC32,	ALWAYS),
	COLUMN(tid,		DEC32,	ALWAYS),
	COLUMN(start_ns,	DEC64,	MMLENS_K_START),
	COLUMN(comm,		COMM,	ALWAYS),
	COLUMN(state,		LETTER,	MMLENS_K_STATE),
	COLUMN(flags,		FLAGS,	MMLENS_K_STATE),
	COLUMN(exit_state,	DEC8,	MMLENS_K_STATE),
	COLUMN(ppid,		DEC32,	MMLENS_K_PARENT),
	COLUMN(parent_start_ns,	DEC64,	MMLENS_K_PARENT),
	COLUMN(leader_start_ns,	DEC64,	MMLENS_K_START),
	COLUMN(init_tgid,	DEC32,	ALWAYS),
	COLUMN(init_tid,	DEC32,	ALWAYS),
	COLUMN(init_ppid,	DEC32,	MMLENS_K_PARENT),
	COLUMN(cpu,		DEC32,	MMLENS_K_STATE),
	COLUMN(nvcsw,		DEC64,	MMLENS_K_SWITCHES),
	COLUMN(nivcsw,		DEC64,	MMLENS_K_SWITCHES),
	COLUMN(mm,		SPACE,	MMLENS_K_MM),
	COLUMN(active_mm,	SPACE,	MMLENS_K_ACTIVE_MM),
	COLUMN(mm_users,	DEC32,	MMLENS_K_MM_COUNTS),
	COLUMN(mm_count,	DEC32,	MMLENS_K_MM_COUNTS),
	COLUMN(files,		ID,	MMLENS_K_FILES),
	COLUMN(fs,		ID,	MMLENS_K_FS),
	COLUMN(sighand,		ID,	MMLENS_K_SIGHAND),
	COLUMN(signal,		ID,	MMLENS_K_SIGNAL),
	COLUMN(io,		ID,	MMLENS_K_IO),
	COLUMN(sysvsem,		ID,	MMLENS_K_SYSVSEM),
	COLUMN(cred,		ID,	MMLENS_K_CRED),
	COLUMN(uts_ns,		DEC32,	MMLENS_K_UTS_NS),
	COLUMN(ipc_ns,		DEC32,	MMLENS_K_IPC_NS),
	COLUMN(mnt_ns,		DEC32,	MMLENS_K_MNT_NS),
	COLUMN(pid_ns,		DEC32,	MMLENS_K_PID_NS),
	COLUMN(net_ns,		DEC32,	MMLENS_K_NET_NS),
	COLUMN(time_ns,		DEC32,	MMLENS_K_TIME_NS),
	COLUMN(cgroup_ns,	DEC32,	MMLENS_K_CGROUP_NS),
	COLUMN(user_ns,		DEC32,	MMLENS_K_USER_NS),
	COLUMN(cgroup,		DEC64,	MMLENS_K_CGROUP),
	COLUMN(seccomp_mode,	DEC8,	MMLENS_K_SECCOMP),
	COLUMN(seccomp_filter,	ID,	MMLENS_K_SECCOMP),
	COLUMN(user_sp,		HEX64,	MMLENS_K_USER_SP),
	COLUMN(ustack_start,	HEX64,	MMLENS_K_USTACK),
	COLUMN(ustack_end,	HEX64,	MMLENS_K_USTACK),
	COLUMN(ustack_guard,	DEC64,	MMLENS_K_USTACK),
	COLUMN(ustack_gap,	DEC64,	MMLENS_K_USTACK),
	COLUMN(ustack_flags,	USTACK_FLAGS, MMLENS_K_USTACK),
	COLUMN(start_stack,	HEX64,	MMLENS_K_START_STACK),
	COLUMN(kstack,		KSTACK,	MMLENS_K_KSTACK),
	COLUMN(kstack_size,	DEC32,	MMLENS_K_KSTACK),
	COLUMN(kstack_used,	DEC32,	MMLENS_K_KSTACK_USED),
};

static const char * const flag_names[] = {
	"leader", "kthread", "io-worker", "user-worker", "exiting", "in-vfork", "loan", "on-cpu",
	"traced", "newborn", "raced", NULL
};

static const char * const ustack_flag_names[] = {
	"grows-down", "unmapped", "busy", "below", NULL
};

/* Where the next byte of the row goes. */
struct out {
	char *at;
	char *end;
};

__printf(2, 3) static void put(struct out *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out->at += vscnprintf(out->at, out->end - out->at, format, args);
	va_end(args);
}

static void put_id(struct out *out, u64 id)
{
	if (id)
		put(out, "x%016llx", id);
	else
		put(out, "0");
}

static void put_address(struct out *out, u64 address)
{
	put(out, address ? "0x%llx" : "%llu", address);
}

static void put_names(struct out *out, u32 bits, const char * const *names)
{
	const char *comma = "";

	if (!bits)
		put(out, "0");
	for (; *names; names++, bits >>= 1) {
		if (!(bits & 1))
			continue;
		put(out, "%s%s", comma, *names);
		comma = ",";
	}
}

/* One field whatever a program calls itself. */
static void put_comm(struct out *out, const u8 *comm)
{
	size_t i;

	if (!comm[0])
		put(out, "\\000");
	for (i = 0; i < TASK_COMM_LEN && comm[i]; i++) {
		if (comm[i] > ' ' && comm[i] < 0x7f && comm[i] != '\\')
			put(out, "%c", comm[i]);
		else
			put(out, "\\%03o", comm[i]);
	}
}

static void put_value(struct out *out, enum form form, const void *field, bool raw)
{
	switch (form) {
	case DEC8:
		return put(out, "%u", *(u8 *)field);
	case DEC32:
		return put(out, "%u", *(u32 *)field);
	case DEC64:
		return put(out, "%llu", *(u64 *)field);
	case HEX64:
		return put_address(out, *(u64 *)field);
	case ID:
		return put_id(out, *(u64 *)field);
	case SPACE:
		if (MMLENS_ARCH_SPACE_COUNTER)
			return put(out, "%llu", *(u64 *)field);
		return put_id(out, *(u64 *)field);
	case KSTACK:
		if (raw)
			return put_address(out, *(u64 *)field);
		return put_id(out, *(u64 *)field);
	case LETTER:
		return put(out, "%c", *(u8 *)field);
	case COMM:
		return put_comm(out, field);
	case FLAGS:
		return put_names(out, *(u32 *)field, flag_names);
	case USTACK_FLAGS:
		return put_names(out, *(u32 *)field, ustack_flag_names);
	}
}

static void put_row(struct out *out, const struct mmlens_task *rec, bool raw)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		const struct column *column = &columns[i];

		if (i)
			put(out, " ");
		if (column->known == ALWAYS || rec->known & (1ULL << column->known))
			put_value(out, column->form, (const u8 *)rec + column->offset, raw);
		else
			put(out, "-");
	}
	put(out, "\n");
}

static void put_header(struct out *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		put(out, "%s%s", i ? " " : "", columns[i].name);
	put(out, "\n");
}

/* The row (or the header, at tid 0) the window goes on with: 1, 0 behind the last, -errno. */
static int append_row(struct mmlens_reader *reader)
{
	char *at = reader->window + reader->len;
	struct out out = { at, at + MAX_ROW };
	int got = 1;

	if (reader->next)
		got = mmlens_next_rows(reader, reader->next, 1);
	if (got <= 0)
		return got;
	if (reader->next) {
		put_row(&out, &reader->rows[0], reader->raw_addresses);
		reader->next = reader->rows[0].tid + 1;
	} else {
		put_header(&out);
		reader->next = 1;
	}
	WARN_ON_ONCE(out.at[-1] != '\n');	/* MAX_ROW is too small */
	reader->len += out.at - at;
	return 1;
}

/* The window that comes after this one. 1, 0 at the end of the stream, -errno. */
static int next_window(struct mmlens_reader *reader)
{
	int got = 1;

	reader->base += reader->len;
	reader->len = 0;
	while (got > 0 && reader->len + MAX_ROW <= WINDOW_SIZE) {
		got = append_row(reader);
		cond_resched();
	}
	return reader->len ? 1 : got;
}

/* Brings @pos into the window: 1, 0 if the stream ends before, -errno. */
static int find_window(struct mmlens_reader *reader, loff_t pos)
{
	int got = 1;

	if (pos < reader->base || pos > reader->base + reader->len)
		mmlens_reader_forget(reader);
	while (got > 0 && pos >= reader->base + reader->len)
		got = next_window(reader);
	return got;
}

/* At most what is in the window: a reader may go back over all that one read gave it. */
static ssize_t read_window(struct mmlens_reader *reader, loff_t *pos, struct iov_iter *to)
{
	int got = find_window(reader, *pos);
	size_t offset, copied;

	if (got <= 0)
		return got;
	offset = *pos - reader->base;
	copied = copy_to_iter(reader->window + offset, reader->len - offset, to);
	*pos += copied;
	return copied ?: -EFAULT;
}

static ssize_t text_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return mmlens_reader_read(iocb, to, read_window);
}

static int text_open(struct inode *inode, struct file *file)
{
	return mmlens_reader_open(inode, file, MMLENS_DEPTH_STACKS, WINDOW_SIZE);
}

const struct proc_ops mmlens_tasks_ops = {
	.proc_open	= text_open,
	.proc_read_iter	= text_read_iter,
	.proc_lseek	= no_seek_end_llseek,
	.proc_release	= mmlens_reader_release,
};
