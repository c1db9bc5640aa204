/*
 * The simulator as a whole. One thread, one libevent loop. A request is taken apart and judged when it arrives (which
 * fault, how long to wait) and answered when its time has come, so that waiting requests hold no bodies.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <event2/event.h>
#include <event2/http.h>

#include "api.h"
#include "fault.h"
#include "latency.h"
#include "tally.h"

struct sim_pending; /* server.c */
struct sim_stream;  /* truth.c */

struct sim {
    struct sim_generate_config generate; /* until the source is opened */
    struct sim_source source;
    struct sim_world world;
    struct sim_policy policy;
    struct sim_faults faults;
    struct sim_latency latency[SIM_APIS];
    struct sim_tally tally;
    uint32_t retry_after_s; /* header of a 429; 0: none, as the API does */

    char listen_host[64];
    uint16_t listen_port;
    const char *port_file, *data_dir; /* argv */
    bool data_missing_404;
    bool quiet;

    struct event_base *base;
    struct evhttp *http;
    struct sim_text scratch; /* the body being built; one at a time */
    struct sim_pending *pending;
    struct sim_stream *streams;
    bool stopping;
};

/* Defaults; no resources yet. */
void sim_init(struct sim *sim);
/* Everything that sim holds; the loop must not run any more. */
void sim_release(struct sim *sim);

/* Bind and serve; *ret_port is the port bound. PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code sim_server_start(struct sim *sim, uint16_t *ret_port, struct pncp_err *err);
/* Pending requests, streams, connections. */
void sim_server_stop(struct sim *sim);

/* The body in sim->scratch, or answer->body, as a plain reply. */
void sim_reply(struct sim *sim, struct evhttp_request *req, const struct sim_answer *answer);

/* /_truth: the whole day as NDJSON, in chunks. Takes the request over. */
void sim_truth_start(struct sim *sim, struct evhttp_request *req, const struct sim_request *request);
void sim_truth_stop(struct sim *sim);

/* /_stats and POST /_control. */
void sim_control_answer(struct sim *sim, struct evhttp_request *req, const struct sim_request *request,
                        struct sim_answer *answer);

#endif
