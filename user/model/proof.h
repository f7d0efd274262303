/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the experiments of `prove` found: plain data, sent by the lab as records and kept by the
 * command. A measurement carries its own noise: [low, high] is the 95 % confidence interval of the
 * median of `n` samples. A fact is a measurement of the unit "fact": 1 as the claim says, 0 not.
 */
#ifndef MMLENS_MODEL_PROOF_H
#define MMLENS_MODEL_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum claim {
	CLAIM_DEFINITION,
	CLAIM_ISOLATION,
	CLAIM_OVERHEAD,
	CLAIM_COMMUNICATION,
	CLAIM_USES,
	CLAIM_NR
};

enum proof_verdict {
	PROOF_CANNOT_TELL,
	PROOF_PROVED,
	PROOF_NOT_TRUE_HERE,
};

enum proof_type {
	PROOF_STEP,	   /* text: what is being done; a claim's first step opens it */
	PROOF_SAW,	   /* text: what was seen */
	PROOF_CONCLUDED,   /* text: what follows */
	PROOF_TRY,	   /* text: the command that shows the same on the user's own program */
	PROOF_MEASUREMENT, /* name, unit, value, low, high, n */
	PROOF_CANNOT,	   /* text: why something could not be measured */
	PROOF_REMAINS,	/* unit, text, n: what shall not outlive the run; told before it is made */
	PROOF_PROGRESS, /* text: what is at work now; of no lasting interest */
};

struct proof_record {
	uint32_t type;
	uint32_t claim;
	char name[64];
	char unit[16];
	char text[320];
	double value;
	double low;
	double high;
	double margin; /* of a difference: the least that would matter; 0: not set */
	uint64_t n;    /* samples behind it, 0 for counts and facts */
};

struct proof {
	struct proof_record *records; /* in the order they came; owned */
	size_t n;
	size_t room;
	bool ran[CLAIM_NR];
};

/* -ENOMEM or 0. */
int proof_add(struct proof *p, const struct proof_record *r);
void proof_deinit(struct proof *p);

/* The measurement of that name, NULL when there is none. */
const struct proof_record *proof_find(const struct proof *p, enum claim claim, const char *name);

const char *claim_name(enum claim claim);     /* the contract's word */
const char *claim_sentence(enum claim claim); /* what is claimed */
const char *proof_verdict_name(enum proof_verdict v);

/* What the measurements of a claim come to; made by analysis/claims.c. */
struct judgement {
	enum proof_verdict verdict;
	char because[400];
};

#endif
