/* One object of an S3 lake: requests about it, and what their answers mean for a version that is expected. */
#ifndef PNCP_S3_OBJECT_H
#define PNCP_S3_OBJECT_H

#include "lake/lake.h"
#include "lake/s3_client.h"

#define PNCP_S3_RANGE_BYTES 64
void pncp_s3_range(uint64_t from, uint64_t len, char ret_text[PNCP_S3_RANGE_BYTES]); /* "bytes=0-9"; len ≥ 1 */
/* If-Match the version expected, or If-None-Match when nothing is to be there. Borrows it. */
struct pncp_sigv4_pair pncp_s3_condition(const struct pncp_version *expected);

/* pncp_s3_ask, and any status but 2xx is the error of pncp_s3_refused; *ret_answer is empty then. */
MUST_CHECK enum pncp_code pncp_s3_ask_good(struct pncp_lake *lake, const struct pncp_s3_request *request,
                                           struct pncp_s3_answer *ret_answer, struct pncp_err *err);
/* PNCP_E_UNAVAILABLE, transient: the answer was neither yes nor no, and the object's history has to tell. */
enum pncp_code pncp_s3_unclear(const struct pncp_lake *lake, const char *path, const char *why, struct pncp_err *err);
/* `rc` of a request with a condition: what means that the version expected is gone becomes PNCP_E_CONFLICT. */
enum pncp_code pncp_s3_lost(const struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                            enum pncp_code rc, struct pncp_err *err);

/* `len` bytes (≥ 1) of that version, into *ret_bytes, which is released before. PNCP_E_CONFLICT: it is another by now ·
 * PNCP_E_PARSE: it has fewer · PNCP_E_UNAVAILABLE. */
MUST_CHECK enum pncp_code pncp_s3_read_range(struct pncp_lake *lake, const char *path,
                                             const struct pncp_version *version, uint64_t from, uint64_t len,
                                             struct pncp_buf *ret_bytes, struct pncp_err *err);
struct pncp_s3_put { /* a whole object */
    const struct pncp_call_piece *pieces;
    size_t piece_count;
    const char *id; /* as in pncp_body */
    uint64_t *sent; /* as in pncp_s3_request */
};
/* The object becomes that, while its version is `expected`. PNCP_E_CONFLICT · PNCP_E_UNAVAILABLE: nobody knows whether
 * it was done. */
MUST_CHECK enum pncp_code pncp_s3_put_if(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                         const struct pncp_s3_put *put, struct pncp_version *ret_version,
                                         struct pncp_err *err);

#endif
