/* SPDX-License-Identifier: GPL-2.0-only */
/* From measurements to verdicts. Pure: the same proof always gives the same verdict. */
#ifndef MMLENS_ANALYSIS_CLAIMS_H
#define MMLENS_ANALYSIS_CLAIMS_H

#include "model/proof.h"

/*
 * A fact that is 0 refutes its claim; without one, what could not be measured leaves it open, and
 * so does the absence of any fact. For `overhead` the facts are two: the confidence intervals of
 * "fork - thread" and of "switch: process - thread", which must both lie above 0.
 */
struct judgement claim_judge(const struct proof *p, enum claim claim);

#endif
