// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "render/page.h"

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
	"table{border-collapse:collapse}th,td{padding:.15em .9em .15em 0;border-bottom:1px solid "
	"var(--line);text-align:left}.r{text-align:right}pre{white-space:pre-wrap}.wide{overflow-x:auto;"
	"font-size:13px}code{background:var(--soft);padding:.1em .3em;overflow-wrap:anywhere}\n"
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

void page_escaped(FILE *out, const char *s)
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

void page_begin(FILE *out, const char *title, const char *heading)
{
	fprintf(out,
		"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
		"<meta name='viewport' content='width=device-width'>"
		"<title>%s</title>\n",
		title);
	fputs(style, out);
	fprintf(out, "</head><body><h1>%s</h1>\n", heading);
}

void page_end(FILE *out)
{
	fputs("</body></html>\n", out);
}

static void cell(FILE *out, const struct column *c, const void *row)
{
	struct value v = { .type = VALUE_NULL };
	char text[1024];

	c->get(row, c->arg, &v);
	fputs(c->flags & COL_RIGHT ? "<td class='r'>" : "<td>", out);
	page_escaped(out, value_text(text, sizeof(text), &v, false));
	fputs("</td>", out);
}

void page_rows(FILE *out, const struct page_table *t)
{
	const struct column *shown[PAGE_COLUMNS];
	size_t n = 0;

	for (const char *at = t->shown; *at && n < PAGE_COLUMNS; at += *at == ',') {
		size_t len = strcspn(at, ",");

		shown[n] = column_find(t->cols, t->n_cols, at, len);
		n += shown[n] != NULL;
		at += len;
	}
	fputs("<div class='wide'><table>\n<tr>", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "<th%s title='%s'>%s</th>",
			shown[i]->flags & COL_RIGHT ? " class='r'" : "", shown[i]->help,
			shown[i]->name);
	fputs("</tr>\n", out);
	for (size_t row = 0; row < t->n && row < PAGE_ROWS; row++) {
		fputs("<tr>", out);
		for (size_t i = 0; i < n; i++)
			cell(out, shown[i], (const char *)t->rows + row * t->size);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
	if (t->n > PAGE_ROWS)
		fprintf(out, "<small>and %zu more (--json has all)</small>\n", t->n - PAGE_ROWS);
}
