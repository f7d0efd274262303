// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "model/snapshot.h"

/* PID_MAX_LIMIT: no kernel has more. */
#define TASKS_MAX (4u << 20)
/* Above so many the array is reserved at once. */
#define TASKS_FEW 1024
#define HUGE_PAGE (2u << 20)
#define RESERVED  (TASKS_MAX * sizeof(struct task) + HUGE_PAGE)

/* The last one's, for the next: its pages are there already. */
static void *spare;

static void give_back(void *reserved)
{
	void *other = __atomic_exchange_n(&spare, reserved, __ATOMIC_ACQ_REL);

	if (other)
		munmap(other, RESERVED);
}

void snapshot_init(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
}

void snapshot_deinit(struct snapshot *s)
{
	for (size_t i = 0; i < s->n_memory; i++)
		free(s->memory[i].cgroup);
	if (s->reserved)
		give_back(s->reserved);
	else
		free(s->tasks);
	free(s->by_tid);
	free(s->memory);
	memset(s, 0, sizeof(*s));
}

int snapshot_add_memory(struct snapshot *s, const struct space_memory *m)
{
	/* doubled whenever the number is a power of two */
	if (!(s->n_memory & (s->n_memory - 1))) {
		size_t room = s->n_memory ? 2 * s->n_memory : 1;
		struct space_memory *memory = realloc(s->memory, room * sizeof(*memory));

		if (!memory)
			return -ENOMEM;
		s->memory = memory;
	}
	s->memory[s->n_memory] = *m;
	if (m->cgroup) {
		s->memory[s->n_memory].cgroup = strdup(m->cgroup);
		if (!s->memory[s->n_memory].cgroup)
			return -ENOMEM;
	}
	s->n_memory++;
	return 0;
}

static int by_space(const void *a, const void *b)
{
	const struct space_memory *x = a, *y = b;

	return (x->space > y->space) - (x->space < y->space);
}

const struct space_memory *snapshot_memory(const struct snapshot *s, uint64_t space)
{
	struct space_memory key = { .space = space };

	return s->n_memory ? bsearch(&key, s->memory, s->n_memory, sizeof(*s->memory), by_space)
			   : NULL;
}

/*
 * Address space for all tasks there can be; what is used of it becomes memory, in large pages where
 * the kernel has them. A fault is what a row costs most: 100,000 rows in small pages take 10,000,
 * and an array that is moved as it grows takes them again.
 */
static bool reserve(struct snapshot *s)
{
	char *p = __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQ_REL);
	struct task *tasks;

	if (!p)
		p = mmap(NULL, RESERVED, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	madvise(p, RESERVED, MADV_HUGEPAGE);
	tasks = (void *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	if (s->n)
		memcpy(tasks, s->tasks, s->n * sizeof(*tasks));
	free(s->tasks);
	s->tasks = tasks;
	s->reserved = p;
	s->room = TASKS_MAX;
	return true;
}

static bool grow(struct snapshot *s)
{
	size_t room = s->room ? s->room + s->room / 2 : 256;
	struct task *tasks;

	if (s->reserved)
		return false;
	/* where address space is limited the array grows by and by, as small ones do */
	if ((room > TASKS_FEW || __atomic_load_n(&spare, __ATOMIC_RELAXED)) && reserve(s))
		return true;
	tasks = realloc(s->tasks, room * sizeof(*tasks));
	if (!tasks)
		return false;
	s->tasks = tasks;
	s->room = room;
	return true;
}

struct task *snapshot_add(struct snapshot *s)
{
	if (s->n == s->room && !grow(s))
		return NULL;
	return memset(&s->tasks[s->n++], 0, sizeof(struct task));
}

struct task *snapshot_room(struct snapshot *s, size_t n)
{
	while (s->room - s->n < n)
		if (!grow(s))
			return NULL;
	return s->tasks + s->n;
}

static int by_key(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return task_key_cmp(&x->key, &y->key);
}

struct slot {
	uint32_t tid;
	uint32_t index;
	uint64_t start_ns;
};

/* Newest first within one tid. */
static int by_tid(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns > y->start_ns ? -1 : 1;
	return 0;
}

/*
 * The kernel hands tasks out by their number, so mostly there is nothing to sort, or not much: young
 * threads of an old process. Sorted is what lies from the first that has a smaller one behind it to
 * the last that has a greater one before it.
 */
static inline void sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	char *begin = base, *end = begin + n * size, *lo, *hi = NULL;

	for (char *at = begin, *greatest = begin; at < end; at += size)
		if (cmp(greatest, at) > 0)
			hi = at;
		else
			greatest = at;
	if (!hi)
		return;
	lo = hi;
	for (char *at = hi, *least = hi; at > begin;) {
		at -= size;
		if (cmp(at, least) > 0)
			lo = at;
		else
			least = at;
	}
	qsort(lo, (hi - lo) / size + 1, size, cmp);
}

static void index_tids(struct snapshot *s, struct slot *slots)
{
	for (size_t i = 0; i < s->n; i++)
		slots[i] = (struct slot){ s->tasks[i].key.tid, i, s->tasks[i].key.start_ns };
	sort(slots, s->n, sizeof(*slots), by_tid);
}

/* A tid names one task at a time, so of two rows with one tid the older one had gone. */
static void drop_reused(struct snapshot *s, struct slot *slots)
{
	size_t dropped = 0, kept = 0;

	for (size_t i = 1; i < s->n; i++) {
		if (slots[i].tid != slots[i - 1].tid)
			continue;
		s->tasks[slots[i].index].key.tid = 0;
		dropped++;
	}
	if (!dropped)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->tasks[i].key.tid)
			s->tasks[kept++] = s->tasks[i];
	s->n = kept;
	s->raced += dropped;
	index_tids(s, slots);
}

int snapshot_seal(struct snapshot *s)
{
	struct slot *slots;

	sort(s->tasks, s->n, sizeof(*s->tasks), by_key);
	sort(s->memory, s->n_memory, sizeof(*s->memory), by_space);
	slots = malloc((s->n ? s->n : 1) * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	index_tids(s, slots);
	drop_reused(s, slots);
	free(s->by_tid);
	s->by_tid = slots;
	return 0;
}

const struct task *snapshot_find(const struct snapshot *s, uint32_t tid)
{
	const struct slot *slots = s->by_tid;
	size_t lo = 0, hi = slots ? s->n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (slots[mid].tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return slots && lo < s->n && slots[lo].tid == tid ? &s->tasks[slots[lo].index] : NULL;
}

const struct task *snapshot_find_key(const struct snapshot *s, const struct task_key *key)
{
	const struct task *t = snapshot_find(s, key->tid);

	return t && task_key_cmp(&t->key, key) == 0 ? t : NULL;
}
