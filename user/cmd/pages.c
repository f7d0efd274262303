// SPDX-License-Identifier: GPL-2.0-only
/* mmlens pages: what is in memory, and in whose frames. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/pages_family.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/regions.h"

struct listing {
	const struct pages_args *args;
	struct table *table; /* one of the two */
	struct json *json;
	uint32_t page_size;
};

void pages_json_head(struct json *j)
{
	struct snapshot s = { .source = "procfs" };
	cleanup_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, s.boot_id, sizeof(s.boot_id) - 1) : 0;

	s.boot_id[got > 0 ? got : 0] = '\0';
	s.boot_id[strcspn(s.boot_id, "\n")] = '\0';
	json_head(j, "pages", &s);
}

static void add_row(const struct region *r, const struct page_counts *c, void *arg)
{
	struct listing *l = arg;
	struct region_row row = { r, c, l->page_size };

	if (l->json) {
		json_object(l->json, NULL);
		json_columns(l->json, region_columns, region_columns_n, &row);
		json_object_end(l->json);
	} else if (l->args->all || c->present || c->swapped) {
		table_add(l->table, NULL, &row);
	}
}

static void warn(const struct pagecount *pc)
{
	if (!pc->frames.visible)
		note("frames", "hidden from you: run as root (CAP_SYS_ADMIN) to see which are the "
			       "same, merged or huge");
	if (pc->totals.swapped && !pc->frames.visible && pagemap_guard_sight() == GUARDS_HIDDEN)
		note("swapped pages", "guards of MADV_GUARD_INSTALL may be among them: run as root "
				      "(CAP_SYS_ADMIN), or on Linux 6.15 and later");
	if (pc->totals.unread)
		note("giant mappings",
		     "%llu pages were not looked for: only Linux 6.7 and later tell where they are",
		     (unsigned long long)pc->totals.unread);
	if (pc->raced)
		note("mappings", "%llu changed while they were read",
		     (unsigned long long)pc->raced);
}

/* Beside the counts of one process; that they cannot be had is told by warn(). */
static void relatives_json(const struct pages_args *args, struct json *j, struct pagecount *pc)
{
	struct family f = { 0 };

	if (pc->frames.visible && !family_measure(&f, pc, args->by_region))
		family_json(j, &f);
	else
		json_null(j, "relatives");
	family_deinit(&f);
}

static void relatives_text(const struct pages_args *args, struct pagecount *pc)
{
	struct family f = { 0 };

	if (pc->frames.visible && !family_measure(&f, pc, args->by_region) && f.n) {
		printf("\n");
		family_text(args, &f, pc->a);
	}
	family_deinit(&f);
}

static int print_json(const struct pages_args *args, struct pagecount *pc)
{
	struct json *j;
	struct listing l = { .args = args, .page_size = (uint32_t)getpagesize() };
	int err = pagecount_check(pc);

	if (err)
		return pagecount_fail(pc, err);
	j = l.json = json_open(stdout, false);
	if (!j)
		return fail(EXIT_FAILED, "pages", "out of memory");
	pc->region = add_row;
	pc->arg = &l;
	json_object(j, NULL);
	pages_json_head(j);
	json_uint(j, "a", pc->a);
	if (pc->b)
		json_uint(j, "b", pc->b);
	json_array(j, "regions");
	err = pagecount_run(pc);
	json_array_end(j);
	json_page_counts(j, "totals", &pc->totals, l.page_size);
	json_uint(j, "raced_mappings", pc->raced);
	if (!pc->b && !err)
		relatives_json(args, j, pc);
	json_object_end(j);
	return json_finish(j, err ? pagecount_fail(pc, err) : EXIT_DONE);
}

static char *size_of(char *buf, size_t n, uint64_t pages)
{
	return text_size(buf, n, pages * (uint64_t)getpagesize());
}

static void sum_up_pair(const struct page_counts *c)
{
	char same[16], different[16], fork[16], zero[16];

	if (!c->frames) {
		printf("\nSame virtual address: %s present in both; whether in the same frames is "
		       "hidden.\n",
		       size_of(same, sizeof(same), c->present));
		return;
	}
	printf("\nSame virtual address: %s in the same frame (%s private memory shared since fork, %s "
	       "zero page), %s in different frames",
	       size_of(same, sizeof(same), c->same), size_of(fork, sizeof(fork), c->shared_by_fork),
	       size_of(zero, sizeof(zero), c->zero),
	       size_of(different, sizeof(different), c->different));
	if (c->changed)
		printf("; %llu pages changed while they were read", (unsigned long long)c->changed);
	printf(".\n");
}

static void sum_up(const struct page_counts *c)
{
	char present[16], private[16], shared[16], fork[16];

	printf("\nThe columns count pages of %s.", size_of(present, sizeof(present), 1));
	if (c->pair)
		return sum_up_pair(c);
	printf("\n%s in memory: %s mapped nowhere else, %s mapped more than once",
	       size_of(present, sizeof(present), c->present),
	       size_of(private, sizeof(private), c->exclusive),
	       size_of(shared, sizeof(shared), c->present - c->exclusive));
	if (c->frames)
		printf(", of it %s shared since fork",
		       size_of(fork, sizeof(fork), c->shared_by_fork));
	printf(".\n");
}

