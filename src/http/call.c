#include "http/call.h"
#include "base/mem.h"
#include "http/easy.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDLE_MAX 4 /* connections kept: fetching, saving and the lease ask one thing at a time each */
#define CONNECT_TIMEOUT_MS 10000
#define STALLED_S 60 /* without a byte in either direction */

struct pncp_calls {
    pthread_mutex_t mutex; /* for what follows */
    CURL *idle[IDLE_MAX];
    size_t idle_count;
};

/* One call on its way. */
struct transfer {
    const struct pncp_call *call;
    struct pncp_call_answer *answer;
    size_t piece;
    uint64_t at; /* in that piece */
    bool too_large, no_memory, unreadable;
};

/* ---- the body -------------------------------------------------------------------------------- */

uint64_t pncp_call_piece_bytes(const struct pncp_call_piece *piece)
{
    return piece->len > 0 ? piece->len : piece->bytes.len;
}

ssize_t pncp_call_piece_read(const struct pncp_call_piece *piece, uint64_t at, char *data, size_t len)
{
    len = (size_t)PNCP_MIN((uint64_t)len, pncp_call_piece_bytes(piece) - at);
    if (piece->len > 0)
        return pread(piece->fd, data, len, (off_t)(piece->at + at));
    memcpy(data, piece->bytes.data + at, len);
    return (ssize_t)len;
}

static uint64_t body_bytes(const struct pncp_call *call)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < call->piece_count; i++)
        bytes += pncp_call_piece_bytes(&call->pieces[i]);
    return bytes;
}

static size_t on_read(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    for (; t->piece < t->call->piece_count; t->piece++, t->at = 0) {
        const struct pncp_call_piece *piece = &t->call->pieces[t->piece];
        ssize_t got = pncp_call_piece_read(piece, t->at, data, size * count);
        if (got < 0 || (got == 0 && t->at < pncp_call_piece_bytes(piece))) {
            t->unreadable = true;
            return CURL_READFUNC_ABORT;
        }
        if (got > 0) {
            t->at += (uint64_t)got;
            t->answer->sent_bytes += (uint64_t)got;
            return (size_t)got;
        }
    }
    return 0;
}

/* A kept connection may turn out to be dead: then the body is sent again on another. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;
    uint64_t left = (uint64_t)offset;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    for (t->piece = 0; t->piece < t->call->piece_count; t->piece++) {
        uint64_t bytes = pncp_call_piece_bytes(&t->call->pieces[t->piece]);
        if (left < bytes)
            break;
        left -= bytes;
    }
    t->at = left;
    return CURL_SEEKFUNC_OK;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    if (t->answer->body.len + len > t->call->answer_max_bytes)
        t->too_large = true;
    else if (pncp_buf_append(&t->answer->body, data, len) != PNCP_OK)
        t->no_memory = true;
    return t->too_large || t->no_memory ? 0 : len;
}

static size_t on_header(const char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    if (t->call->on_header != NULL)
        t->call->on_header(t->call->ctx, (struct pncp_view){data, size * count});
    return size * count;
}

/* ---- connections ----------------------------------------------------------------------------- */

enum pncp_code pncp_calls_new(struct pncp_calls **ret_calls)
{
    struct pncp_calls *calls = pncp_calloc(1, sizeof(*calls));
    if (calls == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        pncp_free(calls);
        return PNCP_E_NOMEM;
    }
    (void)pthread_mutex_init(&calls->mutex, NULL);
    *ret_calls = calls;
    return PNCP_OK;
}

void pncp_calls_free(struct pncp_calls *calls)
{
    if (calls == NULL)
        return;
    for (size_t i = 0; i < calls->idle_count; i++)
        curl_easy_cleanup(calls->idle[i]);
    (void)pthread_mutex_destroy(&calls->mutex);
    pncp_free(calls);
}

static CURL *take_handle(struct pncp_calls *calls)
{
    (void)pthread_mutex_lock(&calls->mutex);
    CURL *easy = calls->idle_count > 0 ? calls->idle[--calls->idle_count] : NULL;
    (void)pthread_mutex_unlock(&calls->mutex);
    return easy != NULL ? easy : curl_easy_init();
}

