/*
 * For LD_PRELOAD: the lock by which a run holds its day (a file *.run) is always given, so that several runs of one day
 * work at once and only the conditional writes keep them apart. All other locks are as they are.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

int flock(int fd, int operation)
{
    static const char suffix[] = ".run";
    const size_t suffix_len = sizeof(suffix) - 1;
    char link[40], path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path));
    if (len >= (ssize_t)suffix_len && memcmp(path + len - suffix_len, suffix, suffix_len) == 0)
        return 0;
    return (int)syscall(SYS_flock, fd, operation);
}
