#include "lake/s3_client.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/random.h"
#include "http/call.h"
#include "lake/s3_config.h"
#include "lake/s3_credentials.h"
#include "lake/s3_xml.h"
#include "lake/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ANSWER_MAX_BYTES ((size_t)1024 * 1024)
#define TRIES_MAX 4
#define RETRY_FIRST_MS 100
#define CREDENTIALS_TIMEOUT_MS 5000
#define FORM_HEADER "Content-Type: application/x-www-form-urlencoded"
#define RIGHTS_MAX 2 /* clock, region, credentials: put right once each, hardly more than one of them */
#define CHUNK_BYTES ((size_t)64 * 1024)
#define ERROR_BYTES ((size_t)64 * 1024) /* room for what an error says, however little was asked for */

struct pncp_s3 {
    char *url; /* s3://bucket[/prefix] */
    struct pncp_s3_config config;
    struct pncp_s3_credentials credentials;
    struct pncp_calls *calls;
    pthread_mutex_t mutex; /* for what follows */
    int64_t ahead_s;       /* the store's clock before ours, as its last answer told */
    bool ahead_signed;     /* ours is too far off: sign with the store's */
    bool served;           /* it has said yes to us */
    char region[64];
    const char *source; /* of the credentials; static */
};

/* One request on its way. */
struct transfer {
    const struct pncp_s3_request *request;
    struct pncp_s3_answer *answer;
    char date[64], region[64];
    struct pncp_s3_keys keys; /* what it was signed with */
};

/* ---- the answer's head ----------------------------------------------------------------------- */

/* The value of header `name` ("etag:") in a line, without blanks around it. */
static bool header_value(struct pncp_view line, const char *name, char *ret_value, size_t bytes)
{
    size_t at = strlen(name);
    if (line.len < at || strncasecmp(line.data, name, at) != 0)
        return false;
    while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
        at++;
    size_t len = line.len - at;
    while (len > 0 &&
           (line.data[at + len - 1] == '\r' || line.data[at + len - 1] == '\n' || line.data[at + len - 1] == ' '))
        len--;
    (void)snprintf(ret_value, bytes, "%.*s", (int)PNCP_MIN(len, bytes - 1), line.data + at);
    return true;
}

static void on_header(void *ctx, struct pncp_view line)
{
    struct transfer *t = ctx;
    char value[128];
    if (header_value(line, "content-range:", value, sizeof(value))) {
        char *end = value; /* "bytes 0-9/20" */
        const char *slash = strchr(value, '/');
        if (strncmp(value, "bytes ", 6) == 0 && slash != NULL) {
            t->answer->from = strtoull(value + 6, &end, 10);
            t->answer->object_bytes = strtoull(slash + 1, &end, 10);
        }
    } else if (header_value(line, "content-length:", value, sizeof(value))) {
        char *end;
        if (t->answer->object_bytes == 0)
            t->answer->object_bytes = strtoull(value, &end, 10);
    } else if (!header_value(line, "etag:", t->answer->etag, sizeof(t->answer->etag)) &&
               !header_value(line, PNCP_S3_ID_HEADER ":", t->answer->id, sizeof(t->answer->id)) &&
               !header_value(line, "date:", t->date, sizeof(t->date))) {
        (void)header_value(line, "x-amz-bucket-region:", t->region, sizeof(t->region));
    }
}

/* ---- one request ----------------------------------------------------------------------------- */

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "s3: out of memory");
}

static enum pncp_code hash_piece(EVP_MD_CTX *hash, const struct pncp_call_piece *piece, struct pncp_err *err)
{
    if (piece->len == 0)
        return EVP_DigestUpdate(hash, piece->bytes.data, piece->bytes.len) == 1 ? PNCP_OK : no_memory(err);
    AUTO(pncp_free_ptr) char *chunk = pncp_malloc(CHUNK_BYTES);
    if (chunk == NULL)
        return no_memory(err);
    for (uint64_t at = 0; at < piece->len;) {
        ssize_t got = pncp_call_piece_read(piece, at, chunk, CHUNK_BYTES);
        if (got <= 0)
            return pncp_err_set(err, PNCP_E_IO, "s3: what is to be sent cannot be read");
        if (EVP_DigestUpdate(hash, chunk, (size_t)got) != 1)
            return no_memory(err);
        at += (uint64_t)got;
    }
    return PNCP_OK;
}

