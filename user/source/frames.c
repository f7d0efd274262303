// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/frames.h"
#include "source/maps.h"
#include "source/pagemap.h"

/* linux/kernel-page-flags.h */
#define KPF_COMPOUND_TAIL 16
#define KPF_HUGE	  17
#define KPF_KSM		  21
#define KPF_THP		  22
#define KPF_ZERO	  24

#define HUGE_BYTES	  (2u << 20) /* where the kernel does not say */
/* Flags read at once over a run of neighbouring frames. */
#define FLAG_RUN 512

static uint64_t entry_of(const struct pagemap *self, const void *at)
{
	uint64_t entry = 0;

	pagemap_read(self, (uintptr_t)at & ~((1ULL << self->page_shift) - 1), 1, &entry);
	return entry;
}

/*
 * A page read but never written is the zero page, but on a kernel that does without it: there each
 * is a page of its own.
 */
static uint64_t find_zero(const struct pagemap *self)
{
	size_t len = 1UL << self->page_shift;
	volatile char *p = mmap(NULL, 2 * len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t first, second;

	if (p == MAP_FAILED)
		return 0;
	(void)p[0], (void)p[len];
	first = entry_of(self, (const void *)p);
	second = entry_of(self, (const char *)p + len);
	munmap((void *)p, 2 * len);
	if (!(first & second & PAGE_PRESENT) || (first ^ second) & PAGE_FRAME)
		return 0;
	return first & PAGE_FRAME;
}

static bool ksm_in_use(void)
{
	cleanup_fclose FILE *f = fopen("/sys/kernel/mm/ksm/pages_shared", "re");
	unsigned long n = 0;

	/* without the file there is no KSM */
	return f && (fscanf(f, "%lu", &n) != 1 || n);
}

static bool find_line(const char *path, const char *word)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	cleanup_free char *line = NULL;
	bool found = false;
	size_t room = 0;

	while (f && !found && getline(&line, &room, f) > 0)
		found = strstr(line, word);
	return found;
}

static int add_range(struct mergeable *m, const struct region *r)
{
	struct mergeable_range *more = realloc(m->range, (m->n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	m->range = more;
	m->range[m->n++] = (struct mergeable_range){ r->start, r->end };
	return 0;
}

/*
 * Only what was advised or asked to be mergeable is ever merged, and it stays so marked; of which
 * mappings some was merged, smaps says since 6.8.
 */
static void read_smaps(const char *path, struct mergeable *m)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	cleanup_free char *line = NULL;
	bool marked = false, told = false;
	struct region r = { 0 };
	unsigned long kib;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		if (sscanf(line, "KSM: %lu", &kib) == 1) {
			told = true;
			if (kib && add_range(m, &r))
				told = false;
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			marked |= strstr(line, " mg") != NULL;
		} else {
			maps_parse(line, &r);
		}
	}
	m->anywhere = marked && !told;
}

void frames_mergeable(const struct frames *f, uint32_t pid, struct mergeable *out)
{
	char path[40];

	*out = (struct mergeable){ 0 };
	if (!f->ksm)
		return;
	snprintf(path, sizeof(path), "/proc/%u/ksm_stat", pid);
	if (find_line(path, "ksm_mergeable: no"))
		return;
	snprintf(path, sizeof(path), "/proc/%u/smaps", pid);
	read_smaps(path, out);
}

void mergeable_deinit(struct mergeable *m)
{
	free(m->range);
	*m = (struct mergeable){ 0 };
}

static size_t huge_pages(void)
{
	cleanup_fclose FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");
	unsigned long bytes;

	if (!f || fscanf(f, "%lu", &bytes) != 1 || !bytes)
		bytes = HUGE_BYTES;
	return bytes / (size_t)sysconf(_SC_PAGESIZE);
}

/* What is told of pages of our own. */
static void try_own(struct frames *f)
{
	struct pagemap self;
	uint64_t here = 1, flags;

	if (pagemap_open(&self, (uint32_t)getpid()))
		return;
	here = entry_of(&self, &here) & PAGE_FRAME;
	f->visible = here;
	f->ksm_of_all = frames_flags(f, here, &flags) && flags & 1ULL << KPF_KSM;
	f->zero = find_zero(&self);
	pagemap_close(&self);
}

void frames_init(struct frames *f)
{
	memset(f, 0, sizeof(*f));
	f->flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	f->count_fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	try_own(f);
	f->ksm = ksm_in_use();
	f->huge = huge_pages();
	if (getrandom(f->key, sizeof(f->key), 0) != (ssize_t)sizeof(f->key))
		f->key[0] = (uintptr_t)f ^ (uint64_t)getpid();
}

void frames_deinit(struct frames *f)
{
	if (f->flags_fd >= 0)
		close(f->flags_fd);
	if (f->count_fd >= 0)
		close(f->count_fd);
}

