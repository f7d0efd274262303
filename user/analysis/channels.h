/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoints that meet. Pure. */
#ifndef MMLENS_ANALYSIS_CHANNELS_H
#define MMLENS_ANALYSIS_CHANNELS_H

#include "model/channel.h"

struct channels {
	struct channel *c;
	size_t n;
};

/*
 * Every channel between process a and process b, or for b 0 out of a, to any other or to nobody who
 * is seen: pipes and sockets whose other end nobody among the endpoints holds. One for each two
 * processes and object, though they may hold it by several descriptors. The result refers to the
 * endpoints. -ENOMEM or 0.
 */
int channels_pair(const struct endpoints *es, uint32_t a, uint32_t b, struct channels *out);
void channels_deinit(struct channels *cs);

bool endpoints_meet(const struct endpoint *x, const struct endpoint *y);

#endif
