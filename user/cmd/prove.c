// SPDX-License-Identifier: GPL-2.0-only
/* mmlens prove: the five claims, run and judged on this machine. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "analysis/claims.h"
#include "cmd/state.h"
#include "lab/lab.h"
#include "lib/cleanup.h"
#include "render/html.h"
#include "render/proof.h"
#include "source/source.h"

struct prove_args {
	struct common common;
	bool quick;
	const char *html;
};

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
}

/* Without SA_RESTART: the wait for the next record must end. */
static void catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction sa = { .sa_handler = catch };

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
}

static int width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;

	if (columns && atoi(columns) > 40)
		return atoi(columns);
	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col ? ws.ws_col : 80;
}

static int choose(int n, char **words, bool *claims)
{
	for (int i = 0; i < n; i++) {
		int c = 0;

		while (c < CLAIM_NR && strcmp(words[i], claim_name((enum claim)c)))
			c++;
		if (c == CLAIM_NR)
			return fail(EXIT_USAGE, words[i],
				    "no such claim; there are definition, "
				    "isolation, overhead, communication and uses");
		claims[c] = true;
	}
	for (int c = 0; !n && c < CLAIM_NR; c++)
		claims[c] = true;
	return 0;
}

/* The text view: a heading when a claim begins, its verdict when the next one does. */
struct stage {
	const struct prove_args *args;
	struct proof *proof;
	int now; /* -1 before the first */
	int width;
	bool tty;		  /* of stderr: somebody may be waiting there */
	bool shown;		  /* a transient line stands there */
	struct proof_record last; /* of the kind that is shown there */
	uint64_t begin;
};

static void progress_clear(struct stage *st)
{
	if (st->shown)
		fputs("\r\033[K", stderr);
	st->shown = false;
}

static void progress_show(struct stage *st)
{
	int room = st->width > 30 ? st->width - 30 : 0;

	if (!st->tty || st->last.type != PROOF_PROGRESS)
		return;
	progress_clear(st);
	fprintf(stderr, "  ... %.0f s, %s: %.*s", (double)(lab_now() - st->begin) / 1e9,
		claim_name((enum claim)st->last.claim), room, st->last.text);
	fflush(stderr);
	st->shown = true;
}

static void turn_to(struct stage *st, int claim)
{
	struct judgement j;

	if (st->args->common.view.json || st->now == claim)
		return;
	if (st->now >= 0) {
		j = claim_judge(st->proof, (enum claim)st->now);
		proof_print_judgement(stdout, &j, st->width);
	}
	st->now = claim;
	if (claim >= 0)
		proof_print_claim(stdout, (enum claim)claim);
}

static int keep(struct stage *st, const struct proof_record *r)
{
	if (r->claim >= CLAIM_NR)
		return -EPROTO;
	if (r->type == PROOF_PROGRESS) {
		st->last = *r;
		progress_show(st);
		return 0;
	}
	progress_clear(st);
	turn_to(st, (int)r->claim);
	if (!st->args->common.view.json)
		proof_print(stdout, r, st->width);
	return proof_add(st->proof, r);
}

/* What outlives its makers where the lab has no namespaces of its own. */
static void remove_remains(const struct proof *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->records[i].type == PROOF_REMAINS)
			lab_remove(&p->records[i]);
}

static int collect(struct stage *st, const bool *claims)
{
	struct lab_room room;
	struct proof_record r;
	int err = lab_start(&room, st->args->quick, st->args->common.source, claims);

	if (err)
		return fail(EXIT_FAILED, "prove", "no child could be made: %s", strerror(-err));
	while (!caught && ((err = lab_next(&room, &r)) > 0 || err == -EINTR || err == -EAGAIN)) {
		if (err > 0)
			keep(st, &r);
		else if (err == -EAGAIN)
			progress_show(st);
	}
	lab_stop(&room);
	/* what was told while it was being stopped */
	while (caught && lab_next(&room, &r) > 0)
		proof_add(st->proof, &r);
	close(room.fd);
	progress_clear(st);
	remove_remains(st->proof);
	if (caught) {
		signal(caught, SIG_DFL);
		raise(caught);
	}
	turn_to(st, -1);
	return 0;
}

