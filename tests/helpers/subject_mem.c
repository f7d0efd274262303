// SPDX-License-Identifier: GPL-2.0-only
/*
 * Situations of memory: a region of each nature at a printed address, with a forked child that has
 * it present too, and a parent whose child rewrote a known share of what fork gave it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "subject.h"

#define REGION_PAGES 16
#define HUGE_SIZE    (2UL << 20)
/* 1507f51255c9 ("mm: introduce memfd_secret system call", 5.14) */
#define SYS_MEMFD_SECRET 447

/* Bits of /proc/kpageflags (Documentation/admin-guide/mm/pagemap.rst). */
#define KPF_KSM	      21
#define KPF_THP	      22
#define KPF_HUGE      17
#define KPF_ZERO_PAGE 24

static size_t page;

static void region_at(void *at, size_t len)
{
	for (size_t off = 0; off < len; off += page)
		*(volatile long *)((char *)at + off) = (long)off + 1;
}

static void read_all(const void *at, size_t len)
{
	for (size_t off = 0; off < len; off += page)
		(void)*(const volatile char *)((const char *)at + off);
}

/* Between two pages without rights, so that the kernel merges it with no neighbour. */
static void *fenced(size_t len)
{
	size_t one = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, len + 2 * one, PROT_NONE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	if (p == MAP_FAILED || mprotect(p + one, len, PROT_READ | PROT_WRITE))
		return NULL;
	return p + one;
}

static void *anonymous(int flags, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The kernel's flags of the page behind @at; 0 also without the right to know. */
static uint64_t page_flags(const void *at)
{
	int maps = open("/proc/self/pagemap", O_RDONLY), flags = open("/proc/kpageflags", O_RDONLY);
	uint64_t entry = 0, bits = 0;

	if (pread(maps, &entry, 8, (off_t)((uintptr_t)at / page * 8)) != 8)
		entry = 0;
	entry &= (1ULL << 55) - 1;
	if (!entry || pread(flags, &bits, 8, (off_t)(entry * 8)) != 8)
		bits = 0;
	close(maps);
	close(flags);
	return bits;
}

static bool await_flag(const void *at, int bit, int tries)
{
	for (; tries; tries--, usleep(10000))
		if (page_flags(at) >> bit & 1)
			return true;
	return false;
}

/* A kernel that has no huge pages refuses the word. */
static bool keep_small(void *p, size_t len)
{
	return !madvise(p, len, MADV_NOHUGEPAGE) || errno == EINVAL;
}

/* ---- natures: each returns its region, written, or NULL with errno ---- */

static void *make_private(size_t *len)
{
	void *p = fenced(*len);

	if (p && keep_small(p, *len))
		region_at(p, *len);
	return p;
}

static void *make_shared(size_t *len)
{
	void *p = anonymous(MAP_SHARED, *len);

	if (p)
		region_at(p, *len);
	return p;
}

static void *map_fd(int fd, size_t len, int flags)
{
	void *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, (off_t)len))
		p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return NULL;
	region_at(p, len);
	return p;
}

static void *make_memfd(size_t *len)
{
	return map_fd(memfd_create("subject-memfd", MFD_CLOEXEC), *len, MAP_SHARED);
}

/* Out of reach even of the kernel's own reads; NULL where it has no such call. */
static void *make_secret(size_t *len)
{
	return map_fd((int)syscall(SYS_MEMFD_SECRET, 0), *len, MAP_SHARED);
}

/* The device's name and anonymous pages. */
static void *make_dev_zero(size_t *len)
{
	int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	void *p = mmap(NULL, *len, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	close(fd);
	if (p == MAP_FAILED)
		return NULL;
	region_at(p, *len);
	return p;
}

static void *make_posix_shm(size_t *len)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/subject-shm.%d", getpid());
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd >= 0)
		shm_unlink(name);
	return map_fd(fd, *len, MAP_SHARED);
}

