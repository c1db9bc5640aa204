/* Failures count only while others succeed: who has failed for good, and is the API there at all? */
#include "base/clock.h"
#include "fetch/fetch_int.h"

#include <stdio.h>
#include <string.h>

bool pncp_outage_is_bad(const struct pncp_verdict *verdict)
{
    bool refused = verdict->kind == PNCP_VERDICT_REFUSED && verdict->http_status != 400; /* 400 is about the request */
    return verdict->kind == PNCP_VERDICT_RETRY || refused;
}

void pncp_outage_doom(struct pncp_fetch_api *api, struct pncp_fetch_request *request,
                      const struct pncp_verdict *verdict)
{
    request->doomed_ms = pncp_clock_mono_ms();
    request->why_kind = verdict->kind;
    request->why = verdict->reason;
    request->why_status = verdict->http_status;
    pncp_queue_push_back(&api->doomed, request);
}

void pncp_outage_count_failure(const struct pncp_fetch_api *api, struct pncp_fetch_request *request)
{
    if (request->unproven_since_ms <= api->breaker.proven_ms) {
        request->unproven = 0;
        request->unproven_since_ms = pncp_clock_mono_ms();
    }
    request->unproven++;
    request->attempts++;
}

static bool set_probe(struct pncp_probe *probe, enum pncp_api api, enum pncp_kind kind, const char *url)
{
    size_t len = strlen(url);
    if (len >= sizeof(probe->url))
        return false;
    memmove(probe->url, url, len + 1); /* it may be its own */
    probe->request = (struct pncp_fetch_request){.api = api, .kind = kind, .url = probe->url};
    return true;
}

void pncp_fetch_set_probe(struct pncp_fetch *fetch, enum pncp_api api, enum pncp_kind kind, const char *url)
{
    struct pncp_probe *probe = &fetch->apis[api].probe;
    probe->known = set_probe(probe, api, kind, url);
}

void pncp_fetch_set_candidates(struct pncp_fetch *fetch, pncp_fetch_candidate_fn *candidate)
{
    fetch->candidate = candidate;
}

/* Make the owner's next candidate the probe. */
static bool take_candidate(struct pncp_fetch *fetch, enum pncp_api api)
{
    struct pncp_probe *probe = &fetch->apis[api].probe;
    AUTO(pncp_buf_release) struct pncp_buf url = {0};
    enum pncp_kind kind;
    return fetch->candidate != NULL && fetch->candidate(fetch->ctx, api, probe->candidates++, &kind, &url) &&
           set_probe(probe, api, kind, url.data);
}

/* What has failed since the last good answer has not. */
static void forgive(struct pncp_fetch_api *api, struct pncp_queue *queue)
{
    while (queue->first != NULL) {
        struct pncp_fetch_request *request = pncp_queue_pop(queue);
        if (request->unproven_since_ms > api->breaker.proven_ms)
            request->attempts -= request->unproven;
        request->unproven = 0;
        pncp_queue_push_back(&api->ready, request);
    }
}

static void begin_outage(struct pncp_fetch *fetch, const struct pncp_fetch_request *request,
                         const struct pncp_verdict *verdict)
{
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    struct pncp_queue ready = api->ready;
    pncp_queue_init(&api->ready);
    forgive(api, &ready);
    forgive(api, &api->resting);
    forgive(api, &api->doomed);
    pncp_fetch_tell(fetch, PNCP_FETCH_NOTE_OUTAGE, request, verdict, fetch->options.outage_wait_ms);
}

/* Those that failed before something was sent that has been answered well. */
static void finish_doomed(struct pncp_fetch *fetch, struct pncp_fetch_api *api)
{
    while (api->doomed.first != NULL && api->doomed.first->doomed_ms <= api->breaker.proven_ms) {
        struct pncp_fetch_request *request = pncp_queue_pop(&api->doomed);
        struct pncp_buf none = {0};
        struct pncp_verdict verdict = {
            .kind = request->why_kind, .reason = request->why, .http_status = request->why_status, .retry_after_s = -1};
        fetch->done(fetch->ctx, request, &verdict, &none);
    }
}

