// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/recfile.h"

#define MAGIC		  "mmlens\r\n"
#define CONTAINER_VERSION 1
#define BLOCK_MAGIC	  0x4b4c424du
#define FILE_HEAD	  16
#define BLOCK_HEAD	  16

struct recfile {
	FILE *f;
	char *made; /* the path of a file that was not there before; NULL: it was, or is read */
	bool writing;
	uint8_t *payload;
	size_t room;
};

/* Of an open file, which is closed when it fails. */
static struct recfile *recfile_new(int fd, const char *mode)
{
	struct recfile *f = fd < 0 ? NULL : calloc(1, sizeof(*f));

	if (f)
		f->f = fdopen(fd, mode);
	if (f && f->f)
		return f;
	if (fd >= 0)
		close(fd);
	free(f);
	return NULL;
}

static void recfile_free(struct recfile *f)
{
	fclose(f->f);
	free(f->made);
	free(f->payload);
	free(f);
}

static int write_all(struct recfile *f, const void *p, size_t n)
{
	errno = 0;
	if (!n || fwrite(p, n, 1, f->f) == 1)
		return 0;
	return errno ? -errno : -EIO;
}

int recfile_create(const char *path, struct recfile **out)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool made = fd >= 0;
	struct recfile *f;

	if (!made && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	f = recfile_new(fd, "w");
	if (!f)
		return -errno;
	f->made = made ? strdup(path) : NULL;
	*out = f;
	return 0;
}

int recfile_begin(struct recfile *f)
{
	struct bytes head = { 0 };
	int err;

	/* a pipe or a device has no length */
	if (ftruncate(fileno(f->f), 0) && errno != EINVAL)
		return -errno;
	f->writing = true;
	bytes_put(&head, MAGIC, 8);
	bytes_put_u32(&head, CONTAINER_VERSION);
	bytes_put_u32(&head, 0);
	err = head.bad ? -ENOMEM : write_all(f, head.p, head.n);
	bytes_deinit(&head);
	return err;
}

static size_t padding(uint32_t len)
{
	return -len & 7u;
}

int recfile_put(struct recfile *f, enum rec_type type, uint16_t version, const struct bytes *b)
{
	static const uint8_t zeros[8];
	struct bytes head = { 0 };
	int err;

	if (b->bad)
		return -ENOMEM;
	if (b->n > REC_PAYLOAD_MAX)
		return -EFBIG;
	bytes_put_u32(&head, BLOCK_MAGIC);
	bytes_put_u32(&head, (uint32_t)version << 16 | type);
	bytes_put_u32(&head, b->n);
	if (head.bad)
		return -ENOMEM;
	bytes_put_u32(&head, crc32c(crc32c(0, head.p, head.n), b->p, b->n));
	err = head.bad ? -ENOMEM : write_all(f, head.p, head.n);
	if (!err)
		err = write_all(f, b->p, b->n);
	if (!err)
		err = write_all(f, zeros, padding(b->n));
	bytes_deinit(&head);
	return err;
}

int recfile_flush(struct recfile *f)
{
	return fflush(f->f) ? -errno : 0;
}

static int check_head(FILE *f)
{
	uint8_t raw[FILE_HEAD];
	struct cursor c = cursor_of(raw + 8, FILE_HEAD - 8);

	if (fread(raw, FILE_HEAD, 1, f) != 1)
		return ferror(f) ? -EIO : -EMEDIUMTYPE;
	if (memcmp(raw, MAGIC, 8))
		return -EMEDIUMTYPE;
	return cursor_u32(&c) == CONTAINER_VERSION ? 0 : -EPROTO;
}

int recfile_open(const char *path, struct recfile **out)
{
	struct recfile *f = recfile_new(open(path, O_RDONLY | O_CLOEXEC), "r");
	int err;

	if (!f)
		return -errno;
	err = check_head(f->f);
	if (err)
		recfile_free(f);
	else
		*out = f;
	return err;
}

/*
 * Room grows with what is really in the file, so that a hostile length costs no more memory than
 * the file has bytes. -ENODATA when there are fewer.
 */
static int read_payload(struct recfile *f, size_t n)
{
	size_t have = 0;

	while (have < n) {
		size_t step = n - have < (1u << 20) ? n - have : 1u << 20;

		if (f->room < have + step) {
			size_t room = f->room * 2 > have + step ? f->room * 2 : have + step;
			uint8_t *p = realloc(f->payload, room);

			if (!p)
				return -ENOMEM;
			f->payload = p;
			f->room = room;
		}
		if (fread(f->payload + have, step, 1, f->f) != 1)
			return ferror(f->f) ? -EIO : -ENODATA;
		have += step;
	}
	return 0;
}

static int parse_head(const uint8_t *raw, struct rec_block *b, uint32_t *crc)
{
	struct cursor c = cursor_of(raw, BLOCK_HEAD);
	uint32_t word;

	if (cursor_u32(&c) != BLOCK_MAGIC)
		return -EBADMSG;
	word = cursor_u32(&c);
	b->type = word;
	b->version = word >> 16;
	b->len = cursor_u32(&c);
	*crc = cursor_u32(&c);
	return b->len > REC_PAYLOAD_MAX ? -EBADMSG : 0;
}

int recfile_next(struct recfile *f, struct rec_block *b)
{
	uint8_t raw[BLOCK_HEAD];
	size_t got = fread(raw, 1, BLOCK_HEAD, f->f);
	uint32_t crc;
	int err;

	if (got < BLOCK_HEAD)
		return ferror(f->f) ? -EIO : got ? -ENODATA : 0;
	err = parse_head(raw, b, &crc);
	if (!err)
		err = read_payload(f, b->len + padding(b->len));
	if (err)
		return err;
	if (crc32c(crc32c(0, raw, BLOCK_HEAD - 4), f->payload, b->len) != crc)
		return -EBADMSG;
	b->payload = f->payload;
	return 1;
}

int recfile_rewind(struct recfile *f)
{
	return fseek(f->f, FILE_HEAD, SEEK_SET) ? -errno : 0;
}

int recfile_find(struct recfile *f, enum rec_type type, struct rec_block *b)
{
	int got = recfile_rewind(f);

	if (got)
		return got;
	while ((got = recfile_next(f, b)) > 0 && b->type != type)
		;
	return got;
}

int recfile_close(struct recfile *f)
{
	struct bytes none = { 0 };
	int err = 0;

	if (!f)
		return 0;
	if (f->writing)
		err = recfile_put(f, REC_END, 1, &none);
	if (f->writing && !err)
		err = recfile_flush(f);
	if (!f->writing && f->made)
		unlink(f->made);
	recfile_free(f);
	return err;
}

static const struct {
	int err;
	const char *why;
} reasons[] = {
	{ -EMEDIUMTYPE, "not a file of mmlens record" },
	{ -EPROTO, "written by a newer mmlens" },
	{ -ENODATA, "cut short" },
	{ -EBADMSG, "damaged" },
};

const char *recfile_why(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].err == err)
			return reasons[i].why;
	return strerror(-err);
}
