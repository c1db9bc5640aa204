/*
 * System calls that fail: every pncp_sys_* of a test linked with the --wrap arguments of meson.build goes through here.
 * Disarmed, they are the real ones. Calls are counted from sys_faults_arm on; close is counted but only pretends to
 * fail.
 */
#ifndef SYS_FAULTS_H
#define SYS_FAULTS_H

#include "base/base.h"

#include <sys/stat.h>

enum sys_fault_kind {
    SYS_FAULT_ERROR, /* the call answers -1 and errno, nothing is done */
    SYS_FAULT_DONE,  /* it is done, and answers -1 and errno all the same */
    SYS_FAULT_KILL,  /* the process ends there, nothing is done */
};
void sys_faults_arm(unsigned nth, int error, enum sys_fault_kind kind); /* nth 0: only count */
/* The calls so far; disarms. *ret_fired (may be NULL): one has failed. */
unsigned sys_faults_disarm(bool *ret_fired);

/* Asked before each call but close, while set; `path` is NULL where the call has none. 0: go on · errno: the call fails
 * with it, nothing is done · -errno: it is done and fails all the same. It may make calls itself: those it is not asked
 * about. */
typedef int sys_faults_hook_fn(void *ctx, const char *call, const char *path);
void sys_faults_hook(sys_faults_hook_fn *hook, void *ctx);

#endif
