/*
 * System calls that fail: every pncp_sys_* of a test linked with the --wrap arguments of meson.build goes through here.
 * Disarmed, they are the real ones. Calls are counted from sys_faults_arm on. close only pretends to fail, and openat
 * is never done and denied: the descriptor would leak.
 */
#ifndef SYS_FAULTS_H
#define SYS_FAULTS_H

#include "base/base.h"

enum sys_call { /* of pncp_sys_*, in bits; openat is two: with O_CREAT, and without */
                SYS_OPEN = 1 << 0,
                SYS_CREATE = 1 << 1,
                SYS_CLOSE = 1 << 2,
                SYS_READ = 1 << 3,
                SYS_PREAD = 1 << 4,
                SYS_WRITE = 1 << 5,
                SYS_COPY_FILE_RANGE = 1 << 6,
                SYS_FSYNC = 1 << 7,
                SYS_FTRUNCATE = 1 << 8,
                SYS_FSTAT = 1 << 9,
                SYS_FSTATAT = 1 << 10,
                SYS_MKDIRAT = 1 << 11,
                SYS_RENAMEAT = 1 << 12,
                SYS_UNLINKAT = 1 << 13,
                SYS_FLOCK = 1 << 14,
                SYS_SPLICE = 1 << 15,
};
#define SYS_CALLS 16
#define SYS_ALL ((1U << SYS_CALLS) - 1)

enum sys_fault_way {
    SYS_FAULT_ERROR, /* the call answers -1 and errno, nothing is done */
    SYS_FAULT_DONE,  /* it is done, and answers -1 and errno all the same */
    SYS_FAULT_LOST,  /* of an fsync: -1 and errno, and what it should have kept is gone: the file is all zeros, or the
                        last rename never happened */
    SYS_FAULT_SHORT, /* half of the bytes asked for, one at least */
    SYS_FAULT_KILL,  /* the process kills itself, nothing is done */
    SYS_FAULT_KILL_AFTER, /* it is done, and then the process kills itself */
};
struct sys_fault {
    unsigned calls; /* which can suffer it, enum sys_call */
    enum sys_fault_way way;
    int error;
    unsigned more; /* so many of those calls that follow suffer it too */
};
/* From now on the n-th of those calls suffers it; nth 0: only count. */
void sys_faults_arm(const struct sys_fault *fault, unsigned nth);
/* The call that suffered it first, 0 when none has. Counting goes on no longer. */
unsigned sys_faults_disarm(void);
unsigned sys_faults_count(unsigned calls); /* of such calls, since they were armed last */

/* Asked before each call but close, while set; `path` is NULL where the call has none. 0: go on · errno: the call fails
 * with it, nothing is done · -errno: it is done and fails all the same. It may make calls itself: those it is not asked
 * about, and they are not counted. */
typedef int sys_faults_hook_fn(void *ctx, const char *call, const char *path);
void sys_faults_hook(sys_faults_hook_fn *hook, void *ctx);

#endif
