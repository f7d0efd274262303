// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/slurp.h"
#include "source/clocks.h"

static struct {
	uint64_t monotonic;
	uint64_t boottime;
} ahead;

uint64_t clocks_parse_offset(const char *text, const char *clock)
{
	const char *line = strstr(text, clock);
	int64_t seconds, ns;

	if (!line || sscanf(line + strlen(clock), "%" SCNd64 " %" SCNd64, &seconds, &ns) != 2)
		return 0;
	return (uint64_t)seconds * 1000000000 + (uint64_t)ns;
}

/* The file tells the offsets that children get: others than ours between unshare(2) and the next fork. */
static bool are_ours(void)
{
	struct stat ours, of_children;

	return !stat("/proc/self/ns/time", &ours) &&
	       !stat("/proc/self/ns/time_for_children", &of_children) &&
	       ours.st_ino == of_children.st_ino;
}

static void read_offsets(void)
{
	cleanup_slurp struct slurp offsets = { 0 };

	if (!are_ours() || slurp_at(&offsets, AT_FDCWD, "/proc/self/timens_offsets"))
		return;
	ahead.monotonic = clocks_parse_offset(offsets.text, "monotonic");
	ahead.boottime = clocks_parse_offset(offsets.text, "boottime");
}

/* They are fixed as soon as somebody lives in the namespace. */
static void learn_offsets(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_offsets);
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	learn_offsets();
	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t clocks_monotonic(void)
{
	return now(CLOCK_MONOTONIC) - ahead.monotonic;
}

uint64_t clocks_boottime(void)
{
	return now(CLOCK_BOOTTIME) - ahead.boottime;
}

uint64_t clocks_boottime_ahead(void)
{
	learn_offsets();
	return ahead.boottime;
}
