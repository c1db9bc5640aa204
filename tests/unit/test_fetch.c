/* The polite fetcher against a small server on this machine: tries, brakes, order, and each request answered once. */
#include "base/clock.h"
#include "base/mem.h"
#include "fetch/breaker.h"
#include "fetch/fetch.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the server ------------------------------------------------------------------------------ */

/* A path is what its requests are answered with, one after the other, the last one for ever: /a/503,503,200. "rst": the
 * connection ends without an answer; "429:2": with Retry-After; "200+": the connection stays open, and is closed for
 * no reason right after. */
#define SEEN_MAX 400
struct server {
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex;
    char seen[SEEN_MAX][80]; /* paths in the order in which they came */
    uint64_t at_ms[SEEN_MAX];
    size_t count;
    char last[2000]; /* request, whole */
};

static const char *word_of(const char *path, size_t nth)
{
    const char *at = strrchr(path, '/') + 1;
    for (const char *comma; nth > 0 && (comma = strchr(at, ',')) != NULL; nth--)
        at = comma + 1;
    return at;
}

static void answer(int fd, const char *word)
{
    char text[300], header[60] = "";
    int status = (int)strtol(word, NULL, 10);
    const char *body = status == 200 ? "[{\"numeroItem\":1}]" : "";
    const char *colon = strchr(word, ':'), *comma = strchr(word, ',');
    if (strncmp(word, "rst", 3) == 0)
        return;
    if (colon != NULL && (comma == NULL || colon < comma))
        (void)snprintf(header, sizeof(header), "Retry-After: %d\r\n", (int)strtol(colon + 1, NULL, 10));
    const char *close_it = strncmp(word, "200+", 4) == 0 ? "" : "Connection: close\r\n";
    int len = snprintf(text, sizeof(text), "HTTP/1.1 %d X\r\n%s%sContent-Length: %zu\r\n\r\n%s", status, header,
                       close_it, status == 204 ? 0 : strlen(body), body);
    (void)!write(fd, text, (size_t)len);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        char text[2000] = "", path[80] = "";
        for (size_t len = 0; strstr(text, "\r\n\r\n") == NULL;) {
            ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);
            if (got <= 0)
                break;
            len += (size_t)got;
            text[len] = '\0';
        }
        if (sscanf(text, "GET %79s HTTP", path) == 1) {
            size_t before = 0;
            (void)pthread_mutex_lock(&s->mutex);
            for (size_t i = 0; i < s->count; i++)
                before += strcmp(s->seen[i], path) == 0;
            if (s->count < SEEN_MAX) {
                s->at_ms[s->count] = pncp_clock_mono_ms();
                (void)snprintf(s->seen[s->count++], sizeof(s->seen[0]), "%s", path);
            }
            memcpy(s->last, text, sizeof(s->last));
            (void)pthread_mutex_unlock(&s->mutex);
            answer(fd, word_of(path, before));
        }
        (void)close(fd);
    }
}

static void server_start(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    memset(s, 0, sizeof(*s));
    assert_int_equal(pthread_mutex_init(&s->mutex, NULL), 0);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    (void)shutdown(s->fd, SHUT_RDWR); /* accept ends */
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->fd);
    (void)pthread_mutex_destroy(&s->mutex);
}

/* ---- a name ---------------------------------------------------------------------------------- */

#define NAME "api.test"

/* In libc's place, also for curl: NAME is this machine. */
int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict req,
                struct addrinfo **restrict pai)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name != NULL && strcmp(name, NAME) == 0 ? "127.0.0.1" : name, service, req, pai);
}

/* ---- the owner ------------------------------------------------------------------------------- */

struct owner {
    struct server server;
    struct pncp_fetch *fetch;
    size_t done, retries_told, brakes_told, outages_told, ends_told;
};

struct asked {
    struct pncp_fetch_request request;
    char url[160];
    unsigned answers;
    enum pncp_verdict_kind kind;
    enum pncp_reason reason;
    long status;
};

