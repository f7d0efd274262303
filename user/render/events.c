// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "lib/text.h"
#include "render/events.h"

/* A number says nothing but where it was recorded. */
static const char *call_name(char *buf, size_t n, const struct cast *cast, int nr)
{
	const char *told = cast->calls ? call_names_find(cast->calls, nr) : NULL;

	if (!cast->calls)
		return syscall_name(buf, n, nr);
	if (told)
		return told;
	snprintf(buf, n, "call %d", nr);
	return buf;
}

/* ---- JSON ---- */

static void json_task_open(struct json *j, const char *key, const struct cast *cast, uint32_t id)
{
	const struct event_task *t = cast_find(cast, id);
	bool known = t->key.tid || id == EVENT_IDLE;

	json_object(j, key);
	if (known) {
		json_uint(j, "tgid", t->key.tgid);
		json_uint(j, "tid", t->key.tid);
	} else {
		json_null(j, "tgid");
		json_null(j, "tid");
	}
	json_str(j, "comm", id == EVENT_NOBODY ? NULL : t->comm);
	json_id(j, "space", t->space);
}

static void json_task(struct json *j, const char *key, const struct cast *cast, uint32_t id)
{
	json_task_open(j, key, cast, id);
	json_object_end(j);
}

static void json_switch(struct json *j, const struct event *ev, const struct cast *cast)
{
	char state[2] = { ev->sw.state, '\0' };

	json_str(j, "class", switch_class_name(ev->sw.class));
	json_str(j, "how", switch_how_name(ev->sw.how));
	if (ev->sw.cost)
		json_uint(j, "cost", ev->sw.cost);
	else
		json_null(j, "cost");
	json_task_open(j, "prev", cast, ev->sw.prev);
	json_str(j, "state", state);
	json_object_end(j);
	json_task(j, "next", cast, ev->sw.next);
}

static void json_wake(struct json *j, const struct event *ev, const struct cast *cast)
{
	char call[32];

	json_task(j, "waker", cast, ev->wake.waker);
	json_task(j, "wakee", cast, ev->wake.wakee);
	json_bool(j, "same_space", ev->wake.same_space);
	if (ev->wake.interrupt_known)
		json_bool(j, "interrupt", ev->wake.interrupt);
	else
		json_null(j, "interrupt");
	json_str(j, "call",
		 ev->wake.call < 0 ? NULL : call_name(call, sizeof(call), cast, ev->wake.call));
}

static void say_json(const char *what, void *arg)
{
	json_str(arg, NULL, what);
}

static void json_fork(struct json *j, const struct event *ev, const struct cast *cast)
{
	json_task(j, "parent", cast, ev->fork.parent);
	json_task(j, "child", cast, ev->fork.child);
	json_uint(j, "flags", ev->fork.flags);
	json_array(j, "shared");
	event_fork_shared(ev->fork.flags, say_json, j);
	json_array_end(j);
}

static void json_exec(struct json *j, const struct event *ev, const struct cast *cast)
{
	json_task(j, "task", cast, ev->exec.task);
}

static void json_exit(struct json *j, const struct event *ev, const struct cast *cast)
{
	json_task(j, "task", cast, ev->exit.task);
	json_uint(j, "code", ev->exit.code);
	json_bool(j, "last", ev->exit.last);
}

static void json_lost(struct json *j, const struct event *ev, const struct cast *cast)
{
	(void)cast;
	json_uint(j, "dropped", ev->lost);
}

static void (*const objects[])(struct json *j, const struct event *ev, const struct cast *cast) = {
	[EVENT_SWITCH] = json_switch, [EVENT_WAKE] = json_wake, [EVENT_FORK] = json_fork,
	[EVENT_EXEC] = json_exec,     [EVENT_EXIT] = json_exit, [EVENT_LOST] = json_lost,
	[EVENT_TASK] = NULL,
};

static_assert(ARRAY_SIZE(objects) == EVENT_NR, "every event has its object");

void json_event(struct json *j, const struct event *ev, const struct cast *cast)
{
	if (!objects[ev->type])
		return;
	json_object(j, NULL);
	if (ev->type != EVENT_SWITCH)
		json_str(j, "event", event_type_name(ev->type));
	json_uint(j, "ts", ev->ts);
	json_uint(j, "cpu", ev->cpu);
	objects[ev->type](j, ev, cast);
	json_object_end(j);
}

/* ---- text ---- */

/* Of the 256 colours those that can be read on black and on white alike. */
static const uint8_t palette[] = { 31,	33,  63,  67,  71,  97,	 99,  130,
				   133, 136, 142, 161, 166, 168, 172, 203 };

struct line {
	FILE *out;
	const struct cast *cast;
	const struct event_style *style;
};

