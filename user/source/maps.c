// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/maps.h"

/* A line is at most a path of PATH_MAX, each byte of it escaped to four, and 100 more. */
#define MAPS_BUFFER (64 << 10)

struct maps {
	int fd;
	bool end;
	size_t at;
	size_t n;
	uint64_t last; /* end of the mapping before */
	uint64_t raced;
	char buf[MAPS_BUFFER + 1];
};

int maps_from(int fd, struct maps **out)
{
	struct maps *m = malloc(sizeof(*m));

	if (!m) {
		close(fd);
		return -ENOMEM;
	}
	/* nothing of the buffer is touched that is not filled */
	memset(m, 0, offsetof(struct maps, buf));
	m->fd = fd;
	*out = m;
	return 0;
}

int maps_open(uint32_t pid, struct maps **out)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : maps_from(fd, out);
}

void maps_close(struct maps *m)
{
	if (!m)
		return;
	close(m->fd);
	free(m);
}

uint64_t maps_raced(const struct maps *m)
{
	return m->raced;
}

/* Hexadecimal up to `stop`, at most 64 bits. */
static bool take_hex(const char **p, char stop, uint64_t *v)
{
	const char *s = *p;

	for (*v = 0; s - *p < 16; s++) {
		if (*s >= '0' && *s <= '9')
			*v = *v << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*v = *v << 4 | (uint64_t)(*s - 'a' + 10);
		else
			break;
	}
	if (s == *p || *s != stop)
		return false;
	*p = s + 1;
	return true;
}

static bool take_perms(const char **p, char perms[5])
{
	static const char allowed[4][4] = { "r-", "w-", "x-", "ps" };

	for (int i = 0; i < 4; i++) {
		char c = (*p)[i];

		if (!c || !strchr(allowed[i], c))
			return false;
		perms[i] = c;
	}
	perms[4] = '\0';
	*p += 4;
	return *(*p)++ == ' ';
}

static bool take_inode(const char **p, uint64_t *inode)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*inode = strtoull(*p, &end, 10);
	*p = end;
	return !errno && (!*end || *end == ' ');
}

int maps_parse(const char *line, struct region *r)
{
	uint64_t major, minor;
	const char *p = line;

	if (!take_hex(&p, '-', &r->start) || !take_hex(&p, ' ', &r->end) ||
	    !take_perms(&p, r->perms) || !take_hex(&p, ' ', &r->offset) ||
	    !take_hex(&p, ':', &major) || !take_hex(&p, ' ', &minor) ||
	    !take_inode(&p, &r->inode) || r->start >= r->end)
		return -EPROTO;
	r->major = (uint32_t)major;
	r->minor = (uint32_t)minor;
	p += strspn(p, " ");
	if (!memccpy(r->name, p, '\0', sizeof(r->name)))
		r->name[sizeof(r->name) - 1] = '\0';
	return 0;
}

/* Moves what is left to the front and reads on. */
static int refill(struct maps *m)
{
	ssize_t got;

	memmove(m->buf, m->buf + m->at, m->n - m->at);
	m->n -= m->at;
	m->at = 0;
	if (m->n == MAPS_BUFFER)
		return -EPROTO;
	got = read(m->fd, m->buf + m->n, MAPS_BUFFER - m->n);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	m->end = !got;
	m->n += (size_t)got;
	return 0;
}

/* The next whole line, ended by a zero; NULL at the end or with *err. */
static char *next_line(struct maps *m, int *err)
{
	*err = 0;
	for (;;) {
		char *line = m->buf + m->at;
		char *nl = memchr(line, '\n', m->n - m->at);

		if (nl) {
			*nl = '\0';
			m->at = (size_t)(nl - m->buf) + 1;
			return line;
		}
		if (m->end) {
			*err = m->at == m->n ? 0 : -EPROTO;
			return NULL;
		}
		*err = refill(m);
		if (*err)
			return NULL;
	}
}

int maps_next(struct maps *m, struct region *r)
{
	for (;;) {
		int err;
		char *line = next_line(m, &err);

		if (!line)
			return err;
		err = maps_parse(line, r);
		if (err)
			return err;
		if (r->start >= m->last) {
			m->last = r->end;
			return 1;
		}
		/* seen before under another shape: split or moved between two reads */
		m->raced++;
		if (r->end > m->last) {
			r->start = m->last;
			m->last = r->end;
			return 1;
		}
	}
}
