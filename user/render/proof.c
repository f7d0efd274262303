// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "lib/cleanup.h"
#include "render/proof.h"

/* What stands before each kind of line; NULL is not for reading. */
static const struct {
	const char *lead;
	const char *key;
} types[] = {
	[PROOF_STEP] = { "  did   ", "did" },
	[PROOF_SAW] = { "    saw ", "saw" },
	[PROOF_CONCLUDED] = { "     so ", "concluded" },
	[PROOF_TRY] = { "    try ", "try" },
	[PROOF_CANNOT] = { "    but ", "cannot" },
	[PROOF_MEASUREMENT] = { NULL, NULL },
	[PROOF_REMAINS] = { NULL, NULL },
	[PROOF_PROGRESS] = { NULL, NULL },
};

#define INDENT 8

/* Breaks between words; what is longer than a line stays whole. */
static void wrapped(FILE *out, const char *lead, const char *text, int width)
{
	int room = width - INDENT > 20 ? width - INDENT : 20;

	fputs(lead, out);
	while ((int)strlen(text) > room) {
		int at = room;

		while (at > 0 && text[at] != ' ')
			at--;
		if (!at)
			at = (int)strcspn(text, " ");
		fprintf(out, "%.*s\n%*s", at, text, INDENT, "");
		text += at + (text[at] == ' ');
	}
	fprintf(out, "%s\n", text);
}

static void print_fact(FILE *out, const struct proof_record *r)
{
	fprintf(out, "     %s %s\n", r->value != 0 ? "so" : "NO", r->name);
}

void proof_print(FILE *out, const struct proof_record *r, int width)
{
	if (r->type == PROOF_MEASUREMENT && !strcmp(r->unit, "fact"))
		print_fact(out, r);
	else if (r->type < ARRAY_SIZE(types) && types[r->type].lead)
		wrapped(out, types[r->type].lead, r->text, width);
	fflush(out);
}

void proof_print_claim(FILE *out, enum claim claim)
{
	fprintf(out, "\n%d. %s\n", claim + 1, claim_sentence(claim));
	fflush(out);
}

void proof_print_judgement(FILE *out, const struct judgement *j, int width)
{
	static const char *const words[] = { "CANNOT TELL", "PROVED", "NOT TRUE HERE" };

	fprintf(out, "   %s\n", words[j->verdict]);
	wrapped(out, "        ", j->because, width);
	fflush(out);
}

static void json_measurement(struct json *j, const struct proof_record *r)
{
	json_object(j, NULL);
	json_str(j, "name", r->name);
	json_real(j, "value", r->value);
	json_str(j, "unit", r->unit);
	if (r->n) {
		json_real(j, "low", r->low);
		json_real(j, "high", r->high);
		json_uint(j, "samples", r->n);
		if (r->margin > 0)
			json_real(j, "margin", r->margin);
	}
	json_object_end(j);
}

static void json_step(struct json *j, const struct proof_record *r)
{
	json_object(j, NULL);
	json_str(j, types[r->type].key, r->text);
	json_object_end(j);
}

void json_claim(struct json *j, const struct proof *p, enum claim claim,
		const struct judgement *judged)
{
	json_object(j, NULL);
	json_str(j, "claim", claim_name(claim));
	json_str(j, "sentence", claim_sentence(claim));
	json_str(j, "verdict", proof_verdict_name(judged->verdict));
	json_str(j, "because", judged->because);
	json_array(j, "measurements");
	for (size_t i = 0; i < p->n; i++)
		if (p->records[i].claim == claim && p->records[i].type == PROOF_MEASUREMENT)
			json_measurement(j, &p->records[i]);
	json_array_end(j);
	json_array(j, "steps");
	for (size_t i = 0; i < p->n; i++)
		if (p->records[i].claim == claim && types[p->records[i].type].key)
			json_step(j, &p->records[i]);
	json_array_end(j);
	json_object_end(j);
}
