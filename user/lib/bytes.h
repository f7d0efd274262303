/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packing plain values into bytes and back, little-endian whatever the machine. The reading side
 * trusts nothing: a read beyond the end gives zeros and sets `bad`, which is asked once at the end.
 */
#ifndef MMLENS_LIB_BYTES_H
#define MMLENS_LIB_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *p;
	size_t n;
	size_t room;
	bool bad; /* out of memory: what follows was dropped */
};

void bytes_deinit(struct bytes *b);
void bytes_put(struct bytes *b, const void *p, size_t n);
void bytes_put_u8(struct bytes *b, uint8_t v);
void bytes_put_u32(struct bytes *b, uint32_t v);
void bytes_put_u64(struct bytes *b, uint64_t v);
/* 7 bits a byte, lowest first: small numbers are short. */
void bytes_put_varint(struct bytes *b, uint64_t v);
/* Small of either sign is short. */
void bytes_put_signed(struct bytes *b, int64_t v);
/* A length as varint, then the bytes. */
void bytes_put_str(struct bytes *b, const char *s, size_t max);

struct cursor {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct cursor cursor_of(const void *p, size_t n)
{
	return (struct cursor){ .p = p, .end = (const uint8_t *)p + n };
}

static inline bool cursor_done(const struct cursor *c)
{
	return c->bad || c->p == c->end;
}

void cursor_get(struct cursor *c, void *out, size_t n);
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c);
int64_t cursor_signed(struct cursor *c);
/* Cuts what does not fit and always ends the string. */
void cursor_str(struct cursor *c, char *out, size_t room);

/* CRC-32C, as iSCSI and ext4 use it; `crc` is 0 or the value so far. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
