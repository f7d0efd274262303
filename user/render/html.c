// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/html.h"

#define BAR_WIDTH 460

static const char style[] =
	"<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;"
	"padding:0 1em;color:#1d2330;background:#fff}h1{font-size:1.6em}h2{margin-top:2em}"
	"h3{margin:1.2em 0 .3em}.proved{color:#0a7a3b}.not-true-here{color:#b3261e}"
	".cannot-tell{color:#8a6100}small,text.u{color:#5b6473;fill:#5b6473}"
	"table{border-collapse:collapse}td,th{padding:.15em .9em .15em 0;text-align:left;"
	"border-bottom:1px solid #e3e6ec}svg{font:13px system-ui,sans-serif;max-width:100%}"
	"code{background:#f2f4f8;padding:.1em .3em}</style>\n";

static void escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (*s == '"')
			fputs("&quot;", out);
		else
			fputc(*s, out);
	}
}

/* The pictures: all measurements of a claim whose names begin so, on one axis. */
static const struct chart {
	enum claim claim;
	const char *prefix;
	const char *title;
	bool log;
} charts[] = {
	{ CLAIM_OVERHEAD, "create and end ", "To make a task and see it end, by way and memory",
	  true },
	{ CLAIM_OVERHEAD, "page tables, ",
	  "Page tables held (huge pages keep theirs in reserve, and fork copies none of it)",
	  true },
	{ CLAIM_OVERHEAD, "switch thread, ", "A switch between threads, end to end", true },
	{ CLAIM_OVERHEAD, "switch process, ", "A switch between processes, end to end", true },
	{ CLAIM_OVERHEAD, "direct ", "The switch alone, in the kernel, by class", false },
	{ CLAIM_COMMUNICATION, "latency ", "One message, one way", true },
	{ CLAIM_COMMUNICATION, "throughput ", "Throughput at 1 MiB", false },
	{ CLAIM_USES, "spaces ", "Address spaces of real programs", false },
	{ CLAIM_USES, "tasks ", "Their tasks", false },
	{ CLAIM_USES, "largest ", "Tasks that one crash would take", false },
};

static bool belongs(const struct proof_record *r, const struct chart *c)
{
	return r->type == PROOF_MEASUREMENT && r->claim == c->claim &&
	       !strncmp(r->name, c->prefix, strlen(c->prefix));
}

struct axis {
	double least;
	double most;
	size_t n;
	bool log;
};

static struct axis axis_of(const struct proof *p, const struct chart *c)
{
	struct axis a = { .least = INFINITY, .log = c->log };

	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (!belongs(r, c))
			continue;
		a.n++;
		a.most = fmax(a.most, r->high);
		if (r->low > 0)
			a.least = fmin(a.least, r->low);
	}
	a.log = a.log && a.least < a.most;
	return a;
}

static double place(const struct axis *a, double v)
{
	if (!(a->most > 0))
		return 0;
	/* half of the least: its bar must be seen too */
	if (a->log)
		return v <= a->least / 2
			       ? 0
			       : BAR_WIDTH * log(2 * v / a->least) / log(2 * a->most / a->least);
	return BAR_WIDTH * fmax(v, 0) / a->most;
}

static void value(char *buf, size_t n, const struct proof_record *r)
{
	if (!strcmp(r->unit, "ns"))
		text_ns(buf, n, (uint64_t)fmax(r->value, 0));
	else if (!strcmp(r->unit, "B/s"))
		text_size(buf, n - 2, (uint64_t)r->value), strcat(buf, "/s");
	else if (!strcmp(r->unit, "KiB"))
		text_size(buf, n, (uint64_t)(r->value * 1024));
	else
		snprintf(buf, n, "%g", r->value);
}

static void bar(FILE *out, const struct axis *a, const struct chart *c,
		const struct proof_record *r, size_t row)
{
	double x = place(a, r->value), low = place(a, r->low), high = place(a, r->high);
	size_t y = row * 22;
	char text[32];

	value(text, sizeof(text), r);
	fprintf(out, "<text x='300' y='%zu' text-anchor='end'>", y + 15);
	escaped(out, r->name + strlen(c->prefix));
	fprintf(out, "</text><rect x='310' y='%zu' width='%.1f' height='14' fill='%s'/>", y + 4, x,
		strstr(r->name, "thread") || strstr(r->name, "shared variable") ? "#3d7dd8"
										: "#e08a3c");
	if (r->n)
		fprintf(out, "<path d='M%.1f %zuH%.1f' stroke='#1d2330' stroke-width='2'/>",
			310 + low, y + 11, 310 + high);
	fprintf(out, "<text class='u' x='%.1f' y='%zu'>%s</text>\n", 318 + fmax(x, high), y + 15,
		text);
}

