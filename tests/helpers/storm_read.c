// SPDX-License-Identifier: GPL-2.0-only
/* proc_storm: who reads, with every size and seek, and judges what was read. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storm.h"

#define BIG (16 << 20)
#define SAME_SIZE \
	2000 /* reads, then another size: a table byte by byte takes too long for a storm */
#define MAX_LINE 4096

/* One pass over a file: tids only rise, so no task comes twice, and every witness is met. */
struct pass {
	const char *file;
	int fd;
	unsigned int last; /* tid of the row before */
	int seen;	   /* witnesses */
	bool header;	   /* was read */
	size_t size;
	int left; /* reads of that size */
	char unit[MAX_LINE];
	size_t have;
};

static char *buffer; /* BIG bytes: one read */

static size_t pick_size(void)
{
	static const size_t sizes[] = { 1, 7, 511, 512, 513, 4096, 65536, BIG };

	return sizes[rnd(sizeof(sizes) / sizeof(sizes[0]))];
}

/* False: the file is not there, or is not to be had, for a reason that belongs to the storm. */
static bool pass_begin(struct pass *pass, const char *file)
{
	*pass = (struct pass){ .file = file, .fd = open(file, O_RDONLY) };
	if (pass->fd >= 0)
		return true;
	if (!(errno == ENOENT && storm.module) && !(errno == ENOMEM && storm.cgroup))
		fail(file, "open", errno);
	return false;
}

static ssize_t pass_read(struct pass *pass)
{
	if (!pass->left--) {
		pass->size = pick_size();
		pass->left = SAME_SIZE;
	}
	return read(pass->fd, buffer, pass->size);
}

/* What ends a read, but for the end of the file: the module went, or there is no memory to read to. */
static bool storm_took_it(void)
{
	return (storm.module && errno == EIO) || (storm.cgroup && errno == EFAULT);
}

static void pass_end(struct pass *pass, ssize_t last_read)
{
	close(pass->fd);
	if (last_read < 0 && storm_took_it())
		return;
	if (last_read < 0)
		fail(pass->file, "read", errno);
	if (pass->have)
		fail(pass->file, "half a row at the end", pass->have);
	if (pass->seen != witnesses_total())
		fail(pass->file, "living tasks are missing", witnesses_total() - pass->seen);
	COUNT(passes);
}

static void row_in_order(struct pass *pass, unsigned int tid, bool is_witness)
{
	if (tid <= pass->last)
		fail(pass->file, "tid twice or out of order", tid);
	pass->last = tid;
	pass->seen += is_witness;
	COUNT(rows);
}

static void take_record(struct pass *pass)
{
	union {
		struct mmlens_task rec;
		struct mmlens_header head;
	} row;
	const char *fault;

	memcpy(&row, pass->unit, sizeof(row));
	fault = pass->header ? row_fault(&row.rec) : header_fault(&row.head);
	if (fault)
		fail(pass->file, fault, pass->header ? row.rec.tid : 0);
	if (pass->header)
		row_in_order(pass, row.rec.tid, saw_record(pass->file, &row.rec));
	pass->header = true;
}

static void take_line(struct pass *pass)
{
	const long tid = line_tid(pass->unit, pass->have);

	if (pass->header && tid < 0)
		fail(pass->file, "not a row", tid);
	pass->unit[pass->have] = 0;
	if (pass->header)
		row_in_order(pass, tid, saw_line(pass->file, pass->unit));
	pass->header = true;
}

/* Gathers records from reads of any size. */
static void bin_pass(const char *file)
{
	struct pass pass;
	ssize_t n = 0;

	if (!pass_begin(&pass, file))
		return;
	while ((n = pass_read(&pass)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			pass.unit[pass.have++] = buffer[i];
			if (pass.have < MMLENS_RECORD_SIZE)
				continue;
			take_record(&pass);
			pass.have = 0;
		}
	}
	pass_end(&pass, n);
}

/* As the shell's read does: some of what was got is given back. */
static ssize_t give_back(struct pass *pass, ssize_t n)
{
	const long back = rnd(4) ? 0 : rnd(n + 1);

	if (back && lseek(pass->fd, -back, SEEK_CUR) < 0) {
		if (!storm.module)
			fail(pass->file, "seek back", errno);
		return n;
	}
	return n - back;
}

