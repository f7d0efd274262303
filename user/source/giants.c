// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/clocks.h"
#include "source/giants.h"
#include "source/maps.h"

static struct giant *add(struct giants *g, uint64_t start)
{
	struct giant *more = realloc(g->g, (g->n + 1) * sizeof(*more));

	if (!more)
		return NULL;
	g->g = more;
	more += g->n++;
	*more = (struct giant){ .start = start, .budget = GIANT_BUDGET };
	return more;
}

/* Rss leaves out what is of hugetlbfs. */
static bool holds_pages(const char *line, uint64_t *kib)
{
	static const char *const words[] = { "Rss:", "Swap:", "Shared_Hugetlb:",
					     "Private_Hugetlb:" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(line, words[i], strlen(words[i])))
			return sscanf(line + strlen(words[i]), "%" SCNu64 " kB", kib) == 1;
	return false;
}

/* The lines of smaps behind a giant's head are its own until the next head. */
static void load(struct giants *g, uint32_t pid)
{
	cleanup_fclose FILE *f = NULL;
	cleanup_free char *line = NULL;
	struct giant *now = NULL;
	size_t room = 0;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%u/smaps", pid);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0) {
		struct region r;
		uint64_t kib;

		if (!maps_parse(line, &r))
			now = r.end - r.start >= GIANT_BYTES ? add(g, r.start) : NULL;
		else if (now && holds_pages(line, &kib))
			now->missing += kib * 1024;
	}
	g->known = true;
}

bool giants_allow(struct giants *g, uint32_t pid, const struct region *r)
{
	if (!g->known)
		load(g, pid);
	g->now = NULL;
	for (size_t i = 0; i < g->n && !g->now; i++)
		if (g->g[i].start == r->start)
			g->now = &g->g[i];
	if (!g->now) /* it is younger than that reading of smaps */
		g->now = add(g, r->start);
	if (!g->now)
		return false;
	g->since = clocks_monotonic();
	return g->now->missing && g->now->budget && g->vain_ns < GIANT_NS;
}

void giants_met(struct giants *g, const uint64_t *entries, size_t n, uint64_t page)
{
	struct giant *now = g->now;
	uint64_t met = 0, vain;

	if (!now)
		return;
	for (size_t i = 0; i < n; i++)
		met += page_is_populated(entries[i]) && !(entries[i] & PAGE_ZERO);
	vain = (n - met) * page;
	met *= page;
	now->missing -= now->missing < met ? now->missing : met;
	now->budget -= now->budget < vain ? now->budget : vain;
	if (!met)
		g->vain_ns += clocks_monotonic() - g->since;
}

bool giants_missing(const struct giants *g)
{
	return g->now && g->now->missing;
}

void giants_deinit(struct giants *g)
{
	free(g->g);
	*g = (struct giants){ 0 };
}
