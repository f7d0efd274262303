// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "source/endpoints.h"

/* What sock_diag tells of one socket. */
struct sock {
	enum channel_type type;
	uint32_t ino;
	uint32_t peer;
	uint8_t family;
	struct inet_diag_sockid id;
};

struct socks {
	struct sock *s;
	size_t n;
	size_t room;
};

static struct sock *socks_add(struct socks *ss)
{
	if (ss->n == ss->room) {
		size_t room = ss->room ? 2 * ss->room : 256;
		struct sock *more = realloc(ss->s, room * sizeof(*more));

		if (!more)
			return NULL;
		ss->s = more;
		ss->room = room;
	}
	memset(&ss->s[ss->n], 0, sizeof(*ss->s));
	return &ss->s[ss->n++];
}

static int take_unix(struct socks *ss, const struct nlmsghdr *h)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	int len = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	struct sock *s = socks_add(ss);

	if (!s)
		return -ENOMEM;
	s->type = CHANNEL_UNIX;
	s->ino = m->udiag_ino;
	for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, len); a = RTA_NEXT(a, len))
		if (a->rta_type == UNIX_DIAG_PEER)
			memcpy(&s->peer, RTA_DATA(a), sizeof(s->peer));
	return 0;
}

static int take_inet(struct socks *ss, const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	struct sock *s = socks_add(ss);

	if (!s)
		return -ENOMEM;
	s->type = CHANNEL_TCP;
	s->ino = m->idiag_inode;
	s->family = m->idiag_family;
	s->id = m->id;
	return 0;
}

/* One dump; -errno or 0. */
static int dump(int fd, const void *request, size_t size, struct socks *ss,
		int (*take)(struct socks *ss, const struct nlmsghdr *h))
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	_Alignas(struct nlmsghdr) char buf[32768];
	ssize_t got;
	int err = 0;

	if (sendto(fd, request, size, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	while (!err && (got = recv(fd, buf, sizeof(buf), 0)) > 0) {
		int left = (int)got;

		for (struct nlmsghdr *h = (void *)buf; !err && NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return -EIO;
			err = take(ss, h);
		}
	}
	return err;
}

static int dump_unix(int fd, struct socks *ss)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} q = {
		.h = { sizeof(q), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = AF_UNIX,
		       .udiag_states = UINT32_MAX,
		       .udiag_show = UDIAG_SHOW_PEER },
	};

	return dump(fd, &q, sizeof(q), ss, take_unix);
}

static int dump_inet(int fd, uint8_t family, struct socks *ss)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 r;
	} q = {
		.h = { sizeof(q), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = family,
		       .sdiag_protocol = IPPROTO_TCP,
		       .idiag_states = 1u << TCP_ESTABLISHED },
	};

	return dump(fd, &q, sizeof(q), ss, take_inet);
}

static bool mirrored(const struct sock *x, const struct sock *y)
{
	return x->family == y->family && x->id.idiag_sport == y->id.idiag_dport &&
	       x->id.idiag_dport == y->id.idiag_sport &&
	       !memcmp(x->id.idiag_src, y->id.idiag_dst, sizeof(x->id.idiag_src)) &&
	       !memcmp(x->id.idiag_dst, y->id.idiag_src, sizeof(x->id.idiag_src));
}

/* Both ends of a loopback connection are in the table: each is the other's mirror. */
static void pair_inet(struct socks *ss)
{
	for (size_t i = 0; i < ss->n; i++)
		for (size_t j = 0; ss->s[i].type == CHANNEL_TCP && j < ss->n; j++)
			if (ss->s[j].type == CHANNEL_TCP && mirrored(&ss->s[i], &ss->s[j]))
				ss->s[i].peer = ss->s[j].ino;
}

static int by_ino(const void *p, const void *q)
{
	const struct sock *x = p, *y = q;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void resolve(struct endpoints *es, struct socks *ss)
{
	size_t kept = 0;

	pair_inet(ss);
	if (ss->n)
		qsort(ss->s, ss->n, sizeof(*ss->s), by_ino);
	for (size_t i = 0; i < es->n; i++) {
		struct sock key = { .ino = (uint32_t)es->e[i].id }, *s;

		if (es->e[i].type == CHANNEL_SOCKET) {
			s = ss->n ? bsearch(&key, ss->s, ss->n, sizeof(key), by_ino) : NULL;
			if (!s || !s->peer)
				continue;
			es->e[i].type = s->type;
			es->e[i].peer = s->peer;
		}
		es->e[kept++] = es->e[i];
	}
	es->n = kept;
}

/* A netlink socket keeps the network namespace it was made in; ours is restored at once. */
static int diag_socket(uint32_t pid)
{
	cleanup_close int ours = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cleanup_close int theirs = -1;
	struct stat a, b;
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (ours < 0 || theirs < 0 || fstat(ours, &a) || fstat(theirs, &b) ||
	    a.st_ino == b.st_ino || setns(theirs, CLONE_NEWNET))
		return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	setns(ours, CLONE_NEWNET);
	return fd;
}

int sockets_resolve(uint32_t pid, struct endpoints *es)
{
	cleanup_close int fd = diag_socket(pid);
	struct socks ss = { 0 };
	int err = fd < 0 ? -errno : 0;

	if (!err)
		err = dump_unix(fd, &ss);
	/* a kernel without one family still answers for the others */
	if (!err && dump_inet(fd, AF_INET, &ss) == -ENOMEM)
		err = -ENOMEM;
	if (!err && dump_inet(fd, AF_INET6, &ss) == -ENOMEM)
		err = -ENOMEM;
	resolve(es, &ss);
	free(ss.s);
	return err;
}
