/* One multipart upload: a new version of an object from parts of the one before, which the store copies itself, and
 * what is sent (S3 API, "Multipart upload overview"). Begin it, add parts in order, complete or abort it. */
#ifndef PNCP_S3_UPLOAD_H
#define PNCP_S3_UPLOAD_H

#include "lake/lake.h"
#include "lake/s3_client.h"

#define PNCP_PART_MIN_BYTES ((uint64_t)5 * 1024 * 1024)        /* of each part but the last (S3 API, "Quotas") */
#define PNCP_COPY_MAX_BYTES ((uint64_t)5 * 1024 * 1024 * 1024) /* of one UploadPartCopy */
#define PNCP_PARTS_MAX 64                                      /* 320 GiB of copied bytes */
#define PNCP_UPLOAD_ID_BYTES 256

struct pncp_upload {
    struct pncp_lake *lake; /* borrowed */
    const char *path;
    uint64_t *sent;                /* as in pncp_s3_request */
    char id[PNCP_UPLOAD_ID_BYTES]; /* "": not begun */
    char etags[PNCP_PARTS_MAX][PNCP_S3_ETAG_BYTES];
    size_t parts;
};

/* `id`: of the write, as in pncp_body. */
MUST_CHECK enum pncp_code pncp_upload_begin(struct pncp_upload *upload, const char *id, struct pncp_err *err);
/* `len` bytes (1 … PNCP_COPY_MAX_BYTES) of the version expected. PNCP_E_CONFLICT: it is another by now · PNCP_E_PARSE:
 * it has fewer · PNCP_E_LIMIT: there is room for no part behind this one. */
MUST_CHECK enum pncp_code pncp_upload_copy(struct pncp_upload *upload, const struct pncp_version *expected,
                                           uint64_t from, uint64_t len, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_upload_send(struct pncp_upload *upload, const struct pncp_call_piece *pieces,
                                           size_t piece_count, struct pncp_err *err);
/* While the object's version is `expected`; asked once. PNCP_E_CONFLICT · PNCP_E_UNAVAILABLE: nobody knows whether it
 * was done. */
MUST_CHECK enum pncp_code pncp_upload_complete(struct pncp_upload *upload, const struct pncp_version *expected,
                                               struct pncp_version *ret_version, struct pncp_err *err);
/* Append what CompleteMultipartUpload is given. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_upload_list(const struct pncp_upload *upload, struct pncp_buf *ret_xml);
/* Best effort: what stays is aborted when it is a day old. One that has not begun is fine. */
void pncp_upload_abort(struct pncp_upload *upload);
/* Uploads that a killed run has left cost space and are seen by nobody. Those of a day ago are of no run that lives; a
 * younger one may be. Best effort, once a run: what fails now is there the next time. */
void pncp_upload_abort_old(struct pncp_lake *lake, const char *path);

#endif