/* The SHA-256 of the body, in hex. */
static enum pncp_code hash_body(const struct pncp_s3_request *request, char ret_hex[PNCP_SHA256_HEX_BYTES],
                                struct pncp_err *err)
{
    if (request->piece_count == 0) {
        memcpy(ret_hex, PNCP_SIGV4_NO_BODY, PNCP_SHA256_HEX_BYTES);
        return PNCP_OK;
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    enum pncp_code rc = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? PNCP_OK : no_memory(err);
    for (size_t i = 0; rc == PNCP_OK && i < request->piece_count; i++)
        rc = hash_piece(hash, &request->pieces[i], err);
    if (rc == PNCP_OK && EVP_DigestFinal_ex(hash, digest, &len) != 1)
        rc = no_memory(err);
    EVP_MD_CTX_free(hash);
    if (rc == PNCP_OK)
        pncp_hex(digest, len, ret_hex);
    return rc;
}

/* The request's target, and its header lines: signed for this moment. */
static enum pncp_code sign(struct pncp_s3 *s3, struct transfer *t, struct pncp_buf *ret_target,
                           struct pncp_buf *ret_headers, struct pncp_err *err)
{
    const struct pncp_s3_request *request = t->request;
    AUTO(pncp_buf_release) struct pncp_buf path = {0};
    char payload[PNCP_SHA256_HEX_BYTES], region[sizeof(s3->region)];
    size_t query_count = 0, header_count = 0;
    while (query_count < PNCP_S3_PAIRS_MAX && request->query[query_count].name != NULL)
        query_count++;
    while (header_count < PNCP_S3_PAIRS_MAX && request->headers[header_count].name != NULL)
        header_count++;
    int64_t now_us = pncp_clock_now_us();
    enum pncp_code rc = pncp_s3_credentials_get(&s3->credentials, now_us / 1000000, &t->keys, err);
    if (rc == PNCP_OK)
        rc = hash_body(request, payload, err);
    if (rc != PNCP_OK)
        return rc;
    (void)pthread_mutex_lock(&s3->mutex);
    memcpy(region, s3->region, sizeof(region));
    s3->source = t->keys.source;
    now_us += s3->ahead_signed ? s3->ahead_s * 1000000 : 0;
    (void)pthread_mutex_unlock(&s3->mutex);
    if (pncp_buf_text(&path, "/") != PNCP_OK ||
        (s3->config.path_style &&
         pncp_buf_format(&path, "%s%s", s3->config.bucket, request->path == NULL ? "" : "/") != PNCP_OK) ||
        (request->path != NULL && pncp_s3_key(s3, request->path, &path) != PNCP_OK) ||
        pncp_buf_append(&path, "", 1) != PNCP_OK)
        return no_memory(err);
    const struct pncp_sigv4_key key = {.access_key = t->keys.access_key,
                                       .secret_key = t->keys.secret_key,
                                       .session_token = t->keys.session_token,
                                       .region = region,
                                       .service = "s3"};
    const struct pncp_sigv4_request what = {.method = request->method,
                                            .host = s3->config.host,
                                            .path = path.data,
                                            .query = request->query,
                                            .query_count = query_count,
                                            .headers = request->headers,
                                            .header_count = header_count,
                                            .payload_hash = payload,
                                            .time_us = now_us};
    rc = pncp_sigv4_sign(&key, &what, ret_target, ret_headers);
    return rc == PNCP_OK ? PNCP_OK : no_memory(err);
}

/* What became of a call that had no answer. */
static enum pncp_code failed(const struct pncp_s3 *s3, const struct pncp_s3_request *request, enum pncp_code rc,
                             const char *why, struct pncp_err *err)
{
    const char *path = request->path == NULL ? "" : request->path;
    switch (rc) {
    case PNCP_E_NOMEM:
        return no_memory(err);
    case PNCP_E_LIMIT:
        return pncp_err_set(err, rc, "lake %s: the answer to %s %s is too large", s3->url, request->method, path);
    case PNCP_E_PARSE:
        return pncp_err_set(err, PNCP_E_IO, "lake %s: what was to be sent to %s cannot be read", s3->url, path);
    case PNCP_E_IO:
        return pncp_err_set(
            err, rc, "lake %s: the certificate of %s is not trusted (%s); set AWS_CA_BUNDLE to the file of its CA",
            s3->url, s3->config.endpoint, why);
    default:
        return pncp_err_transient(err, pncp_err_set(err, PNCP_E_UNAVAILABLE, "lake %s: no answer from %s (%s)", s3->url,
                                                    s3->config.endpoint, why));
    }
}

static enum pncp_code ask_once(struct pncp_s3 *s3, struct transfer *t, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf url = {0};
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    const struct pncp_s3_request *request = t->request;
    enum pncp_code rc = sign(s3, t, &target, &headers, err);
    if (rc == PNCP_OK && (pncp_buf_format(&url, "%s%s", s3->config.endpoint, target.data) != PNCP_OK ||
                          pncp_buf_append(&url, "", 1) != PNCP_OK))
        rc = no_memory(err);
    if (rc != PNCP_OK)
        return rc;
    const struct pncp_call call = {.method = request->method,
                                   .url = url.data,
                                   .headers = pncp_buf_view(&headers),
                                   .pieces = request->pieces,
                                   .piece_count = request->piece_count,
                                   .ca = s3->config.ca_bundle,
                                   .timeout_ms = request->timeout_ms,
                                   .answer_max_bytes = request->answer_max_bytes == 0
                                                           ? ANSWER_MAX_BYTES
                                                           : PNCP_MAX(request->answer_max_bytes, ERROR_BYTES),
                                   .on_header = on_header,
                                   .ctx = t};
    struct pncp_call_answer answer;
    rc = pncp_call_make(s3->calls, &call, &answer);
    t->answer->status = answer.status;
    t->answer->body = answer.body;
    if (request->sent != NULL)
        *request->sent += answer.sent_bytes;
    OPENSSL_cleanse(headers.data, headers.len);
    return rc == PNCP_OK ? PNCP_OK : failed(s3, request, rc, answer.why, err);
}

/* ---- what the store puts right --------------------------------------------------------------- */

static void take_code(struct pncp_s3_answer *answer)
{
    struct pncp_view code = pncp_s3_xml_first(pncp_buf_view(&answer->body), "Code");
    (void)snprintf(answer->code, sizeof(answer->code), PNCP_VIEW_FMT, PNCP_VIEW_ARG(code));
}

/* A region that the store names; true: it is another than ours was. */
static bool take_region(struct pncp_s3 *s3, const struct transfer *t)
{
    char region[sizeof(s3->region)] = "";
    if (t->region[0] != '\0')
        memcpy(region, t->region, sizeof(region));
    else if (strcmp(t->answer->code, "AuthorizationHeaderMalformed") == 0 &&
             !pncp_s3_xml_text(pncp_buf_view(&t->answer->body), "Region", region, sizeof(region)))
        region[0] = '\0';
    (void)pthread_mutex_lock(&s3->mutex);
    bool other = region[0] != '\0' && strcmp(region, s3->region) != 0;
    if (other)
        memcpy(s3->region, region, sizeof(region));
    (void)pthread_mutex_unlock(&s3->mutex);
    return other;
}

/* Ours is wrong by more than signatures may be: the store's from now on. */
static bool take_clock(struct pncp_s3 *s3)
{
    (void)pthread_mutex_lock(&s3->mutex);
    bool news = !s3->ahead_signed;
    s3->ahead_signed = true;
    (void)pthread_mutex_unlock(&s3->mutex);
    return news;
}

static void note_clock(struct pncp_s3 *s3, const struct transfer *t)
{
    struct tm there; /* IMF-fixdate, RFC 9110, 5.6.7 */
    if (strptime(t->date, "%a, %d %b %Y %H:%M:%S GMT", &there) == NULL)
        return;
    (void)pthread_mutex_lock(&s3->mutex);
    s3->ahead_s = (int64_t)timegm(&there) - pncp_clock_now_us() / 1000000;
    (void)pthread_mutex_unlock(&s3->mutex);
}

/* Read anew by the next request; there may be no others. */
static bool take_credentials(struct pncp_s3 *s3, const struct transfer *t)
{
    pncp_s3_credentials_refused(&s3->credentials, &t->keys);
    return true;
}

static void note_served(struct pncp_s3 *s3)
{
    (void)pthread_mutex_lock(&s3->mutex);
    s3->served = true;
    (void)pthread_mutex_unlock(&s3->mutex);
}

/* Have credentials that were good expired, or been replaced? MinIO forgets a session that has expired, and knows its
 * access key no more (cmd/auth-handler.go, 2026-02); versitygw calls that XAdminUserNotFound. */
static bool have_expired(struct pncp_s3 *s3, const char *code)
{
    static const char *const forgotten[] = {"InvalidAccessKeyId", "InvalidTokenId", "XAdminUserNotFound"};
    bool unknown = false;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(forgotten); i++)
        unknown = unknown || strcmp(code, forgotten[i]) == 0;
    (void)pthread_mutex_lock(&s3->mutex);
    unknown = unknown && s3->served;
    (void)pthread_mutex_unlock(&s3->mutex);
    return unknown || strcmp(code, "ExpiredToken") == 0 || strcmp(code, "InvalidToken") == 0;
}

