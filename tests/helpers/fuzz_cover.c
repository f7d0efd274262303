// SPDX-License-Identifier: GPL-2.0-only
/* KCOV as Documentation/dev-tools/kcov.rst has it. Only the module is built with it (its Kbuild). */
#include <fcntl.h>
#include <linux/kcov.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz_cover.h"

#define WORDS  (64 << 10)
#define PLACES (16 << 10) /* a power of two, well above what the module has */

static unsigned long *area;	     /* how many words follow, then the addresses */
static unsigned long places[PLACES]; /* a hash table; 0 for none */
static int total;

bool cover_init(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	void *at;

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, WORDS))
		return false;
	at = mmap(NULL, WORDS * sizeof(*area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		return false;
	area = at;
	return true;
}

void cover_begin(void)
{
	if (area)
		__atomic_store_n(area, 0, __ATOMIC_RELAXED);
}

static bool is_new(unsigned long address)
{
	unsigned long at = address * 0x9e3779b97f4a7c15UL >> 40;

	for (;; at++) {
		unsigned long *place = &places[at % PLACES];

		if (*place == address || total == PLACES / 2)
			return false;
		if (*place)
			continue;
		*place = address;
		total++;
		return true;
	}
}

int cover_new(void)
{
	unsigned long n = area ? __atomic_load_n(area, __ATOMIC_RELAXED) : 0;
	int found = 0;

	for (unsigned long i = 1; i <= n; i++)
		found += is_new(area[i]);
	return found;
}

int cover_total(void)
{
	return total;
}
