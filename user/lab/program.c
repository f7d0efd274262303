// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/program.h"
#include "lib/cleanup.h"

/* A server that takes longer hangs; an editor has no port to tell that it is ready. */
#define READY_NS  20000000000ull
#define LOAD_NS	  300000000ull
#define SETTLE_US 400000

static const char nginx_config[] =
	"daemon off; worker_processes 2; pid %d/pid; error_log /dev/null;\n"
	"events { worker_connections 64; }\n"
	"http { access_log off; client_body_temp_path %d/b; proxy_temp_path %d/x;\n"
	"fastcgi_temp_path %d/f; uwsgi_temp_path %d/u; scgi_temp_path %d/s;\n"
	"server { listen 127.0.0.1:%p; return 200 ok; } }\n";

/* What starts at once comes first: on a busy machine the time may be up before the last. */
const struct program programs[] = {
	{ .what = "server",
	  .design = DESIGN_THREADED,
	  .argv = { "memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", "%p", "-t", "4" },
	  .request = "get a\r\nquit\r\n" },
	{ .what = "server",
	  .design = DESIGN_FORKING,
	  .argv = { "nginx", "-p", "%d", "-c", "%d/config" },
	  .config = nginx_config,
	  .request = "GET / HTTP/1.0\r\n\r\n" },
	{ .what = "browser",
	  .design = DESIGN_ISOLATED,
	  .argv = { "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		    "--user-data-dir=%d", "--remote-debugging-port=%p", "data:text/html,mmlens" },
	  .request = "GET /json/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" },
	{ .what = "editor",
	  .design = DESIGN_ISOLATED,
	  .argv = { "emacs", "-Q", "--fg-daemon=%d/socket" },
	  .load = { "emacsclient", "-s", "%d/socket", "-e", "(insert (make-string 9999 ?m))" } },
	{ .what = "editor",
	  .design = DESIGN_ISOLATED,
	  .feed = "append\nmmlens\n.\n",
	  .argv = { "vim", "-u", "NONE", "-n", "-es" } },
	{ .what = "server",
	  .design = DESIGN_FORKING,
	  .not_root = true,
	  .slow = true,
	  .prepare = { "initdb", "-D", "%d/data", "-A", "trust", "-U", "lab", "--no-sync" },
	  .argv = { "postgres", "-D", "%d/data", "-k", "%d", "-p", "%p" },
	  .load = { "psql", "-h", "127.0.0.1", "-p", "%p", "-U", "lab", "-d", "postgres", "-Atc",
		    "select count(*) from generate_series(1, 200000)" } },
};

const size_t programs_n = ARRAY_SIZE(programs);

/* Distributions keep some of these where PATH does not look. */
static void widen_path(void)
{
	static const char more[] = ":/usr/sbin:/usr/local/bin:/usr/lib/postgresql/15/bin:"
				   "/usr/lib/postgresql/17/bin";
	const char *path = getenv("PATH");
	char wide[4096];

	if (path && strstr(path, more))
		return;
	snprintf(wide, sizeof(wide), "%s%s", path ? path : "/usr/bin:/bin", more);
	setenv("PATH", wide, 1);
}

static bool on_path(const char *name)
{
	char dirs[4096], path[4300], *save = NULL;

	snprintf(dirs, sizeof(dirs), "%s", getenv("PATH"));
	for (char *d = strtok_r(dirs, ":", &save); d; d = strtok_r(NULL, ":", &save)) {
		snprintf(path, sizeof(path), "%s/%s", d, name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

bool program_installed(const struct program *p)
{
	widen_path();
	return on_path(p->argv[0]) && (!p->prepare[0] || on_path(p->prepare[0]));
}

/* %d and %p replaced; the caller frees. */
static char *expand(const struct running *r, const char *from)
{
	char *to = NULL;
	size_t size;
	FILE *f = open_memstream(&to, &size);

	if (!f)
		return NULL;
	for (; *from; from++) {
		if (from[0] == '%' && from[1] == 'd')
			fputs(r->dir, f);
		else if (from[0] == '%' && from[1] == 'p')
			fprintf(f, "%d", r->port);
		else {
			fputc(*from, f);
			continue;
		}
		from++;
	}
	fclose(f);
	return to;
}

static void quiet(int input)
{
	int null = open("/dev/null", O_RDWR);

	dup2(input >= 0 ? input : null, 0);
	dup2(null, 1);
	dup2(null, 2);
}

static void become_nobody(void)
{
	struct passwd *nobody = getpwnam("nobody");

	if (geteuid() || !nobody)
		return;
	if (setgid(nobody->pw_gid) || setuid(nobody->pw_uid))
		_exit(126);
}

static pid_t launch(const struct running *r, const char *const *argv, int input)
{
	char *args[PROGRAM_ARGS + 1] = { NULL };
	pid_t pid = lab_fork();

	if (pid)
		return pid;
	for (size_t i = 0; i < PROGRAM_ARGS && argv[i]; i++)
		args[i] = expand(r, argv[i]);
	setpgid(0, 0);
	quiet(input);
	setenv("HOME", r->dir, 1);
	if (chdir(r->dir))
		_exit(126);
	if (r->program->not_root)
		become_nobody();
	/* setuid() clears it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(args[0], args);
	_exit(127);
}

/* A port that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		return -errno;
	return ntohs(at.sin_port);
}

static int dial(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) },
				  .sin_port = htons((uint16_t)port) };
	struct timeval patience = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

static bool serves(const struct running *r)
{
	int fd = dial(r->port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* By a request, or by its own words. */
static bool has_port(const struct program *p)
{
	bool has = p->request;

	for (size_t i = 0; i < PROGRAM_ARGS && p->argv[i]; i++)
		has |= !strcmp(p->argv[i], "%p");
	return has;
}

static int wait_ready(struct running *r, uint64_t until)
{
	uint64_t begin = lab_now();
	uint64_t end = until < begin + READY_NS ? until : begin + READY_NS;

	while (has_port(r->program) && !serves(r)) {
		if (waitpid(r->pid, NULL, WNOHANG) == r->pid) {
			r->pid = 0;
			return -ECHILD;
		}
		if (lab_now() > end)
			return -ETIMEDOUT;
		usleep(20000);
	}
	/* a browser's page comes after its port */
	if (r->program->design == DESIGN_ISOLATED)
		usleep(SETTLE_US);
	return 0;
}

static int write_config(struct running *r)
{
	cleanup_free char *text = expand(r, r->program->config);
	char path[128];
	cleanup_fclose FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/config", r->dir);
	f = fopen(path, "we");
	return f && text && fputs(text, f) >= 0 ? 0 : -EIO;
}

static int prepare(struct lab *l, struct running *r)
{
	struct passwd *nobody = getpwnam("nobody");
	pid_t pid;
	int err;

	err = lab_directory(l, r->dir);
	if (err)
		return err;
	r->port = free_port();
	if (r->port < 0)
		return r->port;
	if (r->program->not_root && !geteuid() && nobody &&
	    chown(r->dir, nobody->pw_uid, nobody->pw_gid))
		return -errno;
	if (r->program->config)
		return write_config(r);
	if (!r->program->prepare[0])
		return 0;
	pid = launch(r, r->program->prepare, -1);
	return pid < 0 ? pid : lab_reap(pid) ? -ECHILD : 0;
}

int program_start(struct lab *l, struct running *r, const struct program *p, uint64_t until)
{
	int input[2], err;

	*r = (struct running){ .program = p, .hold = -1 };
	err = prepare(l, r);
	if (err)
		return err;
	/* an editor ends when its input does */
	if (pipe2(input, O_CLOEXEC))
		return -errno;
	r->hold = input[1];
	fcntl(r->hold, F_SETFL, O_NONBLOCK);
	r->pid = launch(r, p->argv, input[0]);
	close(input[0]);
	return r->pid < 0 ? r->pid : wait_ready(r, until);
}

static bool request(const struct running *r)
{
	const char *text = r->program->request;
	cleanup_close int fd = dial(r->port);
	char reply[4096];

	return fd >= 0 && send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 &&
	       recv(fd, reply, sizeof(reply), 0) > 0;
}

unsigned int program_load(struct running *r)
{
	uint64_t end = lab_now() + LOAD_NS;
	unsigned int done = 0;

	while (r->program->request && lab_now() < end && request(r))
		done++;
	while (r->program->load[0] && lab_now() < end) {
		pid_t pid = launch(r, r->program->load, -1);

		/* a server without a port may not be ready yet */
		if (pid < 0 || lab_reap(pid))
			usleep(20000);
		else
			done++;
	}
	while (lab_now() < end) {
		/* an editor that does not read fast enough shall not hold us */
		if (r->program->feed &&
		    write(r->hold, r->program->feed, strlen(r->program->feed)) > 0)
			done++;
		usleep(2000);
	}
	return done;
}

void program_stop(struct running *r)
{
	if (r->hold >= 0)
		close(r->hold);
	if (r->pid > 0) {
		kill(-r->pid, SIGKILL);
		kill(r->pid, SIGKILL);
		lab_reap(r->pid);
	}
	if (*r->dir)
		lab_remove_directory(r->dir);
}
