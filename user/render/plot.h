/* SPDX-License-Identifier: GPL-2.0-only */
/* Curves on two axes, as SVG inside an HTML page whose style names the colours. */
#ifndef MMLENS_RENDER_PLOT_H
#define MMLENS_RENDER_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PLOT_POINTS 24
#define PLOT_CURVES 14

struct plot_point {
	double x;
	double y;
	double low; /* of y; equal to high: no interval is drawn */
	double high;
};

struct plot_curve {
	char name[48];
	struct plot_point points[PLOT_POINTS];
	size_t n;
};

/* Writes a value of an axis as people read it. */
typedef void plot_format(char *buf, size_t n, double v);

plot_format plot_ns;
plot_format plot_percent;

struct plot_axes {
	const char *title;
	const char *x_name;
	const char *y_name;
	plot_format *x_format;
	plot_format *y_format;
	bool x_from_data; /* a tick at each x that occurs, else at decades */
	bool y_linear;	  /* from 0, else logarithmic; x always is logarithmic */
	double y_most;	  /* of a linear axis: it reaches at least so far */
};

/* What distributions of the cost of switches are drawn on, by class. */
extern const struct plot_axes plot_costs;

struct plot {
	const struct plot_axes *axes;
	struct plot_curve curves[PLOT_CURVES];
	size_t n;
};

/* The curve of that name, made when it is new; NULL when there is no room. */
struct plot_curve *plot_curve(struct plot *p, const char *name);
/* x and y must be above 0; what is not is left out. */
void plot_add(struct plot_curve *c, struct plot_point at);
void plot_draw(FILE *out, const struct plot *p);

#endif
