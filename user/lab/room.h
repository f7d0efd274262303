/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the room, which isolates and cleans, and the experiments that run in it. */
#ifndef MMLENS_LAB_ROOM_H
#define MMLENS_LAB_ROOM_H

#include "lab/lab.h"

void lab_run(struct lab *l, const bool *claims);

#endif
