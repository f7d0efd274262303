// SPDX-License-Identifier: GPL-2.0-only
/* One address in one or two spaces: its mapping, its frame, its first bytes. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/pages.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define BYTES 16

/* The page at the address, in one space. */
struct spot {
	uint32_t pid;
	bool mapped;
	struct region region;
	uint64_t entry;
	uint64_t flags;
	uint64_t mappings;
	bool flags_known;
	bool mappings_known;
	uint8_t bytes[BYTES];
	size_t n_bytes;
};

/* linux/kernel-page-flags.h, the ones that tell what a page is. */
static const struct {
	int bit;
	const char *name;
} flag_names[] = {
	{ 2, "referenced" },  { 3, "up_to_date" },     { 4, "dirty" },
	{ 5, "lru" },	      { 6, "active" },	       { 8, "writeback" },
	{ 11, "mmap" },	      { 12, "anon" },	       { 13, "swapcache" },
	{ 14, "swapbacked" }, { 15, "compound-head" }, { 16, "compound-tail" },
	{ 17, "huge" },	      { 18, "unevictable" },   { 21, "ksm" },
	{ 22, "thp" },	      { 24, "zero" },
};

static char *flags_text(char *buf, size_t n, uint64_t flags)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(flag_names) && at < n; i++)
		if (flags >> flag_names[i].bit & 1)
			at += (size_t)snprintf(buf + at, n - at, "%s%s", at ? "," : "",
					       flag_names[i].name);
	return buf;
}

static int find_region(struct spot *s, uint64_t va)
{
	struct maps *m;
	bool any = false;
	int got = maps_open(s->pid, &m);

	if (got)
		return got;
	while ((got = maps_next(m, &s->region)) == 1) {
		any = true;
		if (va < s->region.end)
			break;
	}
	s->mapped = got == 1 && va >= s->region.start;
	maps_close(m);
	return got < 0 ? got : any ? 0 : -ENODATA;
}

static void read_bytes(struct spot *s, uint64_t va)
{
	cleanup_close int fd = -1;
	uint64_t page = (uint64_t)getpagesize(), left = page - va % page;
	char path[40];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%u/mem", s->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* only what is there: reading an absent page would make it, and so would the next */
	got = fd < 0 || !(s->entry & PAGE_PRESENT)
		      ? 0
		      : pread(fd, s->bytes, left < BYTES ? left : BYTES, (off_t)va);
	s->n_bytes = got > 0 ? (size_t)got : 0;
}

static int spot_read(struct spot *s, const struct frames *f, uint32_t pid, uint64_t va)
{
	struct mergeable mergeable;
	struct pagemap map;
	int err;

	memset(s, 0, sizeof(*s));
	s->pid = pid;
	err = find_region(s, va);
	if (err || !s->mapped)
		return err;
	err = pagemap_open(&map, pid);
	if (err)
		return err;
	err = va >> 63 ? 0 : pagemap_read(&map, va, 1, &s->entry);
	pagemap_close(&map);
	frames_mergeable(f, pid, &mergeable);
	frames_label(f, va, 1, &s->entry, &mergeable);
	mergeable_deinit(&mergeable);
	if (s->entry & PAGE_PRESENT && s->entry & PAGE_FRAME) {
		s->flags_known = frames_flags(f, s->entry & PAGE_FRAME, &s->flags);
		s->mappings_known = frames_count(f, s->entry & PAGE_FRAME, &s->mappings);
		if (s->flags & (1 << 17 | 1 << 22))
			s->entry |= PAGE_HUGE;
	}
	read_bytes(s, va);
	return err;
}

static const char *state_of(const struct spot *s)
{
	if (!s->mapped)
		return "not mapped";
	if (s->entry & PAGE_PRESENT)
		return s->entry & PAGE_ZERO ? "zero page" : "present";
	if (page_is_guard(s->entry))
		return "guard";
	return page_is_swapped(s->entry) ? "swapped" : "absent";
}

static bool has_frame(const struct spot *s)
{
	return s->entry & PAGE_PRESENT && s->entry & PAGE_FRAME;
}

static const char *relation(const struct spot *a, const struct spot *b)
{
	if (!(a->entry & b->entry & PAGE_PRESENT))
		return "absent";
	if (!has_frame(a) || !has_frame(b))
		return NULL;
	return (a->entry ^ b->entry) & PAGE_FRAME ? "different" : "same";
}

static uint64_t frame_of(const struct pages_args *args, const struct frames *f,
			 const struct spot *s)
{
	uint64_t frame = s->entry & PAGE_FRAME;

	return args->frames ? frame : frames_id(f, frame);
}

static void hex(char *buf, size_t room, const struct spot *s)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < s->n_bytes && at < room; i++)
		at += (size_t)snprintf(buf + at, room - at, "%s%02x", i ? " " : "", s->bytes[i]);
}

