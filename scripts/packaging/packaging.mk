# SPDX-License-Identifier: GPL-2.0-only
# Debian packages, and the module under DKMS.

DKMS_SRC := /usr/src/mmlens-$(VERSION)

.PHONY: install-kmod-source
install-kmod-source: ## install the module's source for DKMS below DESTDIR
	$(Q)install -d '$(DESTDIR)$(DKMS_SRC)'
	$(Q)cp -r kmod/. '$(DESTDIR)$(DKMS_SRC)/'
	$(Q)sed -i 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="$(VERSION)"/' '$(DESTDIR)$(DKMS_SRC)/dkms.conf'

.PHONY: dkms-install
dkms-install: install-kmod-source ## build and install the module for the running kernel with DKMS
	dkms add -m mmlens -v $(VERSION)
	dkms install -m mmlens -v $(VERSION)

.PHONY: dkms-remove
dkms-remove: ## take the module out of DKMS again
	dkms remove -m mmlens -v $(VERSION) --all
	$(Q)rm -rf '$(DKMS_SRC)'

.PHONY: deb
deb: ## build the Debian packages mmlens and mmlens-dkms below O
	$(Q)scripts/packaging/deb '$(O)/deb' '$(VERSION)'