static void on_done(void *ctx, struct pncp_fetch_request *request, struct pncp_verdict *verdict, struct pncp_buf *body)
{
    struct owner *owner = ctx;
    struct asked *asked = request->owner;
    (void)body;
    asked->answers++;
    asked->kind = verdict->kind;
    asked->reason = verdict->reason;
    asked->status = verdict->http_status;
    owner->done++;
}

static void on_note(void *ctx, const struct pncp_fetch_note *note)
{
    struct owner *owner = ctx;
    owner->retries_told += note->kind == PNCP_FETCH_NOTE_RETRY;
    owner->brakes_told += note->kind == PNCP_FETCH_NOTE_BRAKE;
    owner->outages_told += note->kind == PNCP_FETCH_NOTE_OUTAGE;
    owner->ends_told += note->kind == PNCP_FETCH_NOTE_ALIVE;
    assert_non_null(note->url);
}

static void owner_start_with(struct owner *owner, unsigned connections, unsigned attempts, uint32_t outage_wait_ms)
{
    const struct pncp_fetch_options options = {.connections = connections,
                                               .listing_connections = 2,
                                               .attempts = attempts,
                                               .retry_wait_ms = 1,
                                               .brake_wait_ms = 100,
                                               .deadline_ms = 5000,
                                               .outage_wait_ms = outage_wait_ms,
                                               .jitter_seed = 1,
                                               .user_agent = "test"};
    struct pncp_err err = PNCP_ERR_INIT;
    *owner = (struct owner){.done = 0};
    server_start(&owner->server);
    if (pncp_fetch_new(&options, on_done, on_note, owner, &owner->fetch, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void owner_start(struct owner *owner, unsigned connections)
{
    owner_start_with(owner, connections, 4, 60000);
}

/* Before the first poll: a URL that is answered well, or with `words` one after the other. */
static void know_probe(struct owner *owner, const char *path)
{
    char url[160];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", owner->server.port, path);
    pncp_fetch_set_probe(owner->fetch, PNCP_API_DETAIL, PNCP_KIND_LIST, url);
}

static size_t times_seen(const struct owner *owner, const char *path)
{
    size_t times = 0;
    for (size_t i = 0; i < owner->server.count; i++)
        times += strcmp(owner->server.seen[i], path) == 0;
    return times;
}

static void ask(struct owner *owner, struct asked *asked, enum pncp_api api, const char *path, bool urgent)
{
    *asked = (struct asked){.request = {.api = api, .kind = PNCP_KIND_LIST, .owner = asked}};
    (void)snprintf(asked->url, sizeof(asked->url), "http://127.0.0.1:%u%s", owner->server.port, path);
    asked->request.url = asked->url;
    pncp_fetch_submit(owner->fetch, &asked->request, urgent);
}

static void poll_until(struct owner *owner, size_t done)
{
    struct pncp_err err = PNCP_ERR_INIT;
    uint64_t until = pncp_clock_mono_ms() + 20000;
    while (owner->done < done && pncp_clock_mono_ms() < until) {
        if (pncp_fetch_poll(owner->fetch, 200, -1, &err) != PNCP_OK)
            fail_msg("%s", err.msg);
    }
    assert_int_equal(owner->done, done);
}

static void owner_stop(struct owner *owner)
{
    pncp_fetch_free(owner->fetch);
    pncp_fetch_free(NULL);
    server_stop(&owner->server);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void each_answer_has_its_tries(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum pncp_verdict_kind kind;
        long status;
        size_t requests;
    } cases[] = {
        {"/1/200", PNCP_VERDICT_ROWS, 200, 1},
        {"/2/204", PNCP_VERDICT_NO_ROWS, 204, 1},
        {"/3/503,500,200", PNCP_VERDICT_ROWS, 200, 3},
        {"/4/503", PNCP_VERDICT_RETRY, 503, 4}, /* its attempts: four here */
        {"/5/rst,200", PNCP_VERDICT_ROWS, 200, 2},
        {"/6/404", PNCP_VERDICT_ABSENT, 404, 3}, /* three tries */
        {"/7/404,404,200", PNCP_VERDICT_ROWS, 200, 3},
        {"/8/422", PNCP_VERDICT_RETRY_FEW, 422, 3},                     /* at most three */
        {"/9/400", PNCP_VERDICT_REFUSED, 400, 1},                       /* for good */
        {"/10/404,503,404,503,404", PNCP_VERDICT_ABSENT, 404, 5},       /* counted apart */
        {"/11/429,429,429,429,429,429,200", PNCP_VERDICT_ROWS, 200, 7}, /* a brake is no attempt */
    };
    struct owner owner;
    struct asked asked[PNCP_ARRAY_LEN(cases)];
    owner_start(&owner, 8);
    know_probe(&owner, "/probe/200");
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++)
        ask(&owner, &asked[i], PNCP_API_DETAIL, cases[i].path, false);
    poll_until(&owner, PNCP_ARRAY_LEN(cases));
    size_t all = 0;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        size_t requests = times_seen(&owner, cases[i].path);
        if (asked[i].answers != 1 || asked[i].kind != cases[i].kind || asked[i].status != cases[i].status ||
            requests != cases[i].requests)
            fail_msg("%s: kind %d, status %ld, %zu requests", cases[i].path, asked[i].kind, asked[i].status, requests);
        all += requests;
    }
    struct pncp_fetch_counts counts = pncp_fetch_counts(owner.fetch, PNCP_API_DETAIL);
    size_t probes = times_seen(&owner, "/probe/200"); /* one when all others are done before the 503 has its tries */
    assert_in_range(probes, 0, 1);
    assert_int_equal(counts.requests, all + probes);
    assert_int_equal(counts.answers_429, 6);
    assert_int_equal(counts.answers_none, 1);
    assert_int_equal(counts.answers_5xx, 2 + 4 + 2);
    assert_int_equal(counts.answers_4xx, 3 + 2 + 3 + 1 + 3);
    assert_int_equal(counts.answers_2xx, 6 + probes);
    assert_int_equal(counts.retries, owner.retries_told);
    assert_int_equal(counts.retries, all - 6 - PNCP_ARRAY_LEN(cases));
    assert_int_equal(counts.brakes, owner.brakes_told);
    assert_in_range(counts.brakes, 1, 6);
    assert_int_equal(pncp_fetch_counts(owner.fetch, PNCP_API_CONSULTA).requests, 0);
    assert_int_equal(pncp_fetch_queued(owner.fetch, PNCP_API_DETAIL), 0);
    assert_int_equal(pncp_fetch_in_flight(owner.fetch, PNCP_API_DETAIL), 0);
    assert_int_equal(pncp_fetch_waiting(owner.fetch, PNCP_API_DETAIL), 0);
    owner_stop(&owner);
}

/* 429 stops the whole API for as long as it says, not the other one; the limit is halved. */
static void a_brake_is_for_one_api(void **state)
{
    (void)state;
    struct owner owner;
    struct asked detail[6], listing;
    owner_start(&owner, 8);
    unsigned limit = pncp_fetch_limit(owner.fetch, PNCP_API_DETAIL);
    ask(&owner, &detail[0], PNCP_API_DETAIL, "/d0/429:1,200", false);
    while (owner.brakes_told == 0)
        assert_int_equal(pncp_fetch_poll(owner.fetch, 50, -1, NULL), PNCP_OK);
    uint64_t braked = pncp_fetch_braked_ms(owner.fetch, PNCP_API_DETAIL);
    assert_in_range(braked, 800, 1100);
    assert_int_equal(pncp_fetch_braked_ms(owner.fetch, PNCP_API_CONSULTA), 0);
    assert_int_equal(pncp_fetch_limit(owner.fetch, PNCP_API_DETAIL), limit / 2);
    for (size_t i = 1; i < PNCP_ARRAY_LEN(detail); i++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "/d%zu/200", i);
        ask(&owner, &detail[i], PNCP_API_DETAIL, path, false);
    }
    ask(&owner, &listing, PNCP_API_CONSULTA, "/l/200", false);
    poll_until(&owner, 1);
    assert_int_equal(listing.answers, 1);
    poll_until(&owner, 7);
    assert_int_equal(owner.server.count, 8);
    for (size_t i = 2; i < 8; i++) /* after the 429 and the listing: nothing for a second */
        assert_true(owner.server.at_ms[i] >= owner.server.at_ms[0] + 1000);
    assert_string_equal(owner.server.seen[2], "/d0/429:1,200"); /* what was braked comes first */
    owner_stop(&owner);
}

