/*
 * Who we are to an S3 store: access key, secret and perhaps a session token, from the first of these that is set, read
 * again before they expire.
 *
 *   1  AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)
 *   2  MINIO_ACCESS_KEY and MINIO_SECRET_KEY
 *   3  web identity: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN (and AWS_ROLE_SESSION_NAME), given to STS at
 *      AWS_ENDPOINT_URL_STS or https://sts.REGION.amazonaws.com ("AssumeRoleWithWebIdentity", STS API reference)
 *   4  the profile (s3_config.h): aws_access_key_id, aws_secret_access_key, aws_session_token
 *   5  a container's endpoint: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI, with
 *      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN ("Container credential provider",
 *      docs.aws.amazon.com/sdkref, feature-container-credentials)
 *
 * There is no IMDS, SSO or credential_process. An empty variable counts as not set. Sequence: init -> get for each
 * request, refused when the store says so -> release. Threads: get and refused from any number of them; nobody waits
 * for an answer from 3 or 5 while the credentials at hand are valid. Secrets are overwritten before their memory is
 * given back, and no message has one.
 */
#ifndef PNCP_S3_CREDENTIALS_H
#define PNCP_S3_CREDENTIALS_H

#include "base/buf.h"
#include "base/err.h"

#include <pthread.h>

/* With less left they are read again: a request, and its retries, take less than that. */
#define PNCP_S3_REFRESH_LEFT_S 300
/* Not read again before so much time has gone by: who gives them may be out. */
#define PNCP_S3_REFRESH_EVERY_S 10
/* An answer with credentials has 1 to 3 KB; the session token is the large part of it. */
#define PNCP_S3_ANSWER_MAX_BYTES ((size_t)64 * 1024)

/* One HTTP request: GET, or with a `form` (not NULL) POST of it as application/x-www-form-urlencoded, which is all that
 * MinIO's STS takes. The body of a 200 is appended to *ret_body, which is empty and has room for
 * PNCP_S3_ANSWER_MAX_BYTES, its ceiling. `authorization`: the value of that header, or NULL. Called without a lock, by
 * one thread at a time; it should give up within some seconds, and ask http without a `form` through no proxy: that is
 * a container's endpoint on this machine.
 * `authorization`, `form` and what is behind the '?' of `url` are secrets: no message has them.
 * PNCP_E_UNSUPPORTED: a 4xx, we are refused · PNCP_E_UNAVAILABLE: another status, or no answer · PNCP_E_LIMIT: a larger
 * body · PNCP_E_NOMEM · PNCP_E_CANCELLED. */
typedef enum pncp_code pncp_s3_fetch_fn(void *ctx, const char *url, const char *authorization, const char *form,
                                        struct pncp_buf *ret_body, struct pncp_err *err);

struct pncp_s3_keys { /* what a request is signed with: printable ASCII without blanks, but for the secret */
    char *access_key, *secret_key;
    char *session_token;  /* NULL: none */
    int64_t expires_at_s; /* UTC; 0: never, or nobody says */
    const char *source;   /* for people: "AWS_ACCESS_KEY_ID", "the profile" …; static */
    uint64_t serial;      /* another each time they are read */
};
void pncp_s3_keys_release(struct pncp_s3_keys *keys); /* zeroed is fine */

struct pncp_s3_credentials {
    pthread_mutex_t mutex; /* over all that is below */
    pthread_cond_t read;   /* an attempt has ended */
    bool ready;            /* initialised */
    char *region;
    pncp_s3_fetch_fn *fetch;
    void *ctx;
    struct pncp_s3_keys keys; /* access_key NULL: none yet */
    bool refused;             /* the store will not have them */
    bool reading, tried;
    int64_t tried_at_s;
    struct pncp_err why; /* of the last attempt; PNCP_OK when it succeeded */
};

/* `region`: of s3_config, copied; `ctx` is borrowed until release. Nothing is read yet. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_s3_credentials_init(struct pncp_s3_credentials *creds, const char *region,
                                                   pncp_s3_fetch_fn *fetch, void *ctx, struct pncp_err *err);
void pncp_s3_credentials_release(struct pncp_s3_credentials *creds); /* zeroed is fine */

/* A copy of the credentials for a request at `now_s` (UTC), which the caller releases. They are read, in the order
 * above, when there are none, when the store has refused them, and when fewer than PNCP_S3_REFRESH_LEFT_S are left; at
 * most every PNCP_S3_REFRESH_EVERY_S. An attempt that fails is no error while those at hand are valid.
 * PNCP_E_USAGE: nothing is set (the message says what to set), half a pair is, or what is set makes no sense; the
 * message names the variable or file · PNCP_E_PARSE: a malformed file or answer · PNCP_E_IO PNCP_E_LIMIT: a file cannot
 * be read, is too large · PNCP_E_UNAVAILABLE, transient: STS or the container's endpoint gave none, also when it
 * refused us, or gave expired ones; the store has refused those at hand and there is nothing newer · PNCP_E_NOMEM
 * PNCP_E_CANCELLED.
 * Once there were some, a run has rows to save, so that it can only wait: USAGE, IO and LIMIT become UNAVAILABLE then,
 * and PARSE is transient. */
MUST_CHECK enum pncp_code pncp_s3_credentials_get(struct pncp_s3_credentials *creds, int64_t now_s,
                                                  struct pncp_s3_keys *ret_keys, struct pncp_err *err);
/* The store does not take `keys`, or no longer: the next get reads anew, files too.
 * Nothing happens when that has been done since. */
void pncp_s3_credentials_refused(struct pncp_s3_credentials *creds, const struct pncp_s3_keys *keys);

#endif
