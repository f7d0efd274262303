/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the module know of each other.
 *
 *   main.c     proc entries, load and unload
 *   access.c   who may open, and who may see addresses
 *   reader.c   the state of one open file
 *   iter.c     which task comes next, and that its row is one task's
 *   fill.c     a row, field group by field group
 *   stack.c    its stacks
 *   id.c       identities instead of pointers
 *   bin.c, text.c, version.c   how a row, or the module itself, is told
 */
#ifndef MMLENS_KMOD_H
#define MMLENS_KMOD_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>

#include "uapi/mmlens.h"

#define MMLENS_VERSION "0.1.0"

struct iov_iter;
struct kiocb;
struct mmlens_reader;

/* What the rows of a file hold; each holds what the one before does, and is dearer. */
enum mmlens_depth {
	MMLENS_DEPTH_IDS,
	MMLENS_DEPTH_STACKS,		/* where the stacks lie and how far they are used */
	MMLENS_DEPTH_PEAKS,		/* and how deep the kernel stacks have been used */
};

/* access.c */
int mmlens_may_open(const struct file *file);
bool mmlens_may_see_addresses(const struct file *file);
bool mmlens_locked_down(void);

/* id.c */
int mmlens_id_init(void);
u64 mmlens_keyed_id(const void *object);
u64 mmlens_space_id(const struct mm_struct *mm);
u64 mmlens_loose_space_id(const struct mm_struct *mm);
int mmlens_mnt_ns_inum(const void *mnt_ns, u32 *inum);
u64 mmlens_known_ever(enum mmlens_depth depth);
const char *mmlens_boot_id(void);
void mmlens_fill_header(struct mmlens_reader *reader);

static inline u64 mmlens_id(const void *object)
{
	return object ? mmlens_keyed_id(object) : 0;
}

/* What a group's threads mostly have in common. */
enum mmlens_memo_slot {
	MMLENS_MEMO_FILES,
	MMLENS_MEMO_FS,
	MMLENS_MEMO_SIGHAND,
	MMLENS_MEMO_SIGNAL,
	MMLENS_MEMO_CRED,
	MMLENS_MEMO_COUNT
};

/* Rows made at one look: the open file with them is just below a page. */
#define MMLENS_ROWS	7

/*
 * One open file. Its size does not depend on the system's.
 */
struct mmlens_reader {
	struct mutex lock;		/* one read at a time: pread takes no lock of the file */
	struct pid_namespace *ns;	/* of the proc mount; referenced */
	bool raw_addresses;		/* the opener may see them, and no lockdown yet */
	enum mmlens_depth depth;

	/* Identities given out last: threads of one group ask for the same again and again. */
	struct mmlens_memo {
		const void *object;
		u64 id;
	} memo[MMLENS_MEMO_COUNT];

	/* bin.c: the row given out last, its slot, and the slot it was the answer for. */
	const struct mmlens_task *rec;
	u32 slot;
	u32 asked;
	bool latched;

	/* text.c: the bytes [base, base + len) of the stream and the tid that comes after them. */
	loff_t base;
	size_t len;
	u32 next;
	char *window;			/* NULL in a binary file */

	/* Rows being given out (bin.c), or the one being encoded (text.c). */
	union {
		struct mmlens_task rows[MMLENS_ROWS];
		struct mmlens_header head;
	};
};

/* reader.c */
typedef ssize_t (*mmlens_give_fn)(struct mmlens_reader *reader, loff_t *pos, struct iov_iter *to);

int mmlens_reader_open(struct inode *inode, struct file *file, enum mmlens_depth depth,
		       size_t window);
int mmlens_reader_release(struct inode *inode, struct file *file);
ssize_t mmlens_reader_read(struct kiocb *iocb, struct iov_iter *to, mmlens_give_fn give);
void mmlens_reader_forget(struct mmlens_reader *reader);
u32 mmlens_reader_features(const struct mmlens_reader *reader);

/* iter.c: a task as its tid named it, good under the RCU read lock it was found under. */
struct mmlens_ref {
	struct pid *pid;
	struct task_struct *task;
	u32 tid;			/* in the reader's namespace */
};

int mmlens_next_rows(struct mmlens_reader *reader, u32 tid, int room);

/* fill.c */
int mmlens_fill(const struct mmlens_ref *ref, struct mmlens_reader *reader,
		struct mmlens_task *rec);

/* stack.c */
void mmlens_fill_stacks(struct task_struct *task, struct mm_struct *mm,
			const struct mmlens_reader *reader, struct mmlens_task *rec);

/* bin.c, text.c, version.c */
extern const struct proc_ops mmlens_ids_bin_ops;
extern const struct proc_ops mmlens_tasks_bin_ops;
extern const struct proc_ops mmlens_stacks_bin_ops;
extern const struct proc_ops mmlens_tasks_ops;
extern const struct proc_ops mmlens_version_ops;

#endif /* MMLENS_KMOD_H */