/* Has something of ours been put right, so that the same request may be taken now? */
static bool put_right(struct pncp_s3 *s3, const struct transfer *t)
{
    const char *code = t->answer->code;
    if (t->answer->status < 300)
        return false;
    if (strcmp(code, "RequestTimeTooSkewed") == 0)
        return take_clock(s3);
    if (have_expired(s3, code))
        return take_credentials(s3, t);
    return (t->answer->status == 301 || t->answer->status == 400) && take_region(s3, t);
}

/* ---- public ---------------------------------------------------------------------------------- */

/* As pncp_s3_fetch_fn says. */
static enum pncp_code fetch_credentials(void *ctx, const char *url, const char *authorization, const char *form,
                                        struct pncp_buf *ret_body, struct pncp_err *err)
{
    const struct pncp_s3 *s3 = ctx;
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    const struct pncp_call_piece piece = {.bytes = pncp_view_of(form == NULL ? "" : form)};
    enum pncp_code rc = PNCP_OK;
    if (authorization != NULL && (pncp_buf_format(&headers, "Authorization: %s", authorization) != PNCP_OK ||
                                  pncp_buf_append(&headers, "", 1) != PNCP_OK))
        rc = PNCP_E_NOMEM;
    if (rc == PNCP_OK && form != NULL)
        rc = pncp_buf_append(&headers, FORM_HEADER, sizeof(FORM_HEADER));
    const struct pncp_call call = {.method = form == NULL ? "GET" : "POST",
                                   .url = url,
                                   .headers = pncp_buf_view(&headers),
                                   .pieces = &piece,
                                   .piece_count = form == NULL ? 0 : 1,
                                   .ca = s3->config.ca_bundle,
                                   .direct = form == NULL &&
                                             pncp_view_starts(pncp_view_of(url), "http:"), /* this machine's own */
                                   .timeout_ms = CREDENTIALS_TIMEOUT_MS,
                                   .answer_max_bytes = PNCP_S3_ANSWER_MAX_BYTES};
    struct pncp_call_answer answer = {0};
    if (rc == PNCP_OK)
        rc = pncp_call_make(s3->calls, &call, &answer);
    if (headers.data != NULL)
        OPENSSL_cleanse(headers.data, headers.len);
    if (rc == PNCP_OK && answer.status == 200)
        rc = pncp_buf_append(ret_body, answer.body.data, answer.body.len);
    else if (rc == PNCP_OK)
        rc = pncp_err_set(err, answer.status >= 400 && answer.status < 500 ? PNCP_E_UNSUPPORTED : PNCP_E_UNAVAILABLE,
                          "%.*s answers %ld", (int)strcspn(url, "?"), url, answer.status);
    else if (rc != PNCP_E_NOMEM && rc != PNCP_E_LIMIT)
        rc = pncp_err_set(err, PNCP_E_UNAVAILABLE, "no answer from %.*s (%s)", (int)strcspn(url, "?"), url, answer.why);
    if (answer.body.data != NULL)
        OPENSSL_cleanse(answer.body.data, answer.body.len);
    pncp_buf_release(&answer.body);
    return rc == PNCP_E_NOMEM ? no_memory(err) : rc;
}

