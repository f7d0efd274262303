// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

void bytes_deinit(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

static bool bytes_reserve(struct bytes *b, size_t more)
{
	size_t room = b->room ? b->room : 256;
	uint8_t *p;

	if (b->bad)
		return false;
	while (room - b->n < more)
		room *= 2;
	if (room == b->room)
		return true;
	p = realloc(b->p, room);
	b->bad = !p;
	if (!p)
		return false;
	b->p = p;
	b->room = room;
	return true;
}

void bytes_put(struct bytes *b, const void *p, size_t n)
{
	if (!bytes_reserve(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_le(struct bytes *b, uint64_t v, size_t n)
{
	uint8_t raw[8];

	for (size_t i = 0; i < n; i++)
		raw[i] = v >> (8 * i);
	bytes_put(b, raw, n);
}

void bytes_put_u8(struct bytes *b, uint8_t v)
{
	put_le(b, v, 1);
}

void bytes_put_u32(struct bytes *b, uint32_t v)
{
	put_le(b, v, 4);
}

void bytes_put_u64(struct bytes *b, uint64_t v)
{
	put_le(b, v, 8);
}

void bytes_put_varint(struct bytes *b, uint64_t v)
{
	uint8_t raw[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		raw[n++] = v | 0x80;
	raw[n++] = v;
	bytes_put(b, raw, n);
}

void bytes_put_signed(struct bytes *b, int64_t v)
{
	bytes_put_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void bytes_put_str(struct bytes *b, const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	bytes_put_varint(b, n);
	bytes_put(b, s, n);
}

void cursor_get(struct cursor *c, void *out, size_t n)
{
	if (c->bad || (size_t)(c->end - c->p) < n) {
		c->bad = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, c->p, n);
	c->p += n;
}

static uint64_t get_le(struct cursor *c, size_t n)
{
	uint8_t raw[8];
	uint64_t v = 0;

	cursor_get(c, raw, n);
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)raw[i] << (8 * i);
	return v;
}

uint8_t cursor_u8(struct cursor *c)
{
	return get_le(c, 1);
}

uint32_t cursor_u32(struct cursor *c)
{
	return get_le(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return get_le(c, 8);
}

uint64_t cursor_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t raw = cursor_u8(c);

		v |= (uint64_t)(raw & 0x7f) << shift;
		if (!(raw & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

int64_t cursor_signed(struct cursor *c)
{
	uint64_t v = cursor_varint(c);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

void cursor_str(struct cursor *c, char *out, size_t room)
{
	uint64_t n = cursor_varint(c);
	size_t keep = n < room ? n : room - 1;

	out[0] = '\0';
	if (c->bad || n > (size_t)(c->end - c->p)) {
		c->bad = true;
		return;
	}
	memcpy(out, c->p, keep);
	out[keep] = '\0';
	c->p += n;
}

static uint32_t crc_table[256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v & 1 ? (v >> 1) ^ 0x82f63b78 : v >> 1;
		crc_table[i] = v;
	}
}

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	const uint8_t *b = p;

	pthread_once(&crc_once, crc_init);
	crc = ~crc;
	for (size_t i = 0; i < n; i++)
		crc = crc_table[(crc ^ b[i]) & 0xff] ^ (crc >> 8);
	return ~crc;
}
