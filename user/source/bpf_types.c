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

/* A copy under way. The types get their ids in the order in which they were chosen, from 1. */
struct copy {
	struct kernel_btf *from;
	uint32_t *chosen; /* by their ids in the kernel */
	uint32_t n, room;
	struct bytes types;
	struct bytes strings;
};

struct names {
	struct btf_name *name;
	size_t n,
		of_object; /* those of the object are ours to free, and stand first until sorted */
	char **owned;
};

static bool has_members(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_is_any_enum(t);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->of_object; i++)
		free(names->owned[i]);
	free(names->owned);
	free(names->name);
}

/* Structures, unions and enumerations without their flavour ("___" and what follows). */
static int names_of(const struct btf *btf, struct names *out)
{
	unsigned int all = btf__type_cnt(btf);

	out->owned = calloc(all, sizeof(*out->owned));
	out->name = calloc(all + btf_ids_count(), sizeof(*out->name));
	if (!out->owned || !out->name)
		return -ENOMEM;
	for (unsigned int id = 1; id < all; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off), *flavour;
		char *plain;

		if (!has_members(t) || !name || !*name)
			continue;
		flavour = strstr(name, "___");
		plain = flavour ? strndup(name, flavour - name) : strdup(name);
		if (!plain)
			return -ENOMEM;
		out->owned[out->of_object] = plain;
		out->name[out->of_object++].name = plain;
	}
	btf_ids_names(out->name + out->of_object);
	out->n = out->of_object + btf_ids_count();
	return 0;
}

/* Turns the kernel's id into that of the copy, for which the type is chosen if it was not yet. */
static int choose(struct copy *c, uint32_t *id)
{
	uint32_t i = 0;

	while (i < c->n && c->chosen[i] != *id)
		i++;
	if (i == c->room) {
		uint32_t room = c->room ? 2 * c->room : 512;
		uint32_t *chosen = realloc(c->chosen, room * sizeof(*chosen));

		if (!chosen)
			return -ENOMEM;
		c->chosen = chosen;
		c->room = room;
	}
	if (i == c->n)
		c->chosen[c->n++] = *id;
	*id = i + 1;
	return 0;
}

static int take_name(struct copy *c, uint32_t *at)
{
	const char *name = *at ? kernel_btf_string(c->from, *at) : NULL;

	if (!*at)
		return 0;
	if (!name)
		return -EPROTO;
	*at = (uint32_t)c->strings.n;
	bytes_put(&c->strings, name, strlen(name) + 1);
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

static int take_type(struct copy *c, uint32_t id)
{
	size_t at = c->types.n;
	int err = kernel_btf_type(c->from, id, &c->types);
	struct btf_type *t = (struct btf_type *)(c->types.p + at);

	if (!err)
		err = take_name(c, &t->name_off);
	return err ? err : take_parts(c, t);
}

static int take_named(uint32_t id, const struct btf_type *head, const struct btf_name *name,
		      void *arg)
{
	btf_ids_take(name->name, id, head);
	return has_members(head) ? choose(arg, &id) : 0;
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
	bytes_put(&c->strings, "", 1);
	for (uint32_t i = 0; i < c->n && !err; i++)
		err = take_type(c, c->chosen[i]);
	return err;
}

static bool put(int fd, const void *p, size_t n)
{
	return write(fd, p, n) == (ssize_t)n;
}

static int write_copy(int fd, const struct copy *c)
{
	const struct btf_header head = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(head),
		.type_len = (uint32_t)c->types.n,
		.str_off = (uint32_t)c->types.n,
		.str_len = (uint32_t)c->strings.n,
	};

	return put(fd, &head, sizeof(head)) && put(fd, c->types.p, c->types.n) &&
			       put(fd, c->strings.p, c->strings.n)
		       ? 0
		       : -EIO;
}

struct bpf_types bpf_types_new(void)
{
	struct bpf_types types = { .fd = memfd_create("mmlens-types", MFD_CLOEXEC) };

	snprintf(types.path, sizeof(types.path), "/proc/self/fd/%d", types.fd);
	return types;
}

int bpf_types_fill(struct bpf_types *types, const struct bpf_object *obj)
{
	struct copy c = { 0 };
	struct names names = { 0 };
	int err;

	if (types->fd < 0 || types->filled)
		return 0;
	err = names_of(bpf_object__btf(obj), &names);
	c.from = err ? NULL : kernel_btf_open();
	if (!err)
		err = c.from ? take_all(&c, &names) : -errno;
	if (!err)
		err = write_copy(types->fd, &c);
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

void bpf_types_free(struct bpf_types *types)
{
	if (types->fd >= 0)
		close(types->fd);
	types->fd = -1;
}

const char *bpf_types_path(const struct bpf_types *types)
{
	return types->fd < 0 ? NULL : types->path;
}
