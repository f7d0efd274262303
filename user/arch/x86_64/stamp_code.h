/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instructions of lab/stamp.c for x86-64; only that file includes it. By number they do
 * clock_gettime(CLOCK_MONOTONIC, sp - 32); write(200, sp - 32, 16); exit(0), wherever they lie.
 */
__asm__(".pushsection .rodata\n"
	".balign 4\n"
	"stamp_code:\n"
	"mov $228, %eax\n mov $1, %edi\n lea -32(%rsp), %rsi\n syscall\n"
	"mov $1, %eax\n mov $200, %edi\n mov $16, %edx\n syscall\n"
	"mov $60, %eax\n xor %edi, %edi\n syscall\n"
	"stamp_end:\n"
	".balign 4\n"
	"stamp_size: .long stamp_end - stamp_code\n"
	".popsection\n");
