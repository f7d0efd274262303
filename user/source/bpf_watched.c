// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "source/bpf_watched.h"

/* A look goes through the whole map, so it is paid for by an eighth of it newly born. */
#define BORN_BETWEEN (WATCHED_BORN / 8)

int watched_init(struct watched *w, const struct bpf_map *map)
{
	*w = (struct watched){ .fd = map ? bpf_map__fd(map) : -1 };
	if (!map)
		return 0;
	w->room = bpf_map__max_entries(map);
	w->gone = calloc(w->room, sizeof(*w->gone));
	w->tgids = calloc(w->room, sizeof(*w->tgids));
	w->starts = calloc(w->room, sizeof(*w->starts));
	return w->gone && w->tgids && w->starts ? 0 : -ENOMEM;
}

void watched_deinit(struct watched *w)
{
	free(w->gone);
	free(w->tgids);
	free(w->starts);
}

/* Its pid may be another's by now, that was born of one who is followed, too. */
static void forget(const struct watched *w, const struct watched_group *g)
{
	uint64_t start;

	if (!bpf_map_lookup_elem(w->fd, &g->tgid, &start) && start == g->start)
		bpf_map_delete_elem(w->fd, &g->tgid);
}

bool group_is_gone(uint32_t tgid)
{
	return kill((pid_t)tgid, 0) && errno == ESRCH;
}

static void look(struct watched *w)
{
	uint32_t n = w->room, next;
	int err = bpf_map_lookup_batch(w->fd, NULL, &next, w->tgids, w->starts, &n, NULL);

	/* -ENOENT: that was all */
	if (err && errno != ENOENT)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (group_is_gone(w->tgids[i]))
			w->gone[w->n_gone++] = (struct watched_group){ w->tgids[i], w->starts[i] };
}

/*
 * Who reaps itself is gone before its last switch, which is to be counted: so it is forgotten only
 * at the look after the one that missed it.
 */
void watched_sweep(struct watched *w, uint64_t born)
{
	if (w->fd < 0 || born - w->born < BORN_BETWEEN)
		return;
	w->born = born;
	while (w->n_gone)
		forget(w, &w->gone[--w->n_gone]);
	look(w);
}