static void text_pass(const char *file)
{
	struct pass pass;
	ssize_t n = 0;

	if (!pass_begin(&pass, file))
		return;
	while ((n = pass_read(&pass)) > 0) {
		n = give_back(&pass, n);
		for (ssize_t i = 0; i < n; i++) {
			if (buffer[i] == '\n') {
				take_line(&pass);
				pass.have = 0;
				continue;
			}
			if (pass.have == sizeof(pass.unit) - 1)
				fail(file, "line without end", pass.have);
			pass.unit[pass.have++] = buffer[i];
		}
	}
	pass_end(&pass, n);
}

/* Anywhere in the text: behind the first line's end all is whole lines again, and in order. */
static void text_seek_pass(const char *file)
{
	struct pass pass;
	ssize_t n = 0;

	if (!pass_begin(&pass, file))
		return;
	pass.header = true;
	lseek(pass.fd, 1 + rnd(200000), SEEK_SET);
	n = read(pass.fd, buffer, 65536);
	if (n > 0) {
		const char *at = memchr(buffer, '\n', n), *end;

		for (; at && (end = memchr(at + 1, '\n', buffer + n - at - 1)); at = end) {
			const long tid = line_tid(at + 1, end - at - 1);

			if (tid < 0)
				fail(file, "not a row after a seek", tid);
			row_in_order(&pass, tid, false);
		}
	}
	if (n < 0 && !storm_took_it())
		fail(file, "read after a seek", errno);
	close(pass.fd);
}

/* A read that began in the middle of a row nobody had begun. */
static void middle_is_refused(struct pass *pass, pid_t tid, unsigned int have)
{
	char byte;

	if (have != (unsigned int)tid &&
	    pread(pass->fd, &byte, 1, (off_t)tid * MMLENS_RECORD_SIZE + 1 + rnd(511)) != -1)
		fail(pass->file, "a row begun in its middle", tid);
}

static bool slot_answers(struct pass *pass, pid_t tid, bool lives)
{
	struct mmlens_task rec;
	ssize_t n = pread(pass->fd, &rec, sizeof(rec), (off_t)tid * MMLENS_RECORD_SIZE);
	const char *fault;

	if (n < 0 && storm_took_it())
		return false;
	if (n == 0 && !lives)
		return true;
	if (n != sizeof(rec) || rec.tid < (__u32)tid || (lives && rec.tid != (__u32)tid))
		fail(pass->file, "pread at a tid", n);
	fault = row_fault(&rec);
	if (fault)
		fail(pass->file, fault, rec.tid);
	saw_record(pass->file, &rec);
	middle_is_refused(pass, tid + 7, rec.tid);
	return true;
}

/* pread at a slot answers for its tid or the next; at no place is there anything else. */
static void seek_pass(const char *file)
{
	struct mmlens_task rec;
	struct pass pass;

	if (!pass_begin(&pass, file))
		return;
	for (int i = 0; i < 200; i++) {
		const pid_t tid = i & 1 ? any_witness() : (pid_t)rnd(40000) + 1;

		if (!slot_answers(&pass, tid, i & 1))
			break;
	}
	if (lseek(pass.fd, -1, SEEK_SET) != -1 || lseek(pass.fd, 0, SEEK_END) != -1)
		fail(file, "a seek to nowhere", 0);
	if (pread(pass.fd, &rec, sizeof(rec), 0x7fffffffffffe000LL) > 0)
		fail(file, "a row behind the last", 0);
	close(pass.fd);
}

void read_on(void)
{
	/* There are many of us: who is read must come to run between two of our rows. */
	if (!buffer && (nice(15) < 0 || !(buffer = malloc(BIG))))
		fail("a reader", "no memory", BIG);
	switch (rnd(7)) {
	case 0:
	case 1:
		return text_pass(PROC_TASKS);
	case 2:
		return text_seek_pass(PROC_TASKS);
	case 3:
		return bin_pass(PROC_STACKS_BIN);
	case 4:
		return bin_pass(PROC_TASKS_BIN);
	case 5:
		return seek_pass(PROC_TASKS_BIN);
	case 6:
		return bin_pass(PROC_IDS_BIN);
	}
}