static void draw(FILE *out, const struct proof *p, const struct chart *c)
{
	struct axis a = axis_of(p, c);
	size_t row = 0;

	if (!a.n)
		return;
	fprintf(out, "<h3>%s</h3><small>median%s%s</small>\n", c->title,
		a.log ? ", logarithmic axis" : "", "; black: 95 % confidence interval");
	fprintf(out, "<svg role='img' aria-label='%s' width='900' height='%zu'>\n", c->title,
		a.n * 22 + 6);
	for (size_t i = 0; i < p->n; i++)
		if (belongs(&p->records[i], c))
			bar(out, &a, c, &p->records[i], row++);
	fputs("</svg>\n", out);
}

/* What each task shared with its maker, as the witnesses told it. */
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
		escaped(out, r->text);
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
		escaped(out, r->name);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

#define DOTS_ACROSS 10

/* One space: a box with a dot for each task. */
static unsigned int draw_space(FILE *out, const struct proof_record *r, unsigned int x)
{
	unsigned int tasks = (unsigned int)r->value,
		     across = tasks < DOTS_ACROSS ? tasks : DOTS_ACROSS;
	unsigned int rows = (tasks + DOTS_ACROSS - 1) / DOTS_ACROSS;

	fprintf(out,
		"<rect x='%u' y='2' width='%u' height='%u' rx='4' fill='#eef2f9' "
		"stroke='#9aa7bd'/>",
		x, across * 9 + 8, rows * 9 + 8);
	for (unsigned int i = 0; i < tasks; i++)
		fprintf(out, "<circle cx='%u' cy='%u' r='3' fill='#3d7dd8'/>",
			x + 8 + i % DOTS_ACROSS * 9, 10 + i / DOTS_ACROSS * 9);
	return x + across * 9 + 14;
}

/* "map NAME N": the name without what stands around it. */
static size_t map_name(const struct proof_record *r)
{
	const char *last = strrchr(r->name, ' ');

	return last && last > r->name + 4 ? (size_t)(last - r->name) : 0;
}

static bool on_map(const struct proof_record *r)
{
	return r->type == PROOF_MEASUREMENT && r->claim == CLAIM_USES &&
	       !strncmp(r->name, "map ", 4) && map_name(r);
}

/* All boxes of the program whose first is record i; the index after them. */
static size_t draw_program(FILE *out, const struct proof *p, size_t i)
{
	const struct proof_record *first = &p->records[i];
	size_t len = map_name(first);
	unsigned int x = 110, most = 1;

	for (size_t k = i; k < p->n && on_map(&p->records[k]); k++)
		if (p->records[k].value > most)
			most = (unsigned int)p->records[k].value;
	fprintf(out,
		"<div><svg role='img' aria-label='spaces' width='1000' height='%u'>"
		"<text x='100' y='18' text-anchor='end'>",
		(most + DOTS_ACROSS - 1) / DOTS_ACROSS * 9 + 14);
	fprintf(out, "%.*s</text>", (int)(len - 4), first->name + 4);
	while (i < p->n && on_map(&p->records[i]) && map_name(&p->records[i]) == len &&
	       !strncmp(p->records[i].name, first->name, len))
		x = draw_space(out, &p->records[i++], x);
	fputs("</svg></div>\n", out);
	return i;
}

static void sharing_map(FILE *out, const struct proof *p)
{
	bool begun = false;

	for (size_t i = 0; i < p->n;) {
		if (!on_map(&p->records[i])) {
			i++;
			continue;
		}
		if (!begun)
			fputs("<h3>Who lives with whom</h3><small>a box is an address space, a dot "
			      "a task: what falls together</small>\n",
			      out);
		begun = true;
		i = draw_program(out, p, i);
	}
}

static void section(FILE *out, const struct proof *p, enum claim claim, const struct judgement *j)
{
	const char *word = proof_verdict_name(j->verdict);

	fprintf(out, "<h2>%d. %s</h2>\n<p><b class='%s'>%s</b>: ", claim + 1, claim_sentence(claim),
		word, word);
	escaped(out, j->because);
	fputs("</p>\n", out);
	facts(out, p, claim);
	if (claim == CLAIM_USES)
		sharing_map(out, p);
	for (size_t i = 0; i < ARRAY_SIZE(charts); i++)
		if (charts[i].claim == claim)
			draw(out, p, &charts[i]);
	observations(out, p, claim);
}

void html_proof(FILE *out, const struct proof *p, const bool *claims,
		const struct judgement *judged)
{
	fputs("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
	      "<meta name='viewport' content='width=device-width'>"
	      "<title>mmlens prove</title>\n",
	      out);
	fputs(style, out);
	fputs("</head><body><h1>Processes and threads, measured on this machine</h1>\n"
	      "<p>Blue is within one address space, orange between two.</p>\n",
	      out);
	for (int c = 0; c < CLAIM_NR; c++)
		if (claims[c])
			section(out, p, (enum claim)c, &judged[c]);
	fputs("</body></html>\n", out);
}
