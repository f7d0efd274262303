# SPDX-License-Identifier: GPL-2.0-only
# What an installation consists of: the inspector, its manual pages, its completion.

MAN_RST := $(wildcard user/*.rst user/cmd/*.rst)
MAN     := $(patsubst %.rst,$(O)/man/%.1,$(notdir $(MAN_RST)))

BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man/man1
COMPDIR ?= $(PREFIX)/share/bash-completion/completions

vpath %.rst user user/cmd

$(O)/man/%.1: %.rst
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)rst2man --strict $< $@

.PHONY: man
man: $(MAN) ## build the manual pages

.PHONY: install
install: $(O)/mmlens $(MAN) ## install the inspector below DESTDIR and PREFIX
	$(Q)install -D -m 0755 $(O)/mmlens '$(DESTDIR)$(BINDIR)/mmlens'
	$(Q)install -d '$(DESTDIR)$(MANDIR)'
	$(Q)install -m 0644 $(MAN) '$(DESTDIR)$(MANDIR)'
	$(Q)install -D -m 0644 user/mmlens.bash '$(DESTDIR)$(COMPDIR)/mmlens'

.PHONY: uninstall
uninstall: ## remove what `make install` installed
	$(Q)rm -f '$(DESTDIR)$(BINDIR)/mmlens' '$(DESTDIR)$(COMPDIR)/mmlens' \
		$(addprefix '$(DESTDIR)$(MANDIR)'/,$(notdir $(MAN)))
