// SPDX-License-Identifier: GPL-2.0-only
/* The module's files as a directory has them: which one is read, an older module, whom errors name. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <mmlens.h>

#include "source/source.h"
#include "unit.h"

static const char *const names[] = { "ids.bin", "tasks.bin", "stacks.bin" };

struct dir {
	char path[32];
};

static void dir_init(struct dir *d)
{
	strcpy(d->path, "/tmp/mmlens-kmod-XXXXXX");
	assert_non_null(mkdtemp(d->path));
}

static void dir_deinit(const struct dir *d)
{
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->path, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(d->path), 0);
}

/* A file of the module: the header in the first slot, then `bytes` of the row of one task. */
static void put(const struct dir *d, const char *name, uint32_t tid, size_t bytes)
{
	union {
		struct mmlens_header header;
		char slot[sizeof(struct mmlens_task)];
	} head = { .header = { .abi = MMLENS_ABI, .record_size = sizeof(struct mmlens_task) } };
	struct mmlens_task row = { .tid = tid, .tgid = tid, .known = ~0ULL };
	char path[64];
	FILE *f;

	memcpy(head.header.magic, MMLENS_MAGIC, sizeof(head.header.magic));
	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(&head, sizeof(head), 1, f), 1);
	assert_int_equal(fwrite(&row, 1, bytes, f), bytes);
	assert_int_equal(fclose(f), 0);
}

/* The tid of the only task; 0: refused, and why. */
static uint32_t ask(const struct dir *d, unsigned int want, struct why *why)
{
	struct source src = { .ops = &source_module };
	struct snapshot s;
	uint32_t tid = 0;

	snapshot_init(&s);
	*why = (struct why){ "" };
	if (src.ops->open(&src, d->path, why) == 0) {
		if (src.ops->read(&src, want, &s, why) == 0) {
			assert_int_equal(s.n, 1);
			tid = s.tasks[0].key.tid;
		}
		src.ops->close(&src);
	}
	snapshot_deinit(&s);
	return tid;
}

static void what_is_wanted_names_the_file(void **state)
{
	struct why why;
	struct dir d;

	(void)state;
	dir_init(&d);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		put(&d, names[i], 10 + i, sizeof(struct mmlens_task));
	assert_int_equal(ask(&d, 0, &why), 10);
	assert_int_equal(ask(&d, WANT_STACKS, &why), 11);
	assert_int_equal(ask(&d, WANT_KERNEL_DEEPEST, &why), 12);
	dir_deinit(&d);
}

static void an_older_module_has_no_ids(void **state)
{
	struct why why;
	struct dir d;

	(void)state;
	dir_init(&d);
	put(&d, "tasks.bin", 11, sizeof(struct mmlens_task));
	assert_int_equal(ask(&d, 0, &why), 11);
	assert_int_equal(ask(&d, WANT_STACKS, &why), 11);
	dir_deinit(&d);
}

static void errors_name_the_file_that_was_read(void **state)
{
	struct why why;
	struct dir d;
	char path[64];

	(void)state;
	dir_init(&d);
	assert_int_equal(ask(&d, 0, &why), 0);
	assert_non_null(strstr(why.text, "not loaded"));
	put(&d, "tasks.bin", 11, 7);
	assert_int_equal(ask(&d, 0, &why), 0);
	assert_non_null(strstr(why.text, "/tasks.bin: "));
	put(&d, "ids.bin", 10, 7);
	assert_int_equal(ask(&d, 0, &why), 0);
	assert_non_null(strstr(why.text, "/ids.bin: "));
	assert_int_equal(ask(&d, WANT_STACKS, &why), 0);
	assert_non_null(strstr(why.text, "/tasks.bin: "));
	snprintf(path, sizeof(path), "%s/ids.bin", d.path);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(ask(&d, 0, &why), 0);
	assert_non_null(strstr(why.text, "/ids.bin has no header"));
	dir_deinit(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted_names_the_file),
		cmocka_unit_test(an_older_module_has_no_ids),
		cmocka_unit_test(errors_name_the_file_that_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
