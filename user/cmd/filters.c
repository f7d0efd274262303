// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/filters.h"
#include "lib/text.h"
#include "source/source.h"

#define CGROUPS "/sys/fs/cgroup"

static struct switch_want *add(struct filters *f, enum switch_want_kind kind)
{
	struct switch_want *w = f->n < FILTERS_MAX ? &f->wants[f->n++] : NULL;

	if (w)
		*w = (struct switch_want){ .kind = kind };
	return w;
}

static int too_many(const char *word)
{
	return fail(EXIT_USAGE, word, "more than %d values to filter by", FILTERS_MAX);
}

static int add_number(struct filters *f, enum switch_want_kind kind, const char *word, int base,
		      const char *what)
{
	struct switch_want *w = add(f, kind);
	char *end;

	if (!w)
		return too_many(word);
	errno = 0;
	w->number = strtoull(word, &end, base);
	if (errno || *end || end == word || strchr("+- ", *word))
		return fail(EXIT_USAGE, word, "not %s", what);
	return 0;
}

static int add_tid(struct filters *f, const char *word)
{
	return add_number(f, WANT_SWITCH_TID, word, 10, "a tid: a tid is a decimal number");
}

static int add_space(struct filters *f, const char *word)
{
	return add_number(f, WANT_SWITCH_SPACE, word, 16, "a space: mmlens list prints their ids");
}

static int add_cpu(struct filters *f, const char *word)
{
	return add_number(f, WANT_SWITCH_CPU, word, 10, "a CPU: a CPU is a decimal number");
}

static int add_comm(struct filters *f, const char *word)
{
	struct switch_want *w;

	if (!*word || strlen(word) >= sizeof(w->comm))
		return fail(EXIT_USAGE, word, "no task has such a name: names have 1 to 15 bytes");
	w = add(f, WANT_SWITCH_COMM);
	if (!w)
		return too_many(word);
	memcpy(w->comm, word, strlen(word));
	return 0;
}

static int add_class(struct filters *f, const char *word)
{
	for (int c = 0; c < CLASS_NR; c++)
		if (strcmp(switch_class_name(c), word) == 0) {
			f->classes |= 1u << c;
			return 0;
		}
	return fail(EXIT_USAGE, word, "no such class; see mmlens stat --help");
}

/* nftw() has no argument to pass on. */
static struct filters *walked;

static int on_cgroup(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct switch_want *w;

	(void)path;
	(void)at;
	if (type != FTW_D)
		return 0;
	w = add(walked, WANT_SWITCH_CGROUP);
	if (!w)
		return -E2BIG;
	w->number = st->st_ino;
	return 0;
}

/* As in /proc/PID/cgroup, or where it is mounted; or its number, for one that is not here. */
static int add_cgroup(struct filters *f, const char *word)
{
	size_t before = f->n;
	char path[4096];
	int err;

	if (!word[strspn(word, "0123456789")])
		return add_number(f, WANT_SWITCH_CGROUP, word, 10, "a cgroup");

	snprintf(path, sizeof(path), "%s%s%s",
		 strncmp(word, CGROUPS, strlen(CGROUPS)) == 0 ? "" : CGROUPS,
		 *word == '/' ? "" : "/", word);
	walked = f;
	err = nftw(path, on_cgroup, 16, FTW_PHYS);
	if (err == -E2BIG)
		return too_many(word);
	return err || f->n == before ? fail(EXIT_FAILED, word, "no such cgroup below " CGROUPS) : 0;
}

int filters_parse(struct filters *f, const struct window_args *args)
{
	const struct {
		const struct strings *words;
		int (*add)(struct filters *f, const char *word);
	} all[] = {
		{ &args->tids, add_tid },      { &args->spaces, add_space },
		{ &args->cpus, add_cpu },      { &args->comms, add_comm },
		{ &args->classes, add_class }, { &args->cgroups, add_cgroup },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t k = 0; k < all[i].words->n; k++) {
			int status = all[i].add(f, all[i].words->s[k]);

			if (status)
				return status;
		}
	return 0;
}

static uint64_t seen_as(const struct snapshot *seen, const struct snapshot *told, uint64_t space)
{
	for (size_t i = 0; i < told->n; i++) {
		const struct task *t = &told->tasks[i];
		const struct task *same =
			task_space(t) == space ? snapshot_find_key(seen, &t->key) : NULL;

		if (same && task_space(same))
			return task_space(same);
	}
	return 0;
}

int filters_find_spaces(struct filters *f, const struct window_args *args,
			const struct snapshot *told)
{
	struct snapshot seen = { 0 };
	size_t nth = 0;
	struct why why;
	/* what the programs' own witness told in this run has their ids */
	const bool own = strcmp(told->source, "bpf") == 0;
	int err = args->spaces.n && !own ? source_snapshot("bpf", 0, &seen, &why) : 0;
	int status = err ? fail(status_of(err), "bpf", "%s", why.text) : 0;

	for (size_t i = 0; i < f->n && !status; i++) {
		struct switch_want *w = &f->wants[i];

		if (w->kind != WANT_SWITCH_SPACE)
			continue;
		w->number = seen_as(own ? told : &seen, told, w->number);
		if (!w->number)
			status = fail(
				EXIT_FAILED, args->spaces.s[nth],
				"nobody lives in such a space: mmlens list prints those there are");
		nth++;
	}
	snapshot_deinit(&seen);
	return status;
}
