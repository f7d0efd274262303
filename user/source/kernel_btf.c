// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "source/kernel_btf.h"

#define PATH "/sys/kernel/btf/vmlinux"
/* sysfs gives no more than a page at once; no name and no head of a type is as long. */
#define WINDOW 4096
/* The place of each 16th type is kept; from there the others are reached by a few steps. */
#define STRIDE 16

/* What is seen of the file at a time. */
struct window {
	uint32_t at;
	size_t len;
	char text[WINDOW + 1]; /* a string is ended, whatever the file says */
};

/* Names that many types share lie far from all others. */
#define WINDOWS 3
struct view {
	int fd;
	int last, oldest; /* the one looked through last; the one to be moved next */
	struct window windows[WINDOWS];
};

struct kernel_btf {
	uint32_t types, types_end; /* offsets in the file */
	uint32_t strings, strings_end;
	uint32_t n;    /* types seen; the first has id 1 */
	uint32_t next; /* where the one after those begins */
	uint32_t *place;
	size_t places, places_room;
	struct view on_types, on_strings; /* of one file */
};

static bool shows(const struct window *w, uint32_t at, size_t need)
{
	return at >= w->at && at + need <= w->at + w->len;
}

static struct window *choose(struct view *v, uint32_t at, size_t need)
{
	for (int i = 0; i < WINDOWS; i++)
		if (shows(&v->windows[i], at, need))
			return &v->windows[v->last = i];
	return NULL;
}

/* Goes on from where the last look ended, or to a place with some of what is before it. */
static struct window *move(struct view *v, uint32_t at)
{
	struct window *w = &v->windows[v->last];
	ssize_t got;

	if (!shows(w, at, 0)) {
		v->last = v->oldest;
		v->oldest = (v->oldest + 1) % WINDOWS;
		w = &v->windows[v->last];
		at = at / (WINDOW / 2) * (WINDOW / 2);
	}
	got = pread(v->fd, w->text, WINDOW, at);
	w->at = at;
	w->len = got > 0 ? (size_t)got : 0;
	w->text[w->len] = '\0';
	return w;
}

/* At least `need` bytes from `at`, and how many; NULL if the file has not as many. */
static const char *look_far(struct view *v, uint32_t at, size_t need, size_t *have)
{
	const struct window *w = &v->windows[v->last];

	if (!shows(w, at, need))
		w = choose(v, at, need);
	if (!w)
		w = move(v, at);
	if (!shows(w, at, need))
		return NULL;
	*have = w->at + w->len - at;
	return w->text + (at - w->at);
}

static inline const char *look(struct view *v, uint32_t at, size_t need)
{
	const struct window *w = &v->windows[v->last];
	size_t have;

	return shows(w, at, need) ? w->text + (at - w->at) : look_far(v, at, need, &have);
}

static int read_header(struct kernel_btf *k)
{
	const struct btf_header *h = (const void *)look(&k->on_types, 0, sizeof(*h));

	if (!h || h->magic != BTF_MAGIC)
		return -EPROTO;
	k->types = h->hdr_len + h->type_off;
	k->types_end = k->types + h->type_len;
	k->strings = h->hdr_len + h->str_off;
	k->strings_end = k->strings + h->str_len;
	k->next = k->types;
	return 0;
}

struct kernel_btf *kernel_btf_open(void)
{
	struct kernel_btf *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return NULL;
	k->on_types.fd = k->on_strings.fd = open(PATH, O_RDONLY | O_CLOEXEC);
	err = k->on_types.fd < 0 ? -errno : read_header(k);
	if (!err)
		return k;
	kernel_btf_close(k);
	errno = -err;
	return NULL;
}

void kernel_btf_close(struct kernel_btf *k)
{
	if (!k)
		return;
	if (k->on_types.fd >= 0)
		close(k->on_types.fd);
	free(k->place);
	free(k);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct btf_name *)a)->name, ((const struct btf_name *)b)->name);
}

