/* SPDX-License-Identifier: GPL-2.0-only */
/* What a message takes on its way through each medium, by our own trace: switches, calls, copies. */
#ifndef MMLENS_LAB_TOLL_H
#define MMLENS_LAB_TOLL_H

#include "lab/medium.h"

struct toll {
	bool known;
	size_t size; /* of the messages */
	size_t messages;
	double switches; /* of both sides, a message */
	double calls;
	double copies; /* of each byte: by the kernel, and by the two sides themselves */
};

/*
 * One for each medium, in memory of lab_shared(); none is known where the kernel cannot be traced or
 * there was no time, which is said.
 */
void toll_take(struct lab *l, struct toll *tolls);

#endif
