/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A source acquires the state of tasks and prints nothing. There are four: the module, the BPF
 * iterators, procfs, and a snapshot file. A source that cannot serve says why in a `struct why`;
 * absence is an answer, not an error.
 *
 * Errors: -errno. -ENOENT and -EOPNOTSUPP mean "not here", -EPERM and -EACCES "not for you",
 * -EPROTO "here, but not of the version this program knows"; `why` has the sentence.
 */
#ifndef MMLENS_SOURCE_SOURCE_H
#define MMLENS_SOURCE_SOURCE_H

#include "model/snapshot.h"

/* Why a source or feature is not available, and how to get it. One line, no newline. */
struct why {
	char text[256];
};

__attribute__((format(printf, 3, 4))) int why_set(struct why *why, int err, const char *fmt, ...);

/* What a reader wants beside the cheap fields. */
enum want {
	WANT_STACKS = 1u << 0, /* both stacks of each task, and what mapping holds the user's */
	WANT_KERNEL_DEEPEST = 1u << 1, /* high-water mark of each kernel stack: dear */
	WANT_MEMORY = 1u << 2,	       /* rss and pss of each space (read by source/procmem.h) */
	WANT_NO_OTHERS = 1u << 4,      /* what the named tasks share, not who else is there */
	WANT_LASTING_IDS = 1u << 6,    /* ids that other commands print too, even without others */
	WANT_OTHERS_BRIEF = 1u << 5,   /* of tasks that are not named their space and kind (cmd/) */
	WANT_LEAN = 1u << 3, /* spaces and kinds will do: a source may leave dear fields unknown */
};

struct source {
	const struct source_ops *ops;
	void *data; /* the source's own, freed by ops->close */
	/*
	 * The tasks that the reader is about; none: all. Of others a source may know no more than
	 * who they are, their space, and what decides their kind. With WANT_NO_OTHERS it may leave
	 * them out, and count what is withheld of these alone: ids then name objects within this
	 * snapshot, and kinds are not to be told.
	 */
	const uint32_t *about;
	size_t n_about;
};

struct source_ops {
	const char *name; /* as in --source= and in every output */
	/* Opens or says why not. `arg`: for the module a directory for /proc/mmlens, else NULL. */
	int (*open)(struct source *src, const char *arg, struct why *why);
	/* One pass over all tasks into an initialised, empty snapshot; seals it. */
	int (*read)(struct source *src, unsigned int want, struct snapshot *out, struct why *why);
	void (*close)(struct source *src);
};

extern const struct source_ops source_module;
extern const struct source_ops source_bpf;
extern const struct source_ops source_procfs;

/* NULL for an unknown name. */
const struct source_ops *source_by_name(const char *name);

/*
 * Opens the named source, or for "auto" the best that serves (module, bpf, procfs), and reads one
 * snapshot into `out`, which need not be initialised. `why` names what failed; after success it is
 * empty or a line the user should see.
 */
int source_snapshot(const char *name, unsigned int want, struct snapshot *out, struct why *why);

/*
 * The same for a reader who is about these tasks, as in struct source. With WANT_NO_OTHERS "auto"
 * takes procfs before bpf where it knows every resource of each of them.
 */
int source_snapshot_about(const char *name, unsigned int want, const uint32_t *about,
			  size_t n_about, struct snapshot *out, struct why *why);

#endif
