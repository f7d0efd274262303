// SPDX-License-Identifier: GPL-2.0-only
/* Situations of stacks: where each thread's is, by the thread's own word. */
#define _GNU_SOURCE
#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "subject.h"

#define DEEP_FRAME (200 * 1024)
/* The least that every processor allows: arm64 wants 128 KiB. */
#define SMALL_STACK (128 * 1024)
#define OTHER_STACK (128 * 1024)
#define ZONE_PAGES  4

struct stacked {
	char *start; /* pthread_getattr_np */
	size_t size, guard;
	char *other; /* the stack it really runs on, when that is not its own */
	size_t other_size;
	const void *local; /* the address of a local of the deepest frame */
	int tid;
};

static void learn_bounds(struct stacked *s)
{
	pthread_attr_t attr;

	errno = pthread_getattr_np(pthread_self(), &attr);
	if (errno || pthread_attr_getstack(&attr, (void **)&s->start, &s->size) ||
	    pthread_attr_getguardsize(&attr, &s->guard))
		fail("pthread_getattr_np");
	pthread_attr_destroy(&attr);
}

static void __attribute__((noreturn)) arrive(struct stacked *s)
{
	volatile char local = 0;

	/* Only its number is told. */
	s->local = (const void *)&local; /* cppcheck-suppress autoVariables */
	post_word(&s->tid, tid_now());
	sleep_for_ever();
}

static void on_plain(struct stacked *s)
{
	arrive(s);
}

static void __attribute__((noinline)) on_deep(struct stacked *s)
{
	volatile char *frame = alloca(DEEP_FRAME);

	for (size_t i = 0; i < DEEP_FRAME; i += 512)
		frame[i] = 1;
	arrive(s);
}

static __thread struct stacked *mine;

static void on_signal(int sig)
{
	(void)sig;
	arrive(mine);
}

static void on_altstack(struct stacked *s)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	stack_t alt = { .ss_size = OTHER_STACK };

	s->other = alt.ss_sp = calloc(1, OTHER_STACK);
	s->other_size = OTHER_STACK;
	mine = s;
	if (!alt.ss_sp || sigaltstack(&alt, NULL) || sigaction(SIGUSR1, &act, NULL))
		fail("sigaltstack");
	syscall(SYS_tgkill, getpid(), tid_now(), SIGUSR1);
	fail("the signal did not arrive");
}

/* As a Java virtual machine does with its threads: the lowest pages are the guard. */
static void on_zoned(struct stacked *s)
{
	s->other = s->start + ZONE_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	s->other_size = s->size - (size_t)(s->other - s->start);
	if (mprotect(s->start, (size_t)(s->other - s->start), PROT_NONE))
		fail("mprotect");
	arrive(s);
}

static void on_context(void)
{
	arrive(mine);
}

static void on_ucontext(struct stacked *s)
{
	ucontext_t here, there;

	s->other = malloc(OTHER_STACK);
	s->other_size = OTHER_STACK;
	mine = s;
	if (!s->other || getcontext(&there))
		fail("getcontext");
	there.uc_stack.ss_sp = s->other;
	there.uc_stack.ss_size = OTHER_STACK;
	there.uc_link = NULL;
	makecontext(&there, on_context, 0);
	swapcontext(&here, &there);
	fail("swapcontext");
}

/* A pointer to where nothing is mapped: the kernel does not care, only a signal would. */
static void on_nothing(struct stacked *s)
{
	post_word(&s->tid, tid_now());
#ifdef __x86_64__
	__asm__ volatile("mov %1, %%rsp\n1:	mov %0, %%eax\n	syscall\n	jmp 1b"
			 :
			 : "i"(SYS_pause), "r"(65536UL)
			 : "memory");
#elif defined(__aarch64__)
	__asm__ volatile("mov sp, %1\n1:	mov x0, #0\n	mov x1, #0\n	mov x2, #0\n"
			 "	mov x3, #0\n	mov x8, %0\n	svc #0\n	b 1b"
			 :
			 : "i"(SYS_ppoll), "r"(65536UL)
			 : "memory", "x0", "x1", "x2", "x3", "x8");
#endif
	sleep_for_ever();
}

/* One mapping for two stacks, a guard marker at the foot of each (MADV_GUARD_INSTALL, 6.15). */
static void *marked_stack(void)
{
	static char *next;
	char *at = next;
	size_t one = (size_t)sysconf(_SC_PAGESIZE);

	if (at) {
		next = NULL;
		return at;
	}
	at = mmap(NULL, 2 * OTHER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		  0);
	if (at == MAP_FAILED || madvise(at, one, 102) || madvise(at + OTHER_STACK, one, 102))
		return NULL;
	next = at + OTHER_STACK;
	return at;
}

