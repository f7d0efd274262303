// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/cleanup.h"
#include "mmlens_talk.h"
#include "source/bpf_env.h"
#include "source/bpf_talk.h"
#include "source/bpf_types.h"
#include "talk.skel.h"

_Static_assert(sizeof(TALK_PREFIX) == sizeof(TALK_NAME_PREFIX), "the program's own prefix");

struct talk_session {
	struct talk_bpf *skel;
};

/* Where a call says how much it copied between the caller and the kernel. */
enum telling {
	BY_RETURN,
	BY_THIRD,
	BY_CALL, /* one message of fixed size */
};

static const struct {
	uint32_t nr;
	enum telling telling;
} carriers[] = {
	{ SYS_read, BY_RETURN },
	{ SYS_write, BY_RETURN },
	{ SYS_readv, BY_RETURN },
	{ SYS_writev, BY_RETURN },
	{ SYS_sendto, BY_RETURN },
	{ SYS_recvfrom, BY_RETURN },
	{ SYS_sendmsg, BY_RETURN },
	{ SYS_recvmsg, BY_RETURN },
	{ SYS_msgrcv, BY_RETURN },
	{ SYS_msgsnd, BY_THIRD },
	{ SYS_mq_timedreceive, BY_RETURN },
	{ SYS_mq_timedsend, BY_THIRD },
	{ SYS_process_vm_readv, BY_RETURN },
	{ SYS_process_vm_writev, BY_RETURN },
	{ SYS_rt_sigqueueinfo, BY_CALL },
	{ SYS_rt_sigtimedwait, BY_CALL },
};

static int load(struct talk_session *ts)
{
	cleanup_bpf_types struct bpf_types types = bpf_types_new();
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = bpf_types_path(&types));
	int err;

	ts->skel = talk_bpf__open_opts(&opts);
	if (!ts->skel)
		return -errno;
	err = bpf_types_load(&types, ts->skel->skeleton);
	return err ? err : talk_bpf__attach(ts->skel);
}

int talk_open(struct talk_session **out, struct why *why)
{
	struct talk_session *ts;
	int err = bpf_env_check(why);

	if (err)
		return err;
	ts = calloc(1, sizeof(*ts));
	if (!ts)
		return why_set(why, -ENOMEM, "out of memory");
	err = load(ts);
	if (err) {
		talk_close(ts);
		return bpf_env_load_failed(why, err);
	}
	*out = ts;
	return 0;
}

/* Calls that are no part of talking: the clock, where it is one, and the taking of the name. */
static bool is_instrument(uint32_t nr)
{
	return nr == SYS_clock_gettime || nr == SYS_prctl;
}

static void take(struct talk *t, uint32_t nr, const struct talk_count *n)
{
	if (is_instrument(nr))
		return;
	t->calls += n->calls;
	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		if (carriers[i].nr != nr)
			continue;
		if (carriers[i].telling == BY_RETURN)
			t->copied += n->returned;
		else if (carriers[i].telling == BY_THIRD)
			t->copied += n->third;
		else
			t->whole += n->calls;
	}
}

int talk_read(const struct talk_session *ts, const char *comm, struct talk *out)
{
	int fd = bpf_map__fd(ts->skel->maps.talk);
	struct talk_key *prev = NULL, key;
	struct talk_count n;

	*out = (struct talk){ 0 };
	while (!bpf_map_get_next_key(fd, prev, &key)) {
		prev = &key;
		if (!strncmp(key.comm, comm, sizeof(key.comm)) &&
		    !bpf_map_lookup_elem(fd, &key, &n))
			take(out, key.nr, &n);
	}
	return 0;
}

void talk_close(struct talk_session *ts)
{
	if (!ts)
		return;
	talk_bpf__destroy(ts->skel);
	free(ts);
}
