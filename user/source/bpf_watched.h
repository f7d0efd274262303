/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that have ended are followed no longer, so that the programs' map of those that are has
 * room for any number of births.
 */
#ifndef MMLENS_SOURCE_BPF_WATCHED_H
#define MMLENS_SOURCE_BPF_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_map;

/* There is room for so many beside those that were there; births beyond are counted as lost. */
#define WATCHED_BORN 65536

struct watched_group {
	uint32_t tgid;
	uint64_t start;
};

struct watched {
	int fd; /* -1: nobody is followed */
	uint32_t room;
	uint64_t born;		    /* how many had been born at the last look */
	struct watched_group *gone; /* at the last look; owned, as are the next two */
	size_t n_gone;
	uint32_t *tgids;
	uint64_t *starts;
};

/* Nobody has the pid any more. A leader that has exited keeps it while its threads live. */
bool group_is_gone(uint32_t tgid);
/* Of a loaded map; NULL: nobody is followed. -ENOMEM or 0. */
int watched_init(struct watched *w, const struct bpf_map *map);
/* To be called every now and then; `born`: how many the programs have added by now. */
void watched_sweep(struct watched *w, uint64_t born);
void watched_deinit(struct watched *w);

#endif
