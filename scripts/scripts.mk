# SPDX-License-Identifier: GPL-2.0-only

.PHONY: setup
setup: ## install what building, booting and testing need (apt)
	$(Q)scripts/setup

.PHONY: vm-images
vm-images: ## fetch all kernels and the guest's userland into the cache now
	$(Q)for k in $$(scripts/vm list | cut -d' ' -f1); do scripts/vm -n --no-module -k $$k -- true || exit 1; done
