// SPDX-License-Identifier: GPL-2.0-only
/* What it costs to tell another task something, and whether a plain write is enough. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/core.h"
#include "lab/exchange.h"
#include "lab/toll.h"
#include "lib/cleanup.h"
#include "lib/text.h"

static const size_t sizes[] = { 1, 64, 4096, 64u << 10, 1u << 20 };

/* The line of one medium, as it grows. */
struct line {
	char text[300];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *fmt, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line->text + line->used, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		line->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void say_toll(struct lab *l, const struct medium *medium, const struct toll *toll,
		     struct line *line)
{
	char name[64];

	if (!toll->known)
		return;
	snprintf(name, sizeof(name), "traced %s", medium->name);
	lab_count(l, name, (double)toll->messages, "messages");
	snprintf(name, sizeof(name), "switches %s", medium->name);
	lab_count(l, name, toll->switches, "per message");
	snprintf(name, sizeof(name), "calls %s", medium->name);
	lab_count(l, name, toll->calls, "per message");
	snprintf(name, sizeof(name), "copies %s", medium->name);
	lab_count(l, name, toll->copies, "per byte");
	append(line, "; a message takes %.1f switches, %.1f calls, %.1f copies", toll->switches,
	       toll->calls, toll->copies);
}

/* ns, one way */
static double say_exchange(struct lab *l, struct exchange *x, struct line *line)
{
	struct estimate e = estimate_of(x->ns, x->n);
	char name[64], size[16], ns[16];

	text_size(size, sizeof(size), x->size);
	snprintf(name, sizeof(name), "latency %s, %s", x->medium->name, size);
	lab_estimate(l, name, e);
	append(line, "%s %s %s", line->used > strlen(x->medium->name) + 1 ? "," : "", size,
	       text_ns(ns, sizeof(ns), (uint64_t)e.median));
	if (x->size == MESSAGE_MOST && e.median > 0) {
		snprintf(name, sizeof(name), "throughput %s, %s", x->medium->name, size);
		lab_count(l, name, (double)x->size * 1e9 / e.median, "B/s");
	}
	return e.median;
}

/*
 * Whether the next size would outlast its time, by what the last one took: beyond a page the bytes
 * make the time.
 */
static bool too_long(double ns, size_t i, uint64_t until)
{
	size_t growth = i && sizes[i] > 4096 ? sizes[i] / sizes[i - 1] : 1;

	return i && lab_now() + (uint64_t)(2 * SAMPLES_MIN * ns * (double)growth) > until;
}

/* What one medium took for the smallest and for the largest message; 0: not measured. */
struct took {
	double least;
	double most;
};

static struct took measure_medium(struct lab *l, const struct medium *medium,
				  const struct toll *toll, uint64_t until)
{
	cleanup_free struct exchange *x = calloc(1, sizeof(*x));
	struct took took = { 0 };
	struct line line = { .used = 0 };
	size_t i = 0;
	double ns = 0;
	int err = x ? 0 : -ENOMEM;

	append(&line, "%s:", medium->name);
	lab_say(l, PROOF_PROGRESS, "passing messages by %s", medium->name);
	for (; !err && i < ARRAY_SIZE(sizes) && sizes[i] <= medium->most; i++) {
		if (too_long(ns, i, until)) {
			append(&line, "; larger left out: " LAB_TIME_IS_UP);
			break;
		}
		*x = (struct exchange){ .lab = l, .medium = medium, .size = sizes[i] };
		x->most = (sizes[i] > 65536 ? 80 : EXCHANGE_MOST) / (l->quick ? 4 : 1);
		x->until = lab_part(until, ARRAY_SIZE(sizes) - i);
		exchange_run(x);
		err = x->err;
		if (err)
			break;
		ns = say_exchange(l, x, &line);
		took.least = i ? took.least : ns;
		took.most = sizes[i] == MESSAGE_MOST ? ns : 0;
	}
	say_toll(l, medium, toll, &line);
	if (i)
		lab_say(l, PROOF_SAW, "%s", line.text);
	if (err)
		lab_say(l, PROOF_SAW, "%s: %s not possible here: %s", medium->name,
			i ? "larger messages are" : "is", strerror(-err));
	if (!medium->threads && (i || !err))
		lab_fact(l, i > 0, "%s carries messages between processes", medium->name);
	return took;
}

static void conclude(struct lab *l, const struct took *took)
{
	size_t least = 1, most = 1;
	char a[16], b[16], c[16], d[16];

	for (size_t i = 1; i < MEDIA; i++) {
		if (took[i].least > 0 && took[i].least < took[least].least)
			least = i;
		if (took[i].most > 0 && took[i].most < took[most].most)
			most = i;
	}
	if (!(took[0].least > 0 && took[least].least > 0 && took[most].most > 0))
		return;
	lab_say(l, PROOF_CONCLUDED,
		"to tell a thread one byte takes %s, a process at least %s (%s): what both pay is "
		"the wake-up and the switch",
		text_ns(a, sizeof(a), (uint64_t)took[0].least),
		text_ns(b, sizeof(b), (uint64_t)took[least].least), media[least].name);
	lab_say(l, PROOF_CONCLUDED,
		"to tell a thread 1 MiB takes %s, for it stays where it is; a process at least %s "
		"(%s): each copy counts",
		text_ns(c, sizeof(c), (uint64_t)took[0].most),
		text_ns(d, sizeof(d), (uint64_t)took[most].most), media[most].name);
}

static void by_medium(struct lab *l, const struct toll *tolls)
{
	struct took took[MEDIA] = { { 0 } };
	struct core_use use;

	lab_say(l, PROOF_STEP,
		"pass messages of 1 byte to 1 MiB there and back; one way is half of it");
	core_describe(l);
	core_begin(l, &use);
	for (size_t i = 0; i < MEDIA; i++) {
		if (lab_in_time(l))
			took[i] = measure_medium(l, &media[i], &tolls[i], lab_share(l, MEDIA - i));
		else
			lab_say(l, PROOF_SAW, "%s left out: " LAB_TIME_IS_UP, media[i].name);
	}
	conclude(l, took);
	core_say(l, &use);
	lab_say(l, PROOF_TRY, "mmlens channels PID PID");
}

static volatile int plain; /* a variable like any other */

static void *write_plain(void *arg)
{
	plain = 1;
	return arg;
}

static void plain_write(struct lab *l)
{
	pthread_t t;
	pid_t pid;

	lab_say(l, PROOF_STEP, "write a plain variable in a child process, then in a thread");
	plain = 0;
	pid = lab_fork();
	if (!pid) {
		write_plain(NULL);
		_exit(0);
	}
	if (pid < 0 || lab_reap(pid) < 0)
		return lab_say(l, PROOF_CANNOT, "no child could be made");
	lab_say(l, PROOF_SAW, "after the child wrote 1 we read %d", plain);
	lab_fact(l, plain == 0, "a child's plain write stays unseen");
	if (pthread_create(&t, NULL, write_plain, NULL))
		return lab_say(l, PROOF_CANNOT, "no thread could be made");
	pthread_join(t, NULL);
	lab_say(l, PROOF_SAW, "after the thread wrote 1 we read %d", plain);
	lab_fact(l, plain == 1, "a thread's plain write is seen");
	lab_say(l, PROOF_TRY, "mmlens pages PID PID");
}

void lab_communication(struct lab *l)
{
	struct toll *tolls = lab_shared(MEDIA * sizeof(*tolls));

	plain_write(l);
	if (!tolls)
		return lab_say(l, PROOF_CANNOT, "no shared memory for the counts");
	toll_take(l, tolls);
	by_medium(l, tolls);
}