static void print_spot(const struct pages_args *args, const struct frames *f, const struct spot *s)
{
	char line[3 * BYTES + 1], name[REGION_NAME_MAX * 4], flags[256];
	const struct region *r = &s->region;

	printf("%u: %s", s->pid, state_of(s));
	if (s->mapped)
		printf(", in %llx-%llx %s %s %s", (unsigned long long)r->start,
		       (unsigned long long)r->end, r->perms, nature_name(region_nature(r)),
		       text_escape(name, sizeof(name), r->name));
	printf("\n");
	if (has_frame(s))
		printf("    frame %llx", (unsigned long long)frame_of(args, f, s));
	if (s->mappings_known)
		printf(", mapped %llu times", (unsigned long long)s->mappings);
	if (s->flags_known)
		printf(", %s", flags_text(flags, sizeof(flags), s->flags));
	if (has_frame(s))
		printf("\n");
	if (!s->n_bytes)
		return;
	hex(line, sizeof(line), s);
	printf("    bytes %s  |", line);
	for (size_t i = 0; i < s->n_bytes; i++)
		putchar(isprint(s->bytes[i]) ? s->bytes[i] : '.');
	printf("|\n");
}

static void json_spot(struct json *j, const struct pages_args *args, const struct frames *f,
		      const struct spot *s)
{
	char text[256];

	json_object(j, NULL);
	json_uint(j, "pid", s->pid);
	json_str(j, "state", state_of(s));
	json_str(j, "name", s->mapped && *s->region.name ? s->region.name : NULL);
	json_str(j, "perms", s->mapped ? s->region.perms : NULL);
	json_str(j, "nature", s->mapped ? nature_name(region_nature(&s->region)) : NULL);
	json_id(j, "frame", has_frame(s) ? frame_of(args, f, s) : 0);
	json_str(j, "flags", s->flags_known ? flags_text(text, sizeof(text), s->flags) : NULL);
	if (s->mappings_known)
		json_uint(j, "mappings", s->mappings);
	else
		json_null(j, "mappings");
	hex(text, sizeof(text), s);
	json_str(j, "bytes", s->n_bytes ? text : NULL);
	json_object_end(j);
}

static int print_json(const struct pages_args *args, const struct frames *f, uint64_t va,
		      const struct spot *spots, size_t n)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "pages", "out of memory");
	json_object(j, NULL);
	pages_json_head(j);
	json_uint(j, "at", va);
	json_str(j, "frames", n == 2 ? relation(&spots[0], &spots[1]) : NULL);
	json_array(j, "spots");
	for (size_t i = 0; i < n; i++)
		json_spot(j, args, f, &spots[i]);
	json_array_end(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

static void print_verdict(uint64_t va, const struct spot *a, const struct spot *b)
{
	const char *rel = relation(a, b);
	bool alike =
		a->n_bytes && a->n_bytes == b->n_bytes && !memcmp(a->bytes, b->bytes, a->n_bytes);

	const char *bytes = !a->n_bytes || !b->n_bytes ? ""
			    : alike		       ? "; the bytes are alike"
						       : "; the bytes differ";

	if (!rel)
		printf("%llx is in memory in both, in which frames is hidden%s.\n",
		       (unsigned long long)va, bytes);
	else if (strcmp(rel, "absent") != 0)
		printf("%llx is %s frame in both%s.\n", (unsigned long long)va,
		       *rel == 's' ? "in the same" : "the same address but not the same", bytes);
}

static int parse_address(const char *word, uint64_t *va)
{
	char *end;

	errno = 0;
	*va = strtoull(word, &end, 16);
	if (errno || !isxdigit((unsigned char)*word) || *end)
		return fail(EXIT_USAGE, word, "not an address: it is hexadecimal, as in maps");
	return 0;
}

int pages_at(const struct pages_args *args, struct pagecount *pc)
{
	struct spot spots[2];
	size_t n = pc->b ? 2 : 1;
	uint64_t va;
	int status = parse_address(args->at, &va);

	if (status)
		return status;
	if (args->frames && !pc->frames.visible)
		return fail(EXIT_MISSING, "--frames",
			    "frame numbers need CAP_SYS_ADMIN: run as root");
	for (size_t i = 0; i < n; i++) {
		uint32_t pid = i ? pc->b : pc->a;
		int err = spot_read(&spots[i], &pc->frames, pagecount_reads(pc, pid), va);

		pc->failed = pid;
		if (err)
			return pagecount_fail(pc, err);
		spots[i].pid = pid;
	}
	if (args->common.view.json)
		return print_json(args, &pc->frames, va, spots, n);
	for (size_t i = 0; i < n; i++)
		print_spot(args, &pc->frames, &spots[i]);
	if (n == 2)
		print_verdict(va, &spots[0], &spots[1]);
	if (!pc->frames.visible)
		note("frames", "hidden from you: run as root (CAP_SYS_ADMIN) to see them");
	return EXIT_DONE;
}
