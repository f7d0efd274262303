# SPDX-License-Identifier: GPL-2.0-only
#
# Tests: helpers that make situations, unit tests, live suites. tests/run aggregates their TAP.

TESTS_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-missing-field-initializers \
	-Wno-sign-compare -pthread

SUBJECT_SRC := $(wildcard tests/helpers/subject*.c)
SUBJECT_OBJ := $(SUBJECT_SRC:%.c=$(O)/%.o)
HELPERS     := $(O)/tests/subject $(O)/tests/kcmp_oracle

$(O)/tests/helpers/%.o: tests/helpers/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TESTS_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/tests/subject: $(SUBJECT_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^

$(O)/tests/kcmp_oracle: $(O)/tests/helpers/kcmp_oracle.o
	$(call say,LD,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -o $@ $^

-include $(wildcard $(O)/tests/helpers/*.d)

.PHONY: helpers
helpers: $(HELPERS) ## build the subjects factory and the kcmp oracle
