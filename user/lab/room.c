// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <mqueue.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/room.h"
#include "lib/cleanup.h"

#define MEMORY_MOST (1ul << 30)

/* For all experiments together: under ten seconds and two minutes with what comes around them. */
#define QUICK_NS 8500000000ull
#define FULL_NS	 100000000000ull

static uint64_t read_number(const char *path)
{
	cleanup_fclose FILE *f = fopen(path, "re");
	uint64_t v;

	return f && fscanf(f, "%" SCNu64, &v) == 1 ? v : UINT64_MAX;
}

/* The limit of the memory cgroup this process is in, both versions; UINT64_MAX if none is set. */
static uint64_t cgroup_limit(void)
{
	cleanup_fclose FILE *f = fopen("/proc/self/cgroup", "re");
	uint64_t least = UINT64_MAX;
	char line[512], path[640];

	while (f && fgets(line, sizeof(line), f)) {
		char *own = strrchr(line, ':');
		uint64_t v;

		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", own + 1);
		else if (strstr(line, ":memory:"))
			snprintf(path, sizeof(path),
				 "/sys/fs/cgroup/memory%s/memory.limit_in_bytes", own + 1);
		else
			continue;
		v = read_number(path);
		least = v < least ? v : least;
	}
	return least;
}

static uint64_t available(void)
{
	cleanup_fclose FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			return kib * 1024;
	return 256ul << 20;
}

/* A quarter of what there is: the experiments must not push anybody else out. */
static size_t memory_allowed(void)
{
	uint64_t limit = cgroup_limit(), have = available();
	struct rlimit as;

	have = limit < have ? limit : have;
	if (!getrlimit(RLIMIT_AS, &as) && as.rlim_cur < have)
		have = as.rlim_cur;
	return have / 4 < MEMORY_MOST ? have / 4 : MEMORY_MOST;
}

static void loopback_up(void)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd >= 0)
		ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static int mount_private(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") ||
	    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"))
		return -errno;
	return 0;
}

static void default_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		signal(sigs[i], SIG_DFL);
}

/* The room's first task: init of its pid namespace, so with it everything ends. */
static void __attribute__((noreturn)) work(struct lab *l, const bool *claims)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (l->isolated && mount_private()) {
		lab_say(l, PROOF_CANNOT, "the lab's file systems cannot be mounted: %s",
			strerror(errno));
		_exit(1);
	}
	if (l->isolated)
		loopback_up();
	lab_run(l, claims);
	_exit(0);
}

/* Lives only to be the parent whose death ends the room. */
static void __attribute__((noreturn)) keep(struct lab *l, const bool *claims, pid_t parent)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Ctrl-C is the command's to handle: it ends the room as a whole */
	setpgid(0, 0);
	default_signals();
	l->isolated = !unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(l, claims);
	}
	if (pid < 0)
		lab_say(l, PROOF_CANNOT, "no child could be made: %s", strerror(errno));
	close(l->fd);
	if (pid > 0)
		lab_reap(pid);
	_exit(0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) && 0;
}

void lab_remove_directory(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_named_shm(const struct proof_record *r)
{
	shm_unlink(r->text);
}

static void remove_named_queue(const struct proof_record *r)
{
	mq_unlink(r->text);
}

static void remove_segment(const struct proof_record *r)
{
	int id = shmget((key_t)r->n, 0, 0);

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
}

static void remove_queue(const struct proof_record *r)
{
	int id = msgget((key_t)r->n, 0);

	if (id >= 0)
		msgctl(id, IPC_RMID, NULL);
}

static void remove_directory(const struct proof_record *r)
{
	lab_remove_directory(r->text);
}

void lab_remove(const struct proof_record *r)
{
	static const struct {
		const char *kind;
		void (*remove)(const struct proof_record *r);
	} kinds[] = {
		{ "directory", remove_directory }, { "shm", remove_named_shm },
		{ "mqueue", remove_named_queue },  { "segment", remove_segment },
		{ "queue", remove_queue },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(r->unit, kinds[i].kind))
			kinds[i].remove(r);
}

int lab_directory(struct lab *l, char *path)
{
	/* as mkdtemp(3), but the name is known before it is there */
	for (unsigned int i = 0; i < 100; i++) {
		unsigned int name = (unsigned int)(lab_now() / 1000) ^ (unsigned int)getpid() << 12;

		snprintf(path, LAB_PATH, "/tmp/mmlens-%06x", name & 0xffffff);
		if (!access(path, F_OK))
			continue;
		lab_remains(l, "directory", path, 0);
		if (!mkdir(path, 0700))
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int lab_start(struct lab_room *room, bool quick, const char *source, const bool *claims)
{
	static const struct timeval a_while = { .tv_usec = 500000 };
	pid_t parent = getpid();
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	/* orphans of the room come to us, so that none is left */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	room->fd = fds[0];
	room->pid = fork();
	if (room->pid < 0) {
		int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!room->pid) {
		struct lab l = {
			.fd = fds[1],
			.quick = quick,
			.source = source,
			.memory = memory_allowed(),
			.deadline = lab_now() + (quick ? QUICK_NS : FULL_NS),
		};

		close(fds[0]);
		keep(&l, claims, parent);
	}
	close(fds[1]);
	setsockopt(room->fd, SOL_SOCKET, SO_RCVTIMEO, &a_while, sizeof(a_while));
	return 0;
}

int lab_next(struct lab_room *room, struct proof_record *r)
{
	ssize_t got = recv(room->fd, r, sizeof(*r), 0);

	if (got < 0)
		return -errno;
	return got == (ssize_t)sizeof(*r);
}

static pid_t parent_of(const char *pid)
{
	char path[300], line[512];
	cleanup_fclose FILE *f = NULL;
	const char *end;
	int ppid;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	end = strrchr(line, ')');
	return end && sscanf(end, ") %*c %d", &ppid) == 1 ? ppid : 0;
}

static void kill_children(void)
{
	cleanup_closedir DIR *d = opendir("/proc");
	pid_t self = getpid();
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && parent_of(e->d_name) == self)
			kill(atoi(e->d_name), SIGKILL);
}

/* What is killed hands its children to us; so until there are none. */
void lab_stop(struct lab_room *room)
{
	pid_t got;

	kill(room->pid, SIGKILL);
	while ((got = waitpid(-1, NULL, WNOHANG | __WALL)) >= 0 || errno == EINTR) {
		if (got > 0)
			continue;
		kill_children();
		usleep(2000);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}
