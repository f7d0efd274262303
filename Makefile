# SPDX-License-Identifier: GPL-2.0-only
#
# The front door. Each part keeps its rules beside its sources:
#   kmod/kmod.mk  bpf/bpf.mk  user/user.mk  tests/tests.mk  scripts/scripts.mk
# `make help` lists the targets. O= moves the build directory, V=1 shows the commands.

# The module is shipped alone, so it says the version for all.
VERSION := $(shell sed -n 's/^.define MMLENS_VERSION "\(.*\)"/\1/p' kmod/kmod.h)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

O      ?= build
V      ?= 0
PREFIX ?= /usr/local
DESTDIR ?=
KREL   ?= $(shell uname -r)

CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG   ?= clang
BPFTOOL ?= $(firstword $(shell command -v bpftool) /usr/sbin/bpftool)

ifeq ($(V),1)
  Q :=
  say = @:
else
  Q := @
  say = @printf '  %-8s %s\n' "$(1)" "$(2)"
endif

.PHONY: all
all:

# In the order of what needs what.
-include kmod/kmod.mk
-include bpf/bpf.mk
-include user/user.mk
-include user/install.mk
-include tests/unit/unit.mk
-include tests/tests.mk
-include scripts/scripts.mk
-include scripts/packaging/packaging.mk

.PHONY: demo
demo: ## boot the test VM and inspect real programs there, with the module loaded
	$(Q)scripts/demo

.PHONY: help
help: ## print this list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  O=DIR  build directory (%s)   V=1  show commands   KREL=REL  kernel the module is built for\n' '$(O)'

.PHONY: clean
clean: ## remove the build directory
	$(Q)rm -rf -- '$(O)'
