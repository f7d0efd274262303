// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/pagemap.h"

/* 52526ca7fdb9 ("fs/proc/task_mmu: implement IOCTL to get and optionally clear info about PTEs",
 * 6.7): the headers of Debian 12 do not know it. */
struct scan_range {
	__u64 start;
	__u64 end;
	__u64 categories;
};

struct scan_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 walk_end;
	__u64 vec;
	__u64 vec_len;
	__u64 max_pages;
	__u64 category_inverted;
	__u64 category_mask;
	__u64 category_anyof_mask;
	__u64 return_mask;
};

#define SCAN_IOCTL   _IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT (1 << 3)
#define SCAN_SWAPPED (1 << 4)
#define SCAN_GUARD   (1 << 8) /* 6.15 */

/* 662df3e5c376 ("mm: madvise: implement lightweight guard page mechanism", 6.13) */
#define GUARD_INSTALL 102
#define GUARD_ENTRIES 512 /* read at once */

int pagemap_open(struct pagemap *p, uint32_t pid)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* 6.16 refuses whom it has no space of; those before it open, and then have nothing to read */
	if (fd < 0)
		return errno == ESRCH ? -ENODATA : -errno;
	*p = (struct pagemap){ .fd = fd, .pid = pid };
	p->page_shift = (unsigned int)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	return 0;
}

void pagemap_close(struct pagemap *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

int pagemap_read(const struct pagemap *p, uint64_t va, size_t n, uint64_t *out)
{
	off_t at = (off_t)((va >> p->page_shift) * sizeof(*out));
	size_t want = n * sizeof(*out), got = 0;

	while (got < want) {
		ssize_t r = pread(p->fd, (char *)out + got, want - got, at + (off_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		got += (size_t)r;
	}
	memset((char *)out + got, 0, want - got);
	return 0;
}

/* 1 and the first range of the category, at most `max` pages (0: whole), 0: none, -errno. */
static int scan(const struct pagemap *p, uint64_t start, uint64_t end, uint64_t category,
		uint64_t max, struct scan_range *found)
{
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)found,
		.vec_len = 1,
		.max_pages = max,
		.category_anyof_mask = category,
		.return_mask = category,
	};
	int n = ioctl(p->fd, SCAN_IOCTL, &arg);

	return n < 0 ? -errno : n;
}

int pagemap_seek(struct pagemap *p, uint64_t *va, uint64_t end)
{
	struct scan_range found;
	int n;

	if (p->no_scan)
		return -EOPNOTSUPP;
	n = scan(p, *va, end, SCAN_PRESENT | SCAN_SWAPPED, 1, &found);
	if (n == -EINVAL || n == -ENOTTY) {
		p->no_scan = true;
		return -EOPNOTSUPP;
	}
	if (n > 0)
		*va = found.start;
	return n;
}

/* Asked of a marker of our own, for no version says what was brought to an older kernel. */
enum guard_sight pagemap_guard_sight(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	enum guard_sight sight = GUARDS_HIDDEN;
	struct pagemap self;
	uint64_t entry = 0;

	if (at == MAP_FAILED)
		return sight;
	if (madvise(at, page, GUARD_INSTALL)) {
		if (errno == EINVAL)
			sight = GUARDS_NEVER;
	} else if (!pagemap_open(&self, (uint32_t)getpid())) {
		if (!pagemap_read(&self, (uintptr_t)at, 1, &entry) && page_is_guard(entry))
			sight = GUARDS_SHOWN;
		pagemap_close(&self);
	}
	munmap(at, page);
	return sight;
}

static int read_guards(const struct pagemap *p, uint64_t *va, uint64_t end, uint64_t *stop)
{
	uint64_t entries[GUARD_ENTRIES], page = 1ULL << p->page_shift;
	bool found = false;

	for (uint64_t at = *va; at < end; at += GUARD_ENTRIES * page) {
		uint64_t left = (end - at + page - 1) >> p->page_shift;
		size_t n = left < GUARD_ENTRIES ? (size_t)left : GUARD_ENTRIES;
		int err = pagemap_read(p, at, n, entries);

		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			bool guard = page_is_guard(entries[i]);

			if (found && !guard)
				return 1;
			if (!found && guard)
				*va = at + i * page;
			if (guard)
				*stop = at + (i + 1) * page;
			found = guard;
		}
	}
	return found;
}

int pagemap_next_guard(struct pagemap *p, uint64_t *va, uint64_t end, uint64_t *stop)
{
	struct scan_range found;
	int n;

	if (!p->no_guard_scan) {
		n = scan(p, *va, end, SCAN_GUARD, 0, &found);
		if (n > 0) {
			*va = found.start;
			*stop = found.end;
		}
		if (n != -EINVAL && n != -ENOTTY)
			return n;
		p->no_guard_scan = true;
	}
	if (p->guards == GUARDS_UNTRIED)
		p->guards = pagemap_guard_sight();
	if (p->guards == GUARDS_SHOWN)
		return read_guards(p, va, end, stop);
	return p->guards == GUARDS_NEVER ? 0 : -EOPNOTSUPP;
}
