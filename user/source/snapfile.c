// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "source/recfile.h"
#include "source/snapfile.h"

/* PID_MAX_LIMIT of the kernel: no host has more tasks */
#define TASKS_MAX (4u << 20)
/* a path of /proc/PID/cgroup */
#define CGROUP_MAX 4096

/* The bits of `known`, `res_known` and `flags` are in files: they are only ever appended to. */
static_assert(RES_NR == 18 && RES_SECCOMP == 17 && KNOWN_UID == 1u << 16, "a new version is due");

#define FIELD(member)                                                             \
	{                                                                         \
		offsetof(struct task, member), sizeof(((struct task *)0)->member) \
	}

static const struct {
	uint16_t at;
	uint16_t size;
} fields[] = {
	FIELD(key.tgid),
	FIELD(key.tid),
	FIELD(key.start_ns),
	FIELD(ppid),
	FIELD(uid),
	FIELD(flags),
	FIELD(known),
	FIELD(res_known),
	FIELD(cpu),
	FIELD(mm_users),
	FIELD(state),
	FIELD(nvcsw),
	FIELD(nivcsw),
	FIELD(loan),
	FIELD(user_stack.start),
	FIELD(user_stack.end),
	FIELD(user_stack.sp),
	FIELD(user_stack.touched),
	FIELD(user_stack.guard),
	FIELD(kernel_stack.base),
	FIELD(kernel_stack.sp),
	FIELD(kernel_stack.size),
	FIELD(kernel_stack.used),
	FIELD(kernel_stack.deepest),
	FIELD(kernel_stack.base_is_address),
};

/* Fields are of three widths; a union keeps this free of the machine's byte order. */
static uint64_t field_get(const struct task *t, size_t f)
{
	const void *at = (const char *)t + fields[f].at;

	return fields[f].size == 8   ? *(const uint64_t *)at
	       : fields[f].size == 4 ? *(const uint32_t *)at
				     : *(const uint8_t *)at;
}

static void field_set(struct task *t, size_t f, uint64_t v)
{
	void *at = (char *)t + fields[f].at;

	if (at == (void *)&t->kernel_stack.base_is_address)
		t->kernel_stack.base_is_address = v;
	else if (fields[f].size == 8)
		*(uint64_t *)at = v;
	else if (fields[f].size == 4)
		*(uint32_t *)at = (uint32_t)v;
	else
		*(uint8_t *)at = (uint8_t)v;
}

static void encode_task(struct bytes *b, const struct task *t)
{
	for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
		bytes_put_varint(b, field_get(t, f));
	bytes_put_str(b, t->comm, sizeof(t->comm));
	for (int r = 0; r < RES_NR; r++)
		if (task_res_known(t, r))
			bytes_put_varint(b, t->res[r]);
}

void snapfile_encode(struct bytes *b, const struct snapshot *s)
{
	bytes_put_str(b, s->source, sizeof(s->source));
	bytes_put_str(b, s->boot_id, sizeof(s->boot_id));
	bytes_put_varint(b, s->begin_ns);
	bytes_put_varint(b, s->end_ns);
	bytes_put_varint(b, s->withheld);
	bytes_put_varint(b, s->raced);
	bytes_put_varint(b, s->n);
	for (size_t i = 0; i < s->n; i++)
		encode_task(b, &s->tasks[i]);
	bytes_put_varint(b, s->n_memory);
	for (size_t i = 0; i < s->n_memory; i++) {
		bytes_put_varint(b, s->memory[i].space);
		bytes_put_varint(b, s->memory[i].rss);
		bytes_put_varint(b, s->memory[i].pss);
	}
	bytes_put_str(b, s->withheld_why, sizeof(s->withheld_why));
	for (size_t i = 0; i < s->n_memory; i++) {
		const char *cgroup = s->memory[i].cgroup;

		bytes_put_str(b, cgroup ? cgroup : "", CGROUP_MAX);
	}
}

static void decode_task(struct cursor *c, struct task *t)
{
	for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
		field_set(t, f, cursor_varint(c));
	cursor_str(c, t->comm, sizeof(t->comm));
	t->res_known &= (1u << RES_NR) - 1;
	for (int r = 0; r < RES_NR; r++)
		if (task_res_known(t, r))
			t->res[r] = cursor_varint(c);
}

static int decode_tasks(struct cursor *c, struct snapshot *s)
{
	uint64_t n = cursor_varint(c);

	if (n > TASKS_MAX)
		return -EBADMSG;
	for (uint64_t i = 0; i < n && !c->bad; i++) {
		struct task *t = snapshot_add(s);

		if (!t)
			return -ENOMEM;
		decode_task(c, t);
	}
	return c->bad ? -EBADMSG : 0;
}

static int decode_memory(struct cursor *c, struct snapshot *s)
{
	uint64_t n = cursor_varint(c);

	if (n > s->n)
		return -EBADMSG;
	for (uint64_t i = 0; i < n && !c->bad; i++) {
		struct space_memory m = { .space = cursor_varint(c) };

		m.rss = cursor_varint(c);
		m.pss = cursor_varint(c);
		if (snapshot_add_memory(s, &m))
			return -ENOMEM;
	}
	return c->bad ? -EBADMSG : 0;
}

/* What version 2 appended. */
static int decode_appended(struct cursor *c, struct snapshot *s)
{
	char path[CGROUP_MAX];

	cursor_str(c, s->withheld_why, sizeof(s->withheld_why));
	for (size_t i = 0; i < s->n_memory && !c->bad; i++) {
		cursor_str(c, path, sizeof(path));
		if (*path && !(s->memory[i].cgroup = strdup(path)))
			return -ENOMEM;
	}
	return c->bad ? -EBADMSG : 0;
}

/* These two are printed as they are. */
static bool head_is_sane(const struct snapshot *s)
{
	return source_by_name(s->source) &&
	       strspn(s->boot_id, "0123456789abcdef-") == strlen(s->boot_id);
}

int snapfile_decode(struct cursor *c, uint16_t version, struct snapshot *s)
{
	int err;

	if (!version || version > SNAPFILE_VERSION)
		return -EPROTO;
	cursor_str(c, s->source, sizeof(s->source));
	cursor_str(c, s->boot_id, sizeof(s->boot_id));
	s->begin_ns = cursor_varint(c);
	s->end_ns = cursor_varint(c);
	s->withheld = cursor_varint(c);
	s->raced = cursor_varint(c);
	s->recorded = true;
	err = c->bad || !head_is_sane(s) ? -EBADMSG : decode_tasks(c, s);
	if (!err)
		err = decode_memory(c, s);
	if (!err && version >= 2)
		err = decode_appended(c, s);
	return err ? err : snapshot_seal(s);
}

static int load_block(struct recfile *f, struct snapshot *s)
{
	struct rec_block block;
	struct cursor c;
	int got = recfile_find(f, REC_SNAPSHOT, &block);

	if (got < 0)
		return got;
	if (!got)
		return -ENOMSG;
	c = cursor_of(block.payload, block.len);
	return snapfile_decode(&c, block.version, s);
}

int snapfile_load(const char *path, struct snapshot *s, struct why *why)
{
	struct recfile *f;
	int err = recfile_open(path, &f);

	if (!err) {
		err = load_block(f, s);
		recfile_close(f);
	}
	if (err == -ENOMSG)
		return why_set(why, err, "holds no snapshot");
	return err ? why_set(why, err, "%s", recfile_why(err)) : 0;
}