static void give_handle(struct pncp_calls *calls, CURL *easy)
{
    curl_easy_reset(easy); /* the connection stays */
    (void)pthread_mutex_lock(&calls->mutex);
    bool kept = calls->idle_count < IDLE_MAX;
    if (kept)
        calls->idle[calls->idle_count++] = easy;
    (void)pthread_mutex_unlock(&calls->mutex);
    if (!kept)
        curl_easy_cleanup(easy);
}

/* ---- a call ---------------------------------------------------------------------------------- */

/* The caller's lines, and those that take curl's own away, behind *headers. */
static enum pncp_code make_headers(const struct pncp_call *call, struct curl_slist **headers)
{
    static const char *const removed[] = {"Expect:", "Content-Type:", "Accept:", "Transfer-Encoding:"};
    bool all = true;
    for (size_t i = 0; all && i < PNCP_ARRAY_LEN(removed); i++)
        all = pncp_easy_add_header(headers, removed[i]);
    for (size_t at = 0; all && at < call->headers.len; at += strlen(call->headers.data + at) + 1)
        all = pncp_easy_add_header(headers, call->headers.data + at);
    return all ? PNCP_OK : PNCP_E_NOMEM;
}

/* A file or a folder. */
static bool set_ca(CURL *easy, const char *ca)
{
    struct stat stat_of;
    bool folder = stat(ca, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
    return curl_easy_setopt(easy, folder ? CURLOPT_CAPATH : CURLOPT_CAINFO, ca) == CURLE_OK;
}

static bool set_body(CURL *easy, struct transfer *t)
{
    return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)body_bytes(t->call)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKDATA, t) == CURLE_OK;
}

static bool set_method(CURL *easy, const char *method)
{
    if (strcmp(method, "GET") == 0)
        return true;
    return strcmp(method, "HEAD") == 0 ? curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK
                                       : curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

static bool set_up(CURL *easy, struct transfer *t, struct curl_slist *headers, char *why)
{
    const struct pncp_call *call = t->call;
    bool sends = call->method[0] == 'P'; /* PUT, POST */
    return pncp_easy_set_up(easy, CONNECT_TIMEOUT_MS) && curl_easy_setopt(easy, CURLOPT_URL, call->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, t) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why) == CURLE_OK && set_method(easy, call->method) &&
           (!sends || set_body(easy, t)) && (call->ca == NULL || set_ca(easy, call->ca)) &&
           (!call->direct || curl_easy_setopt(easy, CURLOPT_NOPROXY, "*") == CURLE_OK);
}

static enum pncp_code end_of(const struct transfer *t, CURLcode code)
{
    if (code == CURLE_OK)
        return PNCP_OK;
    if (t->no_memory || code == CURLE_OUT_OF_MEMORY)
        return PNCP_E_NOMEM;
    if (t->too_large)
        return PNCP_E_LIMIT;
    if (t->unreadable)
        return PNCP_E_PARSE;
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ? PNCP_E_IO : PNCP_E_UNAVAILABLE;
}

enum pncp_code pncp_call_make(struct pncp_calls *calls, const struct pncp_call *call,
                              struct pncp_call_answer *ret_answer)
{
    struct curl_slist *headers = NULL;
    char why[CURL_ERROR_SIZE] = "";
    *ret_answer = (struct pncp_call_answer){0};
    struct transfer t = {.call = call, .answer = ret_answer};
    CURL *easy = take_handle(calls);
    enum pncp_code rc = easy == NULL ? PNCP_E_NOMEM : make_headers(call, &headers);
    if (rc == PNCP_OK && !set_up(easy, &t, headers, why))
        rc = PNCP_E_NOMEM;
    if (rc == PNCP_OK) {
        CURLcode code = curl_easy_perform(easy);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret_answer->status);
        rc = end_of(&t, code);
        if (rc != PNCP_OK)
            (void)snprintf(ret_answer->why, sizeof(ret_answer->why), "%s",
                           why[0] != '\0' ? why : curl_easy_strerror(code));
    }
    if (rc != PNCP_OK)
        pncp_buf_release(&ret_answer->body);
    if (easy != NULL)
        give_handle(calls, easy);
    curl_slist_free_all(headers);
    return rc;
}
