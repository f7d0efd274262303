// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "lib/text.h"
#include "render/plot.h"

/* Units of the drawing; the page scales it. */
enum {
	WIDTH = 680,
	HEIGHT = 360,
	LEFT = 78,
	RIGHT = 28,
	TOP = 10,
	BOTTOM = 44,
};

struct range {
	double least;
	double most;
	bool linear;
};

void plot_ns(char *buf, size_t n, double v)
{
	text_ns(buf, n, (uint64_t)fmax(v, 0));
}

void plot_percent(char *buf, size_t n, double v)
{
	snprintf(buf, n, "%.0f %%", v);
}

const struct plot_axes plot_costs = {
	.title = "The switch alone, in the kernel: how many took at most so long",
	.x_name = "time of one switch, by class",
	.y_name = "share of switches",
	.x_format = plot_ns,
	.y_format = plot_percent,
	.y_linear = true,
	.y_most = 100,
};

struct plot_curve *plot_curve(struct plot *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->curves[i].name, name))
			return &p->curves[i];
	if (p->n == PLOT_CURVES)
		return NULL;
	snprintf(p->curves[p->n].name, sizeof(p->curves[p->n].name), "%s", name);
	return &p->curves[p->n++];
}

void plot_add(struct plot_curve *c, struct plot_point at)
{
	if (c && c->n < PLOT_POINTS && at.x > 0 && at.y > 0)
		c->points[c->n++] = at;
}

static void widen(struct range *r, double v)
{
	if (v <= 0)
		return;
	r->least = fmin(r->least, v);
	r->most = fmax(r->most, v);
}

/* Whole decades above and below, or from 0, so that ticks have room. */
static struct range range_of(const struct plot *p, bool of_y)
{
	struct range r = { INFINITY, 0, of_y && p->axes->y_linear };

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->curves[i].n; k++) {
			const struct plot_point *at = &p->curves[i].points[k];

			widen(&r, of_y ? at->y : at->x);
			if (of_y)
				widen(&r, at->high);
		}
	if (r.linear) {
		r.least = 0;
		r.most = fmax(r.most, p->axes->y_most);
	}
	if (!r.linear && (of_y || !p->axes->x_from_data)) {
		r.least = pow(10, floor(log10(r.least)));
		r.most = pow(10, ceil(log10(r.most)));
	}
	if (!(r.most > r.least))
		r.most = r.least * 10 + 1;
	return r;
}

static double part(const struct range *r, double v)
{
	if (r->linear)
		return (v - r->least) / (r->most - r->least);
	return log(fmax(v, r->least) / r->least) / log(r->most / r->least);
}

static double at_x(const struct range *r, double v)
{
	return LEFT + part(r, v) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct range *r, double v)
{
	return HEIGHT - BOTTOM - part(r, v) * (HEIGHT - TOP - BOTTOM);
}

static void tick_x(FILE *out, const struct plot *p, const struct range *r, double v)
{
	char text[32];

	p->axes->x_format(text, sizeof(text), v);
	fprintf(out,
		"<path class='g' d='M%.1f %dV%d'/><text x='%.1f' y='%d' text-anchor='middle'>"
		"%s</text>\n",
		at_x(r, v), TOP, HEIGHT - BOTTOM, at_x(r, v), HEIGHT - BOTTOM + 16, text);
}

static void tick_y(FILE *out, const struct plot *p, const struct range *r, double v)
{
	char text[32];

	p->axes->y_format(text, sizeof(text), v);
	fprintf(out,
		"<path class='g' d='M%d %.1fH%d'/><text x='%d' y='%.1f' text-anchor='end'>%s"
		"</text>\n",
		LEFT, at_y(r, v), WIDTH - RIGHT, LEFT - 6, at_y(r, v) + 4, text);
}

static bool has_point_at(const struct plot_curve *c, double x)
{
	for (size_t k = 0; k < c->n; k++)
		if (c->points[k].x == x)
			return true;
	return false;
}

/* Wherever any curve has a point, once. */
static void ticks_from_data(FILE *out, const struct plot *p, const struct range *r)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->curves[i].n; k++) {
			double x = p->curves[i].points[k].x;
			bool before = false;

			for (size_t j = 0; j < i; j++)
				before |= has_point_at(&p->curves[j], x);
			if (!before)
				tick_x(out, p, r, x);
		}
}

/* 1, 2 and 5 of each decade while they have room. */
static void ticks_of_decades(FILE *out, const struct plot *p, const struct range *r)
{
	const int last = r->most / r->least > 1e4 ? 1 : 5;

	for (double v = r->least; v <= r->most * 1.01; v *= 10)
		for (int by = 1; by <= last && v * by <= r->most * 1.01; by += by == 1 ? 1 : 3)
			tick_x(out, p, r, v * by);
}

static void axes(FILE *out, const struct plot *p, const struct range *x, const struct range *y)
{
	if (p->axes->x_from_data)
		ticks_from_data(out, p, x);
	else
		ticks_of_decades(out, p, x);
	if (y->linear)
		for (int i = 0; i <= 4; i++)
			tick_y(out, p, y, y->most * i / 4);
	else
		for (double v = y->least; v <= y->most * 1.01; v *= 10)
			tick_y(out, p, y, v);
	fprintf(out, "<text class='n' x='%d' y='%d' text-anchor='middle'>%s</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, p->axes->x_name);
	fprintf(out,
		"<text class='n' transform='translate(13 %d) rotate(-90)' "
		"text-anchor='middle'>%s</text>\n",
		(TOP + HEIGHT - BOTTOM) / 2, p->axes->y_name);
}

static void draw_curve(FILE *out, const struct plot_curve *c, size_t nth, const struct range *x,
		       const struct range *y)
{
	fprintf(out, "<g class='c%zu'><polyline points='", nth);
	for (size_t k = 0; k < c->n; k++)
		fprintf(out, "%.1f,%.1f ", at_x(x, c->points[k].x), at_y(y, c->points[k].y));
	fputs("'/>\n", out);
	for (size_t k = 0; k < c->n; k++) {
		const struct plot_point *at = &c->points[k];

		if (at->high > at->low)
			fprintf(out, "<path d='M%.1f %.1fV%.1f'/>", at_x(x, at->x),
				at_y(y, at->low), at_y(y, at->high));
		fprintf(out, "<circle cx='%.1f' cy='%.1f' r='3'/>\n", at_x(x, at->x),
			at_y(y, at->y));
	}
	fputs("</g>\n", out);
}

static void legend(FILE *out, const struct plot *p)
{
	fputs("<p class='legend'>", out);
	for (size_t i = 0; i < p->n; i++)
		fprintf(out,
			"<span><svg width='26' height='12'><g class='c%zu'><path d='M1 6H25'/>"
			"<circle cx='13' cy='6' r='3'/></g></svg>%s</span>\n",
			i, p->curves[i].name);
	fputs("</p>\n", out);
}

void plot_draw(FILE *out, const struct plot *p)
{
	struct range x, y;

	if (!p->n)
		return;
	x = range_of(p, false);
	y = range_of(p, true);
	fprintf(out,
		"<h3>%s</h3>\n<div class='plot'><svg role='img' aria-label='%s' "
		"viewBox='0 0 %d %d'>\n",
		p->axes->title, p->axes->title, WIDTH, HEIGHT);
	axes(out, p, &x, &y);
	for (size_t i = 0; i < p->n; i++)
		draw_curve(out, &p->curves[i], i, &x, &y);
	fputs("</svg></div>\n", out);
	legend(out, p);
}
