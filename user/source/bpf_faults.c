// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.skel.h"
#include "mmlens_faults.h"
#include "source/bpf_env.h"
#include "source/bpf_faults.h"
#include "source/bpf_types.h"
#include "source/btf_ids.h"

_Static_assert(FAULT_DEPTH == FAULTS_DEPTH, "a stack of the kernel fits");

struct faultwatch {
	struct faults_bpf *skel;
};

static int load(struct faultwatch *w, bool stacks, bool vma)
{
	cleanup_bpf_types struct bpf_types types = bpf_types_new();
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = bpf_types_path(&types));
	int err;

	w->skel = faults_bpf__open_opts(&opts);
	if (!w->skel)
		return -errno;
	w->skel->rodata->want_stacks = stacks;
	w->skel->rodata->ns_inum = bpf_env_pid_ns();
	w->skel->rodata->page_size = (__u32)sysconf(_SC_PAGESIZE);
	bpf_program__set_autoload(w->skel->progs.mmlens_copy, !vma);
	bpf_program__set_autoload(w->skel->progs.mmlens_copy_vma, vma);
	err = bpf_types_load(&types, w->skel->skeleton);
	if (!err)
		err = faults_bpf__attach(w->skel);
	if (err) {
		faults_bpf__destroy(w->skel);
		w->skel = NULL;
	}
	return err;
}

static int open_here(struct faultwatch *w, bool stacks, struct why *why)
{
	int err = bpf_env_check(why);

	if (err)
		return err;
	if (!btf_id("btf_trace_page_fault_user"))
		return why_set(
			why, -EOPNOTSUPP,
			"this kernel has no tracepoint exceptions:page_fault_user (x86 has)");
	/* Without bpf_find_vma() (5.17) each page stands for itself. */
	err = load(w, stacks, true);
	if (err)
		err = load(w, stacks, false);
	return err ? bpf_env_load_failed(why, err) : 0;
}

int faultwatch_open(struct faultwatch **out, bool stacks, struct why *why)
{
	struct faultwatch *w = calloc(1, sizeof(*w));
	int err = w ? open_here(w, stacks, why) : why_set(why, -ENOMEM, "out of memory");

	if (err)
		free(w);
	else
		*out = w;
	return err;
}

void faultwatch_close(struct faultwatch *w)
{
	if (!w)
		return;
	faults_bpf__destroy(w->skel);
	free(w);
}

int faultwatch_add(struct faultwatch *w, uint32_t tgid)
{
	__u8 yes = 1;

	return bpf_map_update_elem(bpf_map__fd(w->skel->maps.watched), &tgid, &yes, BPF_ANY);
}

static struct fault *next_room(struct faults *out, size_t *room)
{
	struct fault *more;

	if (out->n < *room)
		return &out->f[out->n];
	*room = *room ? 2 * *room : 64;
	more = realloc(out->f, *room * sizeof(*more));
	if (!more)
		return NULL;
	out->f = more;
	return &more[out->n];
}

int faultwatch_read(const struct faultwatch *w, struct faults *out)
{
	int fd = bpf_map__fd(w->skel->maps.copies), stacks = bpf_map__fd(w->skel->maps.stacks);
	struct fault_key *prev = NULL, key;
	size_t room = 0;

	*out = (struct faults){ .lost = w->skel->bss->lost };
	while (!bpf_map_get_next_key(fd, prev, &key)) {
		struct fault *f = next_room(out, &room);
		__u64 count;

		if (!f) {
			faults_deinit(out);
			return -ENOMEM;
		}
		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &count))
			continue;
		*f = (struct fault){
			.tgid = key.tgid, .tid = key.tid, .place = key.place, .count = count
		};
		if (key.stack >= 0)
			bpf_map_lookup_elem(stacks, &key.stack, f->stack);
		out->n++;
	}
	return 0;
}

void faults_deinit(struct faults *f)
{
	free(f->f);
	*f = (struct faults){ 0 };
}
