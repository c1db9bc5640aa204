/*
 * Allocations that fail: those of base/mem.h, of a test linked with the --wrap arguments of meson.build, go through
 * here. They are counted from mem_faults_arm on; the blocks that are in use always are.
 */
#ifndef MEM_FAULTS_H
#define MEM_FAULTS_H

#include "base/base.h"

void mem_faults_arm(unsigned nth); /* from now on the n-th allocation fails; 0: only count */
bool mem_faults_disarm(void);      /* has it? Counting goes on no longer. */
unsigned mem_faults_count(void);   /* since they were armed last */
size_t mem_faults_blocks(void);    /* not freed */

#endif
