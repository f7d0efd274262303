// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/cleanup.h"
#include "source/source.h"
#include "source/withheld.h"

/* Best first: this is the order of --source=auto. */
static const struct source_ops *const sources[] = {
	&source_module,
	&source_bpf,
	&source_procfs,
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

static uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
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

static int read_one(const struct source_ops *ops, const struct question *q, struct snapshot *out,
		    struct why *why)
{
	struct source src = { .ops = ops, .about = q->about, .n_about = q->n_about };
	uint64_t census;
	int err;

	err = ops->open(&src, NULL, why);
	if (err)
		return err;
	snprintf(out->source, sizeof(out->source), "%s", ops->name);
	read_boot_id(out->boot_id, sizeof(out->boot_id));
	census = withheld_census();
	out->begin_ns = boottime_ns();
	err = ops->read(&src, q->want, out, why);
	out->end_ns = boottime_ns();
	ops->close(&src);
	if (!err)
		withheld_count(out, census);
	return err;
}

/*
 * A module of another version is not the same as none: the user believes it serves. That is the
 * one reason that survives when another source answers.
 */
static int read_best(const struct question *q, struct snapshot *out, struct why *why)
{
	struct why worth_telling = { "" };
	int err = -EOPNOTSUPP;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct why this = { "" };

		err = read_one(sources[i], q, out, &this);
		if (!err)
			break;
		if (err == -EPROTO || !*worth_telling.text)
			why_set(why, err, "%s: %s", sources[i]->name, this.text);
		if (err == -EPROTO)
			worth_telling = *why;
		snapshot_deinit(out);
	}
	if (!err)
		*why = worth_telling;
	return err;
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