/* Never more at once than the limit; the urgent go first. */
static void urgent_ones_go_before_what_waits(void **state)
{
    (void)state;
    struct owner owner;
    struct asked asked[6];
    owner_start(&owner, 1);
    ask(&owner, &asked[0], PNCP_API_DETAIL, "/a/200", false);
    ask(&owner, &asked[1], PNCP_API_DETAIL, "/b/200", false);
    ask(&owner, &asked[2], PNCP_API_DETAIL, "/c/200", true);
    ask(&owner, &asked[3], PNCP_API_DETAIL, "/d/200", false);
    assert_int_equal(pncp_fetch_queued(owner.fetch, PNCP_API_DETAIL), 4);
    assert_int_equal(pncp_fetch_poll(owner.fetch, 0, -1, NULL), PNCP_OK);
    assert_int_equal(pncp_fetch_in_flight(owner.fetch, PNCP_API_DETAIL) + owner.done, 1);
    poll_until(&owner, 4);
    static const char *const order[] = {"/c/200", "/a/200", "/b/200", "/d/200"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(owner.server.seen[i], order[i]);
    owner_stop(&owner);
}

static void *wake_later(void *arg)
{
    const struct timespec wait = {.tv_nsec = 50 * 1000 * 1000};
    (void)nanosleep(&wait, NULL);
    pncp_fetch_wake(arg);
    return NULL;
}

static void a_wake_ends_the_wait(void **state)
{
    (void)state;
    struct owner owner;
    struct asked left;
    pthread_t thread;
    owner_start(&owner, 4);
    uint64_t begun = pncp_clock_mono_ms();
    assert_int_equal(pthread_create(&thread, NULL, wake_later, owner.fetch), 0);
    assert_int_equal(pncp_fetch_poll(owner.fetch, 20000, -1, NULL), PNCP_OK);
    assert_true(pncp_clock_mono_ms() - begun < 10000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ask(&owner, &left, PNCP_API_DETAIL, "/never/200", false); /* dropped without a call */
    owner_stop(&owner);
    assert_int_equal(left.answers, 0);
}

/* It fails for good, and that costs one question more: is the API there at all? */
static void the_last_one_fails_when_the_api_is_there(void **state)
{
    (void)state;
    static const char *const words[] = {"503", "401"};
    static const size_t requests[] = {4, 1};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(words); i++) {
        struct owner owner;
        struct asked asked;
        char path[40];
        (void)snprintf(path, sizeof(path), "/a/%s", words[i]);
        owner_start(&owner, 4);
        know_probe(&owner, "/probe/200");
        ask(&owner, &asked, PNCP_API_DETAIL, path, false);
        poll_until(&owner, 1);
        assert_int_equal(asked.kind, i == 0 ? PNCP_VERDICT_RETRY : PNCP_VERDICT_REFUSED);
        assert_int_equal(asked.reason, PNCP_REASON_HTTP);
        assert_int_equal(asked.status, i == 0 ? 503 : 401);
        assert_int_equal(times_seen(&owner, path), requests[i]);
        assert_int_equal(times_seen(&owner, "/probe/200"), 1);
        assert_int_equal(owner.outages_told, 0);
        owner_stop(&owner);
    }
}

/* Eight with one attempt each fail together with the probe: nothing is counted, and all are answered in the end. */
static void failures_of_an_outage_do_not_count(void **state)
{
    (void)state;
    struct owner owner;
    struct asked asked[PNCP_BREAKER_TRIP];
    owner_start_with(&owner, 8, 1, 60000);
    know_probe(&owner, "/probe/503,500,rst,200");
    for (size_t i = 0; i < PNCP_ARRAY_LEN(asked); i++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "/%zu/%s,200", i, i % 2 == 0 ? "503" : "401");
        ask(&owner, &asked[i], PNCP_API_DETAIL, path, false);
    }
    poll_until(&owner, PNCP_ARRAY_LEN(asked));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(asked); i++) {
        assert_int_equal(asked[i].kind, PNCP_VERDICT_ROWS);
        assert_int_equal(asked[i].answers, 1);
    }
    assert_int_equal(times_seen(&owner, "/probe/503,500,rst,200"), 4);
    assert_int_equal(owner.outages_told, 1);
    assert_int_equal(owner.ends_told, 1);
    owner_stop(&owner);
}