static void *make_sysv_shm(size_t *len)
{
	int id = shmget(IPC_PRIVATE, *len, IPC_CREAT | 0600);
	void *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	if (p == (void *)-1)
		return NULL;
	region_at(p, *len);
	say("sysv_id", "%d", id);
	return p;
}

static int temporary_file(void)
{
	char path[] = "/tmp/subject-file.XXXXXX";
	int fd = mkstemp(path);

	if (fd >= 0)
		unlink(path);
	return fd;
}

static void *make_file_shared(size_t *len)
{
	return map_fd(temporary_file(), *len, MAP_SHARED);
}

static void *make_file_written(size_t *len)
{
	return map_fd(temporary_file(), *len, MAP_PRIVATE);
}

/* NULL on a kernel that gives each page read a frame of its own. */
static void *make_zero(size_t *len)
{
	void *p = fenced(*len);

	if (!p || !keep_small(p, *len))
		return NULL;
	read_all(p, *len);
	errno = ENOTSUP;
	return await_flag(p, KPF_ZERO_PAGE, 1) ? p : NULL;
}

static void *make_thp(size_t *len)
{
	char *p = anonymous(MAP_PRIVATE, 2 * HUGE_SIZE);

	if (!p)
		return NULL;
	p += HUGE_SIZE - (uintptr_t)p % HUGE_SIZE;
	*len = HUGE_SIZE;
	if (madvise(p, *len, MADV_HUGEPAGE))
		return NULL;
	region_at(p, *len);
	errno = ENOMEM;
	return await_flag(p, KPF_THP, 1) ? p : NULL;
}

static void *huge_private(size_t len)
{
	return anonymous(MAP_PRIVATE | MAP_HUGETLB | MAP_POPULATE, len);
}

static void *huge_memfd(size_t len)
{
	return map_fd(memfd_create("subject-huge", MFD_CLOEXEC | MFD_HUGETLB), len, MAP_SHARED);
}

static void *huge_sysv(size_t len)
{
	int id = shmget(IPC_PRIVATE, len, IPC_CREAT | SHM_HUGETLB | 0600);
	void *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	if (p == (void *)-1)
		return NULL;
	say("sysv_huge_id", "%d", id);
	return p;
}

/* Lends the kernel huge pages beyond its pool, which fall back to it when the subject ends. */
static void *lend_huge(void *(*make)(size_t len), size_t *len)
{
	static const char over[] = "/proc/sys/vm/nr_overcommit_hugepages";
	char before[32];
	void *p;

	*len = HUGE_SIZE;
	if (!read_text(over, before, sizeof(before)))
		return NULL;
	if (atoi(before) < 8 && !write_text(over, "8"))
		return NULL;
	p = make(*len);
	if (p)
		region_at(p, *len);
	if (atoi(before) < 8)
		write_text(over, before);
	return p;
}

static void *make_hugetlb(size_t *len)
{
	return lend_huge(huge_private, len);
}

static void *make_memfd_huge(size_t *len)
{
	return lend_huge(huge_memfd, len);
}

static void *make_sysv_huge(size_t *len)
{
	return lend_huge(huge_sysv, len);
}

/* By the kernel's count of ours (6.1), else by the flags of first and last: some kernels flag all. */
static bool await_merged(const char *p, size_t len)
{
	static const char count[] = "/proc/self/ksm_merging_pages";
	int tries = 2000;
	char text[32];

	if (!read_text(count, text, sizeof(text)))
		return await_flag(p, KPF_KSM, 1500) && await_flag(p + len - page, KPF_KSM, 500);
	while (strtoul(text, NULL, 10) < len / page && --tries && read_text(count, text, 32))
		usleep(10000);
	return tries;
}

/* All pages alike, so ksmd leaves one. It is set going only until it has. */
static void *make_ksm(size_t *len)
{
	char *p = fenced(*len);
	bool merged = false;

	if (!p || madvise(p, *len, MADV_MERGEABLE))
		return NULL;
	memset(p, 0x5a, *len);
	if (ksm_hurry()) {
		merged = await_merged(p, *len);
		errno = ETIMEDOUT;
	}
	ksm_calm();
	return merged ? p : NULL;
}

