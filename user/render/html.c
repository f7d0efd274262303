// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/html.h"
#include "render/plot.h"

/* Curve colours are in the order of c0, c1 ...: within one space blue, between two orange. */
static const char style[] =
	"<style>:root{color-scheme:light dark;--bg:#fff;--fg:#1d2330;--dim:#5b6473;--line:#e3e6ec;"
	"--soft:#f2f4f8;--in:#2f6fd0;--out:#d9772b;--yes:#0a7a3b;--no:#b3261e;--open:#8a6100}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171d;--fg:#e4e7ee;--dim:#9aa4b5;"
	"--line:#2c323d;--soft:#20252e;--in:#6ea8ff;--out:#f0a060;--yes:#4cc38a;--no:#ff7b72;"
	"--open:#d9a93a}}\n"
	"body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:1.5em auto;padding:0 1em;"
	"color:var(--fg);background:var(--bg)}h1{font-size:1.6em}h2{margin-top:2em}"
	"h3{margin:1.4em 0 .3em;font-size:1em}.proved{color:var(--yes)}.not-true-here{"
	"color:var(--no)}.cannot-tell{color:var(--open)}small,.dim{color:var(--dim)}"
	"table{border-collapse:collapse}td{padding:.15em .9em .15em 0;border-bottom:1px solid "
	"var(--line)}code{background:var(--soft);padding:.1em .3em;overflow-wrap:anywhere}\n"
	".bars{display:grid;grid-template-columns:minmax(7em,max-content) 1fr;gap:.2em .8em;"
	"font-size:13px;align-items:center}.bars>span{text-align:right}.bar{position:relative;"
	"height:1.35em;margin-right:5.5em}.bar>i{position:absolute;top:.15em;bottom:.15em;"
	"background:var(--out)}.bar>i.in{background:var(--in)}.bar>u{position:absolute;top:50%;"
	"height:2px;background:var(--fg)}.bar>b{position:absolute;font-weight:400;padding-left:.4em;"
	"white-space:nowrap}.bar>s{position:absolute;top:0;bottom:0;width:1px;"
	"background:var(--dim)}\n"
	".plot{overflow-x:auto}.plot svg{min-width:460px;width:100%;max-width:760px;"
	"font:12px system-ui,sans-serif;fill:var(--dim)}svg .g{stroke:var(--line)}svg .n{"
	"fill:var(--fg)}svg g path,svg polyline{fill:none;stroke-width:1.8;stroke:var(--c)}svg "
	"circle{fill:var(--c)}.legend{font-size:13px;margin:.2em 0 0}.legend span{"
	"display:inline-block;margin-right:1.2em}.legend svg{vertical-align:middle;"
	"margin-right:.3em}\n"
	".c0{--c:var(--in)}.c1{--c:var(--out)}.c2{--c:#2aa198}.c3{--c:#c45ab3}.c4{--c:#8f9d2d}"
	".c5{--c:#8a63d2}.c6{--c:#d05050}.c7{--c:#4f9e4f}.c8{--c:#a0755a}.c9{--c:#5f8fa8}"
	".c10{--c:#c79a1e}.c11{--c:#888}.c12{--c:#e06c9f}.c13{--c:#3fb5d0}\n"
	".map{display:flex;flex-wrap:wrap;gap:.4em;align-items:flex-start;margin:.5em 0}.map>b{"
	"flex:0 0 6.5em;text-align:right;font-weight:400}.map>div{border:1px solid var(--dim);"
	"border-radius:4px;background:var(--soft);padding:4px;display:grid;gap:3px;"
	"grid-template-columns:repeat(auto-fit,6px);max-width:90px;min-width:6px}.map i{width:6px;"
	"height:6px;border-radius:3px;background:var(--in)}</style>\n";

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

static bool is(const struct proof_record *r, enum claim claim, const char *prefix)
{
	return r->type == PROOF_MEASUREMENT && r->claim == claim &&
	       !strncmp(r->name, prefix, strlen(prefix));
}

static void format_ns(char *buf, size_t n, double v)
{
	text_ns(buf, n, (uint64_t)fmax(v, 0));
}

