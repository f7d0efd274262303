/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real programs, started privately: own directory, loopback port, no network, all gone with the
 * room. In an argument %d stands for the directory and %p for the port.
 */
#ifndef MMLENS_LAB_PROGRAM_H
#define MMLENS_LAB_PROGRAM_H

#include "lab/lab.h"

#define PROGRAM_ARGS 12

enum design {
	DESIGN_ISOLATED, /* a browser or an editor: processes expected */
	DESIGN_THREADED, /* a server that answers by threads */
	DESIGN_FORKING,	 /* a server that answers by processes */
};

struct program {
	const char *what;
	enum design design;
	const char *argv[PROGRAM_ARGS];
	const char *config;		   /* written to %d/config first; NULL: none */
	const char *prepare[PROGRAM_ARGS]; /* run to its end before; empty: nothing */
	const char *request;		   /* sent to the port; NULL: not loaded that way */
	const char *load[PROGRAM_ARGS];	   /* a command that loads it; empty: none */
	const char *feed;		   /* typed into its standard input; NULL: nothing */
	bool not_root;			   /* refuses root: run as nobody */
	bool slow;			   /* left out by --quick */
};

struct running {
	const struct program *program;
	pid_t pid;
	int hold; /* the other end of its standard input */
	int port;
	char dir[LAB_PATH];
};

extern const struct program programs[];
extern const size_t programs_n;

bool program_installed(const struct program *p);
/* Starts it and waits until it serves, but not beyond a time; -errno or 0. */
int program_start(struct lab *l, struct running *r, const struct program *p, uint64_t until);
/* Loads it for about a third of a second; the number of requests. */
unsigned int program_load(struct running *r);
/* Ends it with all its children and removes its directory. */
void program_stop(struct running *r);

#endif
