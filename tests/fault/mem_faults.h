/*
 * Allocations that fail: those of base/mem.h, of a test linked with the --wrap arguments of meson.build, go through
 * here. They are counted from mem_faults_arm on; the blocks that are in use always are.
 */
#ifndef MEM_FAULTS_H
#define MEM_FAULTS_H

#include "base/base.h"

/* From now on the n-th allocation fails, and so many more that follow; 0: only count. */
void mem_faults_arm(unsigned nth, unsigned more);
bool mem_faults_disarm(void);    /* has it? Counting goes on no longer. */
unsigned mem_faults_count(void); /* since they were armed last */
size_t mem_faults_blocks(void);  /* not freed */

#endif
