# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests: tests/unit/NAME_test.c is a cmocka program over the whole inspector but its main(),
# built with the address and undefined-behaviour sanitizers. They speak TAP.

SAN_CFLAGS := $(filter-out -O2,$(USER_CFLAGS)) -O1 -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
SAN_OBJ    := $(patsubst %.c,$(O)/san/%.o,$(filter-out user/main.c,$(USER_SRC)))
UNIT_SRC   := $(wildcard tests/unit/*_test.c)
UNIT       := $(UNIT_SRC:tests/unit/%.c=$(O)/tests/unit/%)

$(O)/san/%.o: %.c | $(BPF_SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC-SAN,$<)
	$(Q)$(CC) $(SAN_CFLAGS) -DMMLENS_VERSION='"test"' -MMD -MP -c -o $@ $<

$(O)/san/libmmlens.a: $(SAN_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/tests/unit/%_test: tests/unit/%_test.c $(O)/san/libmmlens.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)
	$(Q)$(CC) $(SAN_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(O)/san/libmmlens.a $(USER_LDLIBS) -lcmocka

.PHONY: check-unit
check-unit: $(UNIT) ## run the unit tests under ASan and UBSan
	$(Q)for t in $(UNIT); do CMOCKA_MESSAGE_OUTPUT=TAP $$t || exit 1; done

-include $(SAN_OBJ:.o=.d) $(UNIT:=.d)
