// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab/core.h"
#include "lib/cleanup.h"

/* Long enough for a few ticks of /proc/stat. */
#define LOOK_US 50000

#define NICE	(-10)

static double seconds_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

static double own_seconds(void)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return seconds_of(&self) + seconds_of(&children);
}

/* The line of one CPU in /proc/stat, in ticks: guest time is within user time. */
static void read_use(int cpu, struct core_use *u)
{
	cleanup_fclose FILE *f = fopen("/proc/stat", "re");
	char line[512];
	uint64_t t[8];
	int at;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line,
			   "cpu%d %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			   " %" SCNu64 " %" SCNu64 " %" SCNu64,
			   &at, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) != 9 ||
		    at != cpu)
			continue;
		for (int i = 0; i < 8; i++)
			u->total += t[i];
		u->idle = t[3] + t[4];
		u->steal = t[7];
		return;
	}
}

static int idlest(const cpu_set_t *allowed)
{
	static struct core_use before[CPU_SETSIZE];
	uint64_t most = 0;
	int best = -1;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed))
			read_use(cpu, &before[cpu]);
	usleep(LOOK_US);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct core_use now = { 0 };

		if (!CPU_ISSET(cpu, allowed))
			continue;
		read_use(cpu, &now);
		/* the last of equals: the first serves most interrupts */
		if (best < 0 || now.idle - before[cpu].idle >= most) {
			most = now.idle - before[cpu].idle;
			best = cpu;
		}
	}
	return best;
}

/*
 * A larger share of the core is less noise, and the class of the scheduler stays the same. Where
 * sessions are scheduled as groups, it is the group's share that counts.
 */
static void raise_share(struct lab *l)
{
	cleanup_fclose FILE *f = NULL;

	if (setpriority(PRIO_PROCESS, 0, NICE))
		return;
	l->nice = NICE;
	f = fopen("/proc/self/autogroup", "we");
	if (f)
		fprintf(f, "%d", NICE);
}

void core_pin(struct lab *l)
{
	cpu_set_t set;

	l->cpu = -1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	l->cpu = idlest(&set);
	CPU_ZERO(&set);
	if (l->cpu >= 0)
		CPU_SET(l->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		l->cpu = -1;
	raise_share(l);
}

static bool file_has(const char *path, const char *word)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, word))
			return true;
	return false;
}

/* Whether a list as "1-3,7" names the CPU. */
static bool list_has(const char *path, int cpu)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	int first, last;
	char end;

	while (f && fscanf(f, "%d", &first) == 1) {
		last = first;
		end = (char)fgetc(f);
		if (end == '-' && fscanf(f, "%d", &last) == 1)
			end = (char)fgetc(f);
		if (cpu >= first && cpu <= last)
			return true;
		if (end != ',')
			break;
	}
	return false;
}

/* An emulator has the costs of its own code, not those of any processor. */
static const char *machine(void)
{
	if (file_has("/proc/cpuinfo", "QEMU TCG") || file_has("/proc/cpuinfo", "QEMU Virtual CPU"))
		return ", emulated in software: figures are the emulator's";
	if (file_has("/proc/cpuinfo", " hypervisor") ||
	    file_has("/sys/firmware/devicetree/base/compatible", "dummy-virt"))
		return ", a virtual machine";
	return "";
}

void core_describe(struct lab *l)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (l->cpu < 0)
		return lab_say(l, PROOF_SAW,
			       "this process may not be pinned to a core: tasks also move between "
			       "cores, and figures hold for that");
	lab_say(l, PROOF_SAW, "all of it on CPU %d of %ld%s%s, at nice %d", l->cpu, cores,
		machine(),
		list_has("/sys/devices/system/cpu/nohz_full", l->cpu)
			? ", without its tick while one task runs (nohz_full)"
			: "",
		l->nice);
}

void core_begin(const struct lab *l, struct core_use *u)
{
	*u = (struct core_use){ .own = own_seconds() };
	read_use(l->cpu, u);
}

void core_say(struct lab *l, const struct core_use *since)
{
	double ticks = (double)sysconf(_SC_CLK_TCK), all, others, steal;
	struct core_use now;

	if (l->cpu < 0)
		return;
	core_begin(l, &now);
	all = (double)(now.total - since->total) / ticks;
	if (all < 0.1)
		return;
	steal = (double)(now.steal - since->steal) / ticks;
	others = all - steal - (double)(now.idle - since->idle) / ticks - (now.own - since->own);
	others = others > 0 ? 100 * others / all : 0;
	lab_count(l, "noise: others on the core", others, "%");
	lab_count(l, "noise: taken by the host", 100 * steal / all, "%");
	lab_say(l, PROOF_SAW, "meanwhile others had %.0f %% of CPU %d, and its host took %.0f %%",
		others, l->cpu, 100 * steal / all);
}
