#include "sys_faults.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sys_fault fault;
static unsigned counts[SYS_CALLS], reached, fail_at, fired;
static bool armed, in_hook;
static sys_faults_hook_fn *hook_fn;
static void *hook_ctx;

/* The newest rename whose folder was not synced yet: what was there before, for SYS_FAULT_LOST. */
static struct {
    bool any, replaced;
    int dir_fd;
    char path[512];
    char *old;
    size_t old_len;
} renamed;

void sys_faults_arm(const struct sys_fault *armed_fault, unsigned nth)
{
    fault = *armed_fault;
    fail_at = nth;
    memset(counts, 0, sizeof(counts));
    reached = fired = 0;
    renamed.any = false;
    armed = true;
}

unsigned sys_faults_disarm(void)
{
    armed = false;
    return fired;
}

unsigned sys_faults_count(unsigned calls)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < SYS_CALLS; i++)
        sum += (calls & 1U << i) != 0 ? counts[i] : 0;
    return sum;
}

void sys_faults_hook(sys_faults_hook_fn *hook, void *ctx)
{
    hook_fn = hook;
    hook_ctx = ctx;
}

/* ---- what becomes of a call ------------------------------------------------------------------ */

struct fate {
    int error; /* what it answers; 0: its own */
    bool skipped, halved, lost, deadly;
};

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause(); /* the signal is on its way */
}

static bool is_due(enum sys_call call)
{
    if (!armed || in_hook)
        return false;
    counts[__builtin_ctz(call)]++;
    if ((fault.calls & call) == 0 || fail_at == 0 || ++reached < fail_at || reached - fail_at > fault.more)
        return false;
    fired = reached == fail_at ? call : fired;
    return true;
}

static struct fate due_fate(enum sys_call call)
{
    switch (fault.way) {
    case SYS_FAULT_ERROR:
        return (struct fate){.error = fault.error, .skipped = call != SYS_CLOSE};
    case SYS_FAULT_DONE:
        return (struct fate){.error = fault.error, .skipped = call == SYS_OPEN || call == SYS_CREATE};
    case SYS_FAULT_LOST:
        return (struct fate){.error = fault.error, .skipped = true, .lost = true};
    case SYS_FAULT_SHORT:
        return (struct fate){.halved = true};
    case SYS_FAULT_KILL:
        die();
        break;
    case SYS_FAULT_KILL_AFTER:
        return (struct fate){.deadly = true};
    }
    return (struct fate){0};
}

static struct fate fate_of(enum sys_call call, const char *name, const char *path)
{
    if (is_due(call))
        return due_fate(call);
    if (hook_fn == NULL || in_hook)
        return (struct fate){0};
    in_hook = true;
    int answer = hook_fn(hook_ctx, name, path);
    in_hook = false;
    return (struct fate){.error = abs(answer), .skipped = answer > 0};
}

static ssize_t end_call(const struct fate *fate, ssize_t result)
{
    if (fate->deadly)
        die();
    if (fate->error == 0)
        return result;
    errno = fate->error;
    return -1;
}

/* `what`: the real call. */
#define FAULTY(type, call, name, path, what)                                                                           \
    do {                                                                                                               \
        struct fate fate = fate_of(call, name, path);                                                                  \
        return (type)end_call(&fate, fate.skipped ? -1 : (what));                                                      \
    } while (0)
#define FAULTY_BYTES(call, name, what)                                                                                 \
    do {                                                                                                               \
        struct fate fate = fate_of(call, name, NULL);                                                                  \
        if (fate.halved && len > 1)                                                                                    \
            len /= 2;                                                                                                  \
        return end_call(&fate, fate.skipped ? -1 : (what));                                                            \
    } while (0)

/* ---- what an fsync should have kept ---------------------------------------------------------- */

static char *read_whole(int dir_fd, const char *path, size_t *ret_len)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0)
        return NULL;
    char *data = fstat(fd, &stat) == 0 ? malloc((size_t)stat.st_size + 1) : NULL;
    if (data == NULL || read(fd, data, (size_t)stat.st_size) != stat.st_size)
        abort();
    (void)close(fd);
    *ret_len = (size_t)stat.st_size;
    return data;
}

static void remember_target(int dir_fd, const char *path)
{
    if (!armed || in_hook || fault.way != SYS_FAULT_LOST)
        return;
    free(renamed.old);
    renamed.old = read_whole(dir_fd, path, &renamed.old_len);
    renamed.replaced = renamed.old != NULL;
    renamed.dir_fd = dir_fd;
    (void)snprintf(renamed.path, sizeof(renamed.path), "%s", path);
    renamed.any = true;
}

static void undo_rename(void)
{
    if (!renamed.any)
        return;
    (void)unlinkat(renamed.dir_fd, renamed.path, 0);
    renamed.any = false;
    if (!renamed.replaced)
        return;
    int fd = openat(renamed.dir_fd, renamed.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, renamed.old, renamed.old_len) != (ssize_t)renamed.old_len)
        abort();
    (void)close(fd);
}