/* Nothing has ever been answered: the requests themselves probe, one at a time and each in its turn. */
static void without_a_known_one_they_probe_themselves(void **state)
{
    (void)state;
    struct owner owner;
    struct asked asked[3];
    owner_start_with(&owner, 8, 1, 60000);
    ask(&owner, &asked[0], PNCP_API_DETAIL, "/a/503", false);
    ask(&owner, &asked[1], PNCP_API_DETAIL, "/b/503", false);
    ask(&owner, &asked[2], PNCP_API_DETAIL, "/c/503,503,503,200", false);
    poll_until(&owner, 3);
    assert_int_equal(asked[2].kind, PNCP_VERDICT_ROWS);
    assert_int_equal(asked[0].kind, PNCP_VERDICT_RETRY); /* c proves that it was them */
    assert_int_equal(asked[1].kind, PNCP_VERDICT_RETRY);
    assert_int_equal(owner.outages_told, 1);
    owner_stop(&owner);
}

static void it_gives_up(const char *word, const char *reason)
{
    struct owner owner;
    struct asked asked[20];
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = PNCP_OK;
    owner_start_with(&owner, 8, 2, 400);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(asked); i++) {
        char path[40];
        (void)snprintf(path, sizeof(path), "/%zu/%s", i, word);
        ask(&owner, &asked[i], PNCP_API_DETAIL, path, false);
    }
    uint64_t begun = pncp_clock_mono_ms();
    while (rc == PNCP_OK && pncp_clock_mono_ms() - begun < 10000)
        rc = pncp_fetch_poll(owner.fetch, 200, -1, &err);
    assert_int_equal(rc, PNCP_E_UNAVAILABLE);
    assert_true(err.transient);
    assert_non_null(strstr(err.msg, "detail API"));
    assert_non_null(strstr(err.msg, reason));
    assert_in_range(pncp_clock_mono_ms() - begun, 400, 9999);
    assert_int_equal(owner.done, 0);
    owner_stop(&owner);
}

