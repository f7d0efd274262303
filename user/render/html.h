/* SPDX-License-Identifier: GPL-2.0-only */
/* The figures of `prove` as one page that needs no network and no script. */
#ifndef MMLENS_RENDER_HTML_H
#define MMLENS_RENDER_HTML_H

#include <stdio.h>

#include "model/proof.h"

/* `claims` and `judged` have CLAIM_NR elements; only chosen claims are shown. */
void html_proof(FILE *out, const struct proof *p, const bool *claims,
		const struct judgement *judged);

#endif