static void print_task(const struct line *l, uint32_t id)
{
	const struct event_task *t = cast_find(l->cast, id);
	bool color = l->style->color && t->space;
	char comm[68];

	if (id == EVENT_IDLE || id == EVENT_NOBODY) {
		fputs(id == EVENT_IDLE ? "idle" : "?", l->out);
		return;
	}
	/* neighbours in number get colours far apart */
	if (color)
		fprintf(l->out, "\033[38;5;%um", palette[t->space * 0x9e3779b97f4a7c15ull >> 60]);
	fprintf(l->out, "%s/", text_escape(comm, sizeof(comm), t->comm));
	if (t->key.tid)
		fprintf(l->out, "%u", t->key.tid);
	else
		fputs("-", l->out);
	if (t->space)
		fprintf(l->out, " @%llx", (unsigned long long)t->space);
	if (color)
		fputs("\033[0m", l->out);
}

static void print_pair(const struct line *l, uint32_t a, uint32_t b)
{
	print_task(l, a);
	fputs(" -> ", l->out);
	print_task(l, b);
}

static void print_switch(const struct line *l, const struct event *ev)
{
	char cost[24] = "-";

	if (ev->sw.cost)
		text_ns(cost, sizeof(cost), ev->sw.cost);
	fprintf(l->out, "%-10s %7s %c ", switch_class_name(ev->sw.class), cost, ev->sw.state);
	print_pair(l, ev->sw.prev, ev->sw.next);
}

static void print_wake(const struct line *l, const struct event *ev)
{
	char call[32];

	fprintf(l->out, "%-10s %7s   ", "wake", "");
	print_pair(l, ev->wake.waker, ev->wake.wakee);
	if (ev->wake.interrupt)
		fputs(" (from an interrupt)", l->out);
	else if (ev->wake.call >= 0)
		fprintf(l->out, " (%s%s)", call_name(call, sizeof(call), l->cast, ev->wake.call),
			ev->wake.same_space ? ", same space" : "");
	else if (ev->wake.same_space)
		fputs(" (same space)", l->out);
}

struct list {
	FILE *out;
	bool any;
};

static void say_text(const char *what, void *arg)
{
	struct list *list = arg;

	list->any = true;
	fprintf(list->out, " %s", what);
}

static void print_fork(const struct line *l, const struct event *ev)
{
	struct list shared = { .out = l->out };

	fprintf(l->out, "%-10s %7s   ", "fork", "");
	print_pair(l, ev->fork.parent, ev->fork.child);
	fputs(" sharing", l->out);
	event_fork_shared(ev->fork.flags, say_text, &shared);
	fprintf(l->out, "%s (0x%llx)", shared.any ? "" : " nothing",
		(unsigned long long)ev->fork.flags);
}

static void print_exec(const struct line *l, const struct event *ev)
{
	fprintf(l->out, "%-10s %7s   ", "exec", "");
	print_task(l, ev->exec.task);
}

static void print_exit(const struct line *l, const struct event *ev)
{
	unsigned int sig = ev->exit.code & 0x7f;

	fprintf(l->out, "%-10s %7s   ", "exit", "");
	print_task(l, ev->exit.task);
	if (sig)
		fprintf(l->out, " by signal %u", sig);
	else
		fprintf(l->out, " status %u", ev->exit.code >> 8 & 0xff);
	fputs(ev->exit.last ? ", last of its process" : "", l->out);
}

static void print_lost(const struct line *l, const struct event *ev)
{
	fprintf(l->out, "%-10s %7s   %llu events of this CPU", "lost", "",
		(unsigned long long)ev->lost);
}

static void (*const lines[])(const struct line *l, const struct event *ev) = {
	[EVENT_SWITCH] = print_switch, [EVENT_WAKE] = print_wake, [EVENT_FORK] = print_fork,
	[EVENT_EXEC] = print_exec,     [EVENT_EXIT] = print_exit, [EVENT_LOST] = print_lost,
	[EVENT_TASK] = NULL,
};

static_assert(ARRAY_SIZE(lines) == EVENT_NR, "every event has its line");

void print_event(FILE *out, const struct event *ev, const struct cast *cast,
		 const struct event_style *style)
{
	/* CPUs' clocks may differ by less than the order of two lines */
	uint64_t ns = ev->ts > style->since ? ev->ts - style->since : 0;
	const struct line l = { out, cast, style };

	if (!lines[ev->type])
		return;
	fprintf(out, "%4llu.%06llu %3u ", (unsigned long long)(ns / 1000000000),
		(unsigned long long)(ns / 1000 % 1000000), ev->cpu);
	lines[ev->type](&l, ev);
	fputc('\n', out);
}