static void a_long_outage_fails_nothing(void **state)
{
    (void)state;
    it_gives_up("503", "http_503");
    it_gives_up("rst", "reset");
    it_gives_up("401", "http_401");
    it_gives_up("429", "http_429");
}

/* The server closes a connection that waits for its next request: that wakes nobody again and again, and the next
 * request gets another. */
static void idle_connections_may_be_closed(void **state)
{
    (void)state;
    struct owner owner;
    struct asked asked[2];
    struct pncp_err err = PNCP_ERR_INIT;
    owner_start(&owner, 1);
    ask(&owner, &asked[0], PNCP_API_DETAIL, "/1/200+", false);
    poll_until(&owner, 1);
    for (int i = 0; i < 2; i++) { /* the first may see the end of the connection */
        uint64_t begun = pncp_clock_mono_ms();
        assert_int_equal(pncp_fetch_poll(owner.fetch, 100, -1, &err), PNCP_OK);
        assert_true(i == 0 || pncp_clock_mono_ms() - begun >= 90);
    }
    ask(&owner, &asked[1], PNCP_API_DETAIL, "/2/200", false);
    poll_until(&owner, 2);
    assert_int_equal(asked[1].kind, PNCP_VERDICT_ROWS);
    assert_int_equal(times_seen(&owner, "/2/200"), 1);
    owner_stop(&owner);
}

