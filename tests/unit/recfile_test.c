// SPDX-License-Identifier: GPL-2.0-only
/* What is recorded is read back; what is cut, damaged or foreign is refused and named. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/recfile.h"
#include "unit.h"

#define PATH_LEN 64

static void temp_path(char *path)
{
	int fd;

	strcpy(path, "/tmp/mmlens-recfile-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
}

/* Two blocks, of 5 and of 100,000 bytes, and the END. */
static void write_file(const char *path)
{
	struct recfile *f;
	struct bytes small = { 0 }, big = { 0 };

	bytes_put(&small, "hello", 5);
	for (uint32_t i = 0; i < 25000; i++)
		bytes_put_u32(&big, i);
	assert_int_equal(recfile_create(path, &f), 0);
	assert_int_equal(recfile_begin(f), 0);
	assert_int_equal(recfile_put(f, REC_STAT, 1, &small), 0);
	assert_int_equal(recfile_put(f, REC_SNAPSHOT, 3, &big), 0);
	assert_int_equal(recfile_close(f), 0);
	bytes_deinit(&small);
	bytes_deinit(&big);
}

/* Blocks read before the end, and how it ended. */
static int read_file(const char *path, int *end)
{
	struct recfile *f;
	struct rec_block b;
	int n = 0;

	*end = recfile_open(path, &f);
	if (*end)
		return 0;
	while ((*end = recfile_next(f, &b)) > 0)
		n++;
	recfile_close(f);
	return n;
}

static void reads_what_was_written(void **state)
{
	struct rec_block b;
	struct recfile *f;
	struct cursor c;
	char path[PATH_LEN];

	(void)state;
	temp_path(path);
	write_file(path);
	assert_int_equal(recfile_open(path, &f), 0);
	assert_int_equal(recfile_next(f, &b), 1);
	assert_int_equal(b.type, REC_STAT);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.payload, "hello", 5);
	assert_int_equal(recfile_find(f, REC_SNAPSHOT, &b), 1);
	assert_int_equal(b.version, 3);
	c = cursor_of(b.payload, b.len);
	for (uint32_t i = 0; i < 25000; i++)
		assert_int_equal(cursor_u32(&c), i);
	assert_true(cursor_done(&c) && !c.bad);
	assert_int_equal(recfile_next(f, &b), 1);
	assert_int_equal(b.type, REC_END);
	assert_int_equal(recfile_next(f, &b), 0);
	recfile_close(f);
	unlink(path);
}

/* Cut anywhere, the whole blocks before the cut are read and nothing else. */
static void cut_anywhere_keeps_whole_blocks(void **state)
{
	char path[PATH_LEN];
	int end;

	(void)state;
	temp_path(path);
	for (off_t cut = 0; cut < 60; cut++) {
		write_file(path);
		assert_int_equal(truncate(path, cut), 0);
		assert_int_equal(read_file(path, &end), cut >= 40);
		assert_int_equal(end, cut < 16		       ? -EMEDIUMTYPE
				      : cut == 16 || cut == 40 ? 0
							       : -ENODATA);
	}
	unlink(path);
}

static void every_flipped_bit_is_noticed(void **state)
{
	char path[PATH_LEN];

	(void)state;
	temp_path(path);
	for (long at = 0; at < 37; at++) {
		cleanup_fclose FILE *f = NULL;
		int byte, end;

		if (at >= 12 && at < 16) /* reserved */
			continue;
		write_file(path);
		f = fopen(path, "r+");
		assert_non_null(f);
		fseek(f, at, SEEK_SET);
		byte = fgetc(f);
		fseek(f, at, SEEK_SET);
		fputc(byte ^ 0x40, f);
		fflush(f);
		assert_int_equal(read_file(path, &end), 0);
		assert_true(end < 0);
	}
	unlink(path);
}

/* A length of 256 MiB in a file of a few bytes must not cost 256 MiB. */
static void a_hostile_length_is_cut_short(void **state)
{
	static const uint8_t head[] = { 'M', 'B', 'L', 'K', 1, 0, 1, 0, 0, 0, 0, 0x10, 1, 2, 3, 4 };
	char path[PATH_LEN];
	FILE *f;
	int end;

	(void)state;
	temp_path(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite("mmlens\r\n\1\0\0\0\0\0\0\0", 16, 1, f);
	fwrite(head, sizeof(head), 1, f);
	fclose(f);
	assert_int_equal(read_file(path, &end), 0);
	assert_int_equal(end, -ENODATA);
	unlink(path);
}

static void numbers_survive_packing(void **state)
{
	static const uint64_t values[] = { 0, 1, 127, 128, 300, UINT32_MAX, INT64_MAX, UINT64_MAX };
	struct bytes b = { 0 };
	struct cursor c;
	char word[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		bytes_put_varint(&b, values[i]);
		bytes_put_signed(&b, (int64_t)values[i]);
		bytes_put_signed(&b, -(int64_t)(values[i] >> 1));
	}
	bytes_put_str(&b, "too long", 64);
	c = cursor_of(b.p, b.n);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_true(cursor_varint(&c) == values[i]);
		assert_true(cursor_signed(&c) == (int64_t)values[i]);
		assert_true(cursor_signed(&c) == -(int64_t)(values[i] >> 1));
	}
	cursor_str(&c, word, sizeof(word));
	assert_string_equal(word, "too");
	assert_true(cursor_done(&c) && !c.bad);
	assert_int_equal(cursor_u8(&c), 0);
	assert_true(c.bad);
	bytes_deinit(&b);
}

/* RFC 3720, B.4 */
static void crc_is_that_of_the_standard(void **state)
{
	uint8_t zeros[32] = { 0 };

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(cut_anywhere_keeps_whole_blocks),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(a_hostile_length_is_cut_short),
		cmocka_unit_test(numbers_survive_packing),
		cmocka_unit_test(crc_is_that_of_the_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
