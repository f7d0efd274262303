# SPDX-License-Identifier: GPL-2.0-only
# Debian packages, and the module under DKMS.

DKMS_SRC     := /usr/src/mmlens-$(VERSION)
MODULES_LOAD := /usr/lib/modules-load.d/mmlens.conf

.PHONY: install-kmod-source
install-kmod-source: ## install the module's source for DKMS below DESTDIR, to be loaded at boot
	$(Q)install -d '$(DESTDIR)$(DKMS_SRC)'
	$(Q)cp -r kmod/. '$(DESTDIR)$(DKMS_SRC)/'
	$(Q)sed -i 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="$(VERSION)"/' '$(DESTDIR)$(DKMS_SRC)/dkms.conf'
	$(Q)install -D -m 0644 scripts/packaging/modules-load.conf '$(DESTDIR)$(MODULES_LOAD)'

# What an earlier call left of this version for that kernel is built anew: its sources may be others.
.PHONY: dkms-install
dkms-install: install-kmod-source ## build and install the module for KREL with DKMS
	$(Q)[ -z "$$(dkms status -m mmlens -v $(VERSION) -k '$(KREL)')" ] || \
		dkms remove -m mmlens -v $(VERSION) -k '$(KREL)'
	dkms install -m mmlens -v $(VERSION) -k '$(KREL)'

.PHONY: dkms-remove
dkms-remove: ## take the module out of DKMS again
	dkms remove -m mmlens -v $(VERSION) --all
	$(Q)rm -rf '$(DKMS_SRC)' '$(MODULES_LOAD)'

.PHONY: deb
deb: ## build the Debian packages mmlens and mmlens-dkms below O
	$(Q)scripts/packaging/deb '$(O)/deb' '$(VERSION)'
