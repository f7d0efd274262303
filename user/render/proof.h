/* SPDX-License-Identifier: GPL-2.0-only */
/* The findings of `prove` for people, as they come, and for programs, at the end. */
#ifndef MMLENS_RENDER_PROOF_H
#define MMLENS_RENDER_PROOF_H

#include "model/proof.h"
#include "render/json.h"

/* One record while the experiments run; wrapped at `width`. */
void proof_print(FILE *out, const struct proof_record *r, int width);
void proof_print_claim(FILE *out, enum claim claim);
void proof_print_judgement(FILE *out, const struct judgement *j, int width);

/* {claim sentence verdict because measurements [...] steps [...]} */
void json_claim(struct json *j, const struct proof *p, enum claim claim,
		const struct judgement *judged);

#endif
