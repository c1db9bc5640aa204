/*
 * One HTTP request and its answer, waited for: for whoever talks to a store, not to the API (http.h is for that).
 * Bodies come from memory and from files, and can be sent again when a kept connection turns out to be dead. No
 * retries, no meaning of status codes. Threads: any; each call has a connection of its own, which is kept for the next.
 */
#ifndef PNCP_CALL_H
#define PNCP_CALL_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

struct pncp_calls; /* kept connections */
MUST_CHECK enum pncp_code pncp_calls_new(struct pncp_calls **ret_calls);
void pncp_calls_free(struct pncp_calls *calls); /* NULL is fine; no call is under way */

struct pncp_call_piece { /* of a body: `len` bytes of `fd` from `at` on, or, when len is 0, `bytes` */
    struct pncp_view bytes;
    int fd;
    uint64_t at, len;
};
/* Up to `len` bytes of a piece from `at` on, its end is at pncp_call_piece_bytes; -1 and errno: it cannot be read. */
ssize_t pncp_call_piece_read(const struct pncp_call_piece *piece, uint64_t at, char *data, size_t len);
uint64_t pncp_call_piece_bytes(const struct pncp_call_piece *piece);

struct pncp_call {
    const char *method; /* GET HEAD PUT POST DELETE */
    const char *url;    /* sent as it is, byte for byte */
    /* "name:value" lines, each ended by a NUL. Of curl's own only Host, Content-Length and User-Agent are sent besides,
     * where they are not among these. */
    struct pncp_view headers;
    const struct pncp_call_piece *pieces; /* the body of a PUT or POST */
    size_t piece_count;
    const char *ca;      /* file or folder of certificates; NULL: the system's */
    bool direct;         /* through no proxy */
    uint32_t timeout_ms; /* for all of it; 0: as long as bytes go back and forth once a minute */
    size_t answer_max_bytes;
    void (*on_header)(void *ctx, struct pncp_view line); /* each line of the answer's head; may be NULL */
    void *ctx;
};

struct pncp_call_answer {
    long status;
    uint64_t sent_bytes;  /* of the body, also on error; what was sent twice counts twice */
    struct pncp_buf body; /* the caller's, also on error; empty then */
    char why[256];        /* on error, for people */
};

/* PNCP_E_UNAVAILABLE: no answer, or not all of it · PNCP_E_IO: the certificate is not trusted · PNCP_E_PARSE: a piece
 * cannot be read · PNCP_E_LIMIT: more than answer_max_bytes · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_call_make(struct pncp_calls *calls, const struct pncp_call *call,
                                         struct pncp_call_answer *ret_answer);

#endif
