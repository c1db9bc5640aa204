/*
 * For LD_PRELOAD: the monotonic clock runs FAST_CLOCK times as fast, so that a test need not sit out the half minute
 * for which a full disk is tried again. Nothing else changes; waits of other kinds take as long as they do.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    static long long begun, factor; /* threads may set them twice: to the same values but for an instant */
    int rc = (int)syscall(SYS_clock_gettime, clock, ret_time);
    if (rc != 0 || clock != CLOCK_MONOTONIC)
        return rc;
    long long now = (long long)ret_time->tv_sec * 1000000000 + ret_time->tv_nsec;
    if (factor == 0) {
        const char *text = getenv("FAST_CLOCK");
        begun = now;
        factor = text == NULL ? 1 : atoll(text);
    }
    now = begun + (now - begun) * factor;
    ret_time->tv_sec = (time_t)(now / 1000000000);
    ret_time->tv_nsec = (long)(now % 1000000000);
    return 0;
}