static void lose(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        abort();
    if (S_ISDIR(stat.st_mode))
        undo_rename();
    else if (ftruncate(fd, 0) != 0 || ftruncate(fd, stat.st_size) != 0)
        abort();
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* The linker's names: __wrap_ is called, __real_ is the function itself. */
#define REAL(name) __real_pncp_sys_##name
#define WRAP(name) __wrap_pncp_sys_##name

int REAL(openat)(int dir_fd, const char *path, int flags, mode_t mode);
int REAL(close)(int fd);
ssize_t REAL(read)(int fd, void *data, size_t len);
ssize_t REAL(pread)(int fd, void *data, size_t len, off_t offset);
ssize_t REAL(write)(int fd, const void *data, size_t len);
ssize_t REAL(copy_file_range)(int from_fd, off_t *from_offset, int to_fd, size_t len);
ssize_t REAL(splice)(int from_fd, off_t *from_offset, int to_fd, size_t len);
int REAL(fsync)(int fd);
int REAL(ftruncate)(int fd, off_t len);
int REAL(fstat)(int fd, struct stat *ret_stat);
int REAL(fstatat)(int dir_fd, const char *path, struct stat *ret_stat, int flags);
int REAL(mkdirat)(int dir_fd, const char *path, mode_t mode);
int REAL(renameat)(int from_dir_fd, const char *from, int to_dir_fd, const char *to);
int REAL(unlinkat)(int dir_fd, const char *path, int flags);
int REAL(flock)(int fd, int operation);

int WRAP(openat)(int dir_fd, const char *path, int flags, mode_t mode);
int WRAP(close)(int fd);
ssize_t WRAP(read)(int fd, void *data, size_t len);
ssize_t WRAP(pread)(int fd, void *data, size_t len, off_t offset);
ssize_t WRAP(write)(int fd, const void *data, size_t len);
ssize_t WRAP(copy_file_range)(int from_fd, off_t *from_offset, int to_fd, size_t len);
ssize_t WRAP(splice)(int from_fd, off_t *from_offset, int to_fd, size_t len);
int WRAP(fsync)(int fd);
int WRAP(ftruncate)(int fd, off_t len);
int WRAP(fstat)(int fd, struct stat *ret_stat);
int WRAP(fstatat)(int dir_fd, const char *path, struct stat *ret_stat, int flags);
int WRAP(mkdirat)(int dir_fd, const char *path, mode_t mode);
int WRAP(renameat)(int from_dir_fd, const char *from, int to_dir_fd, const char *to);
int WRAP(unlinkat)(int dir_fd, const char *path, int flags);
int WRAP(flock)(int fd, int operation);

int WRAP(openat)(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct fate fate = fate_of((flags & O_CREAT) != 0 ? SYS_CREATE : SYS_OPEN, "openat", path);
    bool denied = fate.error != 0;
    return (int)end_call(&fate, denied ? -1 : REAL(openat)(dir_fd, path, flags, mode));
}

int WRAP(close)(int fd)
{
    struct fate fate = is_due(SYS_CLOSE) ? due_fate(SYS_CLOSE) : (struct fate){0};
    return (int)end_call(&fate, REAL(close)(fd));
}

ssize_t WRAP(read)(int fd, void *data, size_t len)
{
    FAULTY_BYTES(SYS_READ, "read", REAL(read)(fd, data, len));
}

ssize_t WRAP(pread)(int fd, void *data, size_t len, off_t offset)
{
    FAULTY_BYTES(SYS_PREAD, "pread", REAL(pread)(fd, data, len, offset));
}

ssize_t WRAP(write)(int fd, const void *data, size_t len)
{
    FAULTY_BYTES(SYS_WRITE, "write", REAL(write)(fd, data, len));
}

ssize_t WRAP(copy_file_range)(int from_fd, off_t *from_offset, int to_fd, size_t len)
{
    FAULTY_BYTES(SYS_COPY_FILE_RANGE, "copy_file_range", REAL(copy_file_range)(from_fd, from_offset, to_fd, len));
}

ssize_t WRAP(splice)(int from_fd, off_t *from_offset, int to_fd, size_t len)
{
    FAULTY_BYTES(SYS_SPLICE, "splice", REAL(splice)(from_fd, from_offset, to_fd, len));
}

int WRAP(fsync)(int fd)
{
    struct fate fate = fate_of(SYS_FSYNC, "fsync", NULL);
    struct stat stat;
    if (fate.lost)
        lose(fd);
    int result = fate.skipped ? -1 : REAL(fsync)(fd);
    if (armed && result == 0 && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
        renamed.any = false; /* disarmed, threads may come here */
    return (int)end_call(&fate, result);
}

int WRAP(ftruncate)(int fd, off_t len)
{
    FAULTY(int, SYS_FTRUNCATE, "ftruncate", NULL, REAL(ftruncate)(fd, len));
}

int WRAP(fstat)(int fd, struct stat *ret_stat)
{
    FAULTY(int, SYS_FSTAT, "fstat", NULL, REAL(fstat)(fd, ret_stat));
}

int WRAP(fstatat)(int dir_fd, const char *path, struct stat *ret_stat, int flags)
{
    FAULTY(int, SYS_FSTATAT, "fstatat", path, REAL(fstatat)(dir_fd, path, ret_stat, flags));
}

int WRAP(mkdirat)(int dir_fd, const char *path, mode_t mode)
{
    FAULTY(int, SYS_MKDIRAT, "mkdirat", path, REAL(mkdirat)(dir_fd, path, mode));
}

int WRAP(renameat)(int from_dir_fd, const char *from, int to_dir_fd, const char *to)
{
    remember_target(to_dir_fd, to);
    FAULTY(int, SYS_RENAMEAT, "renameat", to, REAL(renameat)(from_dir_fd, from, to_dir_fd, to));
}

int WRAP(unlinkat)(int dir_fd, const char *path, int flags)
{
    FAULTY(int, SYS_UNLINKAT, "unlinkat", path, REAL(unlinkat)(dir_fd, path, flags));
}

int WRAP(flock)(int fd, int operation)
{
    FAULTY(int, SYS_FLOCK, "flock", NULL, REAL(flock)(fd, operation));
}
