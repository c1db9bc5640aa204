/*
 * Transport only: many HTTP requests at once over libcurl multi, with keep-alive and deadlines. One thread drives a
 * pncp_http; pncp_http_wake may be called from any thread and from signal handlers' self-pipes. No retries, no meaning
 * of status codes.
 */
#ifndef PNCP_HTTP_H
#define PNCP_HTTP_H

#include "base/buf.h"
#include "base/err.h"

enum pncp_http_end {
    PNCP_HTTP_OK,
    PNCP_HTTP_UNREACHABLE,
    PNCP_HTTP_RESET,
    PNCP_HTTP_TIMEOUT,
    PNCP_HTTP_TRUNCATED,
    PNCP_HTTP_TOO_LARGE,
    PNCP_HTTP_CANCELLED
};

struct pncp_http_response {
    enum pncp_http_end end;
    long status;          /* 0: none */
    struct pncp_buf body; /* the handler may take it */
    char retry_after[64]; /* header's value, "" without */
    char message[128];    /* curl's word for what failed, "" on OK */
    uint32_t total_ms;
};

/* Called from pncp_http_poll for each finished request; may start new ones. */
typedef void pncp_http_done_fn(void *ctx, void *user, struct pncp_http_response *response);

struct pncp_http_options {
    unsigned connections_max; /* requests in flight at once; the connection cache is at least as large */
    const char *user_agent;
    size_t body_max_bytes;
    uint32_t connect_timeout_ms;
};

struct pncp_http;
MUST_CHECK enum pncp_code pncp_http_new(const struct pncp_http_options *options, pncp_http_done_fn *done, void *ctx,
                                        struct pncp_http **ret_http, struct pncp_err *err);
void pncp_http_free(struct pncp_http *http); /* cancels what is in flight without calling back */
/* Start GET `url` (copied). PNCP_E_LIMIT: connections_max are in flight · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_http_get(struct pncp_http *http, const char *url, uint32_t timeout_ms, void *user,
                                        struct pncp_err *err);
size_t pncp_http_in_flight(const struct pncp_http *http);
size_t pncp_http_body_bytes(const struct pncp_http *http); /* received so far by what is in flight */
/* Wait up to timeout_ms for something to happen and deliver what finished. `extra_fd` (-1: none) is waited for as well.
 */
MUST_CHECK enum pncp_code pncp_http_poll(struct pncp_http *http, uint32_t timeout_ms, int extra_fd,
                                         struct pncp_err *err);
void pncp_http_wake(struct pncp_http *http);

#endif