/* Those that the kernel does not have come first. */
static int by_place(const void *a, const void *b)
{
	const struct btf_name *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* What most of the kernel's are told apart by at once: bits that the wanted ones set. */
#define FILTER_BITS 32768
struct filter {
	uint64_t may[FILTER_BITS / 64];
};

static void filter_add(struct filter *f, uint32_t hash)
{
	hash %= FILTER_BITS;
	f->may[hash / 64] |= 1ull << hash % 64;
}

static bool filter_has(const struct filter *f, uint32_t hash)
{
	hash %= FILTER_BITS;
	return f->may[hash / 64] & 1ull << hash % 64;
}

/* By its length and its ends. */
static uint32_t hash_of(const char *name, size_t len)
{
	uint32_t first = 0, last = 0;

	/* copies of a fixed length are loads, and nearly all names are as long */
	if (len >= sizeof(first)) {
		memcpy(&first, name, sizeof(first));
		memcpy(&last, name + len - sizeof(last), sizeof(last));
	} else {
		memcpy(&first, name, len);
		last = first;
	}
	return ((first * 31 + last) * 0x9e3779b1u + (uint32_t)len * 0x85ebca6bu) >> 12;
}

static void find_name(const struct filter *f, struct btf_name *names, size_t n, const char *name,
		      size_t len, uint32_t at)
{
	struct btf_name key = { .name = name }, *found;

	if (!len || !filter_has(f, hash_of(name, len)))
		return;
	found = bsearch(&key, names, n, sizeof(*names), by_name);
	if (found)
		found->at = at;
}

int kernel_btf_names(struct kernel_btf *k, struct btf_name *names, size_t n)
{
	struct filter f = { { 0 } };
	uint32_t at = k->strings;
	size_t have;

	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		names[i].at = 0;
		filter_add(&f, hash_of(names[i].name, strlen(names[i].name)));
	}
	while (at < k->strings_end) {
		const char *from = look_far(&k->on_strings, at, 1, &have), *end;

		end = from ? memchr(from, '\0', have) : NULL;
		/* cut by the window's end: once more from where it begins */
		if (!end && (!from || !look(&k->on_strings, at, have + 1)))
			return -EPROTO;
		if (!end)
			continue;
		find_name(&f, names, n, from, (size_t)(end - from), at - k->strings);
		at += (uint32_t)(end - from) + 1;
	}
	qsort(names, n, sizeof(*names), by_place);
	return 0;
}

const struct btf_name *kernel_btf_named(const struct btf_name *names, size_t n, uint32_t at)
{
	const struct btf_name key = { .at = at };

	return at ? bsearch(&key, names, n, sizeof(*names), by_place) : NULL;
}

size_t kernel_btf_size(const struct btf_type *head)
{
	static const struct {
		uint8_t once, each;
	} more[] = {
		[BTF_KIND_INT] = { sizeof(uint32_t), 0 },
		[BTF_KIND_PTR] = { 0, 0 },
		[BTF_KIND_ARRAY] = { sizeof(struct btf_array), 0 },
		[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_UNION] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum) },
		[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param) },
		[BTF_KIND_VAR] = { sizeof(struct btf_var), 0 },
		[BTF_KIND_DATASEC] = { 0, sizeof(struct btf_var_secinfo) },
		[BTF_KIND_DECL_TAG] = { sizeof(struct btf_decl_tag), 0 },
		[BTF_KIND_TYPE_TAG] = { 0, 0 },
		[BTF_KIND_ENUM64] = { 0, sizeof(struct btf_enum64) },
	};
	uint16_t kind = btf_kind(head);

	if (kind == BTF_KIND_UNKN || kind >= ARRAY_SIZE(more))
		return 0;
	/* FUNC and what only modifies another type: nothing follows the head */
	return sizeof(*head) + more[kind].once + (size_t)more[kind].each * btf_vlen(head);
}

