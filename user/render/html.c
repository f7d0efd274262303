// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/html.h"
#include "render/page.h"
#include "render/plot.h"

static bool is(const struct proof_record *r, enum claim claim, const char *prefix)
{
	return r->type == PROOF_MEASUREMENT && r->claim == claim &&
	       !strncmp(r->name, prefix, strlen(prefix));
}

static void format_size(char *buf, size_t n, double v)
{
	text_size(buf, n, (uint64_t)v);
}

/* In powers of 10, as the axis is. */
static void format_rate(char *buf, size_t n, double v)
{
	static const char *const units[] = { "B/s", "kB/s", "MB/s", "GB/s", "TB/s" };
	size_t u = 0;

	for (; v >= 999.5 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1000;
	snprintf(buf, n, "%.0f %s", v, units[u]);
}

/* A process that wrote nothing stands left of the first MiB: no logarithm has a 0. */
#define NOTHING_MIB 0.25

static void format_mib(char *buf, size_t n, double v)
{
	snprintf(buf, n, "%.0f", v == NOTHING_MIB ? 0 : v);
}

static struct plot_point point_of(const struct proof_record *r, double x)
{
	return (struct plot_point){ x, r->value, r->low, r->high };
}

static void take_creation(struct plot *p, const struct proof_record *r)
{
	size_t mib;

	if (is(r, CLAIM_OVERHEAD, "create and end fork, ") &&
	    sscanf(r->name, "create and end fork, %zu MiB", &mib) == 1)
		plot_add(plot_curve(p, strstr(r->name, " huge") ? "huge pages" : "4K pages"),
			 point_of(r, mib ? (double)mib : NOTHING_MIB));
}

/* "distribution CLASS PERCENT" */
static void take_distribution(struct plot *p, const struct proof_record *r)
{
	char class[24];
	unsigned int percent;

	if (!is(r, CLAIM_OVERHEAD, "distribution ") ||
	    sscanf(r->name, "distribution %23s %u", class, &percent) != 2)
		return;
	plot_add(plot_curve(p, class), (struct plot_point){ r->value, percent, percent, percent });
}

/* "PREFIX MEDIUM, SIZE", the size as text_size() wrote it */
static void take_medium(struct plot *p, const struct proof_record *r, const char *prefix)
{
	static const char powers[] = "BKMG";
	const char *comma = strrchr(r->name, ',');
	size_t before = strlen(prefix);
	char name[48], *end;
	double size;

	if (!is(r, CLAIM_COMMUNICATION, prefix) || !comma)
		return;
	size = strtod(comma + 1, &end);
	if (*end && strchr(powers, *end))
		size *= pow(1024, (double)(strchr(powers, *end) - powers));
	snprintf(name, sizeof(name), "%.*s", (int)(comma - r->name) - (int)before,
		 r->name + before);
	plot_add(plot_curve(p, name), point_of(r, size));
}

static void take_latency(struct plot *p, const struct proof_record *r)
{
	take_medium(p, r, "latency ");
}

static void take_throughput(struct plot *p, const struct proof_record *r)
{
	take_medium(p, r, "throughput ");
}

static const struct plot_axes creation_axes = {
	.title = "To fork a process and see it end, by the memory it had written",
	.x_name = "MiB written before",
	.y_name = "time, median",
	.x_format = format_mib,
	.y_format = plot_ns,
	.x_from_data = true,
};

static const struct plot_axes latency_axes = {
	.title = "One message, one way, by medium and size",
	.x_name = "size of the message",
	.y_name = "time, median",
	.x_format = format_size,
	.y_format = plot_ns,
	.x_from_data = true,
};

static const struct plot_axes throughput_axes = {
	.title = "Throughput: a stream where the medium queues, else by turns",
	.x_name = "size of the message",
	.y_name = "bytes a second",
	.x_format = format_size,
	.y_format = format_rate,
	.x_from_data = true,
};

static const struct picture {
	enum claim claim;
	const struct plot_axes *axes;
	void (*take)(struct plot *p, const struct proof_record *r);
} pictures[] = {
	{ CLAIM_OVERHEAD, &creation_axes, take_creation },
	{ CLAIM_OVERHEAD, &plot_costs, take_distribution },
	{ CLAIM_COMMUNICATION, &latency_axes, take_latency },
	{ CLAIM_COMMUNICATION, &throughput_axes, take_throughput },
};

static void draw_pictures(FILE *out, const struct proof *p, enum claim claim)
{
	cleanup_free struct plot *plot = malloc(sizeof(*plot));

	for (size_t i = 0; plot && i < ARRAY_SIZE(pictures); i++) {
		if (pictures[i].claim != claim)
			continue;
		*plot = (struct plot){ .axes = pictures[i].axes };
		for (size_t k = 0; k < p->n; k++)
			pictures[i].take(plot, &p->records[k]);
		plot_draw(out, plot);
	}
}

/* All measurements of a claim whose names begin so, as bars on one axis from 0. */
static const struct bars {
	enum claim claim;
	const char *prefix;
	const char *not_with[2]; /* what their names must not have */
	const char *title;
} bars[] = {
	{ CLAIM_OVERHEAD, "create and end ", { "MiB" }, "To make a task and see it end" },
	{ CLAIM_OVERHEAD,
	  "switch ",
	  { "difference", "noise" },
	  "A switch between threads and between processes, end to end" },
	{ CLAIM_OVERHEAD,
	  "switch difference, ",
	  { NULL },
	  "How much dearer a switch between processes is (left of the line: cheaper)" },
	{ CLAIM_COMMUNICATION, "copies ", { NULL }, "Copies of each byte, counted by trace" },
	{ CLAIM_USES, "crashed ", { NULL }, "Tasks that one crash took, tried" },
};

static bool belongs(const struct proof_record *r, const struct bars *b)
{
	if (!is(r, b->claim, b->prefix))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(b->not_with); i++)
		if (b->not_with[i] && strstr(r->name, b->not_with[i]))
			return false;
	return true;
}

