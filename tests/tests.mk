# SPDX-License-Identifier: GPL-2.0-only
#
# Tests: helpers that make situations, unit tests, live suites. tests/run aggregates their TAP.

TESTS_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-missing-field-initializers \
	-Wno-sign-compare -pthread

SUBJECT_SRC := $(wildcard tests/helpers/subject*.c)
SUBJECT_OBJ := $(SUBJECT_SRC:%.c=$(O)/%.o)
PROC_TESTS  := $(O)/tests/proc_storm $(O)/tests/proc_fuzz $(O)/tests/proc_access
ALONE       := $(O)/tests/kcmp_oracle $(O)/tests/reference $(O)/tests/peak \
		$(O)/tests/bench_pagemap
HELPERS     := $(O)/tests/subject $(ALONE) $(O)/tests/bench_read $(O)/tests/bench_empty $(PROC_TESTS)

$(O)/tests/helpers/%.o: tests/helpers/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TESTS_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/tests/subject: $(SUBJECT_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^

$(ALONE): $(O)/tests/%: $(O)/tests/helpers/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^

$(PROC_TESTS): $(O)/tests/%: $(O)/tests/helpers/%.o $(O)/tests/helpers/proc_rows.o
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^

# It times the inspector's own sources, so it is built of them.
$(O)/tests/helpers/bench_read.o: TESTS_CFLAGS += -O2 -Iuser

$(O)/tests/bench_read: $(O)/tests/helpers/bench_read.o $(O)/tests/libmmlens.a
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^ $(USER_LDLIBS)

$(O)/tests/bench_empty: $(O)/tests/helpers/bench_empty.o
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^ -lbpf

$(O)/tests/proc_fuzz: $(O)/tests/helpers/fuzz_cover.o

$(O)/tests/proc_storm: $(patsubst %.c,$(O)/%.o,$(wildcard tests/helpers/storm_*.c))

-include $(wildcard $(O)/tests/helpers/*.d)

.PHONY: helpers
helpers: $(HELPERS) ## build the subjects factory and the kcmp oracle

# ---- suites ----
#
# tests/run judges; its last line is the verdict. KERNELS= chooses kernels of scripts/kernels.tsv.

KERNELS      ?= $(shell python3 tests/lib/kernels.py)
# All kernels together have a budget of time (the column `check`); who names some gets all tests there.
BUDGET       := $(if $(filter file,$(origin KERNELS)),--budget)
DEBUG_KERNEL ?= debug-6.12
RUN_TESTS    := O='$(O)' python3 tests/run

# The same unit tests without sanitizers, for valgrind, which cannot run under them.
PLAIN_UNIT := $(UNIT_SRC:tests/unit/%.c=$(O)/tests/unit-plain/%)

$(O)/tests/libmmlens.a: $(filter-out %/user/main.o,$(USER_OBJ))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/tests/unit-plain/%_test: tests/unit/%_test.c $(O)/tests/libmmlens.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)
	$(Q)$(CC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(O)/tests/libmmlens.a $(USER_LDLIBS) \
		-lcmocka

-include $(PLAIN_UNIT:=.d)

.PHONY: check check-live check-vm check-debug check-valgrind check-golden check-docs lint bench
check: ## set up, then every test: lint, docs, unit, live here and in each kernel's VM (KERNELS=)
	$(Q)scripts/setup
	$(Q)$(MAKE) --no-print-directory all helpers $(UNIT) $(PLAIN_UNIT)
	$(Q)$(RUN_TESTS) $(BUDGET) lint docs golden build boot unit valgrind live $(addprefix vm:,$(KERNELS))

check-live: all helpers ## run the live tests here, without the module (ONLY=file)
	$(Q)$(RUN_TESTS) $(addprefix --only=,$(ONLY)) live

check-vm: all helpers ## run the live tests in the VM of each kernel (KERNELS=, ONLY=file)
	$(Q)$(RUN_TESTS) $(addprefix --only=,$(ONLY)) $(addprefix vm:,$(KERNELS))

check-debug: all helpers ## run them on the debug kernel, where any report fails
	$(Q)MMLENS_VM_TIMEOUT=6000 $(RUN_TESTS) --jobs=$$(nproc) vm:$(DEBUG_KERNEL)

check-valgrind: $(PLAIN_UNIT) ## run the unit tests under valgrind
	$(Q)$(RUN_TESTS) valgrind

bench: all helpers ## measure against the bounds, here and in the VM (ONLY="file...")
	$(Q)O='$(O)' python3 tests/bench/run $(addprefix --kernel=,$(firstword $(KERNELS))) $(ONLY)

check-golden: all ## hold what is printed of recorded states against what was agreed
	$(Q)$(RUN_TESTS) golden

check-docs: all ## hold the documents against the programs
	$(Q)$(RUN_TESTS) docs

lint: all ## run every linter (scripts/lint NAME for one)
	$(Q)O='$(O)' scripts/lint
