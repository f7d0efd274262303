// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task's two stacks.
 *
 * Another task's kernel stack can be freed and given to a third at any moment after the owner's
 * last schedule(), and the reference that would prevent it cannot be dropped by a module
 * (put_task_stack() is not exported). So it is never dereferenced, only copied from with faults
 * caught, and what was copied counts if the task was not dead afterwards: only a task whose
 * state is TASK_DEAD loses its stack.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include "arch/arch.h"
#include "compat/compat.h"
#include "kmod.h"

#define NO_USER_STACK (MMLENS_F_KTHREAD | MMLENS_F_IO_WORKER | MMLENS_F_USER_WORKER)

/* What was copied from the stack before this is the task's own if this is true. */
static bool stack_was_its_own(struct task_struct *task)
{
	smp_rmb();	/* the copy, then the state */
	return READ_ONCE(task->stack) && !(mmlens_task_state(task) & TASK_DEAD);
}

static void fill_user_sp(struct task_struct *task, struct mmlens_task *rec)
{
	unsigned long sp;

	if (!rec->mm || rec->flags & NO_USER_STACK) {
		rec->known |= MMLENS_KNOWN(USER_SP);
		return;
	}
	if (mmlens_arch_user_sp(task, &sp) || !stack_was_its_own(task))
		return;
	rec->user_sp = sp;
	rec->known |= MMLENS_KNOWN(USER_SP);
}

/*
 * Where the saved kernel stack pointer lies counts only if the task did not run meanwhile: then
 * on_cpu is clear and it has been switched as often as before.
 */
static void fill_kernel_used(struct task_struct *task, unsigned long base,
			     struct mmlens_task *rec)
{
	unsigned long sp;

	smp_rmb();	/* the counters in fill_state(), then the stack pointer */
	sp = mmlens_arch_kernel_sp(task);
	smp_rmb();	/* the stack pointer, then the second look */
	if (mmlens_task_on_cpu(task) || READ_ONCE(task->nvcsw) != rec->nvcsw ||
	    READ_ONCE(task->nivcsw) != rec->nivcsw)
		rec->flags |= MMLENS_F_ON_CPU;
	if (rec->flags & MMLENS_F_ON_CPU || !MMLENS_ARCH_HAS_STACK_POINTERS)
		return;
	if (sp <= base || sp > base + THREAD_SIZE)
		return;
	rec->kstack_used = base + THREAD_SIZE - sp;
	rec->known |= MMLENS_KNOWN(KSTACK_USED);
}

/* The first word that is not 0 from @from up, as an offset from @base; 0 if a copy faults. */
static u32 first_used_word(unsigned long base, u32 from)
{
	unsigned long words[32];
	size_t i;

	for (; from < THREAD_SIZE; from += sizeof(words)) {
		if (copy_from_kernel_nofault(words, (void *)(base + from), sizeof(words)))
			return 0;
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (words[i])
				return from + i * sizeof(words[0]);
	}
	return 0;
}

/*
 * Stacks are zeroed when they are given out, so the deepest use so far is where the zeros end. The
 * lowest words are the overflow canary's, on whose size architectures differ.
 */
static void fill_kernel_peak(struct task_struct *task, unsigned long base,
			     struct mmlens_task *rec)
{
	u32 lowest = first_used_word(base, 32 * sizeof(long));

	if (!lowest || !stack_was_its_own(task))
		return;
	rec->kstack_peak = THREAD_SIZE - lowest;
	rec->known |= MMLENS_KNOWN(KSTACK_PEAK);
}

static void fill_kernel_stack(struct task_struct *task, const struct mmlens_reader *reader,
			      struct mmlens_task *rec)
{
	void *stack = READ_ONCE(task->stack);
	unsigned long base = (unsigned long)stack;

	if (!stack || !stack_was_its_own(task))
		return;
	rec->kstack = reader->raw_addresses ? base : mmlens_id(stack);
	rec->kstack_size = THREAD_SIZE;
	rec->known |= MMLENS_KNOWN(KSTACK);
	fill_kernel_used(task, base, rec);
	if (reader->depth >= MMLENS_DEPTH_PEAKS)
		fill_kernel_peak(task, base, rec);
}

/* A PROT_NONE mapping that ends where the stack's begins is its guard. */
static void fill_guard(const struct vm_area_struct *vma, const struct vm_area_struct *below,
		       struct mmlens_task *rec)
{
	if (!below)
		return;
	rec->ustack_flags |= MMLENS_US_BELOW;
	rec->ustack_gap = vma->vm_start - below->vm_end;
	if (!rec->ustack_gap && !(below->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)))
		rec->ustack_guard = below->vm_end - below->vm_start;
}

static void fill_mapping(struct mm_struct *mm, struct mmlens_task *rec)
{
	struct vm_area_struct *vma, *below;

	vma = mmlens_find_vma(mm, rec->user_sp, &below);
	if (!vma || vma->vm_start > rec->user_sp) {
		rec->ustack_flags = MMLENS_US_UNMAPPED;
		return;
	}
	rec->ustack_start = vma->vm_start;
	rec->ustack_end = vma->vm_end;
	if (vma->vm_flags & VM_GROWSDOWN)
		rec->ustack_flags |= MMLENS_US_GROWSDOWN;
	fill_guard(vma, below, rec);
}

/*
 * trylock: a task that hangs with its mmap_lock held for writing must not hang who looks at it.
 * The stack pointer may equal the end of its mapping (nothing pushed yet) and is then outside it.
 */
static void fill_user_stack(struct mm_struct *mm, struct mmlens_task *rec)
{
	if (!(rec->known & MMLENS_KNOWN(USER_SP)))
		return;
	if (!mm || !rec->user_sp) {
		rec->known |= MMLENS_KNOWN(USTACK);
		return;
	}
	if (!mmap_read_trylock(mm)) {
		rec->ustack_flags = MMLENS_US_BUSY;
		return;
	}
	fill_mapping(mm, rec);
	mmap_read_unlock(mm);
	rec->known |= MMLENS_KNOWN(USTACK);
}

/* @mm: the task's space, pinned, or NULL. */
void mmlens_fill_stacks(struct task_struct *task, struct mm_struct *mm,
			const struct mmlens_reader *reader, struct mmlens_task *rec)
{
	fill_user_sp(task, rec);
	fill_kernel_stack(task, reader, rec);
	fill_user_stack(mm, rec);
}