struct axis {
	double least;
	double most;
	size_t n;
};

static struct axis axis_of(const struct proof *p, const struct bars *b)
{
	struct axis a = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (!belongs(r, b))
			continue;
		a.n++;
		a.most = fmax(a.most, r->high);
		a.least = fmin(a.least, r->low);
	}
	return a;
}

static double place(const struct axis *a, double v)
{
	return a->most > a->least ? 100 * (v - a->least) / (a->most - a->least) : 0;
}

static void value(char *buf, size_t n, const struct proof_record *r)
{
	char text[24];

	if (!strcmp(r->unit, "ns"))
		snprintf(buf, n, "%s%s", r->value < 0 ? "-" : "",
			 text_ns(text, sizeof(text), (uint64_t)fabs(r->value)));
	else
		snprintf(buf, n, "%.3g", r->value);
}

/* Whether both sides of what was measured live in one space. */
static bool within_one(const char *name)
{
	static const char *const words[] = { "thread", "shared variable", "clone(CLONE_VM)",
					     "vfork" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(name, words[i]))
			return true;
	return false;
}

static void bar(FILE *out, const struct axis *a, const struct bars *b, const struct proof_record *r)
{
	double zero = place(a, 0), at = place(a, r->value), high = place(a, r->high);
	char text[32];

	value(text, sizeof(text), r);
	fputs("<span>", out);
	page_escaped(out, r->name + strlen(b->prefix));
	fprintf(out, "</span><div class='bar'><i%s style='left:%.2f%%;width:%.2f%%'></i>",
		within_one(r->name) ? " class='in'" : "", fmin(zero, at), fabs(at - zero));
	if (r->high > r->low)
		fprintf(out, "<u style='left:%.2f%%;width:%.2f%%'></u>", place(a, r->low),
			high - place(a, r->low));
	if (a->least < 0)
		fprintf(out, "<s style='left:%.2f%%'></s>", zero);
	fprintf(out, "<b style='left:%.2f%%'>%s</b></div>\n", fmax(fmax(at, high), zero), text);
}

