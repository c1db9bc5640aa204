/*
 * curl's multi handle driven by epoll (curl_multi_socket_action): only transfers whose socket is ready are looked at.
 * curl_multi_perform looks at all of them each time, with a poll() for each: 14 system calls a request at 32 in flight.
 */
#include "http/http.h"
#include "base/clock.h"
#include "base/mem.h"
#include "http/easy.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What curl reads at once from a socket: more costs memory per connection and was not faster (measured 4 to 64 KiB). */
#define RECEIVE_BYTES 16384L
#define ENCODING "gzip"
#define EVENTS_MAX 64 /* ready sockets taken at a time */
#define NEVER UINT64_MAX
#define SPARES 4 /* buffers of finished bodies, kept for the next ones */
#define SPARE_MAX_BYTES ((size_t)32 * 1024)
#define BELIEVED_MAX_BYTES ((size_t)1024 * 1024) /* of a length told: memory that counts before anything has come */
#define BEHIND_BYTES ((size_t)16)                /* for who reads the body where it lies and wants to look ahead */

struct slot {
    struct pncp_http *http;
    CURL *easy;
    void *user;
    struct pncp_http_response response;
    char error[CURL_ERROR_SIZE];
    bool too_large, no_memory;
    struct slot *next_free;
};

/* A descriptor of curl's. A connection's stays in the epoll set while it is idle between two requests: taking it out
 * and putting it in again would be two system calls a request. Others (the resolver's) are closed without a word. */
struct watch {
    uint32_t in_set; /* events it is in the epoll set with; 0: it is not */
    bool connection; /* we are told when it is closed */
    bool wanted;     /* by curl, now */
};

struct pncp_http {
    struct pncp_http_options options;
    CURLM *multi;
    struct curl_slist *headers;
    pncp_http_done_fn *done;
    void *ctx;
    struct slot *slots;
    struct slot *free;
    bool direct;            /* without a proxy */
    struct pncp_buf origin; /* of the address asked for last */
    size_t in_flight, body_bytes;
    struct pncp_buf spares[SPARES];
    size_t spare_count;
    struct watch *watches; /* by descriptor */
    size_t watch_count;
    int epoll_fd, wake_fd; /* eventfd: pncp_http_wake */
    int extra_fd;          /* the caller's, as last seen; -1: none */
    uint64_t timer_at_ms;  /* when curl wants to be called without an event */
};

/* ---- bodies ---------------------------------------------------------------------------------- */

/* For a body that begins: a buffer that another has left; for a large one whose length was told, a new one of that
 * size: one that grows step by step leaves a hole in memory with each. */
static enum pncp_code first_room(struct slot *slot)
{
    struct pncp_http *http = slot->http;
    curl_off_t told = -1; /* of a compressed body its length as sent: it grows then */
    (void)curl_easy_getinfo(slot->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
    bool large = told > (curl_off_t)SPARE_MAX_BYTES;
    if (!large && http->spare_count > 0) {
        slot->response.body = http->spares[--http->spare_count];
        return PNCP_OK;
    }
    size_t bytes = large ? PNCP_MIN((size_t)told, BELIEVED_MAX_BYTES) + BEHIND_BYTES : (size_t)RECEIVE_BYTES;
    return pncp_buf_reserve(&slot->response.body, PNCP_MIN(bytes, http->options.body_max_bytes));
}

static void keep_or_release(struct pncp_http *http, struct pncp_buf *body)
{
    pncp_buf_clear(body);
    if (body->cap == 0 || body->cap > SPARE_MAX_BYTES || http->spare_count == SPARES)
        pncp_buf_release(body);
    else
        http->spares[http->spare_count++] = pncp_buf_take(body);
}

/* ---- callbacks of curl ----------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct slot *slot = arg;
    size_t len = size * count, before = slot->response.body.cap;
    enum pncp_code rc = before > 0 ? PNCP_OK : first_room(slot);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(&slot->response.body, data, len);
    slot->http->body_bytes += slot->response.body.cap - before;
    slot->too_large = slot->too_large || rc == PNCP_E_LIMIT;
    slot->no_memory = slot->no_memory || rc == PNCP_E_NOMEM;
    return rc == PNCP_OK ? len : 0; /* anything else than len ends the transfer */
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    static const char name[] = "retry-after:";
    struct slot *slot = arg;
    size_t len = size * count;
    if (len > sizeof(name) - 1 && strncasecmp(data, name, sizeof(name) - 1) == 0) {
        size_t from = sizeof(name) - 1;
        while (from < len && data[from] == ' ')
            from++;
        size_t value = PNCP_MIN(len - from, sizeof(slot->response.retry_after) - 1);
        memcpy(slot->response.retry_after, data + from, value);
        slot->response.retry_after[value] = '\0';
        slot->response.retry_after[strcspn(slot->response.retry_after, "\r\n")] = '\0';
    }
    return len;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct pncp_http *http = arg;
    http->timer_at_ms = timeout_ms < 0 ? NEVER : pncp_clock_mono_ms() + (uint64_t)timeout_ms;
    return 0;
}

