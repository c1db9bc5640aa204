#include "fetch/fetch.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/mem.h"
#include "fetch/fetch_int.h"

#include <string.h>

#define CONNECT_TIMEOUT_MS 10000
#define BODY_MAX_BYTES                                                                                                 \
    ((size_t)16 * 1024 * 1024) /* a page of 500 itens of 1.3 KB is 0.65 MB; one of 1,000 with the longest texts 6 MB   \
                                */
#define ABSENT_TRIES 3
#define FEW_TRIES 3

static uint64_t cpu_us(const struct pncp_fetch *fetch)
{
    return fetch->options.measure_cpu ? pncp_clock_cpu_us() : 0;
}

/* Move what has rested long enough to the front of the ready ones; the earliest wake-up of the others, or UINT64_MAX.
 */
static uint64_t wake_rested(struct pncp_fetch_api *api, uint64_t now)
{
    struct pncp_queue still;
    uint64_t earliest = UINT64_MAX;
    pncp_queue_init(&still);
    while (api->resting.first != NULL) {
        struct pncp_fetch_request *request = pncp_queue_pop(&api->resting);
        if (request->not_before_ms <= now) {
            pncp_queue_push_front(&api->ready, request);
        } else {
            earliest = PNCP_MIN(earliest, request->not_before_ms);
            pncp_queue_push_back(&still, request);
        }
    }
    api->resting = still;
    if (still.first == NULL)
        api->resting.tail = &api->resting.first;
    return earliest;
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum pncp_transport transport_of(enum pncp_http_end end)
{
    switch (end) {
    case PNCP_HTTP_OK:
        return PNCP_NET_OK;
    case PNCP_HTTP_TIMEOUT:
        return PNCP_NET_TIMEOUT;
    case PNCP_HTTP_TRUNCATED:
        return PNCP_NET_TRUNCATED;
    case PNCP_HTTP_TOO_LARGE:
        return PNCP_NET_TOO_LARGE;
    case PNCP_HTTP_UNREACHABLE:
        return PNCP_NET_UNREACHABLE;
    case PNCP_HTTP_RESET:
    case PNCP_HTTP_CANCELLED:
        break;
    }
    return PNCP_NET_RESET;
}

static void count_answer(struct pncp_fetch_counts *counts, const struct pncp_http_response *response)
{
    counts->bytes += response->body.len;
    counts->answers_none += response->end != PNCP_HTTP_OK;
    counts->answers_2xx += response->end == PNCP_HTTP_OK && response->status < 300;
    counts->answers_429 += response->status == 429;
    counts->answers_4xx += response->status >= 400 && response->status < 500 && response->status != 429;
    counts->answers_5xx += response->status >= 500;
}

static bool is_trouble(const struct pncp_verdict *verdict)
{
    return verdict->kind == PNCP_VERDICT_BRAKE || verdict->reason == PNCP_REASON_TIMEOUT ||
           (verdict->kind == PNCP_VERDICT_RETRY && verdict->http_status >= 500);
}

void pncp_fetch_tell(struct pncp_fetch *fetch, enum pncp_fetch_note_kind kind, const struct pncp_fetch_request *request,
                     const struct pncp_verdict *verdict, uint64_t wait_ms)
{
    const struct pncp_fetch_note note = {.kind = kind,
                                         .api = request->api,
                                         .url = request->url,
                                         .verdict = verdict,
                                         .wait_ms = wait_ms,
                                         .attempt = request->attempts};
    if (fetch->note != NULL)
        fetch->note(fetch->ctx, &note);
}

static void brake(struct pncp_fetch *fetch, struct pncp_fetch_request *request, const struct pncp_verdict *verdict)
{
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    uint64_t now = pncp_clock_mono_ms();
    bool first = api->braked_until_ms <= now;
    uint64_t wait = pncp_brake_ms(fetch->options.brake_wait_ms, verdict->retry_after_s, &fetch->random);
    /* those in flight when the brake was set come back with 429 as well: one pause for all of them */
    if (first || verdict->retry_after_s >= 0)
        api->braked_until_ms = PNCP_MAX(api->braked_until_ms, now + wait);
    api->counts.brakes += first;
    if (first)
        pncp_fetch_tell(fetch, PNCP_FETCH_NOTE_BRAKE, request, verdict, wait);
    pncp_queue_push_front(&api->ready, request);
}

static void rest(struct pncp_fetch *fetch, struct pncp_fetch_request *request, unsigned failures,
                 const struct pncp_verdict *verdict)
{
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    uint64_t wait = pncp_backoff_ms(fetch->options.retry_wait_ms, failures, verdict->retry_after_s, &fetch->random);
    request->not_before_ms = pncp_clock_mono_ms() + wait;
    api->counts.retries++;
    pncp_fetch_tell(fetch, PNCP_FETCH_NOTE_RETRY, request, verdict, wait);
    pncp_queue_push_back(&api->resting, request);
}

static void failed(struct pncp_fetch *fetch, struct pncp_fetch_request *request, const struct pncp_verdict *verdict)
{
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    if (api->breaker.state == PNCP_BREAKER_OUTAGE) { /* parked */
        pncp_queue_push_back(&api->ready, request);
        return;
    }
    pncp_outage_count_failure(api, request);
    if (verdict->kind == PNCP_VERDICT_REFUSED || request->attempts >= fetch->options.attempts)
        pncp_outage_doom(api, request, verdict);
    else
        rest(fetch, request, request->attempts, verdict);
}

/* True: the request goes on, false: this verdict is its last. */
static bool try_again(struct pncp_fetch *fetch, struct pncp_fetch_request *request, const struct pncp_verdict *verdict)
{
    if (pncp_outage_is_bad(verdict)) {
        failed(fetch, request, verdict);
        return true;
    }
    switch (verdict->kind) {
    case PNCP_VERDICT_BRAKE:
        brake(fetch, request, verdict);
        return true;
    case PNCP_VERDICT_RETRY_FEW:
        if (++request->few_tries >= FEW_TRIES)
            return false;
        rest(fetch, request, request->few_tries, verdict);
        return true;
    case PNCP_VERDICT_ABSENT:
        if (++request->absent_tries >= ABSENT_TRIES)
            return false;
        rest(fetch, request, request->absent_tries, verdict);
        return true;
    case PNCP_VERDICT_RETRY:
    case PNCP_VERDICT_ROWS:
    case PNCP_VERDICT_NO_ROWS:
    case PNCP_VERDICT_REFUSED:
        break;
    }
    return false;
}

static void on_response(void *ctx, void *user, struct pncp_http_response *response)
{
    struct pncp_fetch *fetch = ctx;
    struct pncp_fetch_request *request = user;
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    struct pncp_verdict verdict;
    bool kept = request->kind == PNCP_KIND_PAGE || request->kind == PNCP_KIND_OBJECT; /* the owner may take it */
    const struct pncp_answer answer = {.transport = transport_of(response->end),
                                       .status = response->status,
                                       .body = pncp_buf_view(&response->body),
                                       .retry_after = pncp_view_of(response->retry_after),
                                       .room = kept ? NULL : &fetch->room,
                                       .text = kept ? NULL : &response->body};
    uint64_t begun_us = cpu_us(fetch);
    api->in_flight--;
    count_answer(&api->counts, response);
    pncp_verdict_make(request->kind, &answer, pncp_clock_now_us(), &verdict);
    fetch->cpu.json_us += cpu_us(fetch) - begun_us;
    if (response->message[0] != '\0')
        memcpy(verdict.detail, response->message, sizeof(verdict.detail) - 1);
    if (is_trouble(&verdict))
        pncp_aimd_trouble(&api->aimd);
    else
        pncp_aimd_good(&api->aimd);
    bool probe = request == api->probe.out;
    if (probe)
        api->probe.out = NULL;
    pncp_outage_judge(fetch, request, probe, &verdict);
    if (request != &api->probe.request && !try_again(fetch, request, &verdict))
        fetch->done(fetch->ctx, request, &verdict, &response->body);
    pncp_json_release(&verdict.json);
    fetch->handled_us += cpu_us(fetch) - begun_us;
}

/* ---- public ---------------------------------------------------------------------------------- */

enum pncp_code pncp_fetch_new(const struct pncp_fetch_options *options, pncp_fetch_done_fn *done,
                              pncp_fetch_note_fn *note, void *ctx, struct pncp_fetch **ret_fetch, struct pncp_err *err)
{
    struct pncp_fetch *fetch = pncp_calloc(1, sizeof(*fetch));
    if (fetch == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "fetch: out of memory");
    fetch->options = *options;
    fetch->done = done;
    fetch->note = note;
    fetch->ctx = ctx;
    fetch->random = options->jitter_seed;
    const unsigned ceilings[PNCP_APIS] = {
        [PNCP_API_CONSULTA] = options->listing_connections, [PNCP_API_DETAIL] = options->connections};
    for (size_t i = 0; i < PNCP_APIS; i++) {
        pncp_queue_init(&fetch->apis[i].ready);
        pncp_queue_init(&fetch->apis[i].resting);
        pncp_queue_init(&fetch->apis[i].doomed);
        pncp_breaker_init(&fetch->apis[i].breaker, options->retry_wait_ms, options->outage_wait_ms);
        pncp_aimd_init(&fetch->apis[i].aimd, ceilings[i]);
        pncp_rate_init(&fetch->apis[i].rate, options->max_rate, pncp_clock_mono_ms());
    }
    const struct pncp_http_options http = {.connections_max = options->connections + options->listing_connections,
                                           .user_agent = options->user_agent,
                                           .body_max_bytes = BODY_MAX_BYTES,
                                           .connect_timeout_ms =
                                               PNCP_MIN(options->deadline_ms, (uint32_t)CONNECT_TIMEOUT_MS)};
    enum pncp_code rc = pncp_json_room_init(&fetch->room);
    if (rc == PNCP_OK)
        rc = pncp_http_new(&http, on_response, fetch, &fetch->http, err);
    else
        (void)pncp_err_set(err, rc, "fetch: out of memory");
    if (rc != PNCP_OK) {
        pncp_fetch_free(fetch);
        return rc;
    }
    *ret_fetch = fetch;
    return PNCP_OK;
}

void pncp_fetch_close(struct pncp_fetch *fetch)
{
    pncp_http_free(fetch->http);
    fetch->http = NULL;
    pncp_json_room_release(&fetch->room);
}

void pncp_fetch_free(struct pncp_fetch *fetch)
{
    if (fetch == NULL)
        return;
    pncp_fetch_close(fetch);
    pncp_free(fetch);
}

static bool may_start(const struct pncp_fetch_api *api)
{
    return api->breaker.state == PNCP_BREAKER_CLOSED && api->ready.first != NULL && api->in_flight < api->aimd.limit;
}

bool pncp_fetch_send(struct pncp_fetch *fetch, struct pncp_fetch_api *api, struct pncp_fetch_request *request,
                     uint64_t now)
{
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_http_get(fetch->http, request->url, fetch->options.deadline_ms, request, &err);
    if (rc != PNCP_OK) {
        fetch->failed =
            rc == PNCP_E_LIMIT ? PNCP_OK : rc; /* the other API's requests of a limit just halved are still out */
        return false;
    }
    request->sent_ms = now;
    api->in_flight++;
    api->counts.requests++;
    return true;
}

/* Send what may be sent: each API has its own limit, rate and brake. */
static void start_ready(struct pncp_fetch *fetch, struct pncp_fetch_api *api, uint64_t now)
{
    while (fetch->failed == PNCP_OK && may_start(api) && pncp_rate_take(&api->rate, now)) {
        struct pncp_fetch_request *request = pncp_queue_pop(&api->ready);
        if (!pncp_fetch_send(fetch, api, request, now)) {
            pncp_queue_push_front(&api->ready, request);
            return;
        }
    }
}

/* Start what may start at `now`. The next time at which there is something to do, or UINT64_MAX. */
static uint64_t start(struct pncp_fetch *fetch, enum pncp_api number, uint64_t now)
{
    struct pncp_fetch_api *api = &fetch->apis[number];
    uint64_t until = wake_rested(api, now);
    pncp_outage_look(api, now);
    if (api->breaker.silent)
        until = PNCP_MIN(until, api->breaker.silent_since_ms + api->breaker.outage_wait_ms);
    if (api->braked_until_ms > now)
        return PNCP_MIN(until, api->braked_until_ms);
    start_ready(fetch, api, now);
    pncp_outage_start_probe(fetch, number, now);
    if (may_start(api))
        until = PNCP_MIN(until, pncp_rate_next_ms(&api->rate));
    if (pncp_outage_probe_is_due(api))
        until = PNCP_MIN(until, PNCP_MAX(api->breaker.probe_at_ms, now + 1));
    return until;
}

void pncp_fetch_submit(struct pncp_fetch *fetch, struct pncp_fetch_request *request, bool urgent)
{
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    if (urgent)
        pncp_queue_push_front(&api->ready, request);
    else
        pncp_queue_push_back(&api->ready, request);
}

size_t pncp_fetch_queued(const struct pncp_fetch *fetch, enum pncp_api api)
{
    return fetch->apis[api].ready.count;
}

size_t pncp_fetch_in_flight(const struct pncp_fetch *fetch, enum pncp_api api)
{
    return fetch->apis[api].in_flight;
}

size_t pncp_fetch_waiting(const struct pncp_fetch *fetch, enum pncp_api api)
{
    return fetch->apis[api].resting.count;
}

unsigned pncp_fetch_limit(const struct pncp_fetch *fetch, enum pncp_api api)
{
    return fetch->apis[api].aimd.limit;
}

uint64_t pncp_fetch_braked_ms(const struct pncp_fetch *fetch, enum pncp_api api)
{
    uint64_t now = pncp_clock_mono_ms(), until = fetch->apis[api].braked_until_ms;
    return until > now ? until - now : 0;
}

struct pncp_fetch_counts pncp_fetch_counts(const struct pncp_fetch *fetch, enum pncp_api api)
{
    return fetch->apis[api].counts;
}

struct pncp_fetch_cpu pncp_fetch_cpu(const struct pncp_fetch *fetch)
{
    return fetch->cpu;
}

size_t pncp_fetch_body_bytes(const struct pncp_fetch *fetch)
{
    return pncp_http_body_bytes(fetch->http);
}

enum pncp_code pncp_fetch_poll(struct pncp_fetch *fetch, uint32_t timeout_ms, int extra_fd, struct pncp_err *err)
{
    uint64_t now = pncp_clock_mono_ms(), until = now + timeout_ms;
    if (pncp_outage_given_up(fetch, now, err) != PNCP_OK)
        return PNCP_E_UNAVAILABLE;
    for (int i = 0; i < PNCP_APIS; i++)
        until = PNCP_MIN(until, start(fetch, (enum pncp_api)i, now));
    if (fetch->failed != PNCP_OK)
        return pncp_err_set(err, fetch->failed, "fetch: a request cannot be started: out of memory");
    until = PNCP_MAX(until, now);
    uint64_t begun_us = cpu_us(fetch), handled_us = fetch->handled_us;
    enum pncp_code rc = pncp_http_poll(fetch->http, (uint32_t)(until - now), extra_fd, err);
    fetch->cpu.transport_us += cpu_us(fetch) - begun_us - (fetch->handled_us - handled_us);
    return rc;
}

void pncp_fetch_wake(struct pncp_fetch *fetch)
{
    pncp_http_wake(fetch->http);
}
