// SPDX-License-Identifier: GPL-2.0-only
/* subject NAME [ARGS]: makes one situation of subject.h and waits; without a name it lists them. */
#include <stdio.h>
#include <string.h>

#include "subject.h"

static const struct situation *const tables[] = {
	thread_situations, clone_situations, exit_situations,	ns_situations,	  worker_situations,
	mem_situations,	   stack_situations, switch_situations, delay_situations, storm_situations,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct situation *find(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct situation *s = tables[i]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

static void list(FILE *to)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct situation *s = tables[i]; s->name; s++)
			fprintf(to, "%-16s %-18s %s\n", s->name, s->args, s->what);
}

int main(int argc, char **argv)
{
	const struct situation *s;

	if (argc < 2) {
		list(stdout);
		return 0;
	}
	s = find(argv[1]);
	if (!s) {
		fprintf(stderr, "subject: no situation is called '%s'; there are:\n", argv[1]);
		list(stderr);
		return 2;
	}
	begin();
	say("subject", "%s", s->name);
	s->make(argc - 1, argv + 1);
	end();
}