static int keep_place(struct kernel_btf *k, uint32_t at)
{
	if (k->places == k->places_room) {
		size_t room = k->places_room ? 2 * k->places_room : 8192;
		uint32_t *place = realloc(k->place, room * sizeof(*place));

		if (!place)
			return -ENOMEM;
		k->place = place;
		k->places_room = room;
	}
	k->place[k->places++] = at;
	return 0;
}

/* The first that was not seen yet, of id k->n from then on; NULL where there is none, or `err`. */
static inline const struct btf_type *next_type(struct kernel_btf *k, int *err)
{
	const struct btf_type *head;
	size_t size;

	if (*err || k->next >= k->types_end)
		return NULL;
	head = (const void *)look(&k->on_types, k->next, sizeof(*head));
	size = head ? kernel_btf_size(head) : 0;
	if (!size)
		*err = -EPROTO;
	else if (k->n++ % STRIDE == 0)
		*err = keep_place(k, k->next);
	k->next += (uint32_t)size;
	return *err ? NULL : head;
}

int kernel_btf_types(struct kernel_btf *k, const struct btf_name *names, size_t n,
		     const struct btf_visit *v)
{
	struct filter f = { { 0 } };
	const struct btf_type *head;
	int err = 0;

	for (size_t i = 0; i < n; i++)
		if (names[i].at)
			filter_add(&f, names[i].at);
	k->places = k->n = 0;
	k->next = k->types;
	while ((head = next_type(k, &err))) {
		const struct btf_name *name = filter_has(&f, head->name_off)
						      ? kernel_btf_named(names, n, head->name_off)
						      : NULL;

		if (name)
			err = v->visit(k->n, head, name, v->arg);
	}
	return err;
}

/* Where the type begins; 0 when there is none of that id. */
static uint32_t place_of(struct kernel_btf *k, uint32_t id)
{
	uint32_t at;
	int err = 0;

	while (id > k->n)
		if (!next_type(k, &err))
			return 0;
	if (!id)
		return 0;
	at = k->place[(id - 1) / STRIDE];
	for (uint32_t skip = (id - 1) % STRIDE; skip; skip--) {
		const struct btf_type *head = (const void *)look(&k->on_types, at, sizeof(*head));

		if (!head)
			return 0;
		at += (uint32_t)kernel_btf_size(head);
	}
	return at;
}

int kernel_btf_head(struct kernel_btf *k, uint32_t id, struct btf_type *out)
{
	uint32_t at = place_of(k, id);
	const char *head = at ? look(&k->on_types, at, sizeof(*out)) : NULL;

	if (!head)
		return -EPROTO;
	memcpy(out, head, sizeof(*out));
	return 0;
}

const char *kernel_btf_string(struct kernel_btf *k, uint32_t at)
{
	size_t have;
	const char *text = look_far(&k->on_strings, k->strings + at, 1, &have);

	/* cut by the window's end: once more from where it begins */
	if (text && !memchr(text, '\0', have))
		text = look(&k->on_strings, k->strings + at, have + 1);
	return text ? text : "";
}

uint32_t kernel_btf_struct(struct kernel_btf *k, const char *name)
{
	const struct btf_type *head;
	int err = 0;

	k->places = k->n = 0;
	k->next = k->types;
	while ((head = next_type(k, &err)))
		if (btf_is_struct(head) && !strcmp(kernel_btf_string(k, head->name_off), name))
			return k->n;
	return 0;
}

int kernel_btf_type(struct kernel_btf *k, uint32_t id, struct bytes *out)
{
	uint32_t at = place_of(k, id);
	const struct btf_type *head =
		at ? (const void *)look(&k->on_types, at, sizeof(*head)) : NULL;
	size_t left = head ? kernel_btf_size(head) : 0;

	if (!left)
		return -EPROTO;
	while (left) {
		size_t here;
		const char *part = look_far(&k->on_types, at, 1, &here);

		if (!part)
			return -EPROTO;
		here = here < left ? here : left;
		bytes_put(out, part, here);
		at += (uint32_t)here;
		left -= here;
	}
	return out->bad ? -ENOMEM : 0;
}