/* curl's resolver has descriptors of its own, which it closes without a word; a connection then gets their number. */
static void a_name_is_resolved(void **state)
{
    (void)state;
    struct owner owner;
    struct asked asked[8];
    owner_start(&owner, 2);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(asked); i++) {
        ask(&owner, &asked[i], PNCP_API_DETAIL, "/1/200", false);
        (void)snprintf(asked[i].url, sizeof(asked[i].url), "http://" NAME ":%u/%zu/200", owner.server.port, i);
        poll_until(&owner, i + 1);
        assert_int_equal(asked[i].kind, PNCP_VERDICT_ROWS);
        assert_int_equal(asked[i].request.attempts, 0);
    }
    owner_stop(&owner);
}

static void one_request(struct owner *owner, const struct server *server, const char *url, const char *want_target,
                        const char *want_host)
{
    struct asked asked = {.request = {.api = PNCP_API_DETAIL, .kind = PNCP_KIND_LIST, .owner = &asked}};
    char want[600];
    (void)snprintf(asked.url, sizeof(asked.url), "%s", url);
    asked.request.url = asked.url;
    pncp_fetch_submit(owner->fetch, &asked.request, false);
    poll_until(owner, 1);
    assert_int_equal(asked.kind, PNCP_VERDICT_ROWS);
    int len = snprintf(want, sizeof(want), "GET %s HTTP/1.1\r\nHost: %s\r\n", want_target, want_host);
    assert_memory_equal(server->last, want, (size_t)len);
    assert_non_null(strstr(server->last, "\r\nUser-Agent: test\r\n"));
    assert_non_null(strstr(server->last, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(server->last, "\r\nAccept-Encoding: gzip\r\n"));
}

static void a_request_names_path_and_host(void **state)
{
    (void)state;
    struct owner owner;
    char host[40], url[80];
    owner_start(&owner, 1);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", owner.server.port);
    (void)snprintf(url, sizeof(url), "http://%s/1/200?pagina=1", host);
    one_request(&owner, &owner.server, url, "/1/200?pagina=1", host);
    owner_stop(&owner);
}

/* It is asked for the whole address, and the name is its to resolve. */
static void a_proxy_is_used(void **state)
{
    (void)state;
    struct server proxy;
    struct owner owner;
    char address[40];
    server_start(&proxy);
    (void)snprintf(address, sizeof(address), "http://127.0.0.1:%u", proxy.port);
    assert_int_equal(setenv("http_proxy", address, 1), 0);
    owner_start(&owner, 1);
    one_request(&owner, &proxy, "http://elsewhere.test/1/200", "http://elsewhere.test/1/200", "elsewhere.test");
    owner_stop(&owner);
    assert_int_equal(unsetenv("http_proxy"), 0);
    server_stop(&proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_tries),
        cmocka_unit_test(a_brake_is_for_one_api),
        cmocka_unit_test(urgent_ones_go_before_what_waits),
        cmocka_unit_test(a_wake_ends_the_wait),
        cmocka_unit_test(the_last_one_fails_when_the_api_is_there),
        cmocka_unit_test(failures_of_an_outage_do_not_count),
        cmocka_unit_test(without_a_known_one_they_probe_themselves),
        cmocka_unit_test(a_long_outage_fails_nothing),
        cmocka_unit_test(idle_connections_may_be_closed),
        cmocka_unit_test(a_name_is_resolved),
        cmocka_unit_test(a_request_names_path_and_host),
        cmocka_unit_test(a_proxy_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
