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

/*
 * What holds messages is filled while it is emptied; elsewhere the next waits until the last was
 * taken, and the turns are all there is.
 */
static double throughput(struct exchange *x, double latency)
{
	double ns = latency, bytes = (double)x->size;

	if (x->n_streams) {
		ns = estimate_of(x->stream, x->n_streams).median;
		bytes *= (double)x->in_stream;
	}
	return ns > 0 ? bytes * 1e9 / ns : 0;
}

static void say_throughput(struct lab *l, struct exchange *x, double rate, const char *size)
{
	char name[64];

	snprintf(name, sizeof(name), "throughput %s, %s", x->medium->name, size);
	lab_count(l, name, rate, "B/s");
	if (!x->n_streams)
		return;
	snprintf(name, sizeof(name), "streamed %s, %s", x->medium->name, size);
	lab_count(l, name, (double)(x->n_streams * (x->in_stream + 1)), "messages");
}

/* What one medium took for the smallest and for the largest message; 0: not measured. */
struct took {
	double least; /* ns */
	double most;
	double last;		       /* of the largest that was passed */
	double rate_small, rate_large; /* B/s, of the smallest and of the largest */
	char large[16];
};

static void say_exchange(struct lab *l, struct exchange *x, struct line *line, struct took *took)
{
	struct estimate e = estimate_of(x->ns, x->n);
	char name[64], size[16], ns[16];

	text_size(size, sizeof(size), x->size);
	snprintf(name, sizeof(name), "latency %s, %s", x->medium->name, size);
	lab_estimate(l, name, e);
	append(line, "%s %s %s", line->used > strlen(x->medium->name) + 1 ? "," : "", size,
	       text_ns(ns, sizeof(ns), (uint64_t)e.median));
	took->rate_large = throughput(x, e.median);
	say_throughput(l, x, took->rate_large, size);
	snprintf(took->large, sizeof(took->large), "%s", size);
	took->last = e.median;
	took->most = x->size == MESSAGE_MOST ? e.median : 0;
	if (took->least > 0)
		return;
	took->least = e.median;
	took->rate_small = took->rate_large;
}

static void append_throughput(struct line *line, const struct medium *medium,
			      const struct took *took)
{
	const char *how = medium->queues ? "as a stream" : "by turns";
	char small[16], large[16];

	if (!(took->least > 0))
		return;
	append(line, "; %s/s %s", text_size(small, sizeof(small), (uint64_t)took->rate_small), how);
	if (strcmp(took->large, "1B"))
		append(line, " of 1B, %s/s of %s",
		       text_size(large, sizeof(large), (uint64_t)took->rate_large), took->large);
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

/* Of every size that there is time for; -errno, or 0. */
static int pass_sizes(struct lab *l, const struct medium *medium, uint64_t until, struct line *line,
		      struct took *took)
{
	cleanup_free struct exchange *x = calloc(1, sizeof(*x));
	int err = x ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < ARRAY_SIZE(sizes) && sizes[i] <= medium->most; i++) {
		if (too_long(took->last, i, until)) {
			append(line, "; larger left out: " LAB_TIME_IS_UP);
			break;
		}
		*x = (struct exchange){ .lab = l, .medium = medium, .size = sizes[i] };
		x->most = (sizes[i] > 65536 ? 80 : EXCHANGE_MOST) / (l->quick ? 4 : 1);
		x->streams = !medium->queues ? 0 : l->quick ? 3 : EXCHANGE_STREAMS;
		x->until = lab_part(until, ARRAY_SIZE(sizes) - i);
		exchange_run(x);
		err = x->err;
		if (!err)
			say_exchange(l, x, line, took);
	}
	return err;
}

static struct took measure_medium(struct lab *l, const struct medium *medium,
				  const struct toll *toll, uint64_t until)
{
	struct took took = { 0 };
	struct line line = { .used = 0 };
	bool any;
	int err;

	append(&line, "%s:", medium->name);
	lab_say(l, PROOF_PROGRESS, "passing messages by %s", medium->name);
	err = pass_sizes(l, medium, until, &line, &took);
	any = took.least > 0;
	append_throughput(&line, medium, &took);
	say_toll(l, medium, toll, &line);
	if (any)
		lab_say(l, PROOF_SAW, "%s", line.text);
	if (err)
		lab_say(l, PROOF_SAW, "%s: %s not possible here: %s", medium->name,
			any ? "larger messages are" : "is", strerror(-err));
	if (!medium->threads && (any || !err))
		lab_fact(l, any, "%s carries messages between processes", medium->name);
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
	bool any = false;

	lab_say(l, PROOF_STEP,
		"pass messages of 1 byte to 1 MiB there and back, one way is half of it; then "
		"streams of them, where a medium holds more than one");
	core_describe(l);
	core_begin(l, &use);
	for (size_t i = 0; i < MEDIA; i++) {
		if (lab_in_time(l))
			took[i] = measure_medium(l, &media[i], &tolls[i], lab_share(l, MEDIA - i));
		else
			lab_say(l, PROOF_SAW, "%s left out: " LAB_TIME_IS_UP, media[i].name);
		any |= !media[i].threads && took[i].least > 0;
	}
	if (!any)
		lab_say(l, PROOF_CANNOT, "no message was passed between processes: see above");
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
