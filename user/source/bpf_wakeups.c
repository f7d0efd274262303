// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "mmlens_wakeups.h"
#include "source/bpf_env.h"
#include "source/bpf_types.h"
#include "source/bpf_wakeups.h"
#include "wakeups.skel.h"

/* Whose first argument is a descriptor. */
static const int on_descriptor[] = {
	SYS_write,	  SYS_writev,	       SYS_read,    SYS_readv,	   SYS_sendto,
	SYS_sendmsg,	  SYS_recvfrom,	       SYS_recvmsg, SYS_splice,	   SYS_close,
	SYS_mq_timedsend, SYS_mq_timedreceive, SYS_connect, SYS_epoll_ctl, SYS_shutdown,
};

static bool is_on_descriptor(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(on_descriptor); i++)
		if (on_descriptor[i] == nr)
			return true;
	return false;
}

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
	if (w->nr < 0)
		snprintf(w->call, sizeof(w->call), "-");
	else
		syscall_name(w->call, sizeof(w->call), w->nr);
	if (is_on_descriptor(w->nr))
		name_fd(w);
	else if (w->nr == SYS_futex)
		name_address(w);
	else if (w->nr == SYS_msgsnd || w->nr == SYS_msgrcv)
		snprintf(w->channel, sizeof(w->channel), "SysV queue %d", (int)w->arg);
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
	qsort(out->w, out->n, sizeof(*out->w), most_first);
	return 0;
}

static const char *how_of(int code)
{
	if (code > 0)
		return "kernel";
	return code == SI_USER	  ? "kill"
	       : code == SI_QUEUE ? "sigqueue"
	       : code == SI_TKILL ? "tgkill"
				  : "timer, io or alike";
}

static void name_signal(char *buf, size_t n, int signo)
{
	const char *abbreviation = sigabbrev_np(signo);

	if (abbreviation)
		snprintf(buf, n, "SIG%s", abbreviation);
	else if (signo >= SIGRTMIN)
		snprintf(buf, n, "SIGRTMIN+%d", signo - SIGRTMIN);
	else
		snprintf(buf, n, "%d", signo);
}

static int most_signals_first(const void *p, const void *q)
{
	const struct signals *x = p, *y = q;

	return (x->count < y->count) - (x->count > y->count);
}

static int read_signals(const struct wakeups_bpf *skel, struct wakeups *out)
{
	int fd = bpf_map__fd(skel->maps.signals);
	struct signal_key *prev = NULL, key;
	__u64 count;

	out->s = calloc(SIGNALS_MAX, sizeof(*out->s));
	if (!out->s)
		return -ENOMEM;
	while (out->n_signals < SIGNALS_MAX && !bpf_map_get_next_key(fd, prev, &key)) {
		struct signals *s = &out->s[out->n_signals];

		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &count))
			continue;
		*s = (struct signals){ .sender = key.sender,
				       .receiver = key.receiver,
				       .signo = key.signo,
				       .how = how_of(key.code),
				       .count = count };
		name_signal(s->name, sizeof(s->name), key.signo);
		out->n_signals++;
	}
	qsort(out->s, out->n_signals, sizeof(*out->s), most_signals_first);
	return 0;
}

/* NULL with errno, or attached. */
static struct wakeups_bpf *load(uint32_t a, uint32_t b)
{
	cleanup_bpf_types struct bpf_types types = bpf_types_new();
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = bpf_types_path(&types));
	struct wakeups_bpf *skel = wakeups_bpf__open_opts(&opts);
	int err;

	if (!skel)
		return NULL;
	skel->rodata->watched[0] = a;
	skel->rodata->watched[1] = b;
	skel->rodata->ns_inum = bpf_env_pid_ns();
	err = bpf_types_load(&types, skel->skeleton);
	if (!err)
		err = wakeups_bpf__attach(skel);
	if (!err)
		return skel;
	wakeups_bpf__destroy(skel);
	errno = -err;
	return NULL;
}

int wakeups_watch(uint32_t a, uint32_t b, uint64_t ns, struct wakeups *out, struct why *why)
{
	struct timespec left = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
	struct wakeups_bpf *skel;
	int err = bpf_env_check(why);

	*out = (struct wakeups){ .duration_ns = ns };
	if (err)
		return err;
	skel = load(a, b);
	if (!skel)
		return bpf_env_load_failed(why, -errno);
	nanosleep(&left, NULL);
	wakeups_bpf__detach(skel);
	err = read_counts(skel, out);
	if (!err)
		err = read_signals(skel, out);
	out->lost = skel->bss->lost;
	wakeups_bpf__destroy(skel);
	return err;
}

void wakeups_deinit(struct wakeups *w)
{
	free(w->w);
	free(w->s);
	*w = (struct wakeups){ 0 };
}
