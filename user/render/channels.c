// SPDX-License-Identifier: GPL-2.0-only
#include "lib/cleanup.h"
#include "model/channel.h"
#include "model/wakeups.h"
#include "render/channels.h"

static void get_type(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, channel_type_name(((const struct channel *)row)->a->type));
}

static const struct endpoint *side(const void *row, int arg)
{
	const struct channel *c = row;

	return arg ? c->b : c->a;
}

static void get_pid(const void *row, int arg, struct value *v)
{
	if (side(row, arg))
		value_uint(v, VALUE_UINT, side(row, arg)->tgid);
}

static void get_fd(const void *row, int arg, struct value *v)
{
	if (side(row, arg) && side(row, arg)->fd >= 0)
		value_uint(v, VALUE_UINT, (uint64_t)side(row, arg)->fd);
}

static void get_direction(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, channel_direction(row));
}

static void get_name(const void *row, int arg, struct value *v)
{
	value_str(v, side(row, arg)->name);
}

static void get_object(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_uint(v, VALUE_UINT, side(row, 0)->id);
}

static void get_size(const void *row, int arg, struct value *v)
{
	const struct channel *c = row;
	uint64_t there = c->b ? c->b->size : 0, size = c->a->size > there ? c->a->size : there;

	(void)arg;
	if (size)
		value_uint(v, VALUE_SIZE, size);
}

static void get_waited(const void *row, int arg, struct value *v)
{
	const struct channel *c = row;

	(void)arg;
	value_uint(v, VALUE_BOOL, c->a->waited || (c->b && c->b->waited));
}

const struct column channel_columns[] = {
	{ "TYPE", "type", "what kind of channel", 0, 0, get_type },
	{ "PID", "a.pid", "the process asked about", 0, COL_RIGHT, get_pid, 0 },
	{ "FD", "a.fd", "its descriptor, none for a mapping", 0, COL_RIGHT, get_fd, 0 },
	{ "DIR", "direction", "which way data can go", 0, 0, get_direction },
	{ "PEER", "b.pid", "the process at the other end, none where nobody is seen to hold it", 0,
	  COL_RIGHT, get_pid, 1 },
	{ "PEERFD", "b.fd", "its descriptor", 0, COL_RIGHT, get_fd, 1 },
	{ "FUTEX", "futex_waited", "a task sleeps on a futex in it now", 0, 0, get_waited },
	{ "SIZE", "size", "bytes mapped of it", 0, COL_RIGHT, get_size },
	{ "OBJECT", "object", "inode, or id of the queue or eventfd", 0, COL_RIGHT, get_object },
	{ "NAME", "name", "as the kernel names it", 0, COL_TRUNC, get_name, 0 },
};

const size_t channel_columns_n = ARRAY_SIZE(channel_columns);

enum {
	W_WAKER,
	W_WAKEE,
	W_COUNT
};

static void get_number(const void *row, int arg, struct value *v)
{
	const struct wakeup *w = row;

	value_uint(v, arg == W_COUNT ? VALUE_COUNT : VALUE_UINT,
		   arg == W_WAKER   ? w->waker
		   : arg == W_WAKEE ? w->wakee
				    : w->count);
}

static void get_space(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct wakeup *)row)->same_space ? "same" : "other");
}

static void get_call(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct wakeup *)row)->call);
}

static void get_channel(const void *row, int arg, struct value *v)
{
	const struct wakeup *w = row;

	(void)arg;
	value_str(v, *w->channel ? w->channel : NULL);
}

const struct column wakeup_columns[] = {
	{ "COUNT", "count", "wake-ups", 0, COL_RIGHT, get_number, W_COUNT },
	{ "WAKER", "waker", "process that woke", 0, COL_RIGHT, get_number, W_WAKER },
	{ "WAKEE", "wakee", "process that was woken", 0, COL_RIGHT, get_number, W_WAKEE },
	{ "SPACE", "space", "same or other", 0, 0, get_space },
	{ "CALL", "call", "the waker's system call", 0, 0, get_call },
	{ "THROUGH", "channel", "what the call was about", 0, COL_TRUNC, get_channel },
};

const size_t wakeup_columns_n = ARRAY_SIZE(wakeup_columns);

enum {
	S_SENDER,
	S_RECEIVER,
	S_COUNT
};

static void get_signal_number(const void *row, int arg, struct value *v)
{
	const struct signals *s = row;

	value_uint(v, arg == S_COUNT ? VALUE_COUNT : VALUE_UINT,
		   arg == S_SENDER     ? s->sender
		   : arg == S_RECEIVER ? s->receiver
				       : s->count);
}

static void get_signal(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct signals *)row)->name);
}

static void get_how(const void *row, int arg, struct value *v)
{
	(void)arg;
	value_str(v, ((const struct signals *)row)->how);
}

const struct column signal_columns[] = {
	{ "COUNT", "count", "signals", 0, COL_RIGHT, get_signal_number, S_COUNT },
	{ "SENDER", "sender", "process that ran", 0, COL_RIGHT, get_signal_number, S_SENDER },
	{ "RECEIVER", "receiver", "process it was for", 0, COL_RIGHT, get_signal_number,
	  S_RECEIVER },
	{ "SIGNAL", "signal", "its name", 0, 0, get_signal },
	{ "BY", "by", "the call that sent it, or the kernel on the sender's behalf", 0, 0,
	  get_how },
};

const size_t signal_columns_n = ARRAY_SIZE(signal_columns);