/* Of a descriptor; NULL without memory. */
static struct watch *watch_of(struct pncp_http *http, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need > http->watch_count) {
        size_t count = pncp_grow(http->watch_count, need);
        struct watch *longer = pncp_realloc(http->watches, count, sizeof(*longer));
        if (longer == NULL)
            return NULL;
        memset(longer + http->watch_count, 0, (count - http->watch_count) * sizeof(*longer));
        http->watches = longer;
        http->watch_count = count;
    }
    return &http->watches[fd];
}

static void take_out(struct pncp_http *http, int fd, struct watch *watch)
{
    if (watch->in_set != 0)
        (void)epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* closed already: gone by itself */
    watch->in_set = 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    (void)easy;
    (void)known;
    struct pncp_http *http = arg;
    struct watch *watch = watch_of(http, fd);
    if (watch == NULL)
        return -1; /* curl gives the transfer up */
    struct epoll_event event = {.data.fd = fd};
    event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    watch->wanted = event.events != 0;
    if (!watch->wanted) {
        if (!watch->connection)
            take_out(http, fd, watch);
        return 0;
    }
    if (watch->in_set == event.events)
        return 0;
    if (epoll_ctl(http->epoll_fd, watch->in_set == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0)
        return -1;
    watch->in_set = event.events;
    return 0;
}

static int on_new_connection(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    struct watch *watch = watch_of(arg, fd);
    if (watch == NULL)
        return CURL_SOCKOPT_ERROR;
    *watch = (struct watch){.connection = true};
    return CURL_SOCKOPT_OK;
}

/* What is closed leaves the epoll set by itself; its number may come again. */
static int on_close(void *arg, curl_socket_t fd)
{
    struct pncp_http *http = arg;
    if ((size_t)fd < http->watch_count)
        http->watches[fd] = (struct watch){0};
    return close(fd);
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* curl(1) names them all. Asked once: curl would look at each for every request. */
static bool proxy_in_environment(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return true;
    }
    return false;
}

/* Lines of every request, ready: curl's own would be composed twice, letter by letter. */
static bool make_headers(struct pncp_http *http)
{
    AUTO(pncp_free_ptr) char *agent = pncp_asprintf("User-Agent: %s", http->options.user_agent);
    return agent != NULL && pncp_easy_add_header(&http->headers, agent) &&
           pncp_easy_add_header(&http->headers, "Accept: application/json") &&
           pncp_easy_add_header(&http->headers, "Accept-Encoding: " ENCODING);
}

static bool set_up(struct slot *slot)
{
    CURL *easy = slot->easy;
    const char *bundle = getenv("CURL_CA_BUNDLE");
    bool ok = pncp_easy_set_up(easy, slot->http->options.connect_timeout_ms) &&
              curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->http->headers) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ENCODING) == CURLE_OK && /* what is decoded */
              (!slot->http->direct || curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
              curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_connection) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, slot->http) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, slot->http) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_PRIVATE, slot) == CURLE_OK;
    return ok && (bundle == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, bundle) == CURLE_OK);
}

static struct slot *take_slot(struct pncp_http *http)
{
    struct slot *slot = http->free;
    if (slot == NULL)
        return NULL;
    if (slot->easy == NULL) {
        slot->easy = curl_easy_init();
        if (slot->easy == NULL || !set_up(slot)) {
            if (slot->easy != NULL)
                curl_easy_cleanup(slot->easy);
            slot->easy = NULL;
            return NULL;
        }
    }
    http->free = slot->next_free;
    return slot;
}

static void give_back(struct slot *slot)
{
    struct pncp_http *http = slot->http;
    slot->next_free = http->free;
    http->free = slot;
}

/* ---- public ---------------------------------------------------------------------------------- */

