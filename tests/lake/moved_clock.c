/*
 * For LD_PRELOAD: it is WALL_CLOCK seconds later (earlier when negative) than it is, for whoever asks for the time of
 * day. Waits and the monotonic clock are as they are.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, ret_time);
    const char *seconds = getenv("WALL_CLOCK");
    if (rc == 0 && clock == CLOCK_REALTIME && seconds != NULL)
        ret_time->tv_sec += (time_t)atoll(seconds);
    return rc;
}
