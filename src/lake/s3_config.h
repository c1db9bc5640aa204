/*
 * Where an S3 lake is: endpoint, bucket, prefix, region and CA bundle, from its URL, the environment and the files that
 * the AWS tools share. Nothing is asked of the store.
 *
 *   endpoint  AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, MINIO_ENDPOINT_URL, `endpoint_url` of the profile; else AWS itself
 *   region    AWS_REGION, AWS_DEFAULT_REGION, MINIO_REGION_NAME, `region` of the profile; else us-east-1
 *   CA        AWS_CA_BUNDLE, `ca_bundle` of the profile, CURL_CA_BUNDLE, SSL_CERT_FILE; else the system's
 *   profile   AWS_PROFILE, AWS_DEFAULT_PROFILE; else "default"
 *
 * A profile is what ~/.aws/credentials (AWS_SHARED_CREDENTIALS_FILE) and ~/.aws/config (AWS_CONFIG_FILE) say of it, the
 * first before the second; a file that is not there says nothing. Their format: "Using shared config and credentials
 * files", AWS SDKs and tools reference guide, docs.aws.amazon.com/sdkref/latest/guide/file-format.html.
 * An empty variable counts as not set.
 */
#ifndef PNCP_S3_CONFIG_H
#define PNCP_S3_CONFIG_H

#include "base/err.h"

/* S3 allows keys of 1024 bytes; what we put behind the prefix has less than 200. */
#define PNCP_S3_PREFIX_MAX_BYTES 512
/* The largest shared file read: thousands of profiles. */
#define PNCP_S3_FILE_MAX_BYTES ((size_t)1024 * 1024)

struct pncp_s3_config {
    char *endpoint;  /* before a request's path: "http://127.0.0.1:9000", "https://a.s3.us-east-1.amazonaws.com" */
    char *host;      /* the Host header: without the scheme's own port, as curl sends it */
    char *bucket;    /* 3..63 of [a-z0-9.-] */
    char *prefix;    /* "" or "a/b": no slash at either end, no empty segment, not percent-encoded */
    char *region;    /* of the signature: 1..64 of [A-Za-z0-9_-] */
    char *ca_bundle; /* file or folder; NULL: the system's. libcurl reads none of those variables by itself */
    bool path_style; /* paths are /bucket/key; else /key, and the bucket is in the host */
};

/* `url`: s3://bucket[/prefix]; without a bucket that of BUCKET_BRONZE. Slashes at its end do not count.
 * Path style: with an endpoint always (only AWS itself has names for buckets everywhere); on AWS for a bucket with a
 * dot, which a TLS wildcard does not cover, and when the profile's `addressing_style`, in its block `s3`, is `path`.
 * *ret_config is set on PNCP_OK only and released with pncp_s3_config_release.
 * PNCP_E_USAGE: the URL (one that ends in pncp_details too: the message names the right one), an endpoint (not http or
 * https, with path, query or user info) or a region that cannot be, a profile named that no file has; the message says
 * in which variable or file · PNCP_E_PARSE: a shared file is malformed, with its line · PNCP_E_LIMIT: it is larger than
 * PNCP_S3_FILE_MAX_BYTES · PNCP_E_IO: it cannot be read · PNCP_E_NOMEM. No message quotes a file's line or a value that
 * may hold a secret. */
MUST_CHECK enum pncp_code pncp_s3_config_load(const char *url, struct pncp_s3_config *ret_config, struct pncp_err *err);
void pncp_s3_config_release(struct pncp_s3_config *config); /* zeroed is fine */

#endif
