# SPDX-License-Identifier: GPL-2.0-only
# The inspector: every .c below user/ is part of it; the BPF skeletons come from bpf/bpf.mk.

USER_SRC  := $(wildcard user/*.c user/*/*.c)
USER_OBJ  := $(USER_SRC:%.c=$(O)/%.o)
USER_OPT  := -O2
USER_CFLAGS = -std=gnu11 $(USER_OPT) -g -Wall -Wextra -Werror -Wformat=2 -Wstrict-prototypes -Wshadow \
	-Wno-missing-field-initializers -D_GNU_SOURCE -Iuser -Iuser/arch/$(ARCH) -Ikmod/uapi -Ibpf -I$(O)/bpf \
	-I$(O)/user $(CFLAGS)
USER_LDLIBS := -lsmartcols -lyajl -lcap -lbpf -lelf -lz -lm -lrt -lpthread

all: $(O)/mmlens

$(O)/mmlens: $(USER_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(USER_CFLAGS) $(LDFLAGS) -o $@ $(USER_OBJ) $(USER_LDLIBS)

# [nr] = "name", for every SYS_name of this architecture.
SYSCALL_NAMES := $(O)/user/syscall_names.inc

$(SYSCALL_NAMES): user/user.mk
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/[__NR_\1] = "\1",/p' | \
		sed '1i #include <sys/syscall.h>' > $@.tmp && mv $@.tmp $@

# Skeletons exist before any object is compiled; afterwards the .d files know who needs which.
$(USER_OBJ): $(O)/%.o: %.c | $(BPF_SKELETONS) $(SYSCALL_NAMES)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(USER_CFLAGS) -DMMLENS_VERSION='"$(VERSION)"' -MMD -MP -c -o $@ $<

-include $(USER_OBJ:.o=.d)

# What passes over every page of a space takes several at once.
$(addprefix $(O)/user/,analysis/pages.o source/frames.o source/pagewalk.o): USER_OPT := -O3

# The version is told by the front door.
$(O)/user/main.o: Makefile
