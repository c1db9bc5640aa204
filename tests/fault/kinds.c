#include "kinds.h"
#include "mem_faults.h"

#include <errno.h>

#define READS (SYS_READ | SYS_PREAD)
#define WRITES (SYS_WRITE | SYS_COPY_FILE_RANGE | SYS_SPLICE)
/* What leaves something in the lake. */
#define CHANGES (WRITES | SYS_CREATE | SYS_FTRUNCATE | SYS_MKDIRAT | SYS_RENAMEAT | SYS_UNLINKAT)
/* What needs room. */
#define GROWS (WRITES | SYS_CREATE | SYS_FSYNC | SYS_FTRUNCATE | SYS_MKDIRAT | SYS_RENAMEAT)
#define WAITS (READS | WRITES | SYS_OPEN | SYS_CREATE | SYS_CLOSE | SYS_FSYNC | SYS_FTRUNCATE | SYS_FLOCK)
/* Long enough for what looks after a failure to fail too, short enough to end before INSIST_TIMES of scenarios.c. */
#define LASTING 8

const struct kind KINDS[] = {
    {.name = "memory", .memory = true},
    {.name = "memory-lasting", .memory = true, .sys = {.more = LASTING}},
    {.name = "eio", .sys = {SYS_ALL, SYS_FAULT_ERROR, EIO}},
    {.name = "eio-lasting", .sys = {SYS_ALL, SYS_FAULT_ERROR, EIO, LASTING}},
    {.name = "enospc", .sys = {GROWS, SYS_FAULT_ERROR, ENOSPC}},
    {.name = "edquot", .sys = {GROWS, SYS_FAULT_ERROR, EDQUOT}},
    {.name = "emfile", .sys = {SYS_OPEN | SYS_CREATE, SYS_FAULT_ERROR, EMFILE}},
    {.name = "eintr", .sys = {WAITS, SYS_FAULT_ERROR, EINTR}, .harmless = READS | WRITES},
    {.name = "short-read", .sys = {READS, SYS_FAULT_SHORT, 0}, .harmless = READS},
    {.name = "short-write", .sys = {WRITES, SYS_FAULT_SHORT, 0}, .harmless = WRITES},
    {.name = "denied", .sys = {CHANGES, SYS_FAULT_DONE, EIO}},
    {.name = "fsync-kept", .sys = {SYS_FSYNC, SYS_FAULT_DONE, EIO}},
    {.name = "fsync-lost", .sys = {SYS_FSYNC, SYS_FAULT_LOST, EIO}},
    {.name = "kill-before", .sys = {CHANGES | SYS_FSYNC, SYS_FAULT_KILL, 0}},
    {.name = "kill-after", .sys = {CHANGES | SYS_FSYNC, SYS_FAULT_KILL_AFTER, 0}},
};
const size_t KIND_COUNT = PNCP_ARRAY_LEN(KINDS);

bool kind_kills(const struct kind *kind)
{
    return !kind->memory && (kind->sys.way == SYS_FAULT_KILL || kind->sys.way == SYS_FAULT_KILL_AFTER);
}

void kind_arm(const struct kind *kind, unsigned nth)
{
    static const struct sys_fault nothing;
    sys_faults_arm(kind->memory ? &nothing : &kind->sys, kind->memory ? 0 : nth);
    mem_faults_arm(kind->memory ? nth : 0, kind->sys.more);
}

bool kind_disarm(const struct kind *kind, bool *ret_harmless)
{
    unsigned call = sys_faults_disarm();
    bool no_memory = mem_faults_disarm();
    *ret_harmless = (call & kind->harmless) != 0;
    return call != 0 || no_memory;
}

unsigned kind_count(const struct kind *kind)
{
    return kind->memory ? mem_faults_count() : sys_faults_count(kind->sys.calls);
}
