# SPDX-License-Identifier: GPL-2.0-only
# What an installation consists of: the inspector, its manual pages, its completion.

# A command's page is mmlens-COMMAND(1): stat.1 and others are of other packages.
MAN := $(patsubst user/%.rst,$(O)/man/%.1,$(wildcard user/*.rst)) \
	$(patsubst user/cmd/%.rst,$(O)/man/mmlens-%.1,$(wildcard user/cmd/*.rst))

BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man/man1
COMPDIR ?= $(PREFIX)/share/bash-completion/completions

define make_man
@mkdir -p $(@D)
$(call say,MAN,$@)
$(Q)rst2man --strict $< $@
endef

$(O)/man/%.1: user/%.rst
	$(make_man)

$(O)/man/mmlens-%.1: user/cmd/%.rst
	$(make_man)

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
