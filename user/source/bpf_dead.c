// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "source/bpf_dead.h"
#include "source/bpf_env.h"
#include "source/bpf_watched.h"

int dead_init(struct dead *d, const struct switch_bpf *skel, struct stream *stream)
{
	void *map;

	d->stream = stream;
	d->places = bpf_map__max_entries(skel->maps.tasks);
	d->places_fd = bpf_map__fd(skel->maps.places);
	d->spare_fd = bpf_map__fd(skel->maps.spare);
	d->dying = calloc(d->places, sizeof(*d->dying));
	if (!d->dying)
		return -ENOMEM;
	d->table_len = bpf_env_map_len(skel->maps.tasks);
	map = mmap(NULL, d->table_len, PROT_READ | PROT_WRITE, MAP_SHARED,
		   bpf_map__fd(skel->maps.tasks), 0);
	if (map == MAP_FAILED)
		return -errno;
	d->table = map;
	return 0;
}

static bool keep(struct dead *d, const struct mmlens_entry *e)
{
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 1024;
		struct mmlens_entry *entries = realloc(d->entries, room * sizeof(*entries));

		if (!entries)
			return false;
		d->entries = entries;
		d->room = room;
	}
	d->entries[d->n++] = *e;
	return true;
}

/* Of a leader's pid nothing is certain while its group lives: a thread that calls exec goes on as it. */
static bool is_gone(const struct mmlens_entry *e)
{
	return e->tid != e->tgid || group_is_gone(e->tgid);
}

/* First nobody finds the place any more, then it is emptied, then somebody else may have it. */
static void take(struct dead *d, uint32_t place)
{
	struct mmlens_entry *e = &d->table[place];
	uint64_t key = e->key;

	if (!is_gone(e) || !keep(d, e))
		return;
	bpf_map_delete_elem(d->places_fd, &key);
	if (d->stream)
		stream_forget(d->stream, place + 1);
	memset(e, 0, sizeof(*e));
	bpf_map_update_elem(d->spare_fd, NULL, &place, BPF_ANY);
}

static void look(struct dead *d)
{
	for (uint32_t i = 0; i < d->places; i++)
		if (d->table[i].id && d->table[i].how[MMLENS_HOW_EXIT])
			d->dying[d->n_dying++] = i;
}

/*
 * A task's last switch is counted by a program that may not be done with its entry yet, so it is
 * taken only at the next call. Each look at the table is paid for by an eighth of it newly entered.
 */
void dead_collect(struct dead *d, uint64_t entered)
{
	while (d->n_dying)
		take(d, d->dying[--d->n_dying]);
	if (entered - d->n < d->places / 2 || entered - d->entered < d->places / 8 ||
	    d->n >= DEAD_MAX)
		return;
	d->entered = entered;
	look(d);
}

void dead_deinit(struct dead *d)
{
	if (d->table)
		munmap(d->table, d->table_len);
	free(d->dying);
	free(d->entries);
}
