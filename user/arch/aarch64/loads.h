/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the processor's loads of address spaces are told. The tracepoint tlb_flush is there, but nobody calls it. */
#define ARCH_TELLS_LOADS false
