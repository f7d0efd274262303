// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/clocks.h"
#include "source/procfs.h"
#include "source/source.h"
#include "source/withheld.h"

/* Best first. */
enum {
	MODULE,
	BPF,
	PROCFS
};

static const struct source_ops *const sources[] = {
	[MODULE] = &source_module,
	[BPF] = &source_bpf,
	[PROCFS] = &source_procfs,
};

int why_set(struct why *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

const struct source_ops *source_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (strcmp(sources[i]->name, name) == 0)
			return sources[i];
	return NULL;
}

static void read_boot_id(char *buf, size_t n)
{
	cleanup_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, buf, n - 1) : 0;

	buf[got > 0 ? got : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* What is asked, of whichever source. */
struct question {
	unsigned int want;
	const uint32_t *about;
	size_t n_about;
};

/* Where even numbers are hidden, what is withheld is what the whole lacks. */
static bool is_about_few(const struct question *q)
{
	return q->n_about && q->want & WANT_NO_OTHERS && !withheld_pids();
}

static int read_one(const struct source_ops *ops, const struct question *q, struct snapshot *out,
		    struct why *why)
{
	struct source src = { .ops = ops, .about = q->about, .n_about = q->n_about };
	/* its ids are numbers within what it has read */
	const bool few = is_about_few(q) && !(q->want & WANT_LASTING_IDS && ops == &source_procfs);
	const unsigned int want = few ? q->want : q->want & ~WANT_NO_OTHERS;
	uint64_t census;
	int err;

	err = ops->open(&src, NULL, why);
	if (err)
		return err;
	snprintf(out->source, sizeof(out->source), "%s", ops->name);
	read_boot_id(out->boot_id, sizeof(out->boot_id));
	census = few ? 0 : withheld_census();
	out->begin_ns = clocks_boottime();
	err = ops->read(&src, want, out, why);
	out->end_ns = clocks_boottime();
	ops->close(&src);
	if (!err && few)
		withheld_count_named(out, q->about, q->n_about);
	else if (!err)
		withheld_count(out, census);
	return err;
}

/* Whether each task in question is there, and nothing that it may share is unknown. */
static bool reaches_all(const struct question *q, const struct snapshot *s)
{
	for (size_t i = 0; i < q->n_about; i++) {
		const struct task *t = snapshot_find(s, q->about[i]);

		if (!t || t->res_known != (1u << RES_NR) - 1)
			return false;
	}
	return true;
}

/* What has been read so far, by which source: its place in `sources`, or their number for none. */
struct best {
	size_t by;
	struct snapshot *out;
	int err;	  /* why the last that failed did */
	struct why *why;  /* the reason to give if none serves */
	struct why proto; /* a reason to give even if another serves */
};

/*
 * A module of another version is not the same as none: the user believes it serves. That is the
 * one reason that survives when another source answers.
 */
static void note_failure(struct best *b, const char *name, int err, const struct why *this)
{
	b->err = err;
	if (err == -EPROTO || !*b->proto.text)
		why_set(b->why, err, "%s: %s", name, this->text);
	if (err == -EPROTO)
		b->proto = *b->why;
}

static void try_source(struct best *b, size_t i, const struct question *q)
{
	struct snapshot this;
	struct why why = { "" };
	int err;

	snapshot_init(&this);
	err = read_one(sources[i], q, &this, &why);
	if (err)
		note_failure(b, sources[i]->name, err, &why);
	if (err || b->by < i) {
		snapshot_deinit(&this);
		return;
	}
	snapshot_deinit(b->out);
	*b->out = this;
	b->by = i;
}

/* Whether threads of one group have the same credentials neither /proc nor kcmp(2) tells. */
static bool are_of_one_group(const struct question *q)
{
	uint32_t tgid = procfs_group("/proc", q->about[0]);

	for (size_t i = 1; i < q->n_about; i++)
		if (q->about[i] != q->about[0] && procfs_group("/proc", q->about[i]) == tgid)
			return true;
	return false;
}

/*
 * For all tasks the best that serves. For a few that are named the first that reaches all they
 * may share, or if none does the best: procfs costs these half of what it takes to load a BPF
 * program, and lacks what they share only where it says so. It is not asked where it must.
 */
static int read_best(const struct question *q, struct snapshot *out, struct why *why)
{
	static const uint8_t best_first[] = { MODULE, BPF, PROCFS };
	static const uint8_t cheapest_first[] = { MODULE, PROCFS, BPF };
	const bool cheaply =
		is_about_few(q) && !(q->want & WANT_LASTING_IDS) && !are_of_one_group(q);
	const uint8_t *order = cheaply ? cheapest_first : best_first;
	struct best b = { ARRAY_SIZE(sources), out, -EOPNOTSUPP, why, { "" } };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		try_source(&b, order[i], q);
		if (b.by < ARRAY_SIZE(sources) && (!cheaply || reaches_all(q, out)))
			break;
	}
	if (b.by == ARRAY_SIZE(sources))
		return b.err;
	*why = b.proto;
	return 0;
}

int source_snapshot_about(const char *name, unsigned int want, const uint32_t *about,
			  size_t n_about, struct snapshot *out, struct why *why)
{
	const struct source_ops *ops = source_by_name(name);
	const struct question q = { want, about, n_about };

	snapshot_init(out);
	*why = (struct why){ "" };
	return ops ? read_one(ops, &q, out, why) : read_best(&q, out, why);
}

int source_snapshot(const char *name, unsigned int want, struct snapshot *out, struct why *why)
{
	return source_snapshot_about(name, want, NULL, 0, out, why);
}
