// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "source/bpf_types.h"
#include "source/btf_ids.h"
#include "source/kernel_btf.h"

/* The name of whatever the object does not name. */
#define SOME_NAME "_"

/* A copy under way. The types get their ids in the order in which they were chosen, from 1. */
struct copy {
	struct kernel_btf *from;
	const struct names *names;
	struct chosen {
		uint32_t id; /* in the kernel */
		size_t at;   /* in `types` */
	} * chosen;
	uint32_t n, room;
	struct bytes types; /* in the order in which they were read */
	struct bytes strings;
};

/* What is looked for: each name once. */
struct names {
	struct btf_name *name;
	char **owned; /* the text of each, in any order */
	size_t n, n_owned, room;
};

static bool has_members(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_is_any_enum(t);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n_owned; i++)
		free(names->owned[i]);
	free(names->owned);
	free(names->name);
}

static int names_grow(struct names *names)
{
	size_t room = names->room ? 2 * names->room : 512;
	struct btf_name *name = realloc(names->name, room * sizeof(*name));
	char **owned;

	if (!name)
		return -ENOMEM;
	names->name = name;
	owned = realloc(names->owned, room * sizeof(*owned));
	if (!owned)
		return -ENOMEM;
	names->owned = owned;
	names->room = room;
	return 0;
}

/* Without its flavour ("___" and what follows). */
static int names_add(struct names *names, const char *name, bool is_type)
{
	const char *flavour = is_type && name ? strstr(name, "___") : NULL;
	char *plain;

	if (!name || !*name)
		return 0;
	if (names->n == names->room && names_grow(names))
		return -ENOMEM;
	plain = flavour ? strndup(name, flavour - name) : strdup(name);
	if (!plain)
		return -ENOMEM;
	names->owned[names->n_owned++] = plain;
	names->name[names->n++] = (struct btf_name){ .name = plain, .is_type = is_type };
	return 0;
}

/* The names of members or of values. */
static int names_add_parts(struct names *names, const struct btf *btf, const struct btf_type *t)
{
	size_t each = btf_is_composite(t) ? sizeof(struct btf_member)
		      : btf_is_enum64(t)  ? sizeof(struct btf_enum64)
					  : sizeof(struct btf_enum);
	const char *part = (const char *)(t + 1);
	int err = 0;

	/* each of the three begins with its name */
	for (uint16_t i = 0; i < btf_vlen(t) && !err; i++, part += each)
		err = names_add(names, btf__name_by_offset(btf, *(const uint32_t *)part), false);
	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct btf_name *)a)->name, ((const struct btf_name *)b)->name);
}

static void names_unite(struct names *names)
{
	size_t n = 0;

	qsort(names->name, names->n, sizeof(*names->name), by_text);
	for (size_t i = 0; i < names->n; i++)
		if (n && !strcmp(names->name[n - 1].name, names->name[i].name))
			names->name[n - 1].is_type |= names->name[i].is_type;
		else
			names->name[n++] = names->name[i];
	names->n = n;
}

/* Structures, unions and enumerations, and what is in them; and what btf_ids.c wants to know. */
static int names_of(const struct btf *btf, struct names *out)
{
	unsigned int all = btf__type_cnt(btf);
	int err = 0;

	for (unsigned int id = 1; id < all && !err; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (!has_members(t))
			continue;
		err = names_add(out, btf__name_by_offset(btf, t->name_off), true);
		if (!err)
			err = names_add_parts(out, btf, t);
	}
	for (size_t i = 0; i < btf_ids_count() && !err; i++)
		err = names_add(out, btf_ids_name(i), false);
	names_unite(out);
	return err;
}

/* Turns the kernel's id into that of the copy, for which the type is chosen if it was not yet. */
static int choose(struct copy *c, uint32_t *id)
{
	uint32_t i = 0;

	while (i < c->n && c->chosen[i].id != *id)
		i++;
	if (i == c->room) {
		uint32_t room = c->room ? 2 * c->room : 512;
		struct chosen *chosen = realloc(c->chosen, room * sizeof(*chosen));

		if (!chosen)
			return -ENOMEM;
		c->chosen = chosen;
		c->room = room;
	}
	if (i == c->n)
		c->chosen[c->n++].id = *id;
	*id = i + 1;
	return 0;
}

