// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "source/btf_path.h"
#include "source/kernel_btf.h"

/* A structure's members, with their names. */
struct layout {
	uint32_t id;
	struct bytes type;  /* as in the kernel, but the members' names lie in `names` */
	struct bytes names; /* each ended by a zero */
};

struct btf_paths {
	struct kernel_btf *kernel;
	const char *root; /* the last that was looked for by name, and its id */
	uint32_t root_id;
	struct layout *layouts;
	uint32_t n, room;
};

struct btf_paths *btf_paths_open(void)
{
	struct btf_paths *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->kernel = kernel_btf_open();
	if (p->kernel)
		return p;
	free(p);
	return NULL;
}

void btf_paths_close(struct btf_paths *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n; i++) {
		bytes_deinit(&p->layouts[i].type);
		bytes_deinit(&p->layouts[i].names);
	}
	free(p->layouts);
	kernel_btf_close(p->kernel);
	free(p);
}

static int read_layout(struct btf_paths *p, uint32_t id, struct layout *l)
{
	int err = kernel_btf_type(p->kernel, id, &l->type);
	struct btf_type *t = (struct btf_type *)l->type.p;

	l->id = id;
	if (!err && !btf_is_composite(t))
		err = -ENOENT;
	for (uint16_t i = 0; !err && i < btf_vlen(t); i++) {
		struct btf_member *m = &btf_members(t)[i];
		const char *name = kernel_btf_string(p->kernel, m->name_off);

		m->name_off = (uint32_t)l->names.n;
		bytes_put(&l->names, name, strlen(name) + 1);
	}
	return l->names.bad ? -ENOMEM : err;
}

/* NULL, with *err, where that is no structure. */
static const struct layout *layout_of(struct btf_paths *p, uint32_t id, int *err)
{
	uint32_t i = 0;

	while (i < p->n && p->layouts[i].id != id)
		i++;
	if (i < p->n)
		return &p->layouts[i];
	if (p->n == p->room) {
		uint32_t room = p->room ? 2 * p->room : 32;
		struct layout *more = realloc(p->layouts, room * sizeof(*more));

		*err = more ? 0 : -ENOMEM;
		if (!more)
			return NULL;
		p->layouts = more;
		p->room = room;
	}
	p->layouts[p->n++] = (struct layout){ 0 };
	*err = read_layout(p, id, &p->layouts[i]);
	return *err ? NULL : &p->layouts[i];
}

/* Passes what only gives a type another name, and from an array on to its element. */
static int plain(struct btf_paths *p, uint32_t *id, struct btf_type *t)
{
	struct bytes array = { 0 };
	int err;

	while (!(err = kernel_btf_head(p->kernel, *id, t))) {
		if (btf_is_array(t)) {
			err = kernel_btf_type(p->kernel, *id, &array);
			if (err)
				break;
			*id = btf_array((struct btf_type *)array.p)->type;
			array.n = 0;
		} else if (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t)) {
			*id = t->type;
		} else {
			break;
		}
	}
	bytes_deinit(&array);
	return err;
}

/* Adds the member's place to *offset and turns *id into its type's. Looks into nameless ones, too. */
static int enter(struct btf_paths *p, uint32_t *id, const char *name, size_t len, uint32_t *offset)
{
	int err = 0;
	const struct layout *l = layout_of(p, *id, &err);
	const struct btf_type *t = l ? (const struct btf_type *)l->type.p : NULL;
	const struct btf_member *members = t ? btf_members(t) : NULL;
	const char *names = l ? (const char *)l->names.p : NULL;

	for (uint16_t i = 0; t && i < btf_vlen(t); i++) {
		const char *its = names + members[i].name_off;
		uint32_t within = *offset + btf_member_bit_offset(t, i) / 8, type = members[i].type;
		bool named = strncmp(its, name, len) == 0 && !its[len];

		/* what follows may move the table of layouts, not the memory that they own */
		if (!named && (*its || enter(p, &type, name, len, &within)))
			continue;
		*offset = within;
		*id = type;
		return 0;
	}
	return err ? err : -ENOENT;
}

static int follow(struct btf_paths *p, uint32_t id, const char *path, struct btf_place *out)
{
	struct btf_type t;
	int err = 0;

	while (!err) {
		size_t len = strcspn(path, ".-");

		err = enter(p, &id, path, len, &out->offset[out->leaps]);
		if (!err)
			err = plain(p, &id, &t);
		path += len;
		if (err || !*path)
			break;
		if (*path++ == '.')
			continue;
		path++; /* the '>' */
		id = t.type;
		err = btf_is_ptr(&t) && out->leaps < BTF_PATH_LEAPS ? plain(p, &id, &t) : -ENOENT;
		out->leaps++;
	}
	if (err)
		return err;
	out->is_pointer = btf_is_ptr(&t);
	out->size = out->is_pointer ? sizeof(uint64_t) : t.size;
	return 0;
}

int btf_path(struct btf_paths *p, const char *root, const char *path, struct btf_place *out)
{
	*out = (struct btf_place){ 0 };
	if (!p->root || strcmp(p->root, root) != 0) {
		p->root_id = kernel_btf_struct(p->kernel, root);
		p->root = root;
	}
	return p->root_id ? follow(p, p->root_id, path, out) : -ENOENT;
}
