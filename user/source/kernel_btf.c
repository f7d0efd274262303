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

struct kernel_btf {
	int fd;
	uint32_t types, types_end; /* offsets in the file */
	uint32_t strings, strings_end;
	uint32_t n; /* types seen; the first has id 1 */
	uint32_t *place;
	size_t places, places_room;
	uint32_t at; /* what the window shows of the file */
	size_t len;
	char window[WINDOW + 1]; /* a string is ended, whatever the file says */
};

/* A window with at least `need` bytes from `at`; NULL if the file has not as many. */
static const char *look(struct kernel_btf *k, uint32_t at, size_t need)
{
	ssize_t got;

	if (at >= k->at && at + need <= k->at + k->len)
		return k->window + (at - k->at);
	got = pread(k->fd, k->window, WINDOW, at);
	k->at = at;
	k->len = got > 0 ? (size_t)got : 0;
	return k->len >= need ? k->window : NULL;
}

static int read_header(struct kernel_btf *k)
{
	const struct btf_header *h = (const void *)look(k, 0, sizeof(*h));

	if (!h || h->magic != BTF_MAGIC)
		return -EPROTO;
	k->types = h->hdr_len + h->type_off;
	k->types_end = k->types + h->type_len;
	k->strings = h->hdr_len + h->str_off;
	k->strings_end = k->strings + h->str_len;
	return 0;
}

struct kernel_btf *kernel_btf_open(void)
{
	struct kernel_btf *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return NULL;
	k->fd = open(PATH, O_RDONLY | O_CLOEXEC);
	err = k->fd < 0 ? -errno : read_header(k);
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
	if (k->fd >= 0)
		close(k->fd);
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

	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		names[i].at = 0;
		filter_add(&f, hash_of(names[i].name, strlen(names[i].name)));
	}
	while (at < k->strings_end) {
		const char *from = look(k, at, 1), *end;
		size_t room = from ? k->len - (at - k->at) : 0;

		end = from ? memchr(from, '\0', room) : NULL;
		/* cut by the window's end: once more from where it begins */
		if (!end && (at == k->at || !look(k, at, room + 1)))
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

int kernel_btf_types(struct kernel_btf *k, const struct btf_name *names, size_t n,
		     const struct btf_visit *v)
{
	struct filter f = { { 0 } };
	uint32_t at = k->types, id = 0;
	int err = 0;

	for (size_t i = 0; i < n; i++)
		if (names[i].at)
			filter_add(&f, names[i].at);
	k->places = 0;
	while (at < k->types_end && !err) {
		const struct btf_type *head = (const void *)look(k, at, sizeof(*head));
		size_t size = head ? kernel_btf_size(head) : 0;
		const struct btf_name *name;

		if (!size)
			return -EPROTO;
		if (id++ % STRIDE == 0)
			err = keep_place(k, at);
		name = filter_has(&f, head->name_off) ? kernel_btf_named(names, n, head->name_off)
						      : NULL;
		if (name && !err)
			err = v->visit(id, head, name, v->arg);
		at += (uint32_t)size;
	}
	k->n = id;
	return err;
}

/* Where the type begins; 0 when there is none of that id. */
static uint32_t place_of(struct kernel_btf *k, uint32_t id)
{
	uint32_t at;

	if (!id || id > k->n)
		return 0;
	at = k->place[(id - 1) / STRIDE];
	for (uint32_t skip = (id - 1) % STRIDE; skip; skip--) {
		const struct btf_type *head = (const void *)look(k, at, sizeof(*head));

		if (!head)
			return 0;
		at += (uint32_t)kernel_btf_size(head);
	}
	return at;
}

int kernel_btf_type(struct kernel_btf *k, uint32_t id, struct bytes *out)
{
	uint32_t at = place_of(k, id);
	const struct btf_type *head = at ? (const void *)look(k, at, sizeof(*head)) : NULL;
	size_t left = head ? kernel_btf_size(head) : 0;

	if (!left)
		return -EPROTO;
	while (left) {
		const char *part = look(k, at, 1);
		size_t here = part ? k->len - (at - k->at) : 0;

		if (!part)
			return -EPROTO;
		here = here < left ? here : left;
		bytes_put(out, part, here);
		at += (uint32_t)here;
		left -= here;
	}
	return out->bad ? -ENOMEM : 0;
}
