/*
 * The polite fetcher: requests of two APIs (listing, detail) over one transport, each API with its own limit in flight
 * (AIMD), brake and counters. A request handed over comes back exactly once, answered for good: accepted, no rows,
 * absent, or failed after its attempts.
 *
 * - A 429 is never an attempt: it pauses that whole API for Retry-After, else brake_wait with jitter, and halves its
 *   limit.
 * - The limit starts at 8, doubles per round until the first trouble, then grows by one a round; 429, 5xx and time-outs
 *   halve it, once per round.
 * - A retry waits retry_wait × 2^n with jitter. A 422 is tried three times; so is a 404, which is then ABSENT.
 * - Failures count only while others succeed (breaker.h): a request without attempts left, or refused, is failed once a
 *   good answer to what was sent after that has shown that the API is there; when nothing else is under way, the first
 * request that was answered well is asked again for that. In an outage nothing is counted and one request probes; after
 * outage_wait pncp_fetch_poll gives up.
 *
 * With max_rate each API gets no more requests a second than that, retries included.
 *
 * The owner may stop new starts (byte budget, saver behind) without losing what is in flight. Threads: one; the owner's
 * loop calls pncp_fetch_poll.
 */
#ifndef PNCP_FETCH_H
#define PNCP_FETCH_H

#include "http/http.h"
#include "pncp/verdict.h"

enum pncp_api { PNCP_API_CONSULTA, PNCP_API_DETAIL };
#define PNCP_APIS 2

struct pncp_fetch_options {
    unsigned connections;         /* ceiling of the detail API's limit, 1..512 */
    unsigned listing_connections; /* of the consulta API: 4 */
    unsigned attempts;            /* 1..100 */
    unsigned max_rate;            /* requests a second to each API, 1..PNCP_RATE_MAX; 0: no limit */
    uint32_t retry_wait_ms, brake_wait_ms, deadline_ms;
    uint32_t outage_wait_ms; /* how long an API may answer nothing good */
    uint64_t jitter_seed;
    const char *user_agent;
    bool measure_cpu; /* for pncp_fetch_cpu: four system calls a request */
};

struct pncp_fetch_counts { /* per API */
    uint64_t requests, retries, brakes, bytes;
    uint64_t answers_2xx, answers_4xx, answers_429, answers_5xx, answers_none;
};

/* A request: caller's storage, alive until its done call. Zero it, set the first block. */
struct pncp_fetch_request {
    enum pncp_api api;
    enum pncp_kind kind;
    const char *url; /* borrowed until done */
    void *owner;     /* for the done call */
    /* set by the fetcher */
    unsigned attempts; /* failures so far */
    unsigned absent_tries, few_tries;
    unsigned unproven; /* of the attempts: those since unproven_since_ms, not yet known to be its own */
    uint64_t sent_ms, unproven_since_ms;
    uint64_t not_before_ms;
    uint64_t doomed_ms;
    enum pncp_verdict_kind why_kind; /* of one that waits for the proof that others succeed: its last verdict */
    enum pncp_reason why;
    long why_status;
    struct pncp_fetch_request *next;
};

/* Final answer. `verdict->json` and `body` are released by the fetcher after the call unless taken; of a LIST or COUNT
 * neither may be: the json lies in the body, or in memory that the next answer uses. verdict->kind is
 * ROWS, NO_ROWS, ABSENT, or — failed for good — RETRY, RETRY_FEW or REFUSED with its reason. */
typedef void pncp_fetch_done_fn(void *ctx, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                                struct pncp_buf *body);
/* Something worth telling, for event/: a retry or a brake (wait_ms: the pause), an outage that begins (wait_ms: how
 * long it is waited for), its end (wait_ms: how long it was). */
enum pncp_fetch_note_kind {
    PNCP_FETCH_NOTE_RETRY,
    PNCP_FETCH_NOTE_BRAKE,
    PNCP_FETCH_NOTE_OUTAGE,
    PNCP_FETCH_NOTE_ALIVE
};
struct pncp_fetch_note {
    enum pncp_fetch_note_kind kind;
    enum pncp_api api;
    const char *url;
    const struct pncp_verdict *verdict; /* of the answer that is the cause */
    uint64_t wait_ms;
    unsigned attempt;
};
typedef void pncp_fetch_note_fn(void *ctx, const struct pncp_fetch_note *note);

struct pncp_fetch;
MUST_CHECK enum pncp_code pncp_fetch_new(const struct pncp_fetch_options *options, pncp_fetch_done_fn *done,
                                         pncp_fetch_note_fn *note, void *ctx, struct pncp_fetch **ret_fetch,
                                         struct pncp_err *err);
void pncp_fetch_free(struct pncp_fetch *fetch); /* what is queued or in flight is dropped without a call */
/* Give back connections and buffers: nothing more will be fetched, only the counts are asked for. */
void pncp_fetch_close(struct pncp_fetch *fetch);
/* Queue a request; `urgent`: before what waits (the second request of a contratação under way goes before the first of
 * a new one). */
void pncp_fetch_submit(struct pncp_fetch *fetch, struct pncp_fetch_request *request, bool urgent);
/* A request that is known to be answered well, to ask when it has to be found out whether that API is there. A URL that
 * is too long is ignored. */
void pncp_fetch_set_probe(struct pncp_fetch *fetch, enum pncp_api api, enum pncp_kind kind, const char *url);
/* As long as none is known, and nothing was answered well yet: the nth one (0, 1, …) that should be; false: there is
 * none, and what was asked for is let through alone instead. Called from poll with ctx of pncp_fetch_new. */
typedef bool pncp_fetch_candidate_fn(void *ctx, enum pncp_api api, unsigned nth, enum pncp_kind *ret_kind,
                                     struct pncp_buf *ret_url);
void pncp_fetch_set_candidates(struct pncp_fetch *fetch, pncp_fetch_candidate_fn *candidate);
/* Requests of that API queued (waiting for a slot, not in back-off), in flight, in back-off; the present limit. */
size_t pncp_fetch_queued(const struct pncp_fetch *fetch, enum pncp_api api);
size_t pncp_fetch_in_flight(const struct pncp_fetch *fetch, enum pncp_api api);
size_t pncp_fetch_waiting(const struct pncp_fetch *fetch, enum pncp_api api);
unsigned pncp_fetch_limit(const struct pncp_fetch *fetch, enum pncp_api api);
/* Milliseconds until that API's brake opens; 0: open. */
uint64_t pncp_fetch_braked_ms(const struct pncp_fetch *fetch, enum pncp_api api);
struct pncp_fetch_counts pncp_fetch_counts(const struct pncp_fetch *fetch, enum pncp_api api);
/* CPU of the thread that polls: sending and receiving (the kernel's part included), judging bodies (the JSON parse is
 * nearly all of it). Zero without measure_cpu. */
struct pncp_fetch_cpu {
    uint64_t transport_us, json_us;
};
struct pncp_fetch_cpu pncp_fetch_cpu(const struct pncp_fetch *fetch);
size_t pncp_fetch_body_bytes(const struct pncp_fetch *fetch); /* of bodies being received */
/* Start what may start, wait up to timeout_ms (less when a back-off or brake ends sooner) and deliver. PNCP_E_NOMEM ·
 * PNCP_E_UNAVAILABLE, transient: an API has answered nothing good for outage_wait_ms; what was asked of it is not
 * failed. */
MUST_CHECK enum pncp_code pncp_fetch_poll(struct pncp_fetch *fetch, uint32_t timeout_ms, int extra_fd,
                                          struct pncp_err *err);
void pncp_fetch_wake(struct pncp_fetch *fetch); /* from any thread */

#endif