static void draw_bars(FILE *out, const struct proof *p, const struct bars *b)
{
	struct axis a = axis_of(p, b);

	if (!a.n)
		return;
	fprintf(out, "<h3>%s</h3>\n<div class='bars'>\n", b->title);
	for (size_t i = 0; i < p->n; i++)
		if (belongs(&p->records[i], b))
			bar(out, &a, b, &p->records[i]);
	fputs("</div>\n", out);
}

static void observations(FILE *out, const struct proof *p, enum claim claim)
{
	fputs("<details><summary>What was done and seen</summary><ul>\n", out);
	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (r->claim != claim || r->type > PROOF_CANNOT)
			continue;
		if (r->type == PROOF_MEASUREMENT)
			continue;
		fputs(r->type == PROOF_STEP  ? "<li><b>"
		      : r->type == PROOF_TRY ? "<li>try <code>"
					     : "<li>",
		      out);
		page_escaped(out, r->text);
		fputs(r->type == PROOF_STEP  ? "</b>\n"
		      : r->type == PROOF_TRY ? "</code>\n"
					     : "\n",
		      out);
	}
	fputs("</ul></details>\n", out);
}

static void facts(FILE *out, const struct proof *p, enum claim claim)
{
	fputs("<table>\n", out);
	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (r->claim != claim || r->type != PROOF_MEASUREMENT || strcmp(r->unit, "fact"))
			continue;
		fprintf(out, "<tr><td class='%s'>%s</td><td>",
			r->value != 0 ? "proved" : "not-true-here", r->value != 0 ? "yes" : "no");
		page_escaped(out, r->name);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

/* "map NAME N": one space, with a dot for each of its tasks. */
static void sharing_map(FILE *out, const struct proof *p)
{
	char last[64] = "", name[64];

	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (!is(r, CLAIM_USES, "map ") || sscanf(r->name, "map %63s", name) != 1)
			continue;
		if (!*last)
			fputs("<h3>Who lives with whom</h3><small>a box is an address space, a dot "
			      "a task: what is in one box falls together</small>\n",
			      out);
		if (strcmp(last, name)) {
			fprintf(out, "%s<div class='map'><b>", *last ? "</div>\n" : "");
			page_escaped(out, name);
			fputs("</b>", out);
		}
		snprintf(last, sizeof(last), "%s", name);
		fprintf(out, "<div style='width:%.0fpx' title='%.0f tasks'>",
			9 * fmin(r->value, 9) - 3, r->value);
		for (int k = 0; k < (int)r->value; k++)
			fputs("<i></i>", out);
		fputs("</div>", out);
	}
	if (*last)
		fputs("</div>\n", out);
}

static void section(FILE *out, const struct proof *p, enum claim claim, const struct judgement *j)
{
	const char *word = proof_verdict_name(j->verdict);

	fprintf(out, "<h2>%d. %s</h2>\n<p><b class='%s'>%s</b>: ", claim + 1, claim_sentence(claim),
		word, word);
	page_escaped(out, j->because);
	fputs("</p>\n", out);
	facts(out, p, claim);
	if (claim == CLAIM_USES)
		sharing_map(out, p);
	draw_pictures(out, p, claim);
	for (size_t i = 0; i < ARRAY_SIZE(bars); i++)
		if (bars[i].claim == claim)
			draw_bars(out, p, &bars[i]);
	observations(out, p, claim);
}

void html_proof(FILE *out, const struct proof *p, const bool *claims,
		const struct judgement *judged)
{
	page_begin(out, "mmlens prove", "Processes and threads, measured on this machine");
	fputs("<p>Bars are medians: blue within one address space, orange between two; the thin "
	      "line is the 95 % confidence interval.</p>\n",
	      out);
	for (int c = 0; c < CLAIM_NR; c++)
		if (claims[c])
			section(out, p, (enum claim)c, &judged[c]);
	page_end(out);
}
