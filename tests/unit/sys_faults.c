#include "sys_faults.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static unsigned calls, fail_at;
static int fail_errno;
static enum sys_fault_kind fail_kind;
static bool armed, fired, in_hook;
static sys_faults_hook_fn *hook_fn;
static void *hook_ctx;

void sys_faults_arm(unsigned nth, int error, enum sys_fault_kind kind)
{
    calls = 0;
    fail_at = nth;
    fail_errno = error;
    fail_kind = kind;
    fired = false;
    armed = true;
}

unsigned sys_faults_disarm(bool *ret_fired)
{
    armed = false;
    if (ret_fired != NULL)
        *ret_fired = fired;
    return calls;
}

void sys_faults_hook(sys_faults_hook_fn *hook, void *ctx)
{
    hook_fn = hook;
    hook_ctx = ctx;
}

static bool is_due(void)
{
    if (!armed || in_hook || ++calls != fail_at)
        return false;
    fired = true;
    if (fail_kind == SYS_FAULT_KILL)
        _exit(99);
    return true;
}

/* What is to become of a call: 0, errno, -errno, as a hook says it. */
static int verdict(const char *call, const char *path)
{
    if (is_due())
        return fail_kind == SYS_FAULT_DONE ? -fail_errno : fail_errno;
    if (hook_fn == NULL || in_hook)
        return 0;
    in_hook = true;
    int answer = hook_fn(hook_ctx, call, path);
    in_hook = false;
    return answer;
}

/* `what`: the real call. */
#define FAULTY(type, name, path, what)                                                                                 \
    do {                                                                                                               \
        int answer = verdict(name, path);                                                                              \
        type result = answer > 0 ? -1 : (type)(what);                                                                  \
        if (answer != 0) {                                                                                             \
            result = -1;                                                                                               \
            errno = answer > 0 ? answer : -answer;                                                                     \
        }                                                                                                              \
        return result;                                                                                                 \
    } while (0)

/* The linker's names: __wrap_ is called, __real_ is the function itself. */
#define REAL(name) __real_pncp_sys_##name
#define WRAP(name) __wrap_pncp_sys_##name

int REAL(openat)(int dir_fd, const char *path, int flags, mode_t mode);
int REAL(close)(int fd);
ssize_t REAL(read)(int fd, void *data, size_t len);
ssize_t REAL(pread)(int fd, void *data, size_t len, off_t offset);
ssize_t REAL(write)(int fd, const void *data, size_t len);
ssize_t REAL(copy_file_range)(int from_fd, off_t *from_offset, int to_fd, size_t len);
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
    int answer = verdict("openat", path);
    if (answer != 0) { /* never done and denied: the descriptor would leak */
        errno = answer > 0 ? answer : -answer;
        return -1;
    }
    return REAL(openat)(dir_fd, path, flags, mode);
}

int WRAP(close)(int fd)
{
    bool due = is_due();
    int result = REAL(close)(fd); /* really closed, or the next rounds would run out of descriptors */
    return due ? -1 : result;
}

ssize_t WRAP(read)(int fd, void *data, size_t len)
{
    FAULTY(ssize_t, "read", NULL, REAL(read)(fd, data, len));
}

ssize_t WRAP(pread)(int fd, void *data, size_t len, off_t offset)
{
    FAULTY(ssize_t, "pread", NULL, REAL(pread)(fd, data, len, offset));
}

ssize_t WRAP(write)(int fd, const void *data, size_t len)
{
    FAULTY(ssize_t, "write", NULL, REAL(write)(fd, data, len));
}

ssize_t WRAP(copy_file_range)(int from_fd, off_t *from_offset, int to_fd, size_t len)
{
    FAULTY(ssize_t, "copy_file_range", NULL, REAL(copy_file_range)(from_fd, from_offset, to_fd, len));
}

int WRAP(fsync)(int fd)
{
    FAULTY(int, "fsync", NULL, REAL(fsync)(fd));
}

int WRAP(ftruncate)(int fd, off_t len)
{
    FAULTY(int, "ftruncate", NULL, REAL(ftruncate)(fd, len));
}

int WRAP(fstat)(int fd, struct stat *ret_stat)
{
    FAULTY(int, "fstat", NULL, REAL(fstat)(fd, ret_stat));
}

int WRAP(fstatat)(int dir_fd, const char *path, struct stat *ret_stat, int flags)
{
    FAULTY(int, "fstatat", path, REAL(fstatat)(dir_fd, path, ret_stat, flags));
}

int WRAP(mkdirat)(int dir_fd, const char *path, mode_t mode)
{
    FAULTY(int, "mkdirat", path, REAL(mkdirat)(dir_fd, path, mode));
}

int WRAP(renameat)(int from_dir_fd, const char *from, int to_dir_fd, const char *to)
{
    FAULTY(int, "renameat", to, REAL(renameat)(from_dir_fd, from, to_dir_fd, to));
}

int WRAP(unlinkat)(int dir_fd, const char *path, int flags)
{
    FAULTY(int, "unlinkat", path, REAL(unlinkat)(dir_fd, path, flags));
}

int WRAP(flock)(int fd, int operation)
{
    FAULTY(int, "flock", NULL, REAL(flock)(fd, operation));
}