static const struct nature {
	const char *name;
	void *(*make)(size_t *len);
	bool half; /* the child rewrites the first half */
} natures[] = {
	{ "private", make_private, true },
	{ "shared_anon", make_shared, false },
	{ "memfd", make_memfd, false },
	{ "memfd_secret", make_secret, false },
	{ "dev_zero", make_dev_zero, true },
	{ "posix_shm", make_posix_shm, false },
	{ "sysv_shm", make_sysv_shm, false },
	{ "file_shared", make_file_shared, false },
	{ "file_private", make_file_written, true },
	{ "zero", make_zero, false },
	{ "thp", make_thp, false },
	{ "hugetlb", make_hugetlb, false },
	{ "memfd_huge", make_memfd_huge, false },
	{ "sysv_huge", make_sysv_huge, false },
	{ "ksm", make_ksm, false },
};

#define NATURES (sizeof(natures) / sizeof(natures[0]))

struct region {
	char *at; /* NULL: not asked for, or not to be had */
	size_t len;
};

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

struct mem_stage {
	struct region regions[NATURES];
	int arrived;
};

static void child_side(void *arg)
{
	struct mem_stage *stage = arg;

	for (size_t i = 0; i < NATURES; i++) {
		struct region *r = &stage->regions[i];

		if (r->at)
			read_all(r->at, r->len);
		if (r->at && natures[i].half)
			region_at(r->at, r->len / 2);
	}
	post_word(&stage->arrived, 1);
}

/* Why the last nature could not be had, without a space. */
static const char *reason(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s", strerror(errno));
	for (char *c = text; *c; c++)
		if (*c == ' ')
			*c = '-';
	return text;
}

static void make_regions(struct mem_stage *stage, int argc, char **argv)
{
	char absent[512] = "";

	for (size_t i = 0; i < NATURES; i++) {
		struct region *r = &stage->regions[i];

		if (!wanted(natures[i].name, argc, argv))
			continue;
		r->len = REGION_PAGES * page;
		errno = 0;
		r->at = natures[i].make(&r->len);
		if (r->at)
			say_range(natures[i].name, r->at, r->len);
		else
			snprintf(absent + strlen(absent), sizeof(absent) - strlen(absent),
				 "%s%s:%s", absent[0] ? "," : "", natures[i].name, reason());
	}
	say("absent", "%s", absent[0] ? absent : "-");
}

static void mappings(int argc, char **argv)
{
	struct mem_stage *stage = shared_memory(sizeof(*stage));
	pid_t child;

	page = (size_t)sysconf(_SC_PAGESIZE);
	make_regions(stage, argc, argv);
	child = fork_child(child_side, stage);
	await_word(&stage->arrived);
	say_task("pid", getpid(), "process");
	say_task("child", child, "process");
	ready_and_hold();
}

/* ---- cow: K % of M MiB rewritten by the child, spread evenly ---- */

struct cow {
	char *at;
	size_t pages;
	long percent;
	size_t rewritten;
	int done;
};

static void rewrite(void *arg)
{
	struct cow *cow = arg;

	/* As Bresenham draws a line: the share is exact over the whole and even on the way. */
	for (size_t i = 0; i < cow->pages; i++) {
		if ((i + 1) * (size_t)cow->percent / 100 == i * (size_t)cow->percent / 100)
			continue;
		*(volatile long *)(cow->at + i * page) = -1;
		cow->rewritten++;
	}
	post_word(&cow->done, 1);
}