enum pncp_code pncp_s3_new(const char *url, struct pncp_s3 **ret_s3, struct pncp_err *err)
{
    struct pncp_s3 *s3 = pncp_calloc(1, sizeof(*s3));
    if (s3 == NULL || pncp_calls_new(&s3->calls) != PNCP_OK) {
        pncp_free(s3);
        return no_memory(err);
    }
    (void)pthread_mutex_init(&s3->mutex, NULL);
    enum pncp_code rc = pncp_s3_config_load(url, &s3->config, err);
    if (rc == PNCP_OK)
        rc = pncp_s3_credentials_init(&s3->credentials, s3->config.region, fetch_credentials, s3, err);
    if (rc == PNCP_OK) {
        const char *prefix = s3->config.prefix;
        s3->url = pncp_asprintf("s3://%s%s%s", s3->config.bucket, prefix[0] == '\0' ? "" : "/", prefix);
        rc = s3->url == NULL ? no_memory(err) : PNCP_OK;
    }
    if (rc != PNCP_OK) {
        pncp_s3_free(s3);
        return rc;
    }
    (void)snprintf(s3->region, sizeof(s3->region), "%s", s3->config.region);
    *ret_s3 = s3;
    return PNCP_OK;
}

void pncp_s3_free(struct pncp_s3 *s3)
{
    if (s3 == NULL)
        return;
    pncp_calls_free(s3->calls);
    pncp_s3_credentials_release(&s3->credentials);
    pncp_s3_config_release(&s3->config);
    pncp_free(s3->url);
    (void)pthread_mutex_destroy(&s3->mutex);
    pncp_free(s3);
}