static void judge_all(const struct proof *p, struct judgement *judged)
{
	for (int c = 0; c < CLAIM_NR; c++)
		judged[c] = claim_judge(p, (enum claim)c);
}

static int print_json(const struct proof *p, const struct snapshot *s, const bool *claims,
		      const struct judgement *judged)
{
	struct json *j = json_open(stdout, false);

	if (!j)
		return fail(EXIT_FAILED, "prove", "out of memory");
	json_object(j, NULL);
	json_head(j, "prove", s);
	json_array(j, "claims");
	for (int c = 0; c < CLAIM_NR; c++)
		if (claims[c])
			json_claim(j, p, (enum claim)c, &judged[c]);
	json_array_end(j);
	json_object_end(j);
	return json_finish(j, EXIT_DONE);
}

/* Said before the experiments, not after them. */
static int check_writable(const char *path)
{
	cleanup_free char *copy = strdup(path);

	if (!copy)
		return fail(EXIT_FAILED, "prove", "out of memory");
	if (!access(path, F_OK) ? access(path, W_OK) : access(dirname(copy), W_OK))
		return fail(EXIT_FAILED, path, "cannot be written: %s", strerror(errno));
	return 0;
}

static int write_html(const char *path, const struct proof *p, const bool *claims,
		      const struct judgement *judged)
{
	cleanup_fclose FILE *f = fopen(path, "we");

	if (!f)
		return fail(EXIT_FAILED, path, "cannot be written: %s", strerror(errno));
	html_proof(f, p, claims, judged);
	return file_finish(f, path, EXIT_DONE);
}

/* Who was asked, for the head of the document; nobody is an answer too. */
static void read_head(struct snapshot *s, const struct common *common)
{
	struct why why;

	snapshot_init(s);
	if (!source_snapshot(common->source, 0, s, &why))
		return;
	snprintf(s->source, sizeof(s->source), "none");
}

static int run(const struct command *cmd, void *args, int argc, char **argv)
{
	const struct prove_args *a = args;
	bool claims[CLAIM_NR] = { false };
	struct proof proof = { 0 };
	struct stage st = {
		.args = a,
		.proof = &proof,
		.now = -1,
		.width = width(),
		.tty = isatty(STDERR_FILENO),
		.begin = lab_now(),
	};
	struct judgement judged[CLAIM_NR];
	struct snapshot head;
	int status = choose(argc, argv, claims);

	(void)cmd;
	if (!status && a->html)
		status = check_writable(a->html);
	if (status)
		return status;
	catch_signals();
	status = collect(&st, claims);
	judge_all(&proof, judged);
	if (!status && a->common.view.json) {
		read_head(&head, &a->common);
		status = print_json(&proof, &head, claims, judged);
		snapshot_deinit(&head);
	}
	if (!status && a->html)
		status = write_html(a->html, &proof, claims, judged);
	proof_deinit(&proof);
	return status;
}

static const struct option_def options[] = {
	{ "quick", 'q', NULL, OPTION_FLAG, offsetof(struct prove_args, quick),
	  "fewer samples: under ten seconds, wider intervals" },
	{ "html", 0, "OUT", OPTION_STRING, offsetof(struct prove_args, html),
	  "also write the figures as one self-contained page" },
};

const struct command cmd_prove = {
	.name = "prove",
	.no_file = "experiments on the living machine",
	.operands = "[CLAIM...]",
	.summary = "the five claims about processes and threads, run and judged here",
	.text = "CLAIM is definition, isolation, overhead, communication or uses; all by default.\n"
		"Each is PROVED, NOT TRUE HERE or CANNOT TELL, with the numbers that say so.",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.args_size = sizeof(struct prove_args),
	.max_operands = CLAIM_NR,
	.run = run,
};
