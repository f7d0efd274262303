// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/proof.h"

int proof_add(struct proof *p, const struct proof_record *r)
{
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 128;
		struct proof_record *more = realloc(p->records, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->records = more;
		p->room = room;
	}
	p->records[p->n++] = *r;
	return 0;
}

void proof_deinit(struct proof *p)
{
	free(p->records);
	memset(p, 0, sizeof(*p));
}

const struct proof_record *proof_find(const struct proof *p, enum claim claim, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct proof_record *r = &p->records[i];

		if (r->type == PROOF_MEASUREMENT && r->claim == claim && !strcmp(r->name, name))
			return r;
	}
	return NULL;
}

static const struct {
	const char *name;
	const char *sentence;
} claims[CLAIM_NR] = {
	[CLAIM_DEFINITION] = { "definition", "A process is a program in an address space of its "
					     "own; threads are what runs inside one" },
	[CLAIM_ISOLATION] = { "isolation", "Processes are isolated; threads share heap and globals "
					   "and own their stacks" },
	[CLAIM_OVERHEAD] = { "overhead", "Processes cost more to make and to switch than threads" },
	[CLAIM_COMMUNICATION] = { "communication", "Processes need pipes, queues or shared memory "
						   "to talk; threads just write" },
	[CLAIM_USES] = { "uses", "Isolation suits browsers and editors; threads suit servers that "
				 "handle many requests" },
};

const char *claim_name(enum claim claim)
{
	return claims[claim].name;
}

const char *claim_sentence(enum claim claim)
{
	return claims[claim].sentence;
}

const char *proof_verdict_name(enum proof_verdict v)
{
	static const char *const names[] = { "cannot-tell", "proved", "not-true-here" };

	return names[v];
}
