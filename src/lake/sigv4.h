/*
 * Signature Version 4 for S3: a request and a key -> the target and the header lines to send. Pure: no network, no
 * clock. From the Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload
 * in a Single Chunk" (read 2026-11), whose examples, with those of AWS's signing test suite, are the tests.
 *
 * What is signed must go over the wire byte for byte. With libcurl: scheme, host and target as the URL, with
 * CURLOPT_PATH_AS_IS; each line of headers by curl_slist_append; and what curl would add of its own is either among the
 * headers here or taken away ("Expect:", "Content-Type:"). Nothing follows a redirect: it needs a signature of its own.
 * CURLOPT_AWS_SIGV4 of 7.88 will not do: it cannot sign UploadPartCopy, nor two names of which one begins the other.
 *
 * Not here: services that want "." and ".." resolved and the path encoded twice (all but S3: only a path without
 * anything to encode or resolve is signed right for them), signatures in the query, bodies signed chunk by chunk.
 */
#ifndef PNCP_SIGV4_H
#define PNCP_SIGV4_H

#include "base/buf.h"
#include "base/err.h"

/* What payload_hash may be, besides pncp_sha256_hex of the body. */
#define PNCP_SIGV4_NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* hash of no bytes */
#define PNCP_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD" /* not known; only over https, which protects the body */

/* Most parameters of a query, and most headers of the caller's. The S3 requests that we know have six at most. */
#define PNCP_SIGV4_PAIRS_MAX 16

struct pncp_sigv4_key {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL or blank: a key without one */
    const char *region;        /* "us-east-1", which most stores that are not AWS take for theirs */
    const char *service;       /* "s3"; for others x-amz-content-sha256 is left out */
};

struct pncp_sigv4_pair {
    const char *name, *value;
};

struct pncp_sigv4_request {
    const char *method; /* "GET" */
    const char *host;   /* as in the URL, with its port when that is not the scheme's */
    const char *path;   /* raw, begins with '/'; what S3 calls a key is after "/" or "/bucket/" */
    /* Raw, in any order, a name more than once if need be; value "" for a name alone ("uploads"). */
    const struct pncp_sigv4_pair *query;
    size_t query_count;
    /* To be sent and signed besides host, x-amz-date, x-amz-content-sha256 and x-amz-security-token. Names in lower
     * case, each once; a value is not blank (curl would not send it). In any order. */
    const struct pncp_sigv4_pair *headers;
    size_t header_count;
    const char *payload_hash;
    int64_t time_us; /* UTC; stores refuse one that is 15 minutes from their own */
};

/* Both buffers are cleared first; after an error what they hold is of no use.
 *   ret_target   "/path?a=1&uploads=", encoded and in the order that is signed; a NUL, not counted in len, behind it.
 *   ret_headers  "name:value" lines, each ended by a NUL, in the order of the names, "authorization:…" at the end.
 *                White space is as it is signed: none at the ends of a value, one space for each run within, so that no
 *                value begins a line of its own.
 * PNCP_E_LIMIT: more than PNCP_SIGV4_PAIRS_MAX, or a buffer's ceiling · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_sigv4_sign(const struct pncp_sigv4_key *key, const struct pncp_sigv4_request *request,
                                          struct pncp_buf *ret_target, struct pncp_buf *ret_headers);

/* Append `text` percent-encoded as signatures have it: A-Z a-z 0-9 - . _ ~ stay (RFC 3986, 2.3), and '/' when
 * keep_slashes; each other byte is %XX in upper case. For headers that hold a path (x-amz-copy-source). PNCP_E_NOMEM ·
 * PNCP_E_LIMIT: the buffer's ceiling. */
MUST_CHECK enum pncp_code pncp_percent_encode(struct pncp_buf *buf, const char *text, bool keep_slashes);

#define PNCP_SHA256_HEX_BYTES 65
/* SHA-256 (FIPS 180-4) in lower-case hex digits. PNCP_E_NOMEM: OpenSSL allocates. */
MUST_CHECK enum pncp_code pncp_sha256_hex(const void *data, size_t len, char ret_hex[PNCP_SHA256_HEX_BYTES]);

#endif