static bool start(struct pncp_http *http)
{
    struct epoll_event wake = {.events = EPOLLIN};
    http->multi = curl_multi_init();
    http->direct = !proxy_in_environment();
    http->slots = pncp_calloc(http->options.connections_max, sizeof(*http->slots));
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake.data.fd = http->wake_fd;
    /* a connection cache smaller than what is in flight would close and open connections all the time */
    return http->multi != NULL && make_headers(http) && http->slots != NULL && http->epoll_fd >= 0 &&
           http->wake_fd >= 0 && epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, http->wake_fd, &wake) == 0 &&
           curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->options.connections_max + 8) == CURLM_OK &&
           curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK &&
           curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) == CURLM_OK;
}

enum pncp_code pncp_http_new(const struct pncp_http_options *options, pncp_http_done_fn *done, void *ctx,
                             struct pncp_http **ret_http, struct pncp_err *err)
{
    struct pncp_http *http = pncp_calloc(1, sizeof(*http));
    if (http == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "http: out of memory");
    *http = (struct pncp_http){.options = *options,
                               .done = done,
                               .ctx = ctx,
                               .epoll_fd = -1,
                               .wake_fd = -1,
                               .extra_fd = -1,
                               .timer_at_ms = NEVER};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !start(http)) {
        pncp_http_free(http);
        return pncp_err_set(err, PNCP_E_NOMEM, "http: out of memory or descriptors");
    }
    for (unsigned i = options->connections_max; i-- > 0;) {
        http->slots[i].http = http;
        give_back(&http->slots[i]);
    }
    *ret_http = http;
    return PNCP_OK;
}

void pncp_http_free(struct pncp_http *http)
{
    if (http == NULL)
        return;
    for (unsigned i = 0; http->slots != NULL && i < http->options.connections_max; i++) {
        struct slot *slot = &http->slots[i];
        if (slot->easy != NULL) {
            (void)curl_multi_remove_handle(http->multi, slot->easy);
            curl_easy_cleanup(slot->easy);
        }
        pncp_buf_release(&slot->response.body);
    }
    if (http->multi != NULL)
        (void)curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    pncp_free(http->slots);
    pncp_free(http->watches);
    pncp_buf_release(&http->origin);
    for (size_t i = 0; i < http->spare_count; i++)
        pncp_buf_release(&http->spares[i]);
    if (http->epoll_fd >= 0)
        (void)close(http->epoll_fd);
    if (http->wake_fd >= 0)
        (void)close(http->wake_fd);
    pncp_free(http);
}

/* What to connect to and what to ask for there. curl takes an address apart and composes it anew, letter by letter, a
 * twentieth of the instructions of a whole day; the path is spared that. A proxy is asked for whole addresses. */
static bool set_address(struct slot *slot, const char *url)
{
    struct pncp_http *http = slot->http;
    const char *host = strstr(url, "://"), *path = host == NULL ? NULL : strchr(host + 3, '/');
    if (!http->direct || path == NULL)
        return curl_easy_setopt(slot->easy, CURLOPT_URL, url) == CURLE_OK &&
               curl_easy_setopt(slot->easy, CURLOPT_REQUEST_TARGET, NULL) == CURLE_OK;
    pncp_buf_clear(&http->origin);
    return pncp_buf_append(&http->origin, url, (size_t)(path - url)) == PNCP_OK &&
           pncp_buf_append(&http->origin, "", 1) == PNCP_OK &&
           curl_easy_setopt(slot->easy, CURLOPT_URL, http->origin.data) == CURLE_OK &&
           curl_easy_setopt(slot->easy, CURLOPT_REQUEST_TARGET, path) == CURLE_OK;
}

enum pncp_code pncp_http_get(struct pncp_http *http, const char *url, uint32_t timeout_ms, void *user,
                             struct pncp_err *err)
{
    if (http->in_flight == http->options.connections_max)
        return pncp_err_set(err, PNCP_E_LIMIT, "http: %u requests are in flight", http->options.connections_max);
    struct slot *slot = take_slot(http);
    if (slot == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "http: out of memory");
    slot->user = user;
    slot->too_large = slot->no_memory = false;
    slot->error[0] = '\0';
    slot->response = (struct pncp_http_response){.body = PNCP_BUF_INIT(http->options.body_max_bytes)};
    if (!set_address(slot, url) || curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) != CURLE_OK ||
        curl_multi_add_handle(http->multi, slot->easy) != CURLM_OK) {
        give_back(slot);
        return pncp_err_set(err, PNCP_E_NOMEM, "http: out of memory");
    }
    http->in_flight++;
    return PNCP_OK;
}

size_t pncp_http_in_flight(const struct pncp_http *http)
{
    return http->in_flight;
}

size_t pncp_http_body_bytes(const struct pncp_http *http)
{
    return http->body_bytes;
}