void pncp_outage_judge(struct pncp_fetch *fetch, const struct pncp_fetch_request *request, bool probe,
                       const struct pncp_verdict *verdict)
{
    struct pncp_fetch_api *api = &fetch->apis[request->api];
    uint64_t now = pncp_clock_mono_ms();
    if (verdict->kind == PNCP_VERDICT_BRAKE) {
        pncp_breaker_braked(&api->breaker, now);
        return;
    }
    if (pncp_outage_is_bad(verdict)) {
        pncp_reason_format(verdict->reason, verdict->http_status, api->trouble);
        if (probe && pncp_breaker_probe_failed(&api->breaker, now))
            begin_outage(fetch, request, verdict);
        else if (!probe)
            (void)pncp_breaker_bad(&api->breaker, now);
        return;
    }
    uint64_t silent = pncp_breaker_silent_ms(&api->breaker, now);
    if (pncp_breaker_good(&api->breaker, request->sent_ms))
        pncp_fetch_tell(fetch, PNCP_FETCH_NOTE_ALIVE, request, verdict, silent);
    if (!api->probe.known && api->probe.out == NULL && verdict->kind != PNCP_VERDICT_RETRY_FEW)
        pncp_fetch_set_probe(fetch, request->api, request->kind, request->url);
    finish_doomed(fetch, api);
}

/* The one to probe with: its own, or what waits, one after the other; NULL: there is none yet. */
static struct pncp_fetch_request *next_probe(struct pncp_fetch *fetch, enum pncp_api number)
{
    struct pncp_fetch_api *api = &fetch->apis[number];
    if (api->probe.known || take_candidate(fetch, number))
        return &api->probe.request;
    if (api->in_flight > 0)
        return NULL;
    if (api->ready.first == NULL)
        forgive(api, &api->doomed);
    return api->ready.first == NULL ? NULL : pncp_queue_pop(&api->ready);
}

bool pncp_outage_probe_is_due(const struct pncp_fetch_api *api)
{
    return api->breaker.state != PNCP_BREAKER_CLOSED && api->probe.out == NULL;
}

void pncp_outage_start_probe(struct pncp_fetch *fetch, enum pncp_api number, uint64_t now)
{
    struct pncp_fetch_api *api = &fetch->apis[number];
    if (!pncp_outage_probe_is_due(api) || api->breaker.probe_at_ms > now || !pncp_rate_take(&api->rate, now))
        return;
    struct pncp_fetch_request *request = next_probe(fetch, number);
    if (request == NULL)
        return;
    if (pncp_fetch_send(fetch, api, request, now))
        api->probe.out = request;
    else if (request != &api->probe.request)
        pncp_queue_push_front(&api->ready, request);
}

enum pncp_code pncp_outage_given_up(const struct pncp_fetch *fetch, uint64_t now, struct pncp_err *err)
{
    static const char *const names[PNCP_APIS] = {[PNCP_API_CONSULTA] = "listing", [PNCP_API_DETAIL] = "detail"};
    for (size_t i = 0; i < PNCP_APIS; i++) {
        const struct pncp_fetch_api *api = &fetch->apis[i];
        if (!pncp_breaker_over(&api->breaker, now))
            continue;
        return pncp_err_transient(err,
                                  pncp_err_set(err, PNCP_E_UNAVAILABLE,
                                               "the %s API has answered nothing good for %.0f s (%s): run again later",
                                               names[i], (double)pncp_breaker_silent_ms(&api->breaker, now) / 1000,
                                               api->trouble[0] == '\0' ? "http_429" : api->trouble));
    }
    return PNCP_OK;
}

void pncp_outage_look(struct pncp_fetch_api *api, uint64_t now)
{
    if (api->in_flight > 0 || api->ready.first != NULL)
        return;
    bool waits_long = api->resting.first != NULL && pncp_breaker_long_silent(&api->breaker, now);
    if (api->doomed.first != NULL || waits_long)
        pncp_breaker_suspect(&api->breaker, now);
}