/* A member without a name is one that is looked into: whatever has a name must keep one. */
static int take_name(struct copy *c, uint32_t *at)
{
	const struct btf_name *name = kernel_btf_named(c->names->name, c->names->n, *at);

	if (!*at)
		return 0;
	*at = name ? (uint32_t)c->strings.n : 1;
	if (name)
		bytes_put(&c->strings, name->name, strlen(name->name) + 1);
	return c->strings.bad ? -ENOMEM : 0;
}

static int take_members(struct copy *c, struct btf_type *t)
{
	struct btf_member *m = btf_members(t);
	int err = 0;

	for (uint16_t i = 0; i < btf_vlen(t) && !err; i++) {
		err = take_name(c, &m[i].name_off);
		if (!err)
			err = choose(c, &m[i].type);
	}
	return err;
}

/* The names of an enumeration's values; both kinds begin each value with its name. */
static int take_values(struct copy *c, struct btf_type *t)
{
	size_t each = btf_is_enum64(t) ? sizeof(struct btf_enum64) : sizeof(struct btf_enum);
	char *value = (char *)(t + 1);
	int err = 0;

	for (uint16_t i = 0; i < btf_vlen(t) && !err; i++)
		err = take_name(c, (uint32_t *)(value + i * each));
	return err;
}

static int take_array(struct copy *c, struct btf_type *t)
{
	struct btf_array *array = btf_array(t);
	int err = choose(c, &array->type);

	return err ? err : choose(c, &array->index_type);
}

/* All that the type refers to is chosen too, but for what a pointer leads to: no layout has it. */
static int take_parts(struct copy *c, struct btf_type *t)
{
	if (btf_is_composite(t))
		return take_members(c, t);
	if (btf_is_any_enum(t))
		return take_values(c, t);
	if (btf_is_array(t))
		return take_array(c, t);
	if (btf_is_ptr(t))
		t->type = 0;
	else if ((btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)) && t->type)
		return choose(c, &t->type);
	return 0;
}

static int take_type(struct copy *c, uint32_t which)
{
	size_t at = c->types.n;
	struct btf_type *t;
	int err;

	c->chosen[which].at = at;
	err = kernel_btf_type(c->from, c->chosen[which].id, &c->types);
	if (err)
		return err;
	t = (struct btf_type *)(c->types.p + at);
	err = take_name(c, &t->name_off);
	return err ? err : take_parts(c, t);
}

static int by_id(const void *a, const void *b, void *arg)
{
	const struct chosen *chosen = arg;
	uint32_t x = chosen[*(const uint32_t *)a].id, y = chosen[*(const uint32_t *)b].id;

	return (x > y) - (x < y);
}

/* Those chosen since `from`, in the order of the file: what lies together is read together. */
static int take_chosen(struct copy *c, uint32_t from)
{
	uint32_t n = c->n - from;
	cleanup_free uint32_t *order = malloc(n * sizeof(*order));
	int err = order ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < n && !err; i++)
		order[i] = from + i;
	if (!err)
		qsort_r(order, n, sizeof(*order), by_id, c->chosen);
	for (uint32_t i = 0; i < n && !err; i++)
		err = take_type(c, order[i]);
	return err;
}

static int take_named(uint32_t id, const struct btf_type *head, const struct btf_name *name,
		      void *arg)
{
	btf_ids_take(name->name, id, head);
	return name->is_type && has_members(head) ? choose(arg, &id) : 0;
}

static int take_all(struct copy *c, struct names *names)
{
	const struct btf_visit v = { .visit = take_named, .arg = c };
	int err = kernel_btf_names(c->from, names->name, names->n);

	if (!err)
		err = kernel_btf_types(c->from, names->name, names->n, &v);
	if (err)
		return err;
	btf_ids_taken();
	bytes_put(&c->strings, "\0" SOME_NAME, sizeof("\0" SOME_NAME));
	for (uint32_t from = 0, to; from < c->n && !err; from = to) {
		to = c->n;
		err = take_chosen(c, from);
	}
	return err;
}

