/* SPDX-License-Identifier: GPL-2.0-only */
/* A window of switches as one page that needs neither network nor script. */
#ifndef MMLENS_RENDER_WINDOW_H
#define MMLENS_RENDER_WINDOW_H

#include <stdio.h>

#include "model/switches.h"

/* `summary` is what stat prints below its tables. */
void html_window(FILE *out, const struct switches *sw, const char *summary);

#endif