static void cow(int argc, char **argv)
{
	struct cow *cow = shared_memory(sizeof(*cow));
	size_t len = (size_t)number(argc, argv, 2, 64) << 20;
	pid_t child;

	page = (size_t)sysconf(_SC_PAGESIZE);
	cow->percent = number(argc, argv, 1, 25);
	cow->pages = len / page;
	cow->at = make_private(&len);
	if (!cow->at)
		unavailable("memory: %s", strerror(errno));
	child = fork_child(rewrite, cow);
	await_word(&cow->done);
	say_task("pid", getpid(), "process");
	say_task("child", child, "process");
	say_range("region", cow->at, len);
	say("pages", "%zu", cow->pages);
	say("different", "%zu", cow->rewritten);
	ready_and_hold();
}

/* ---- erosion: two workers that rewrite their shares only when told ---- */

struct erosion {
	struct cow worker[2]; /* by storing, and by having read(2) write */
	int told;
};

static void store(struct cow *cow)
{
	for (size_t i = 0; i < cow->rewritten; i++)
		*(volatile long *)(cow->at + i * page) = -1;
}

static void have_written(struct cow *cow)
{
	int zero = open("/dev/zero", O_RDONLY);

	for (size_t i = 0; i < cow->rewritten; i++)
		if (read(zero, cow->at + i * page, 8) != 8)
			fail("read");
	close(zero);
}

static struct erosion *erosion;

static void erode(void *arg)
{
	struct cow *cow = arg;

	while (!__atomic_load_n(&erosion->told, __ATOMIC_ACQUIRE))
		usleep(1000);
	(cow == erosion->worker ? store : have_written)(cow);
	post_word(&cow->done, 1);
}

static void eroding(int argc, char **argv)
{
	size_t len = (size_t)number(argc, argv, 3, 16) << 20;
	char *at;

	page = (size_t)sysconf(_SC_PAGESIZE);
	erosion = shared_memory(sizeof(*erosion));
	at = make_private(&len);
	if (!at)
		unavailable("memory: %s", strerror(errno));
	say_task("pid", getpid(), "process");
	for (int i = 0; i < 2; i++) {
		struct cow *cow = &erosion->worker[i];

		cow->at = at;
		cow->rewritten = len / page * (size_t)number(argc, argv, i + 1, 25) / 100;
		say_task(i ? "reader" : "storer", fork_child(erode, cow), "process");
	}
	say_range("region", at, len);
	say("pages", "%zu", len / page);
	ready_and_hold();
	post_word(&erosion->told, 1);
	for (int i = 0; i < 2; i++)
		await_word(&erosion->worker[i].done);
	printf("done stored=%zu read=%zu\n", erosion->worker[0].rewritten,
	       erosion->worker[1].rewritten);
	fflush(stdout);
	hold();
}

/* ---- many: N mappings of a page each, in a forked child too ---- */

/* A process may have 65,530 mappings by default; the limit is lifted for the making alone. */
static void many(int argc, char **argv)
{
	static const char limit[] = "/proc/sys/vm/max_map_count";
	size_t n = (size_t)number(argc, argv, 1, 100000);
	bool lifted = false;
	char before[32], *at;

	page = (size_t)sysconf(_SC_PAGESIZE);
	at = fenced(n * page);
	if (!at || !read_text(limit, before, sizeof(before)))
		unavailable("%s: %s", limit, strerror(errno));
	if ((size_t)atol(before) < n + 1000) {
		lifted = write_text(limit, "2000000");
		if (!lifted)
			unavailable("%s: %s", limit, strerror(errno));
	}
	region_at(at, n * page);
	for (size_t i = 0; i < n; i += 2)
		if (mprotect(at + i * page, page, PROT_READ))
			fail("mprotect");
	say_task("pid", getpid(), "process");
	say_task("child", fork_child(NULL, NULL), "process");
	if (lifted)
		write_text(limit, before);
	say_range("region", at, n * page);
	ready_and_hold();
}

/* ---- giant: tens of TiB reserved, a page touched here and there ---- */

