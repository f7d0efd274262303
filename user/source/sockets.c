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
	uint32_t peer; /* 0: nobody holds it by a descriptor, as one that is not accepted yet */
	bool connected;
	uint8_t family;
	uint64_t net; /* inode of its network namespace: addresses mean something in one only */
	struct inet_diag_sockid id;
};

struct socks {
	struct sock *s;
	size_t n;
	size_t room;
	uint64_t net; /* of those that come next */
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
	ss->s[ss->n] = (struct sock){ .net = ss->net };
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
		if (a->rta_type == UNIX_DIAG_PEER) {
			memcpy(&s->peer, RTA_DATA(a), sizeof(s->peer));
			s->connected = true;
		}
	return 0;
}

/* ::ffff:a.b.c.d */
static bool is_mapped(const __be32 *address)
{
	return !address[0] && !address[1] && address[2] == htonl(0xffff);
}

/* Who listens on both has the address of an IPv4 client in the form of IPv6: its mirror has not. */
static void unmap(struct sock *s)
{
	struct inet_diag_sockid *id = &s->id;
	__be32 src = id->idiag_src[3], dst = id->idiag_dst[3];

	if (s->family != AF_INET6 || !is_mapped(id->idiag_src) || !is_mapped(id->idiag_dst))
		return;
	s->family = AF_INET;
	memset(id->idiag_src, 0, sizeof(id->idiag_src));
	memset(id->idiag_dst, 0, sizeof(id->idiag_dst));
	id->idiag_src[0] = src;
	id->idiag_dst[0] = dst;
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
	unmap(s);
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
	return x->net == y->net && x->family == y->family &&
	       x->id.idiag_sport == y->id.idiag_dport && x->id.idiag_dport == y->id.idiag_sport &&
	       !memcmp(x->id.idiag_src, y->id.idiag_dst, sizeof(x->id.idiag_src)) &&
	       !memcmp(x->id.idiag_dst, y->id.idiag_src, sizeof(x->id.idiag_src));
}

/* Both ends of a loopback connection are in the table: each is the other's mirror. */
static void pair_inet(struct socks *ss)
{
	for (size_t i = 0; i < ss->n; i++)
		for (size_t j = 0; ss->s[i].type == CHANNEL_TCP && j < ss->n; j++)
			if (ss->s[j].type == CHANNEL_TCP && mirrored(&ss->s[i], &ss->s[j])) {
				ss->s[i].peer = ss->s[j].ino;
				ss->s[i].connected = true;
			}
}

static int by_ino(const void *p, const void *q)
{
	const struct sock *x = p, *y = q;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

static const struct sock *find(const struct socks *ss, uint64_t ino)
{
	struct sock key = { .ino = (uint32_t)ino };

	return ss->n ? bsearch(&key, ss->s, ss->n, sizeof(key), by_ino) : NULL;
}

static int by_peer(const void *p, const void *q)
{
	const struct sock *x = p, *y = q;

	return (x->peer > y->peer) - (x->peer < y->peer);
}

/* Names what each of them is, and its peer. */
static void settle(struct endpoints *es, const struct socks *ss)
{
	for (size_t i = 0; i < es->n; i++) {
		struct endpoint *e = &es->e[i];
		const struct sock *s = e->type == CHANNEL_SOCKET ? find(ss, e->id) : NULL;

		/* an unconnected one of TCP only listens; one of datagrams may be sent to */
		if (!s || (!s->connected && s->type == CHANNEL_TCP))
			continue;
		e->type = s->type;
		e->peer = s->peer;
		e->paired = s->connected;
	}
}

/*
 * A unix socket by a path may lead into another network namespace, whose sockets could not be
 * dumped: what is named as a peer here has that one as its own. The order of `ss` is lost.
 */
static void settle_beyond(struct endpoints *es, struct socks *ss)
{
	if (ss->n)
		qsort(ss->s, ss->n, sizeof(*ss->s), by_peer);
	for (size_t i = 0; i < es->n; i++) {
		struct endpoint *e = &es->e[i];
		struct sock key = { .peer = (uint32_t)e->id };
		const struct sock *s = NULL;

		if (e->type == CHANNEL_SOCKET && ss->n)
			s = bsearch(&key, ss->s, ss->n, sizeof(key), by_peer);
		if (!s || s->type != CHANNEL_UNIX)
			continue;
		e->type = CHANNEL_UNIX;
		e->peer = s->ino;
		e->paired = true;
	}
}

/* What is left is connected to nobody, or to another machine. */
static void drop_others(struct endpoints *es)
{
	size_t kept = 0;

	for (size_t i = 0; i < es->n; i++)
		if (es->e[i].type != CHANNEL_SOCKET)
			es->e[kept++] = es->e[i];
	es->n = kept;
}

static void resolve(struct endpoints *es, struct socks *ss)
{
	pair_inet(ss);
	if (ss->n)
		qsort(ss->s, ss->n, sizeof(*ss->s), by_ino);
	settle(es, ss);
	settle_beyond(es, ss);
	drop_others(es);
}

static uint64_t net_of(const char *pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

/*
 * A netlink socket keeps the network namespace it was made in; ours is restored at once. -EPERM
 * where another's may not be entered.
 */
static int diag_socket(const char *pid)
{
	cleanup_close int ours = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cleanup_close int theirs = -1;
	char path[40];
	int fd;

	if (net_of(pid) == net_of("thread-self"))
		return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (ours < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET))
		return -EPERM;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	setns(ours, CLONE_NEWNET);
	return fd;
}

/* A kernel without one family, or a namespace that is not for us, still leaves the others. */
static int dump_net(const char *pid, struct socks *ss)
{
	cleanup_close int fd = diag_socket(pid);
	int err = 0;

	ss->net = net_of(pid);
	if (fd >= 0)
		err = dump_unix(fd, ss);
	if (fd >= 0 && err != -ENOMEM)
		err = dump_inet(fd, AF_INET, ss);
	if (fd >= 0 && err != -ENOMEM)
		err = dump_inet(fd, AF_INET6, ss);
	return err == -ENOMEM ? err : 0;
}

/* The network namespaces of all who hold endpoints, each once; inodes. */
struct nets {
	uint64_t *ino;
	size_t n;
};

static bool is_new(struct nets *nets, uint64_t ino)
{
	uint64_t *more;

	for (size_t i = 0; i < nets->n; i++)
		if (nets->ino[i] == ino)
			return false;
	more = realloc(nets->ino, (nets->n + 1) * sizeof(*more));
	if (!more)
		return false;
	nets->ino = more;
	nets->ino[nets->n++] = ino;
	return true;
}

int sockets_resolve(struct endpoints *es)
{
	struct nets nets = { 0 };
	struct socks ss = { 0 };
	uint32_t tgid = 0;
	int err = 0;

	for (size_t i = 0; !err && i < es->n; i++) {
		char pid[16];

		if (es->e[i].type != CHANNEL_SOCKET || es->e[i].tgid == tgid)
			continue;
		tgid = es->e[i].tgid;
		snprintf(pid, sizeof(pid), "%u", tgid);
		if (net_of(pid) && is_new(&nets, net_of(pid)))
			err = dump_net(pid, &ss);
	}
	resolve(es, &ss);
	free(nets.ino);
	free(ss.s);
	return err;
}