static bool read_one(int fd, uint64_t frame, uint64_t *v)
{
	return fd >= 0 && pread(fd, v, sizeof(*v), (off_t)(frame * sizeof(*v))) == sizeof(*v);
}

bool frames_flags(const struct frames *f, uint64_t frame, uint64_t *flags)
{
	return read_one(f->flags_fd, frame, flags);
}

bool frames_count(const struct frames *f, uint64_t frame, uint64_t *count)
{
	return read_one(f->count_fd, frame, count);
}

/* A block cipher of 64 bits would do; this mixes as murmur's finalizer, keyed on both sides. */
uint64_t frames_id(const struct frames *f, uint64_t frame)
{
	uint64_t v = frame ^ f->key[0];

	for (int i = 0; i < 2; i++) {
		v = (v ^ v >> 33) * 0xff51afd7ed558ccdULL;
		v = (v ^ v >> 33) * 0xc4ceb9fe1a85ec53ULL;
		v ^= v >> 33 ^ f->key[1];
	}
	return v;
}

static void label_zero(const struct frames *f, size_t n, uint64_t *e)
{
	const uint64_t zero = PAGE_PRESENT | f->zero, known = f->zero ? PAGE_ZERO : 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t other = (e[i] & (PAGE_PRESENT | PAGE_FRAME)) ^ zero;

		/* all ones for the zero page alone; no branch, so that several are done at once */
		e[i] = (e[i] & ~PAGE_LABELS) | (known & -((~other & (other - 1)) >> 63));
	}
}

/* PAGE_HUGE or PAGE_ZERO for all of the block that begins with this frame, 0 for neither. */
static uint64_t block_label(const struct frames *f, uint64_t first)
{
	uint64_t head, last;

	if (first % f->huge || !frames_flags(f, first, &head) ||
	    !frames_flags(f, first + f->huge - 1, &last) || !(last & 1ULL << KPF_COMPOUND_TAIL) ||
	    !(head & (1ULL << KPF_HUGE | 1ULL << KPF_THP)))
		return 0;
	return head & 1ULL << KPF_ZERO ? PAGE_ZERO : PAGE_HUGE;
}

/* A huge page is contiguous and aligned on both sides; a piece may begin or end within one. */
static void label_huge(const struct frames *f, uint64_t va, size_t n, uint64_t *e)
{
	uint64_t page = va / (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0, next; i < n; i = next) {
		size_t in = (page + i) % f->huge, left = f->huge - in;
		uint64_t frame = e[i] & PAGE_FRAME, label;

		next = i + (left < n - i ? left : n - i);
		if (!(e[i] & e[next - 1] & PAGE_PRESENT) || frame < in ||
		    (e[next - 1] & PAGE_FRAME) != frame + (next - 1 - i))
			continue;
		label = block_label(f, frame - in);
		for (size_t k = i; label && k < next; k++)
			e[k] |= label;
	}
}

static bool is_mergeable(const struct mergeable *m, uint64_t va)
{
	for (size_t i = 0; i < m->n && !m->anywhere; i++)
		if (va >= m->range[i].start && va < m->range[i].end)
			return true;
	return m->anywhere;
}

/*
 * Debian's 6.12 has kpageflags call every anonymous page merged, ours too. There one is told by its
 * being mapped more than once; in a mapping with merged pages what is shared since fork is taken
 * for merged as well.
 */
static bool may_be_merged(const struct frames *f, uint64_t e)
{
	uint64_t never = PAGE_FILE | PAGE_ZERO | PAGE_HUGE | (f->ksm_of_all ? PAGE_EXCLUSIVE : 0);

	return (e & (PAGE_PRESENT | never)) == PAGE_PRESENT;
}

/* Neighbouring pages often have neighbouring frames, or the very same merged one. */
static void label_ksm(const struct frames *f, uint64_t va, size_t n, uint64_t *e,
		      const struct mergeable *m)
{
	uint64_t flags[FLAG_RUN], base = 0, have = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < n; i++) {
		uint64_t frame = e[i] & PAGE_FRAME;
		size_t run = 1;

		if (!may_be_merged(f, e[i]) || !is_mergeable(m, va + i * page))
			continue;
		if (frame < base || frame >= base + have) {
			while (run < FLAG_RUN && i + run < n &&
			       (e[i + run] & PAGE_FRAME) == frame + run)
				run++;
			ssize_t got = pread(f->flags_fd, flags, run * 8, (off_t)(frame * 8));

			base = frame;
			have = got > 0 ? (uint64_t)got / 8 : 0;
		}
		if (have && flags[frame - base] & 1ULL << KPF_KSM)
			e[i] |= PAGE_KSM;
	}
}

void frames_label(const struct frames *f, uint64_t va, size_t n, uint64_t *entries,
		  const struct mergeable *m)
{
	label_zero(f, n, entries);
	if (!f->visible || f->flags_fd < 0)
		return;
	label_huge(f, va, n, entries);
	if (m && (m->anywhere || m->n))
		label_ksm(f, va, n, entries, m);
}