static void giant(int argc, char **argv)
{
	size_t len = (size_t)number(argc, argv, 1, 16) << 40, touched = 16;
	int protection = number(argc, argv, 2, 1) ? PROT_READ | PROT_WRITE : PROT_NONE;
	char *at = mmap(NULL, len, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	page = (size_t)sysconf(_SC_PAGESIZE);
	if (at == MAP_FAILED)
		unavailable("%zu TiB: %s", len >> 40, strerror(errno));
	if (!keep_small(at, len))
		fail("MADV_NOHUGEPAGE");
	for (size_t i = 0; protection && i < touched; i++)
		at[len / touched * i] = 1;
	say_task("pid", getpid(), "process");
	say_task("child", fork_child(NULL, NULL), "process");
	say_range("region", at, len);
	say("touched", "%zu", protection ? touched : 0);
	ready_and_hold();
}

/* ---- giant-huge: likewise, in huge pages, which are in no count of resident pages ---- */

#define GIANT_HUGE (8UL << 30)

static void *reserve_huge(size_t len)
{
	(void)len;
	return anonymous(MAP_SHARED | MAP_HUGETLB | MAP_NORESERVE, GIANT_HUGE);
}

static void giant_huge(int argc, char **argv)
{
	size_t len;
	char *at;

	(void)argc, (void)argv;
	page = (size_t)sysconf(_SC_PAGESIZE);
	at = lend_huge(reserve_huge, &len);
	if (!at)
		unavailable("huge pages: %s", strerror(errno));
	say_task("pid", getpid(), "process");
	say_task("child", fork_child(NULL, NULL), "process");
	say_range("region", at, GIANT_HUGE);
	say("touched", "%zu", len / page);
	ready_and_hold();
}

/* ---- high: above what four levels of page tables reach ---- */

static void high(int argc, char **argv)
{
	size_t len = 16 * (size_t)(page = (size_t)sysconf(_SC_PAGESIZE));
	char *there = (void *)(1UL << 50);
	char *at = mmap(there, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)argc, (void)argv;
	if (at != there)
		unavailable("no addresses above those of four levels of page tables");
	region_at(at, len);
	say_task("pid", getpid(), "process");
	say_task("child", fork_child(NULL, NULL), "process");
	say_range("region", at, len);
	ready_and_hold();
}

/* ---- remap: mappings that come, split, move and go without end ---- */

static void remap_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		char *at = anonymous(MAP_PRIVATE, 64 * page), *moved;

		if (!at)
			continue;
		region_at(at, 64 * page);
		for (size_t i = 0; i < 64; i += 2)
			mprotect(at + i * page, page, PROT_READ);
		moved = mremap(at, page, 3 * page, MREMAP_MAYMOVE);
		if (moved != MAP_FAILED)
			munmap(moved, 3 * page);
		munmap(at, 64 * page);
	}
}

static void remap(int argc, char **argv)
{
	pid_t child;

	(void)argc, (void)argv;
	page = (size_t)sysconf(_SC_PAGESIZE);
	child = fork_child(remap_for_ever, NULL);
	printf("ready subject=remap pid=%d child=%d kinds=pid:process,child:process\n", child,
	       getpid());
	fflush(stdout);
	hold();
}

const struct situation mem_situations[] = {
	{ "mappings", "[NATURE...]", "regions of each nature, present in a forked child too",
	  mappings },
	{ "cow", "[K=25] [M=64]", "a fork whose child rewrote K % of M MiB", cow },
	{ "erosion", "[K=25] [L=25] [M=16]",
	  "two workers that on a line of input rewrite K % and, by read(2), L % of M MiB",
	  eroding },
	{ "many", "[N=100000]", "a fork with N mappings of one page each", many },
	{ "giant", "[T=16] [W=1]", "T TiB mapped, 16 pages of them touched; W 0: PROT_NONE",
	  giant },
	{ "giant-huge", "", "8 GiB mapped in huge pages, one of them touched", giant_huge },
	{ "high", "", "a mapping above 47 bits, and a fork", high },
	{ "remap", "", "a child whose mappings never rest", remap },
	{ 0 },
};
