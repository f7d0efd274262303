// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/slurp.h"

#define FIRST_ROOM 4096

static int grow(struct slurp *s)
{
	size_t room = s->room ? 2 * s->room : FIRST_ROOM;
	char *text = realloc(s->text, room);

	if (!text)
		return -ENOMEM;
	s->text = text;
	s->room = room;
	return 0;
}

int slurp_at(struct slurp *s, int dir, const char *path)
{
	cleanup_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	for (;;) {
		if (used + 1 >= s->room && grow(s))
			return -ENOMEM;
		got = read(fd, s->text + used, s->room - used - 1);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	s->text[used] = '\0';
	if (got < 0)
		return -errno;
	return used ? 0 : -ESRCH;
}

void slurp_deinit(struct slurp *s)
{
	free(s->text);
	*s = (struct slurp){ 0 };
}