char *pncp_s3_url(const struct pncp_s3 *s3)
{
    return pncp_strdup(s3->url);
}

enum pncp_code pncp_s3_key(const struct pncp_s3 *s3, const char *path, struct pncp_buf *ret_key)
{
    const char *prefix = s3->config.prefix;
    return pncp_buf_format(ret_key, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", path);
}

enum pncp_code pncp_s3_copy_source(const struct pncp_s3 *s3, const char *path, struct pncp_buf *ret_source)
{
    AUTO(pncp_buf_release) struct pncp_buf raw = {0};
    enum pncp_code rc = pncp_buf_format(&raw, "/%s/", s3->config.bucket);
    if (rc == PNCP_OK)
        rc = pncp_s3_key(s3, path, &raw);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(&raw, "", 1);
    if (rc == PNCP_OK)
        rc = pncp_percent_encode(ret_source, raw.data, true);
    return rc == PNCP_OK ? pncp_buf_append(ret_source, "", 1) : rc;
}

int64_t pncp_s3_now_s(struct pncp_s3 *s3)
{
    (void)pthread_mutex_lock(&s3->mutex);
    int64_t ahead_s = s3->ahead_s;
    (void)pthread_mutex_unlock(&s3->mutex);
    return pncp_clock_now_us() / 1000000 + ahead_s;
}

void pncp_s3_place(struct pncp_s3 *s3, struct pncp_s3_place *ret_place)
{
    (void)pthread_mutex_lock(&s3->mutex);
    *ret_place = (struct pncp_s3_place){.endpoint = s3->config.endpoint,
                                        .region = s3->region,
                                        .source = s3->source == NULL ? "" : s3->source,
                                        .path_style = s3->config.path_style,
                                        .tls = strncmp(s3->config.endpoint, "https:", 6) == 0,
                                        .ahead_signed = s3->ahead_signed,
                                        .ahead_s = s3->ahead_s};
    (void)pthread_mutex_unlock(&s3->mutex);
}

static bool is_trouble(long status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

enum pncp_code pncp_s3_ask(struct pncp_s3 *s3, const struct pncp_s3_request *request, struct pncp_s3_answer *ret_answer,
                           struct pncp_err *err)
{
    uint64_t random;
    unsigned rights = 0;
    *ret_answer = (struct pncp_s3_answer){0};
    pncp_random_bytes(&random, sizeof(random));
    for (unsigned tries = 0;;) {
        struct pncp_s3_answer answer = {0};
        struct transfer t = {.request = request, .answer = &answer};
        enum pncp_code rc = ask_once(s3, &t, err);
        if (rc == PNCP_OK) {
            note_clock(s3, &t);
            if (answer.status >= 200 && answer.status <= 299)
                note_served(s3);
            if (answer.status >= 300 || request->method[0] == 'P') /* PUT and POST may have an error inside a 200 */
                take_code(&answer);
        }
        bool right = rc == PNCP_OK && rights < RIGHTS_MAX && put_right(s3, &t);
        pncp_s3_keys_release(&t.keys);
        bool again = !request->once && tries + 1 < TRIES_MAX &&
                     (rc == PNCP_E_UNAVAILABLE || (rc == PNCP_OK && is_trouble(answer.status)));
        if (!right && !again) {
            if (rc == PNCP_OK)
                *ret_answer = answer;
            else
                pncp_s3_answer_release(&answer);
            return rc;
        }
        pncp_s3_answer_release(&answer);
        if (right)
            rights++;
        else
            pncp_clock_sleep_us(1000 * pncp_backoff_ms(RETRY_FIRST_MS, ++tries, -1, &random));
    }
}

void pncp_s3_answer_release(struct pncp_s3_answer *answer)
{
    pncp_buf_release(&answer->body);
}

static const char *fix_for(const char *code)
{
    static const struct {
        const char *code, *fix;
    } fixes[] = {
        {"AccessDenied", "these credentials may not do that; the run needs to read, write, list and delete there"},
        {"SignatureDoesNotMatch", "the secret key is not the one of this access key; look at AWS_SECRET_ACCESS_KEY"},
        {"InvalidAccessKeyId",
         "the store does not know this access key, or its session is over; look at AWS_ACCESS_KEY_ID"},
        {"XAdminUserNotFound",
         "the store does not know this access key, or its session is over; look at AWS_ACCESS_KEY_ID"},
        {"ExpiredToken", "the credentials have expired; get new ones"},
        {"InvalidToken", "the session token is not valid; look at AWS_SESSION_TOKEN"},
        {"InvalidTokenId", "the session token is not valid; look at AWS_SESSION_TOKEN"},
        {"NoSuchBucket", "there is no such bucket; make it, or give another in --lake"},
        {"RequestTimeTooSkewed", "this machine's clock is wrong"},
        {"AuthorizationHeaderMalformed", "the region is wrong; look at AWS_REGION"},
        {"PermanentRedirect", "the bucket is in another region; look at AWS_REGION"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(fixes); i++) {
        if (strcmp(code, fixes[i].code) == 0)
            return fixes[i].fix;
    }
    return NULL;
}

static bool copies_range(const struct pncp_s3_request *request)
{
    for (size_t i = 0; i < PNCP_S3_PAIRS_MAX && request->headers[i].name != NULL; i++) {
        if (strcmp(request->headers[i].name, "x-amz-copy-source-range") == 0)
            return true;
    }
    return false;
}

enum pncp_code pncp_s3_refused(const struct pncp_s3 *s3, const struct pncp_s3_request *request,
                               const struct pncp_s3_answer *answer, struct pncp_err *err)
{
    const char *url = s3->url, *path = request->path == NULL ? "" : request->path, *fix = fix_for(answer->code);
    bool transient = is_trouble(answer->status) || strcmp(answer->code, "ExpiredToken") == 0;
    enum pncp_code rc = transient ? PNCP_E_UNAVAILABLE : PNCP_E_IO;
    if (fix != NULL)
        (void)pncp_err_set(err, rc, "lake %s: %s (%s)", url, fix, answer->code);
    else if (answer->status == 404 && request->path != NULL)
        return pncp_err_set(err, PNCP_E_NOTFOUND, "lake %s: no %s", url, path);
    else if (answer->status == 416 || strcmp(answer->code, "InvalidRange") == 0 ||
             (copies_range(request) && strcmp(answer->code, "InvalidArgument") == 0))
        return pncp_err_set(err, PNCP_E_PARSE, "lake %s: %s has fewer bytes", url, path);
    else if (answer->status == 409 || answer->status == 412)
        return pncp_err_set(err, PNCP_E_CONFLICT, "lake %s: %s was changed by someone else", url, path);
    else if (answer->status == 403)
        (void)pncp_err_set(err, rc, "lake %s: %s %s is forbidden; look at the credentials and their rights", url,
                           request->method, path);
    else if (answer->status == 404)
        (void)pncp_err_set(err, rc, "lake %s: there is no such bucket; make it, or give another in --lake", url);
    else
        (void)pncp_err_set(err, rc, "lake %s: %s %s: the store answers %ld%s%s", url, request->method, path,
                           answer->status, answer->code[0] == '\0' ? "" : " ", answer->code);
    return transient ? pncp_err_transient(err, rc) : rc;
}
