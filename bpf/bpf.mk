# SPDX-License-Identifier: GPL-2.0-only
#
# BPF objects and their skeletons: bpf/NAME.bpf.c -> $(O)/bpf/NAME.bpf.o -> $(O)/bpf/NAME.skel.h
# One object serves every kernel: what differs is settled from BTF when it is loaded.

BPF_SRC  := $(wildcard bpf/*.bpf.c)
BPF_OBJ  := $(BPF_SRC:%.c=$(O)/%.o)
BPF_SKELETONS := $(BPF_SRC:%.bpf.c=$(O)/%.skel.h)

# The registers' names in bpf_tracing.h depend on the architecture that will run the programs.
ARCH ?= $(shell uname -m)
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(ARCH)))
BPF_CFLAGS := -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -O2 -g -Wall -Wextra -Werror \
	-Wno-unused-parameter -Wno-address-of-packed-member -Wno-sign-compare \
	-idirafter $(shell $(CC) -print-sysroot)/usr/include/$(shell $(CC) -print-multiarch)

.PHONY: bpf
bpf: $(BPF_SKELETONS) ## the BPF programs and their skeletons

all: bpf

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@.tmp.o -MF $(@:.o=.d) -MT $@
	$(Q)$(BPFTOOL) gen object $@ $@.tmp.o && rm -f $@.tmp.o

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(*F)_bpf > $@

# Not to be removed when the skeletons are made: the tests load them.
.SECONDARY: $(BPF_OBJ)

-include $(BPF_OBJ:.o=.d)
