// SPDX-License-Identifier: GPL-2.0-only
/* ksmd made to hurry, and set back. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "subject.h"

/* ksmd in a hurry: others may have gigabytes for it to look through first. */
static struct knob {
	const char *path, *hurry;
	char before[32];
} knobs[] = {
	{ "/sys/kernel/mm/ksm/sleep_millisecs", "0", "" },
	{ "/sys/kernel/mm/ksm/pages_to_scan", "2000", "" },
	{ "/sys/kernel/mm/ksm/run", "1", "" },
};

#define KNOBS (sizeof(knobs) / sizeof(knobs[0]))

/* One at a time: who came second would take the first one's hurry for how it was before. */
static int ksm_turn = -1;

bool ksm_hurry(void)
{
	ksm_turn = open(knobs[0].path, O_RDONLY | O_CLOEXEC);
	if (ksm_turn < 0 || flock(ksm_turn, LOCK_EX))
		return false;
	for (size_t i = 0; i < KNOBS; i++)
		if (!read_text(knobs[i].path, knobs[i].before, sizeof(knobs[i].before)) ||
		    !write_text(knobs[i].path, knobs[i].hurry))
			return false;
	return true;
}

void ksm_calm(void)
{
	for (size_t i = KNOBS; i--;)
		if (knobs[i].before[0])
			write_text(knobs[i].path, knobs[i].before);
	if (ksm_turn >= 0)
		close(ksm_turn);
	ksm_turn = -1;
}