static const char *defaults_of(const struct pagecount *pc)
{
	if (pc->b)
		return pc->frames.visible
			       ? "START,SIZE,PERMS,NATURE,SAME,DIFFERENT,ABSENT,FORK,NAME"
			       : "START,SIZE,PERMS,NATURE,PRESENT,ABSENT,NAME";
	return "START,SIZE,PERMS,NATURE,PRESENT,PRIVATE,SHARED,FORK,KSM,HUGE,ZERO,NAME";
}

static int print_table(const struct pages_args *args, struct pagecount *pc)
{
	const struct view *view = &args->common.view;
	const char *bad = NULL;
	struct listing l = { .args = args, .page_size = (uint32_t)getpagesize() };
	int err;

	l.table = table_new(region_columns, region_columns_n, defaults_of(pc), view, &bad);
	if (!l.table)
		return fail(EXIT_FAILED, "pages", "out of memory");
	table_stream(l.table, stdout);
	pc->region = add_row;
	pc->arg = &l;
	err = pagecount_run(pc);
	if (!err) {
		table_print(l.table, stdout);
		if (!view->raw && !view->noheadings)
			sum_up(&pc->totals);
		if (!pc->b && !view->raw && !view->noheadings)
			relatives_text(args, pc);
	}
	table_free(l.table);
	return err ? pagecount_fail(pc, err) : EXIT_DONE;
}

static int operand(const char *word, uint32_t *pid)
{
	uint64_t v;
	int err = parse_u64(word, UINT32_MAX, &v);

	if (err == -EINVAL)
		return fail(EXIT_USAGE, word, "not a pid: a pid is a decimal number");
	if (err || !v)
		return fail(EXIT_FAILED, word, "no such task");
	*pid = (uint32_t)v;
	return 0;
}

static int dispatch(const struct pages_args *args, struct pagecount *pc)
{
	int status;

	if (args->at)
		return pages_at(args, pc);
	if (args->watch_ns)
		return pages_watch(args, pc);
	status = args->common.view.json ? print_json(args, pc) : print_table(args, pc);
	if (status == EXIT_DONE)
		warn(pc);
	return status;
}

static int run(const struct command *cmd, void *block, int argc, char **argv)
{
	const struct pages_args *args = block;
	struct pagecount pc = { .processes = true };
	int status;

	(void)cmd;
	if (args->shared)
		return pages_shared(args, argc, argv);
	if (!argc)
		return fail(EXIT_USAGE, "pages",
			    "takes PID [PID], or --shared; see mmlens pages --help");
	status = operand(argv[0], &pc.a);
	if (!status && argc > 1)
		status = operand(argv[1], &pc.b);
	if (status)
		return status;
	frames_init(&pc.frames);
	status = dispatch(args, &pc);
	frames_deinit(&pc.frames);
	return status;
}

static const struct option_def options[] = {
	{ "at", 'a', "ADDR", OPTION_STRING, offsetof(struct pages_args, at),
	  "one address in each: mapping, frame, flags, first bytes" },
	{ "all", 0, NULL, OPTION_FLAG, offsetof(struct pages_args, all),
	  "mappings without a page in memory too" },
	{ "shared", 's', NULL, OPTION_FLAG, offsetof(struct pages_args, shared),
	  "every memory object that two or more spaces map (of these PIDs)" },
	{ "watch", 'w', "SECONDS", OPTION_SECONDS, offsetof(struct pages_args, watch_ns),
	  "what fork shared, and who breaks it, every SECONDS" },
	{ "by-region", 'R', NULL, OPTION_FLAG, offsetof(struct pages_args, by_region),
	  "what fork shared by mapping too" },
	{ "stacks", 0, NULL, OPTION_FLAG, offsetof(struct pages_args, stacks),
	  "with --watch: from where in the program pages are copied" },
	{ "count", 'c', "N", OPTION_U32, offsetof(struct pages_args, count),
	  "stop --watch after N rounds" },
	{ "frames", 0, NULL, OPTION_FLAG, offsetof(struct pages_args, frames),
	  "frame numbers instead of ids, with --at" },
};

const struct command cmd_pages = {
	.name = "pages",
	.no_file = "reads living memory: a recorded file holds no pages",
	.operands = "[PID [PID]]",
	.summary = "the same virtual page in the same or another frame; what fork left shared",
	.text = "One PID: what is in its memory and what of it is shared. Two: every mapping that "
		"both have\nat the same addresses, page by page. Frames need CAP_SYS_ADMIN.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct pages_args),
	.columns = region_columns,
	.n_columns = &region_columns_n,
	.max_operands = UINT32_MAX,
	.run = run,
};
