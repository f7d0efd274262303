// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "model/event.h"

static const char *const types[] = {
	[EVENT_SWITCH] = "switch", [EVENT_WAKE] = "wake", [EVENT_FORK] = "fork",
	[EVENT_EXEC] = "exec",	   [EVENT_EXIT] = "exit", [EVENT_TASK] = "task",
	[EVENT_LOST] = "lost",
};

static_assert(ARRAY_SIZE(types) == EVENT_NR, "every event has its word");

/* The words are those of resources, where they are the same thing. */
static const struct {
	uint64_t flag;
	const char *what;
} shares[] = {
	{ CLONE_VM, "mm" },	      { CLONE_FILES, "files" },	  { CLONE_FS, "fs" },
	{ CLONE_SIGHAND, "sighand" }, { CLONE_THREAD, "signal" }, { CLONE_IO, "io" },
	{ CLONE_SYSVSEM, "sysvsem" },
};

static const struct event_task idle = { .id = EVENT_IDLE, .comm = "idle" };
static const struct event_task nobody = { .id = EVENT_NOBODY, .comm = "?" };

static int cast_learn(struct cast *c, const struct event_task *t)
{
	if (t->id >= c->room) {
		size_t room = t->id < 512 ? 1024 : 2 * (size_t)t->id;
		struct event_task *tasks = realloc(c->tasks, room * sizeof(*tasks));

		if (!tasks)
			return -ENOMEM;
		memset(tasks + c->room, 0, (room - c->room) * sizeof(*tasks));
		c->tasks = tasks;
		c->room = room;
	}
	c->tasks[t->id] = *t;
	if (t->id >= c->n)
		c->n = (size_t)t->id + 1;
	return 0;
}

int cast_apply(struct cast *c, const struct event *ev)
{
	struct event_task *t;

	if (ev->type == EVENT_TASK && ev->task.id != EVENT_IDLE && ev->task.id != EVENT_NOBODY)
		return cast_learn(c, &ev->task);
	if (ev->type != EVENT_EXEC || ev->exec.task >= c->n)
		return 0;
	t = &c->tasks[ev->exec.task];
	t->space = ev->exec.space;
	memcpy(t->comm, ev->exec.comm, sizeof(t->comm));
	return 0;
}

const struct event_task *cast_find(const struct cast *c, uint32_t id)
{
	if (id == EVENT_IDLE)
		return &idle;
	return id < c->n && c->tasks[id].id ? &c->tasks[id] : &nobody;
}

void cast_deinit(struct cast *c)
{
	free(c->tasks);
	*c = (struct cast){ 0 };
}

int call_names_add(struct call_names *c, uint64_t nr, const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (nr >= CALL_MAX || !len || name[len] || len >= CALL_NAME_MAX)
		return -EBADMSG;
	if (nr >= c->n) {
		size_t n = nr < 512 ? 512 : CALL_MAX;
		char(*more)[CALL_NAME_MAX] = realloc(c->name, n * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + c->n, 0, (n - c->n) * sizeof(*more));
		c->name = more;
		c->n = n;
	}
	memcpy(c->name[nr], name, len + 1);
	return 0;
}

const char *call_names_find(const struct call_names *c, int nr)
{
	return nr >= 0 && (size_t)nr < c->n && c->name[nr][0] ? c->name[nr] : NULL;
}

void call_names_deinit(struct call_names *c)
{
	free(c->name);
	*c = (struct call_names){ 0 };
}

const char *event_type_name(enum event_type type)
{
	return types[type];
}

void event_fork_shared(uint64_t flags, void (*say)(const char *what, void *arg), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
		if (flags & shares[i].flag)
			say(shares[i].what, arg);
}
