// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pages_breakers.h"
#include "lib/cleanup.h"
#include "lib/err.h"
#include "lib/text.h"
#include "source/maps.h"
#include "source/procmeta.h"

/* Rows of the text; JSON has all. */
#define SHOWN_MAX 20

/* ---- from addresses to mappings ---- */

static int by_place(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

/* The faults of one process in order of address, along its mappings. */
static void locate(struct breaker *b, const struct fault *f, size_t n)
{
	struct region r = { 0 };
	struct maps *m;
	int got = maps_open(f->tgid, &m) ? 0 : 1;
	bool open = got;

	for (size_t i = 0; i < n; i++) {
		while (got == 1 && r.end <= f[i].place)
			got = maps_next(m, &r);
		if (got == 1 && r.start <= f[i].place)
			b[i].region = r;
		else
			b[i].region.start = f[i].place;
	}
	if (open)
		maps_close(m);
}

static int alike(const struct breaker *a, const struct breaker *b)
{
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	if (a->region.start != b->region.start)
		return a->region.start < b->region.start ? -1 : 1;
	return memcmp(a->stack, b->stack, sizeof(a->stack));
}

static int by_likeness(const void *a, const void *b)
{
	return alike(a, b);
}

static int by_count(const void *a, const void *b)
{
	const struct breaker *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return alike(x, y);
}

/* Where the kernel counts pages and not mappings, many of them are one row. */
static void merge(struct breakers *all)
{
	size_t kept = 0;

	if (all->n)
		qsort(all->b, all->n, sizeof(*all->b), by_likeness);
	for (size_t i = 0; i < all->n; i++) {
		if (kept && !alike(&all->b[kept - 1], &all->b[i]))
			all->b[kept - 1].count += all->b[i].count;
		else
			all->b[kept++] = all->b[i];
	}
	all->n = kept;
	if (kept)
		qsort(all->b, kept, sizeof(*all->b), by_count);
}

static void take(struct breakers *all, struct faults *f)
{
	if (f->n)
		qsort(f->f, f->n, sizeof(*f->f), by_place);
	for (size_t from = 0, to; from < f->n; from = to) {
		for (to = from; to < f->n && f->f[to].tgid == f->f[from].tgid; to++) {
			struct breaker *b = &all->b[to];

			b->tgid = f->f[to].tgid;
			b->tid = f->f[to].tid;
			b->count = f->f[to].count;
			memcpy(b->stack, f->f[to].stack, sizeof(b->stack));
		}
		locate(&all->b[from], &f->f[from], to - from);
	}
}

int breakers_read(struct breakers *all, const struct faultwatch *w)
{
	struct faults f;
	int err = faultwatch_read(w, &f);

	memset(all, 0, sizeof(*all));
	if (err)
		return err;
	all->lost = f.lost;
	all->n = f.n;
	all->b = calloc(f.n + 1, sizeof(*all->b));
	if (all->b) {
		take(all, &f);
		merge(all);
		for (size_t i = 0; i < all->n; i++)
			procmeta_comm(all->b[i].tid, all->b[i].comm, sizeof(all->b[i].comm));
	}
	faults_deinit(&f);
	return all->b ? 0 : -ENOMEM;
}

void breakers_deinit(struct breakers *all)
{
	free(all->b);
	memset(all, 0, sizeof(*all));
}

/* ---- showing ---- */

enum {
	B_PID,
	B_TID,
	B_COUNT,
	B_START
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct breaker *b = row;

	switch (arg) {
	case B_COUNT:
		return value_uint(v, VALUE_COUNT, b->count);
	case B_START:
		return value_uint(v, VALUE_ADDR, b->region.start);
	}
	value_uint(v, VALUE_UINT, arg == B_PID ? b->tgid : b->tid);
}

enum {
	B_NATURE,
	B_NAME,
	B_COMM
};

static void get_text(const void *row, int arg, struct value *v)
{
	const struct breaker *b = row;

	if (arg == B_COMM)
		return value_str(v, *b->comm ? b->comm : NULL);
	if (!b->region.end)
		return;
	value_str(v, arg == B_NATURE   ? nature_name(region_nature(&b->region))
		     : *b->region.name ? b->region.name
				       : NULL);
}

const struct column breaker_columns[] = {
	{ "PID", "tgid", "process", 0, COL_RIGHT, get_number, B_PID },
	{ "TID", "tid", "thread that wrote", 0, COL_RIGHT, get_number, B_TID },
	{ "COPIED", "copied", "pages it copied by writing to them", 0, COL_RIGHT, get_number,
	  B_COUNT },
	{ "START", "start", "of the mapping, or the page", 0, COL_RIGHT, get_number, B_START },
	{ "NATURE", "nature", "of the mapping", 0, 0, get_text, B_NATURE },
	{ "COMM", "comm", "name", 0, 0, get_text, B_COMM },
	{ "NAME", "name", "file or the kernel's name", 0.2, COL_TRUNC, get_text, B_NAME },
};

const size_t breaker_columns_n = ARRAY_SIZE(breaker_columns);

static void json_stack(struct json *j, const struct breaker *b)
{
	json_array(j, "stack");
	for (size_t i = 0; i < FAULT_DEPTH && b->stack[i]; i++)
		json_uint(j, NULL, b->stack[i]);
	json_array_end(j);
}

void breakers_json(struct json *j, const struct breakers *all)
{
	json_object(j, "breakers");
	json_str(j, "hook", FAULTWATCH_HOOK);
	json_uint(j, "lost", all->lost);
	json_array(j, "tasks");
	for (size_t i = 0; i < all->n; i++) {
		json_object(j, NULL);
		json_columns(j, breaker_columns, ARRAY_SIZE(breaker_columns), &all->b[i]);
		json_stack(j, &all->b[i]);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

/* Where in which file, as addr2line wants it. */
static void print_frame(uint32_t tgid, uint64_t ip)
{
	char name[REGION_NAME_MAX * 4];
	struct region r = { 0 };
	struct maps *m;
	int got = maps_open(tgid, &m) ? 0 : 1;

	if (got) {
		while ((got = maps_next(m, &r)) == 1 && r.end <= ip)
			;
		maps_close(m);
	}
	if (got == 1 && r.start <= ip && *r.name)
		printf("        %s+0x%llx\n", text_escape(name, sizeof(name), r.name),
		       (unsigned long long)(ip - r.start + r.offset));
	else
		printf("        0x%llx\n", (unsigned long long)ip);
}

static void print_stacks(const struct breakers *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!all->b[i].stack[0])
			continue;
		printf("    %u copied %llu pages from\n", all->b[i].tid,
		       (unsigned long long)all->b[i].count);
		for (size_t k = 0; k < FAULT_DEPTH && all->b[i].stack[k]; k++)
			print_frame(all->b[i].tgid, all->b[i].stack[k]);
	}
}

void breakers_text(const struct view *view, const struct breakers *all)
{
	size_t n = all->n < SHOWN_MAX ? all->n : SHOWN_MAX;

	if (all->lost)
		note("copies", "%llu were not counted: too many mappings at once",
		     (unsigned long long)all->lost);
	if (!n) {
		printf("\nNobody copied a page since the watch began.\n");
		return;
	}
	printf("\nPages copied on write since the watch began:\n");
	table_rows(breaker_columns, ARRAY_SIZE(breaker_columns),
		   "PID,TID,COPIED,START,NATURE,COMM,NAME", view, all->b, n, sizeof(*all->b),
		   stdout);
	if (all->n > n)
		printf("... and %zu more (--json has all)\n", all->n - n);
	print_stacks(all, n);
	printf("Counted by " FAULTWATCH_HOOK ".\n");
}
