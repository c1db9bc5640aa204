#include "ingest/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t received;
static volatile bool stop;
static int pipe_fds[2] = {-1, -1};

static void on_signal(int number)
{
    int saved = errno;
    received = number;
    stop = true;
    (void)!write(pipe_fds[1], "", 1); /* full: someone has been woken already */
    errno = saved;
}

enum pncp_code pncp_stop_install(struct pncp_err *err)
{
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return pncp_err_sys(err, errno, "make a pipe for signals");
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
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
