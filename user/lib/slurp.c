// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

static int slurp(struct slurp *s, int dir, const char *path, bool at_once)
{
	cleanup_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		if (used + 1 >= s->room && grow(s))
			return -ENOMEM;
		got = read(fd, s->text + used, s->room - used - 1);
		used += got > 0 ? (size_t)got : 0;
	} while (got > 0 && !(at_once && used + 1 < s->room));
	s->text[used] = '\0';
	if (got < 0)
		return -errno;
	return used ? 0 : -ESRCH;
}

int slurp_at(struct slurp *s, int dir, const char *path)
{
	return slurp(s, dir, path, false);
}

int slurp_record_at(struct slurp *s, int dir, const char *path)
{
	return slurp(s, dir, path, true);
}

void slurp_deinit(struct slurp *s)
{
	free(s->text);
	*s = (struct slurp){ 0 };
}
