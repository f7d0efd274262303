# SPDX-License-Identifier: GPL-2.0-only
#
# The module for KREL, at $(O)/$(KREL)/kmod/mmlens.ko. kbuild writes beside the sources it is given,
# so it is given links to them. KDIR= names a kernel tree that is not under /lib/modules (headers
# unpacked somewhere, an own build); KMAKE= adds words to kbuild's command line (ARCH=, CC=).

KDIR  ?= /lib/modules/$(KREL)/build
KMAKE ?=

kmod-dir := $(abspath $(O))/$(KREL)/kmod
KMOD_KO  := $(O)/$(KREL)/kmod/mmlens.ko

# The compiler the kernel was built with, if it is here; any gcc otherwise.
kmod-cc = $(or $(shell command -v $$(grep -sho 'gcc-[0-9]*' '$(KDIR)/.kernelvariables' \
	'$(KDIR)/include/config/auto.conf' | head -n 1 | grep . || echo gcc)),gcc)
kmod-args = -C '$(KDIR)' M='$(kmod-dir)' $(if $(filter CC=%,$(KMAKE)),,CC='$(kmod-cc)') \
	$(if $(wildcard $(KDIR)/vmlinux),,CONFIG_DEBUG_INFO_BTF_MODULES=) $(KMAKE)

# Our O= and V= mean other things to kbuild, and would reach it through MAKEFLAGS.
kbuild = MAKEFLAGS= $(MAKE)

.PHONY: kmod
kmod: ## the module for KREL (KDIR=, KMAKE= for an unusual kernel tree)
	$(Q)if [ -e '$(KDIR)/Makefile' ]; then \
		$(MAKE) --no-print-directory kmod-build; \
	else \
		echo 'mmlens: no module for $(KREL): its headers are not installed ($(KDIR))'; \
	fi
all: kmod

# kbuild is silent when it succeeds, but for what it warns of. Where the kernel lacks something, that
# is all one is told: what the probes said, or which symbols modpost did not find.
.PHONY: kmod-build
kmod-build:
	$(call say,KMOD,$(KMOD_KO))
	$(Q)mkdir -p '$(kmod-dir)' && cp -rsf '$(abspath kmod)/.' '$(kmod-dir)'
	$(Q)$(kbuild) $(if $(filter 1,$(V)),V=1,-s --no-print-directory) $(kmod-args) modules \
		>'$(kmod-dir)/kbuild.log' 2>&1 || status=$$?; \
	sh kmod/compat/explain '$(kmod-dir)/kbuild.log' "$${status:-0}" >&2

# The module's own sources under sparse with the kernel's headers; scripts/lint has checkpatch.
.PHONY: check-kmod
check-kmod: ## sparse over the module, with the headers of KREL
	$(Q)mkdir -p '$(kmod-dir)' && cp -rsf '$(abspath kmod)/.' '$(kmod-dir)'
	$(Q)$(kbuild) -s --no-print-directory $(kmod-args) C=2 CF=-Wsparse-error modules
