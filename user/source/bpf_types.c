// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/bpf_env.h"
#include "source/bpf_types.h"

/* A copy under way. What a pointer leads to is no part of a layout: all become `void *`. */
struct copy {
	const struct btf *from;
	struct btf *to;
	int *id_of; /* in `to`, by the id in `from`; 0: not copied */
	int pointer;
};

struct names {
	const char **name; /* sorted */
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Structures, unions and enumerations: what libbpf looks for by name. */
static bool has_members(const struct btf_type *t)
{
	return btf_is_composite(t) || btf_is_any_enum(t);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free((char *)names->name[i]);
	free(names->name);
}

/* What the object calls its types, without the flavour ("___" and what follows). */
static int names_of(const struct btf *btf, struct names *out)
{
	unsigned int all = btf__type_cnt(btf);

	out->name = calloc(all, sizeof(*out->name));
	if (!out->name)
		return -ENOMEM;
	for (unsigned int id = 1; id < all; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off), *flavour;

		if (!has_members(t) || !name || !*name)
			continue;
		flavour = strstr(name, "___");
		out->name[out->n] = flavour ? strndup(name, flavour - name) : strdup(name);
		if (!out->name[out->n++])
			return -ENOMEM;
	}
	qsort(out->name, out->n, sizeof(*out->name), by_name);
	return 0;
}

static bool names_has(const struct names *names, const char *name)
{
	return bsearch(&name, names->name, names->n, sizeof(name), by_name);
}

static int copy_type(struct copy *c, __u32 id);

/* The id in the copy of what a copied type refers to by `*id`, which is set to it. */
static int copy_referred(struct copy *c, int owner, size_t at)
{
	const struct btf_type *t = btf__type_by_id(c->to, owner);
	__u32 id = *(const __u32 *)((const char *)t + at);
	int copied = copy_type(c, id);

	if (copied < 0)
		return copied;
	/* copying may have moved it; it is ours, so it may be written */
	t = btf__type_by_id(c->to, owner);
	*(__u32 *)((char *)t + at) = copied;
	return 0;
}

static int copy_parts(struct copy *c, int owner)
{
	const struct btf_type *t = btf__type_by_id(c->to, owner);
	size_t n = btf_is_composite(t) ? btf_vlen(t) : 0, head = sizeof(*t);
	int err = 0;

	if (btf_is_array(t)) {
		err = copy_referred(c, owner, head + offsetof(struct btf_array, type));
		return err ? err
			   : copy_referred(c, owner, head + offsetof(struct btf_array, index_type));
	}
	if (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t))
		return copy_referred(c, owner, offsetof(struct btf_type, type));
	for (size_t i = 0; i < n && !err; i++)
		err = copy_referred(c, owner,
				    head + i * sizeof(struct btf_member) +
					    offsetof(struct btf_member, type));
	return err;
}

static int copy_type(struct copy *c, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(c->from, id);
	int copied, err;

	if (!id || c->id_of[id])
		return id ? c->id_of[id] : 0;
	if (btf_is_ptr(t))
		return c->pointer;
	copied = btf__add_type(c->to, c->from, t);
	if (copied < 0)
		return copied;
	c->id_of[id] = copied;
	err = copy_parts(c, copied);
	return err ? err : copied;
}

static int copy_named(struct copy *c, const struct names *names)
{
	unsigned int all = btf__type_cnt(c->from);

	for (unsigned int id = 1; id < all; id++) {
		const struct btf_type *t = btf__type_by_id(c->from, id);
		int copied = 0;

		if (has_members(t) && names_has(names, btf__name_by_offset(c->from, t->name_off)))
			copied = copy_type(c, id);
		if (copied < 0)
			return copied;
	}
	return 0;
}

/* The kernel's types of those names. */
static int select_types(const struct names *names, struct btf **out)
{
	struct copy c = { .from = bpf_env_btf(), .to = btf__new_empty() };
	int err = -ENOENT;

	if (c.from && c.to) {
		c.id_of = calloc(btf__type_cnt(c.from), sizeof(*c.id_of));
		c.pointer = btf__add_ptr(c.to, 0);
		err = c.id_of && c.pointer > 0 ? copy_named(&c, names) : -ENOMEM;
	}
	free(c.id_of);
	if (err)
		btf__free(c.to);
	else
		*out = c.to;
	return err;
}

static int write_types(const struct btf *btf, struct bpf_types *types)
{
	__u32 len;
	const char *data = btf__raw_data(btf, &len);

	types->fd = data ? memfd_create("mmlens-types", MFD_CLOEXEC) : -1;
	if (types->fd < 0)
		return -errno;
	snprintf(types->path, sizeof(types->path), "/proc/self/fd/%d", types->fd);
	return write(types->fd, data, len) == (ssize_t)len ? 0 : -EIO;
}

struct bpf_types bpf_types_new(const void *elf, size_t len)
{
	struct bpf_types types = { .fd = -1 };
	struct bpf_object *obj = bpf_object__open_mem(elf, len, NULL);
	struct names names = { 0 };
	struct btf *btf = NULL;
	int err = obj ? names_of(bpf_object__btf(obj), &names) : -errno;

	if (!err)
		err = select_types(&names, &btf);
	if (!err)
		err = write_types(btf, &types);
	/* Half of them would be worse than none. */
	if (err)
		bpf_types_free(&types);
	btf__free(btf);
	names_free(&names);
	bpf_object__close(obj);
	return types;
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
