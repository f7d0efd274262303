/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the processor's loads of address spaces are told: by the tracepoint tlb_flush, on x86 they are. */
#define ARCH_TELLS_LOADS true
