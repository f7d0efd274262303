// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "mmlens_wakeups.h"
#include "source/bpf_env.h"
#include "source/bpf_wakeups.h"
#include "wakeups.skel.h"

/* The calls that wake others; their names differ by architecture only in number. */
static const struct {
	int nr;
	const char *name;
	bool fd; /* the first argument is a descriptor, else an address */
} calls[] = {
	{ SYS_write, "write", true },
	{ SYS_writev, "writev", true },
	{ SYS_read, "read", true },
	{ SYS_readv, "readv", true },
	{ SYS_sendto, "sendto", true },
	{ SYS_sendmsg, "sendmsg", true },
	{ SYS_recvfrom, "recvfrom", true },
	{ SYS_recvmsg, "recvmsg", true },
	{ SYS_splice, "splice", true },
	{ SYS_close, "close", true },
	{ SYS_mq_timedsend, "mq_timedsend", true },
	{ SYS_mq_timedreceive, "mq_timedreceive", true },
	{ SYS_msgsnd, "msgsnd", false },
	{ SYS_msgrcv, "msgrcv", false },
	{ SYS_futex, "futex", false },
	{ SYS_kill, "kill", false },
	{ SYS_tgkill, "tgkill", false },
	{ SYS_rt_sigqueueinfo, "rt_sigqueueinfo", false },
	{ SYS_exit, "exit", false },
	{ SYS_exit_group, "exit_group", false },
	{ SYS_ptrace, "ptrace", false },
	{ SYS_clone, "clone", false },
	{ SYS_execve, "execve", false },
	{ SYS_semop, "semop", false },
	{ SYS_connect, "connect", true },
	{ SYS_epoll_ctl, "epoll_ctl", true },
};

static void name_fd(struct wakeup *w)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/fd/%llu", w->waker, (unsigned long long)w->arg);
	len = readlink(path, w->channel, sizeof(w->channel) - 1);
	w->channel[len > 0 ? len : 0] = '\0';
}

static void name_address(struct wakeup *w)
{
	cleanup_fclose FILE *f = NULL;
	cleanup_free char *line = NULL;
	unsigned long start, end;
	char path[32], perms[5];
	size_t room = 0;
	int at;

	snprintf(path, sizeof(path), "/proc/%u/maps", w->waker);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0) {
		at = 0;
		if (sscanf(line, "%lx-%lx %4s %*x %*s %*u %n", &start, &end, perms, &at) < 3 ||
		    w->arg < start || w->arg >= end)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(w->channel, sizeof(w->channel), "%s memory %s",
			 perms[3] == 's' ? "shared" : "private", at ? line + at : "");
	}
}

/* While both still live: a descriptor closed since has no name. */
static void name(struct wakeup *w)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(calls) && calls[i].nr != w->nr)
		i++;
	if (w->nr < 0) {
		snprintf(w->call, sizeof(w->call), "-");
	} else if (i == ARRAY_SIZE(calls)) {
		snprintf(w->call, sizeof(w->call), "call %d", w->nr);
	} else {
		snprintf(w->call, sizeof(w->call), "%s", calls[i].name);
		if (calls[i].fd)
			name_fd(w);
		else if (w->nr == SYS_futex)
			name_address(w);
	}
}

static int most_first(const void *p, const void *q)
{
	const struct wakeup *x = p, *y = q;

	return (x->count < y->count) - (x->count > y->count);
}

static int read_counts(const struct wakeups_bpf *skel, struct wakeups *out)
{
	int fd = bpf_map__fd(skel->maps.wakeups);
	struct wakeup_key *prev = NULL, key;
	__u64 count;

	out->w = calloc(WAKEUPS_MAX, sizeof(*out->w));
	if (!out->w)
		return -ENOMEM;
	while (out->n < WAKEUPS_MAX && !bpf_map_get_next_key(fd, prev, &key)) {
		struct wakeup *w = &out->w[out->n];

		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &count))
			continue;
		*w = (struct wakeup){ .waker = key.waker,
				      .wakee = key.wakee,
				      .nr = key.nr,
				      .same_space = key.same,
				      .arg = key.arg,
				      .count = count };
		name(w);
		out->n++;
	}
	out->lost = skel->bss->lost;
	qsort(out->w, out->n, sizeof(*out->w), most_first);
	return 0;
}

int wakeups_watch(uint32_t a, uint32_t b, uint64_t ns, struct wakeups *out, struct why *why)
{
	struct timespec left = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
	struct wakeups_bpf *skel;
	int err = bpf_env_check(why);

	*out = (struct wakeups){ .duration_ns = ns };
	if (err)
		return err;
	skel = wakeups_bpf__open();
	if (!skel)
		return why_set(why, -errno, "cannot open the program: %s", strerror(errno));
	skel->rodata->watched[0] = a;
	skel->rodata->watched[1] = b;
	err = wakeups_bpf__load(skel);
	if (!err)
		err = wakeups_bpf__attach(skel);
	if (err) {
		err = bpf_env_load_failed(why, err);
	} else {
		nanosleep(&left, NULL);
		wakeups_bpf__detach(skel);
		err = read_counts(skel, out);
	}
	wakeups_bpf__destroy(skel);
	return err;
}

void wakeups_deinit(struct wakeups *w)
{
	free(w->w);
	*w = (struct wakeups){ 0 };
}
