/*
 * The floor that ./dev bench measures against: libcurl and nothing else. It sends the requests of a file of addresses,
 * one a line, in order, `connections` at a time, over connections that stay open, and throws every body away. No
 * parsing, no retries, no ramp: what a day costs before anything is done with the answers. Like the product it drives
 * curl's multi handle by epoll, and it shares no code with it, so that a fault of ours cannot hide in both.
 *
 *     null-client CONNECTIONS FILE       prints {"requests":…,"failed":…,"seconds":…,"cpu_ms":…}
 *
 * Clock and CPU run from the first request to the last answer; the addresses are in memory by then.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define EVENTS_MAX 64
#define NEVER INT64_MAX

struct client {
    CURLM *multi;
    int epoll_fd;
    int64_t timer_at_us; /* when curl wants to be called without an event */
    char *next;          /* address not yet asked for; NULL: none left */
    long requests, failed, in_flight;
};

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "null-client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void must(bool ok, const char *what)
{
    if (!ok)
        die(what);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double cpu_ms(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

/* The whole file, a NUL in place of every line's end. */
static char *read_lines(const char *path)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && fstat(fd, &stat) == 0, path);
    size_t len = (size_t)stat.st_size, done = 0;
    char *text = calloc(len + 1, 1);
    must(text != NULL, path);
    while (done < len) {
        ssize_t got = read(fd, text + done, len - done);
        must(got > 0, path);
        done += (size_t)got;
    }
    (void)close(fd);
    for (char *end = text; (end = strchr(end, '\n')) != NULL;)
        *end++ = '\0';
    return text;
}

static size_t throw_away(const char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct client *client = arg;
    client->timer_at_us = timeout_ms < 0 ? NEVER : now_us() + (int64_t)timeout_ms * 1000;
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    (void)easy;
    struct client *client = arg;
    struct epoll_event event = {.data.fd = fd};
    event.events =
        ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0U);
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    if (known == NULL)
        (void)curl_multi_assign(client->multi, fd, client); /* any pointer: it is in the set from now on */
    return epoll_ctl(client->epoll_fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

/* The next address on that handle, when there is one. */
static void ask(struct client *client, CURL *easy)
{
    if (client->next == NULL)
        return;
    must(curl_easy_setopt(easy, CURLOPT_URL, client->next) == CURLE_OK &&
             curl_multi_add_handle(client->multi, easy) == CURLM_OK,
         "curl");
    client->requests++;
    client->in_flight++;
    client->next += strlen(client->next) + 1;
    if (*client->next == '\0')
        client->next = NULL;
}

static void take_finished(struct client *client)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left)) != NULL;) {
        long status = 0;
        CURL *easy = message->easy_handle;
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        client->failed += message->data.result != CURLE_OK || (status != 200 && status != 204);
        client->in_flight--;
        (void)curl_multi_remove_handle(client->multi, easy);
        ask(client, easy);
    }
}

static void loop(struct client *client)
{
    struct epoll_event events[EVENTS_MAX];
    int running;
    while (client->in_flight > 0) {
        int64_t now = now_us();
        if (client->timer_at_us <= now) {
            client->timer_at_us = NEVER;
            (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
            take_finished(client);
            continue;
        }
        int wait_ms = client->timer_at_us == NEVER ? -1 : (int)((client->timer_at_us - now) / 1000 + 1);
        int ready = epoll_wait(client->epoll_fd, events, EVENTS_MAX, wait_ms);
        must(ready >= 0 || errno == EINTR, "epoll");
        for (int i = 0; i < ready; i++) {
            int bits = ((events[i].events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                       ((events[i].events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                       ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
            (void)curl_multi_socket_action(client->multi, events[i].data.fd, bits, &running);
        }
        take_finished(client);
    }
}

static CURL *new_handle(void)
{
    CURL *easy = curl_easy_init();
    must(easy != NULL && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_USERAGENT, "null-client") == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away) == CURLE_OK,
         "curl");
    return easy;
}

int main(int argc, char **argv)
{
    long connections = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    if (connections < 1 || connections > CONNECTIONS_MAX) {
        (void)fprintf(stderr, "usage: null-client CONNECTIONS FILE\n");
        return 2;
    }
    char *text = read_lines(argv[2]);
    struct client client = {
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .timer_at_us = NEVER, .next = *text == '\0' ? NULL : text};
    must(client.epoll_fd >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "curl");
    client.multi = curl_multi_init();
    must(client.multi != NULL && curl_multi_setopt(client.multi, CURLMOPT_MAXCONNECTS, connections + 8) == CURLM_OK &&
             curl_multi_setopt(client.multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
             curl_multi_setopt(client.multi, CURLMOPT_SOCKETDATA, &client) == CURLM_OK &&
             curl_multi_setopt(client.multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
             curl_multi_setopt(client.multi, CURLMOPT_TIMERDATA, &client) == CURLM_OK,
         "curl");
    CURL *handles[CONNECTIONS_MAX];
    for (long i = 0; i < connections; i++)
        handles[i] = new_handle();

    int64_t begun = now_us();
    double cpu = cpu_ms();
    for (long i = 0; i < connections; i++)
        ask(&client, handles[i]);
    loop(&client);
    (void)printf("{\"requests\":%ld,\"failed\":%ld,\"seconds\":%.3f,\"cpu_ms\":%.1f}\n", client.requests, client.failed,
                 (double)(now_us() - begun) / 1e6, cpu_ms() - cpu);

    for (long i = 0; i < connections; i++)
        curl_easy_cleanup(handles[i]);
    (void)curl_multi_cleanup(client.multi);
    (void)close(client.epoll_fd);
    free(text);
    return client.failed == 0 ? 0 : 1;
}