/* In the order of their ids. */
static void keep_copy(struct bpf_types *types, struct copy *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		const struct btf_type *t = (const void *)(c->types.p + c->chosen[i].at);

		bytes_put(&types->types, t, kernel_btf_size(t));
	}
	types->strings = c->strings;
	c->strings = (struct bytes){ 0 };
}

static void put_all(struct bytes *file, const struct bytes *b)
{
	if (b->n)
		bytes_put(file, b->p, b->n);
	file->bad |= b->bad;
}

static int write_file(const struct bpf_types *types, const struct bytes *more_types,
		      const struct bytes *more_strings)
{
	const struct btf_header head = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(head),
		.type_len = (uint32_t)(types->types.n + more_types->n),
		.str_off = (uint32_t)(types->types.n + more_types->n),
		.str_len = (uint32_t)(types->strings.n + more_strings->n),
	};
	struct bytes file = { 0 };
	bool written;

	bytes_put(&file, &head, sizeof(head));
	put_all(&file, &types->types);
	put_all(&file, more_types);
	put_all(&file, &types->strings);
	put_all(&file, more_strings);
	written = !file.bad && !ftruncate(types->fd, 0) &&
		  pwrite(types->fd, file.p, file.n, 0) == (ssize_t)file.n;
	bytes_deinit(&file);
	return written ? 0 : -EIO;
}

struct bpf_types bpf_types_new(void)
{
	struct bpf_types types = { .fd = memfd_create("mmlens-types", MFD_CLOEXEC) };

	snprintf(types.path, sizeof(types.path), "/proc/self/fd/%d", types.fd);
	return types;
}

int bpf_types_fill(struct bpf_types *types, const struct bpf_object *obj)
{
	struct names names = { 0 };
	struct copy c = { .names = &names };
	const struct bytes none = { 0 };
	int err;

	if (types->fd < 0 || types->filled)
		return 0;
	err = names_of(bpf_object__btf(obj), &names);
	c.from = err ? NULL : kernel_btf_open();
	if (!err)
		err = c.from ? take_all(&c, &names) : -errno;
	if (!err) {
		keep_copy(types, &c);
		err = write_file(types, &none, &none);
	}
	types->filled = !err;
	kernel_btf_close(c.from);
	bytes_deinit(&c.types);
	bytes_deinit(&c.strings);
	free(c.chosen);
	names_free(&names);
	return err;
}

int bpf_types_load(struct bpf_types *types, struct bpf_object_skeleton *skeleton)
{
	int err = bpf_types_fill(types, *skeleton->obj);

	return err ? err : bpf_object__load_skeleton(skeleton);
}

int bpf_types_set(struct bpf_types *types, const char *name, const struct bpf_constant *constants,
		  size_t n)
{
	struct bytes strings = { 0 }, type = { 0 };
	const uint32_t at = (uint32_t)types->strings.n;
	const struct btf_type head = { .name_off = at,
				       .info = BTF_KIND_ENUM << 24 | (uint32_t)n,
				       .size = sizeof(uint32_t) };
	int err;

	if (!types->filled)
		return -ENOENT;
	bytes_put(&strings, name, strlen(name) + 1);
	bytes_put(&type, &head, sizeof(head));
	for (size_t i = 0; i < n; i++) {
		const struct btf_enum value = { .name_off = at + (uint32_t)strings.n,
						.val = (int32_t)constants[i].value };

		bytes_put(&type, &value, sizeof(value));
		bytes_put(&strings, constants[i].name, strlen(constants[i].name) + 1);
	}
	err = write_file(types, &type, &strings);
	bytes_deinit(&strings);
	bytes_deinit(&type);
	return err;
}

void bpf_types_free(struct bpf_types *types)
{
	bytes_deinit(&types->types);
	bytes_deinit(&types->strings);
	if (types->fd >= 0)
		close(types->fd);
	types->fd = -1;
}

const char *bpf_types_path(const struct bpf_types *types)
{
	return types->fd < 0 ? NULL : types->path;
}
