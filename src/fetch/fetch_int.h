/* The fetcher, between the files of fetch/ only. */
#ifndef PNCP_FETCH_INT_H
#define PNCP_FETCH_INT_H

#include "fetch/aimd.h"
#include "fetch/breaker.h"
#include "fetch/queue.h"
#include "fetch/rate.h"

#define PNCP_PROBE_URL_BYTES 1024

/* What is asked to find out whether an API is there. */
struct pncp_probe {
    struct pncp_fetch_request request; /* of its own, never handed to the owner */
    char url[PNCP_PROBE_URL_BYTES];
    bool known;                     /* it has been answered well before */
    unsigned candidates;            /* tried as long as it was not known */
    struct pncp_fetch_request *out; /* in flight: its own, or an ordinary one that was let through alone */
};

struct pncp_fetch_api {
    struct pncp_queue ready;   /* waiting for a free place */
    struct pncp_queue resting; /* in back-off; in no order: few */
    struct pncp_queue doomed;  /* failed for good, if the API is there */
    size_t in_flight;
    struct pncp_breaker breaker;
    struct pncp_probe probe;
    char trouble[PNCP_REASON_TEXT_BYTES]; /* the last failure, for the message */
    struct pncp_aimd aimd;
    struct pncp_rate rate;
    uint64_t braked_until_ms;
    struct pncp_fetch_counts counts;
};

struct pncp_fetch {
    struct pncp_fetch_options options;
    struct pncp_http *http;
    pncp_fetch_done_fn *done;
    pncp_fetch_note_fn *note;
    pncp_fetch_candidate_fn *candidate; /* NULL: none */
    void *ctx;
    struct pncp_fetch_api apis[PNCP_APIS];
    uint64_t random;
    struct pncp_json_room room; /* for answers that are done with when their done call returns */
    enum pncp_code failed;      /* starting a request: no memory */
    struct pncp_fetch_cpu cpu;
    uint64_t handled_us; /* CPU of on_response so far, which runs within the transport's poll */
};

void pncp_fetch_tell(struct pncp_fetch *fetch, enum pncp_fetch_note_kind kind, const struct pncp_fetch_request *request,
                     const struct pncp_verdict *verdict, uint64_t wait_ms);
/* Send it now. False: it is not out, and the caller's still; fetch->failed tells whether that will ever be otherwise.
 */
MUST_CHECK bool pncp_fetch_send(struct pncp_fetch *fetch, struct pncp_fetch_api *api,
                                struct pncp_fetch_request *request, uint64_t now);

/* ---- outage.c: is an API there? (breaker.h) ---------------------------------------------------- */
/* Is it a failure that every request of an API that is out would have? */
bool pncp_outage_is_bad(const struct pncp_verdict *verdict);
/* Count a failure, as one that is not proven to be the request's own. */
void pncp_outage_count_failure(const struct pncp_fetch_api *api, struct pncp_fetch_request *request);
/* It has failed, for good if something that is sent from here on is answered well. */
void pncp_outage_doom(struct pncp_fetch_api *api, struct pncp_fetch_request *request,
                      const struct pncp_verdict *verdict);
/* What an answer says of its API; the doomed ones may be done by it. `probe`: the answer to what was sent as one. */
void pncp_outage_judge(struct pncp_fetch *fetch, const struct pncp_fetch_request *request, bool probe,
                       const struct pncp_verdict *verdict);
/* When nothing is under way that could prove anything, and that is wanted: a probe is due. */
void pncp_outage_look(struct pncp_fetch_api *api, uint64_t now);
bool pncp_outage_probe_is_due(const struct pncp_fetch_api *api);
void pncp_outage_start_probe(struct pncp_fetch *fetch, enum pncp_api number, uint64_t now); /* when it is time */
/* PNCP_E_UNAVAILABLE: an API has answered nothing good for outage_wait_ms. */
MUST_CHECK enum pncp_code pncp_outage_given_up(const struct pncp_fetch *fetch, uint64_t now, struct pncp_err *err);

#endif
