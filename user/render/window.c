// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "render/page.h"
#include "render/plot.h"
#include "render/switches.h"
#include "render/window.h"

static void curve(struct plot *p, const char *name, const struct cost *c)
{
	for (size_t i = 0; c->n && i < COST_QUANTILES; i++) {
		double percent = cost_percent(i);

		plot_add(plot_curve(p, name),
			 (struct plot_point){ (double)c->q[i], percent, percent, percent });
	}
}

static void draw_costs(FILE *out, const struct switches *sw)
{
	cleanup_free struct plot *p = malloc(sizeof(*p));

	if (!p)
		return;
	*p = (struct plot){ .axes = &plot_costs };
	for (int c = 0; c < CLASS_NR; c++)
		curve(p, switch_class_name(c), &sw->classes[c].cost);
	plot_draw(out, p);
}

/* Blue where the space stays, orange where another is loaded. */
static void draw_shares(FILE *out, const struct switches *sw)
{
	uint64_t most = 1;
	char text[24];

	for (int c = 0; c < CLASS_NR; c++)
		most = class_total(&sw->classes[c]) > most ? class_total(&sw->classes[c]) : most;
	fputs("<h3>How often, by class</h3>\n<div class='bars'>\n", out);
	for (int c = 0; c < CLASS_NR; c++) {
		uint64_t n = class_total(&sw->classes[c]);
		double width = 100.0 * (double)n / (double)most;

		fprintf(out,
			"<span title='%s'>%s</span><div class='bar'><i%s style='left:0;"
			"width:%.2f%%'></i><b style='left:%.2f%%'>%s</b></div>\n",
			switch_class_summary(c), switch_class_name(c),
			switch_class_loads(c) ? "" : " class='in'", width, width,
			text_count(text, sizeof(text), n));
	}
	fputs("</div>\n", out);
}

static void draw_table(FILE *out, const char *title, const struct page_table *t)
{
	if (!t->n)
		return;
	fprintf(out, "<h2>%s</h2>\n", title);
	page_rows(out, t);
}

static void classes(FILE *out, const struct switches *sw)
{
	struct class_row rows[CLASS_NR];

	for (int c = 0; c < CLASS_NR; c++)
		rows[c] = (struct class_row){ sw, c };
	draw_table(out, "Classes",
		   &(struct page_table){
			   class_columns, class_columns_n,
			   "CLASS,COUNT,SHARE,VOLUNTARY,PREEMPTED,EXIT,P50,P90,P99,MAX,MEANING",
			   rows, CLASS_NR, sizeof(*rows) });
}

void html_window(FILE *out, const struct switches *sw, const char *summary)
{
	page_begin(out, "mmlens report", "Context switches of one window");
	fputs("<p>Blue: the address space stays; orange: another is loaded.</p>\n<pre>", out);
	page_escaped(out, summary);
	fputs("</pre>\n", out);
	draw_shares(out, sw);
	draw_costs(out, sw);
	classes(out, sw);
	draw_table(out, "Tasks",
		   &(struct page_table){ task_switches_columns, task_switches_columns_n,
					 "TID,COMM,SPACE,SWITCHES,THREAD,PEER,PROCESS,TO-KERNEL,"
					 "TO-IDLE,PREEMPT",
					 sw->tasks, sw->n_tasks, sizeof(*sw->tasks) });
	draw_table(out, "Pairs of address spaces",
		   &(struct page_table){ pair_columns, pair_columns_n,
					 "FROM,FROM-COMM,TO,TO-COMM,COUNT,LOADS", sw->pairs,
					 sw->n_pairs, sizeof(*sw->pairs) });
	draw_table(out, "CPUs",
		   &(struct page_table){ cpu_columns, cpu_columns_n,
					 "CPU,SWITCHES,LOADS,VOL,PREEMPT,EXIT,LOST", sw->cpus,
					 sw->n_cpus, sizeof(*sw->cpus) });
	page_end(out);
}