static void format_size(char *buf, size_t n, double v)
{
	text_size(buf, n, (uint64_t)v);
}

static void format_percent(char *buf, size_t n, double v)
{
	snprintf(buf, n, "%.0f %%", v);
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

/* "latency MEDIUM, SIZE", the size as text_size() wrote it */
static void take_latency(struct plot *p, const struct proof_record *r)
{
	static const char prefix[] = "latency ", powers[] = "BKMG";
	const char *comma = strrchr(r->name, ',');
	char name[48], *end;
	double size;

	if (!is(r, CLAIM_COMMUNICATION, prefix) || !comma)
		return;
	size = strtod(comma + 1, &end);
	if (*end && strchr(powers, *end))
		size *= pow(1024, (double)(strchr(powers, *end) - powers));
	snprintf(name, sizeof(name), "%.*s", (int)(comma - r->name - (int)sizeof(prefix) + 1),
		 r->name + sizeof(prefix) - 1);
	plot_add(plot_curve(p, name), point_of(r, size));
}

static const struct picture {
	enum claim claim;
	struct plot plot;
	void (*take)(struct plot *p, const struct proof_record *r);
} pictures[] = {
	{ CLAIM_OVERHEAD,
	  { .title = "To fork a process and see it end, by the memory it had written",
	    .x_name = "MiB written before",
	    .y_name = "time, median",
	    .x_format = format_mib,
	    .y_format = format_ns,
	    .x_from_data = true },
	  take_creation },
	{ CLAIM_OVERHEAD,
	  { .title = "The switch alone, in the kernel: how many took at most so long",
	    .x_name = "time of one switch, by class",
	    .y_name = "share of switches",
	    .x_format = format_ns,
	    .y_format = format_percent,
	    .y_linear = true,
	    .y_most = 100 },
	  take_distribution },
	{ CLAIM_COMMUNICATION,
	  { .title = "One message, one way, by medium and size",
	    .x_name = "size of the message",
	    .y_name = "time, median",
	    .x_format = format_size,
	    .y_format = format_ns,
	    .x_from_data = true },
	  take_latency },
};

static void draw_pictures(FILE *out, const struct proof *p, enum claim claim)
{
	struct plot *plot = malloc(sizeof(*plot));

	for (size_t i = 0; plot && i < ARRAY_SIZE(pictures); i++) {
		if (pictures[i].claim != claim)
			continue;
		*plot = pictures[i].plot;
		for (size_t k = 0; k < p->n; k++)
			pictures[i].take(plot, &p->records[k]);
		plot_draw(out, plot);
	}
	free(plot);
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
	{ CLAIM_COMMUNICATION, "throughput ", { NULL }, "Throughput at 1 MiB" },
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
	else if (!strcmp(r->unit, "B/s"))
		snprintf(buf, n, "%s/s", text_size(text, sizeof(text), (uint64_t)r->value));
	else
		snprintf(buf, n, "%.3g", r->value);
}

static void bar(FILE *out, const struct axis *a, const struct bars *b, const struct proof_record *r)
{
	double zero = place(a, 0), at = place(a, r->value), high = place(a, r->high);
	bool in = strstr(r->name, "thread") || strstr(r->name, "shared variable");
	char text[32];

	value(text, sizeof(text), r);
	fputs("<span>", out);
	escaped(out, r->name + strlen(b->prefix));
	fprintf(out, "</span><div class='bar'><i%s style='left:%.2f%%;width:%.2f%%'></i>",
		in ? " class='in'" : "", fmin(zero, at), fabs(at - zero));
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
			escaped(out, name);
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
	escaped(out, j->because);
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
	fputs("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
	      "<meta name='viewport' content='width=device-width'>"
	      "<title>mmlens prove</title>\n",
	      out);
	fputs(style, out);
	fputs("</head><body><h1>Processes and threads, measured on this machine</h1>\n"
	      "<p>Bars are medians: blue within one address space, orange between two; the thin "
	      "line is the 95 % confidence interval.</p>\n",
	      out);
	for (int c = 0; c < CLAIM_NR; c++)
		if (claims[c])
			section(out, p, (enum claim)c, &judged[c]);
	fputs("</body></html>\n", out);
}
