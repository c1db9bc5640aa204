/*
 * One signed request to an S3 store per call, over libcurl: credentials, clock and region are put right where the store
 * says that they are wrong, and what may be asked twice is asked again when there was no answer. No meaning of
 * conditions: 404, 409 and 412 are answers like any other. Threads: any; each call has a connection of its own, which
 * is kept for the next.
 */
#ifndef PNCP_S3_CLIENT_H
#define PNCP_S3_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "http/call.h"
#include "lake/sigv4.h"

#define PNCP_S3_ETAG_BYTES 96
#define PNCP_S3_ID_BYTES 40
#define PNCP_S3_ID_HEADER "x-amz-meta-pncp-commit" /* which write an object comes from */

struct pncp_s3;
#define PNCP_S3_PAIRS_MAX 5
struct pncp_s3_request {
    const char *method;                                /* GET HEAD PUT POST DELETE */
    const char *path;                                  /* in the lake, or NULL: the bucket */
    struct pncp_sigv4_pair query[PNCP_S3_PAIRS_MAX];   /* up to the first without a name */
    struct pncp_sigv4_pair headers[PNCP_S3_PAIRS_MAX]; /* lower case; likewise */
    const struct pncp_call_piece *pieces;              /* the body */
    size_t piece_count;
    uint64_t *sent;          /* grows by what was sent of the body, each try; NULL: not counted */
    size_t answer_max_bytes; /* 0: 1 MiB */
    uint32_t timeout_ms;     /* 0: as long as bytes go back and forth */
    bool once;               /* asked again it might do something else: no answer is the caller's to find out about */
};

struct pncp_s3_answer {
    long status;
    char etag[PNCP_S3_ETAG_BYTES]; /* as it came, with its quotes */
    char id[PNCP_S3_ID_BYTES];     /* PNCP_S3_ID_HEADER, "" without */
    char code[48];                 /* of an error that has a body: "NoSuchKey" */
    uint64_t object_bytes;         /* of the whole object: Content-Range's total, else Content-Length */
    uint64_t from;                 /* Content-Range's first byte */
    struct pncp_buf body;          /* release it; it is empty when there was no answer */
};

/* `url`: s3://bucket[/prefix]; the rest from the environment (s3_config.h). Errors of s3_config.h, s3_credentials.h ·
 * PNCP_E_NOMEM. Nothing is asked yet. */
MUST_CHECK enum pncp_code pncp_s3_new(const char *url, struct pncp_s3 **ret_s3, struct pncp_err *err);
void pncp_s3_free(struct pncp_s3 *s3);
char *pncp_s3_url(const struct pncp_s3 *s3); /* s3://bucket[/prefix]; the caller's; NULL: out of memory */
/* Append the key of `path`, which has the lake's prefix. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_s3_key(const struct pncp_s3 *s3, const char *path, struct pncp_buf *ret_key);
/* Append the object as x-amz-copy-source names it, and a NUL. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_s3_copy_source(const struct pncp_s3 *s3, const char *path, struct pncp_buf *ret_source);
/* The store's clock, as far as its last answer tells it: UTC seconds. */
int64_t pncp_s3_now_s(struct pncp_s3 *s3);

struct pncp_s3_place {                      /* borrowed until the next request */
    const char *endpoint, *region, *source; /* of the credentials */
    bool path_style, tls,
        ahead_signed; /* ahead_signed: our clock is too far off, requests are signed with the store's */
    int64_t ahead_s;  /* the store's clock before ours */
};
void pncp_s3_place(struct pncp_s3 *s3, struct pncp_s3_place *ret_place);

/* PNCP_OK: there is an answer, whatever its status · PNCP_E_UNAVAILABLE, transient: none, and for a `once` nobody knows
 * whether it was done · PNCP_E_IO: the store's certificate is not trusted · PNCP_E_LIMIT: the answer is too large ·
 * errors of the credentials · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_s3_ask(struct pncp_s3 *s3, const struct pncp_s3_request *request,
                                      struct pncp_s3_answer *ret_answer, struct pncp_err *err);
void pncp_s3_answer_release(struct pncp_s3_answer *answer);

/* The error that an answer is which the caller did not expect: PNCP_E_NOTFOUND (404 of an object) · PNCP_E_CONFLICT
 * (409, 412) · PNCP_E_UNAVAILABLE, transient (429, 5xx) · PNCP_E_IO (403, no such bucket, all else): with the fix in
 * it. */
enum pncp_code pncp_s3_refused(const struct pncp_s3 *s3, const struct pncp_s3_request *request,
                               const struct pncp_s3_answer *answer, struct pncp_err *err);

#endif