static enum pncp_http_end end_of(const struct slot *slot, CURLcode code)
{
    if (slot->too_large || slot->no_memory)
        return PNCP_HTTP_TOO_LARGE;
    switch (code) {
    case CURLE_OK:
        return PNCP_HTTP_OK;
    case CURLE_PARTIAL_FILE:
        return PNCP_HTTP_TRUNCATED;
    case CURLE_OPERATION_TIMEDOUT:
        return PNCP_HTTP_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return PNCP_HTTP_UNREACHABLE;
    default:
        return PNCP_HTTP_RESET;
    }
}

static void deliver(struct pncp_http *http, CURL *easy, CURLcode code)
{
    struct slot *slot = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&slot);
    (void)curl_multi_remove_handle(http->multi, easy);
    struct pncp_http_response response = slot->response;
    curl_off_t total_us = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response.status);
    (void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total_us);
    response.total_ms = (uint32_t)(total_us / 1000);
    response.end = end_of(slot, code);
    if (code != CURLE_OK)
        (void)snprintf(response.message, sizeof(response.message), "%.127s",
                       slot->error[0] != '\0' ? slot->error : curl_easy_strerror(code));
    slot->response = (struct pncp_http_response){0};
    http->body_bytes -= response.body.cap;
    http->in_flight--;
    void *user = slot->user;
    give_back(slot);
    http->done(http->ctx, user, &response);
    keep_or_release(http, &response.body);
}

/* Deliver what has finished; *ret_any: something had. */
static void deliver_finished(struct pncp_http *http, bool *ret_any)
{
    int left;
    *ret_any = false;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        if (message->msg == CURLMSG_DONE) {
            *ret_any = true;
            deliver(http, message->easy_handle, message->data.result);
        }
    }
}

static CURLMcode run_timer(struct pncp_http *http)
{
    int running;
    if (http->timer_at_ms > pncp_clock_mono_ms())
        return CURLM_OK;
    http->timer_at_ms = NEVER;
    return curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static CURLMcode run_event(struct pncp_http *http, const struct epoll_event *event)
{
    int running, fd = event->data.fd;
    uint64_t count;
    if (fd == http->wake_fd) {
        (void)!read(fd, &count, sizeof(count)); /* reset: one wake-up for all calls so far */
        return CURLM_OK;
    }
    if (fd == http->extra_fd)
        return CURLM_OK;
    struct watch *watch = watch_of(http, fd);
    if (watch != NULL && !watch->wanted) { /* an idle connection has something to say: the server closes it */
        take_out(http, fd, watch);
        return CURLM_OK;
    }
    int bits = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    return curl_multi_socket_action(http->multi, fd, bits, &running);
}

static bool watch_extra(struct pncp_http *http, int extra_fd)
{
    if (extra_fd == http->extra_fd)
        return true;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = extra_fd};
    if (http->extra_fd >= 0)
        (void)epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, http->extra_fd, &event);
    http->extra_fd = extra_fd;
    return extra_fd < 0 || epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, extra_fd, &event) == 0;
}

enum pncp_code pncp_http_poll(struct pncp_http *http, uint32_t timeout_ms, int extra_fd, struct pncp_err *err)
{
    struct epoll_event events[EVENTS_MAX];
    bool any;
    if (!watch_extra(http, extra_fd))
        return pncp_err_sys(err, errno, "http: watch a descriptor");
    CURLMcode code = run_timer(http); /* new requests begin here */
    deliver_finished(http, &any);
    if (code == CURLM_OK && !any) { /* what was delivered may have started more: the caller comes back at once */
        uint64_t now = pncp_clock_mono_ms();
        uint64_t wait = http->timer_at_ms <= now ? 0 : PNCP_MIN(http->timer_at_ms - now, (uint64_t)timeout_ms);
        int ready = epoll_wait(http->epoll_fd, events, EVENTS_MAX, (int)wait);
        if (ready < 0 && errno != EINTR)
            return pncp_err_sys(err, errno, "http: wait");
        for (int i = 0; i < ready && code == CURLM_OK; i++)
            code = run_event(http, &events[i]);
        if (code == CURLM_OK)
            code = run_timer(http);
        deliver_finished(http, &any);
    }
    return code == CURLM_OK ? PNCP_OK : pncp_err_set(err, PNCP_E_IO, "http: %s", curl_multi_strerror(code));
}

void pncp_http_wake(struct pncp_http *http)
{
    const uint64_t one = 1;
    (void)!write(http->wake_fd, &one, sizeof(one)); /* full: a wake-up is pending anyway */
}
