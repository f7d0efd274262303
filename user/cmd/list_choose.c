// SPDX-License-Identifier: GPL-2.0-only
#include <fnmatch.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/list.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "source/procmeta.h"
#include "source/withheld.h"

static uint64_t known_or_zero(uint64_t bytes)
{
	return bytes == MEMORY_UNKNOWN ? 0 : bytes;
}

static uint64_t key_rss(const struct space *sp)
{
	return known_or_zero(sp->memory.rss);
}

static uint64_t key_pss(const struct space *sp)
{
	return known_or_zero(sp->memory.pss);
}

static uint64_t key_claimed(const struct space *sp)
{
	return known_or_zero(sp->memory.claimed);
}

static uint64_t key_tasks(const struct space *sp)
{
	return sp->tasks;
}

static uint64_t key_processes(const struct space *sp)
{
	return sp->processes;
}

static const struct sort_key {
	const char *name;
	uint64_t (*get)(const struct space *sp);
} sort_keys[] = {
	{ "rss", key_rss },
	{ "pss", key_pss },
	{ "claimed", key_claimed },
	{ "tasks", key_tasks },
	{ "processes", key_processes },
};

static const struct sort_key *sort_key(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(sort_keys); i++)
		if (strcmp(sort_keys[i].name, name) == 0)
			return &sort_keys[i];
	return NULL;
}

static int user_id(const char *word, uint32_t *uid)
{
	const struct passwd *pw = getpwnam(word);
	uint64_t v;

	if (pw)
		*uid = pw->pw_uid;
	else if (parse_u64(word, UINT32_MAX, &v) == 0)
		*uid = (uint32_t)v;
	else
		return fail(EXIT_USAGE, word, "no such user");
	return 0;
}

int list_check(const struct list_args *args)
{
	uint32_t uid;

	if (args->sort && !sort_key(args->sort))
		return fail(EXIT_USAGE, args->sort,
			    "--sort takes rss, pss, claimed, tasks or processes");
	return args->user ? user_id(args->user, &uid) : 0;
}

static bool has_comm(const struct state *st, const struct space *sp, const char *pattern)
{
	for (size_t i = 0; i < sp->tasks; i++)
		if (fnmatch(pattern, space_member(&st->ledger, sp, i)->comm, 0) == 0)
			return true;
	return false;
}

static bool has_user(const struct state *st, const struct task *t, const char *word)
{
	uint32_t wanted, uid = t->uid;

	if (user_id(word, &wanted))
		return false;
	if (!(t->known & KNOWN_UID) && (st->snapshot.recorded || procmeta_uid(t->key.tid, &uid)))
		return false;
	return uid == wanted;
}

/* Below that cgroup: "/a" holds "/a" and "/a/b", not "/ab". */
static bool in_cgroup(const struct state *st, const struct space *sp, const char *wanted)
{
	char path[4096];
	size_t n = strlen(wanted);

	while (n && wanted[n - 1] == '/')
		n--;
	return state_cgroup(st, sp, path, sizeof(path)) == 0 && strncmp(path, wanted, n) == 0 &&
	       (!path[n] || path[n] == '/');
}

/* Docker, containerd, podman and LXC all put the container's id or name in the cgroup's path. */
static bool in_container(const struct state *st, const struct space *sp, const char *id)
{
	char path[4096];

	return state_cgroup(st, sp, path, sizeof(path)) == 0 && strstr(path, id);
}

/* A container without a cgroup of its own still has a pid namespace; lsns prints its number. */
static bool in_pid_namespace(const struct task *t, const char *id)
{
	uint64_t inode;

	return parse_u64(id, UINT32_MAX, &inode) == 0 && task_res_known(t, RES_PID_NS) &&
	       t->res[RES_PID_NS] == inode;
}

static bool passes(const struct state *st, const struct list_args *args, const struct space *sp)
{
	const struct task *first = space_member(&st->ledger, sp, 0);

	return (!args->comm || has_comm(st, sp, args->comm)) &&
	       (!args->user || has_user(st, first, args->user)) &&
	       (!args->cgroup || in_cgroup(st, sp, args->cgroup)) &&
	       (!args->container || in_container(st, sp, args->container) ||
		in_pid_namespace(first, args->container));
}

/* A task whose space is not shown is not said to have none. */
static int no_space(const struct state *st, const struct task *t, const char *word)
{
	struct why why = { "" };

	if (task_res_known(t, RES_MM))
		return fail(EXIT_FAILED, word, "has no address space: it is a %s",
			    task_kind_name(t->kind));
	if (st->snapshot.recorded)
		return fail(EXIT_FAILED, word,
			    "its address space was withheld from who recorded it");
	withheld_right(t->key.tid, &why);
	return fail(EXIT_MISSING, word, "its address space is withheld: %s", why.text);
}

/* The spaces the operands ask for: all, or those of the named tasks. */
static int mark(struct state *st, int n, char **pids, bool *marked)
{
	for (int i = 0; i < n; i++) {
		const struct task *t;
		struct space *sp;
		int status = state_task(st, pids[i], &t);

		if (status)
			return status;
		sp = ledger_find(&st->ledger, task_space(t));
		if (!sp)
			return no_space(st, t, pids[i]);
		marked[sp - st->ledger.spaces] = true;
	}
	for (size_t i = 0; !n && i < st->ledger.n; i++)
		marked[i] = true;
	return 0;
}

/* Largest first; equal ones stay in the ledger's order, which is that of the pointers. */
static int by_key(const void *a, const void *b, void *arg)
{
	const struct space *const *x = a, *const *y = b;
	const struct sort_key *key = arg;
	uint64_t u = key->get(*x), v = key->get(*y);

	if (u != v)
		return u > v ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

void choice_deinit(struct choice *c)
{
	free(c->spaces);
}

int list_choose(struct state *st, const struct list_args *args, int n, char **pids,
		struct choice *out)
{
	cleanup_free bool *marked = calloc(st->ledger.n + 1, sizeof(*marked));
	const struct sort_key *key = sort_key(args->sort);
	int status;

	out->n = 0;
	out->spaces = calloc(st->ledger.n + 1, sizeof(struct space *));
	if (!marked || !out->spaces)
		return fail(EXIT_FAILED, "list", "out of memory");
	status = mark(st, n, pids, marked);
	for (size_t i = 0; !status && i < st->ledger.n; i++) {
		struct space *sp = &st->ledger.spaces[i];

		if (!marked[i] || !passes(st, args, sp))
			continue;
		state_memory(st, sp);
		out->spaces[out->n++] = sp;
	}
	if (key)
		qsort_r(out->spaces, out->n, sizeof(*out->spaces), by_key, (void *)key);
	return status;
}