/* It grows as the main stack does, and the kernel keeps its gap below it. */
static void *growing_stack(void)
{
	void *at = mmap(NULL, OTHER_STACK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* A piece of the heap, aligned as malloc() does. */
static void *heap_stack(void)
{
	char *at = malloc(OTHER_STACK + 64);

	return at ? (void *)(((uintptr_t)at | 15) + 1) : NULL;
}

/* The lower half of the second lies in the first. */
static void *common_stack(void)
{
	static char at[2 * OTHER_STACK] __attribute__((aligned(65536)));
	static bool second;

	second = !second;
	return second ? at : at + OTHER_STACK / 2;
}

static const struct stack_case {
	const char *name;
	void (*run)(struct stacked *s);
	size_t size;	       /* 0: the default */
	ssize_t guard;	       /* -1: the default */
	void *(*memory)(void); /* NULL: the library's */
} cases[] = {
	{ "plain", on_plain, 0, -1 },
	{ "deep", on_deep, 0, -1 },
	{ "altstack", on_altstack, 0, -1 },
	{ "ucontext", on_ucontext, 0, -1 },
	{ "noguard", on_plain, 0, 0 },
	{ "small", on_plain, SMALL_STACK, -1 },
	{ "bigguard", on_plain, 0, 1 << 20 },
	{ "outside", on_nothing, 0, -1 },
	{ "zoned", on_zoned, 0, 0 },
	{ "heap", on_plain, OTHER_STACK, -1, heap_stack },
	{ "growing", on_plain, OTHER_STACK, -1, growing_stack },
	{ "marked1", on_plain, OTHER_STACK, -1, marked_stack },
	{ "marked2", on_plain, OTHER_STACK, -1, marked_stack },
	{ "common1", on_plain, OTHER_STACK, -1, common_stack },
	{ "common2", on_plain, OTHER_STACK, -1, common_stack },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct stacked stacks[CASES + 1];

static void *stack_main(void *arg)
{
	struct stacked *s = arg;

	learn_bounds(s);
	cases[s - stacks].run(s);
	return NULL;
}

/* False: this kernel has not what the case needs. */
static bool launch(size_t i)
{
	const struct stack_case *c = &cases[i];
	pthread_attr_t attr;
	pthread_t thread;
	void *memory = c->memory ? c->memory() : NULL;

	if (c->memory && !memory)
		return false;
	pthread_attr_init(&attr);
	if (memory && pthread_attr_setstack(&attr, memory, c->size))
		fail("pthread_attr_setstack");
	if ((!memory && c->size && pthread_attr_setstacksize(&attr, c->size)) ||
	    (c->guard >= 0 && pthread_attr_setguardsize(&attr, (size_t)c->guard)))
		fail("pthread_attr");
	errno = pthread_create(&thread, &attr, stack_main, &stacks[i]);
	if (errno)
		fail("pthread_create");
	pthread_attr_destroy(&attr);
	await_word(&stacks[i].tid);
	return true;
}

static void say_stack(const char *name, const struct stacked *s)
{
	char key[64];

	snprintf(key, sizeof(key), "stack_%s", name);
	say_range(key, s->start, s->size);
	snprintf(key, sizeof(key), "guard_%s", name);
	say(key, "%zu", s->guard);
	snprintf(key, sizeof(key), "local_%s", name);
	say(key, "%p", s->local);
	snprintf(key, sizeof(key), "on_%s", name);
	if (s->other)
		say_range(key, s->other, s->other_size);
	else
		say_range(key, s->start, s->size);
}

static void all_stacks(int argc, char **argv)
{
	struct stacked *main_stack = &stacks[CASES];
	volatile char local = 0;

	(void)argc, (void)argv;
	learn_bounds(main_stack);
	main_stack->local = (const void *)&local;
	say_task("main", getpid(), "process");
	say_stack("main", main_stack);
	for (size_t i = 0; i < CASES; i++) {
		if (!launch(i))
			continue;
		say_task(cases[i].name, stacks[i].tid, "thread");
		say_stack(cases[i].name, &stacks[i]);
	}
	say("pid", "%d", getpid());
	ready_and_hold();
}

const struct situation stack_situations[] = {
	{ "stacks", "", "threads on stacks of every sort, with their own word on where",
	  all_stacks },
	{ 0 },
};
