#include "ingest/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* From the signal to the end at the latest: who asked sends SIGKILL some seconds later (design section 5, Signals).
 * What a stop leaves undone then is what a kill would: the day's file is old or new, the rest is made again. */
#define LEAVE_MS 2500

static volatile sig_atomic_t received;
static volatile bool stop;
static int pipe_fds[2] = {-1, -1};
static timer_t leave_timer;
static bool has_timer;

static void on_leave(int number)
{
    (void)number;
    _exit(128 + received);
}

static void on_signal(int number)
{
    int saved = errno;
    const struct itimerspec leave = {.it_value = {.tv_sec = LEAVE_MS / 1000, .tv_nsec = LEAVE_MS % 1000 * 1000000L}};
    if (!stop && has_timer)
        (void)timer_settime(leave_timer, 0, &leave, NULL);
    received = number;
    stop = true;
    (void)!write(pipe_fds[1], "", 1); /* full: someone has been woken already */
    errno = saved;
}

enum pncp_code pncp_stop_install(struct pncp_err *err)
{
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return pncp_err_sys(err, errno, "make a pipe for signals");
    struct sigaction action = {.sa_handler = on_leave, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGALRM, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    has_timer = timer_create(CLOCK_MONOTONIC, &event, &leave_timer) == 0;
    action.sa_handler = on_signal;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    return PNCP_OK;
}

int pncp_stop_signal(void)
{
    return received;
}

int pncp_stop_fd(void)
{
    return pipe_fds[0];
}

const volatile bool *pncp_stop_flag(void)
{
    return &stop;
}
