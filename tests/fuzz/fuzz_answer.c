/*
 * Answers of the API -> verdict, for every kind expected.
 * Input: kind and transport in one byte · status, an index · Retry-After up to a line end · the body.
 * True: only a whole body of the kind expected is rows or none; cut anywhere it is neither. What is not accepted holds
 * no JSON and says something printable. Retry-After is what the two forms of RFC 9110 say, within a day.
 */
#include "fuzz.h"
#include "pncp/verdict.h"

#include <time.h>

#define NOW_US (INT64_C(1761199262) * 1000000) /* 2025-10-23T06:01:02Z */
#define DAY_S 86400
#define CUTS 16

static const long STATUSES[] = {200, 204, 404, 410, 422, 429, 400, 403, 408, 500, 503, 301, 0, 599, 206, 100};

static bool accepted(const struct pncp_verdict *v)
{
    return v->kind == PNCP_VERDICT_ROWS || v->kind == PNCP_VERDICT_NO_ROWS;
}

static bool printable(const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7E)
            return false;
    }
    return len < size;
}

static void check_rows(const struct pncp_verdict *v, enum pncp_kind kind)
{
    yyjson_val *root = v->json.root, *rows = kind == PNCP_KIND_PAGE ? pncp_json_get(root, "data") : root;
    int64_t count;
    FUZZ_CHECK(root != NULL);
    switch (kind) {
    case PNCP_KIND_PAGE:
        FUZZ_CHECK(pncp_json_int(pncp_json_get(root, "totalRegistros"), &count) && count >= 0);
        __attribute__((fallthrough));
    case PNCP_KIND_LIST:
        FUZZ_CHECK(yyjson_is_arr(rows) && (size_t)v->count == yyjson_arr_size(rows));
        for (size_t i = 0; i < PNCP_MIN(yyjson_arr_size(rows), (size_t)64); i++)
            FUZZ_CHECK(yyjson_is_obj(yyjson_arr_get(rows, i)));
        FUZZ_CHECK((v->count > 0) == (v->kind == PNCP_VERDICT_ROWS));
        break;
    case PNCP_KIND_COUNT:
        FUZZ_CHECK(v->kind == PNCP_VERDICT_ROWS && v->count >= 0);
        FUZZ_CHECK(pncp_json_int(root, &count) && count == v->count);
        break;
    case PNCP_KIND_OBJECT:
        FUZZ_CHECK(v->kind == PNCP_VERDICT_ROWS && yyjson_is_obj(root));
        break;
    }
}

static void check_verdict(const struct pncp_verdict *v, enum pncp_kind kind, const struct pncp_answer *answer)
{
    FUZZ_CHECK(v->http_status == answer->status);
    FUZZ_CHECK(v->retry_after_s >= -1 && v->retry_after_s <= DAY_S);
    FUZZ_CHECK(printable(v->detail, sizeof(v->detail)));
    FUZZ_CHECK(accepted(v) == (v->reason == PNCP_REASON_NONE));
    if (accepted(v))
        FUZZ_CHECK(answer->transport == PNCP_NET_OK && (answer->status == 200 || answer->status == 204));
    if (accepted(v) && answer->status == 200)
        check_rows(v, kind);
    else
        FUZZ_CHECK(v->json.doc == NULL && v->kind != PNCP_VERDICT_ROWS);
    if (v->kind == PNCP_VERDICT_ABSENT)
        FUZZ_CHECK(kind != PNCP_KIND_PAGE && (answer->status == 404 || answer->status == 410));
    FUZZ_CHECK((v->kind == PNCP_VERDICT_BRAKE) == (answer->transport == PNCP_NET_OK && answer->status == 429));
}

/* Parsed where it lies, a body means the same. */
static void check_in_place(const struct pncp_verdict *v, enum pncp_kind kind, const struct pncp_answer *answer)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_json_room none = {0};
    struct pncp_answer in_place = *answer;
    struct pncp_verdict other;
    FUZZ_CHECK(pncp_buf_append(&text, answer->body.data, answer->body.len) == PNCP_OK);
    in_place.body = pncp_buf_view(&text);
    in_place.text = &text;
    in_place.room = &none;
    pncp_verdict_make(kind, &in_place, NOW_US, &other);
    FUZZ_CHECK(other.kind == v->kind && other.reason == v->reason && other.count == v->count);
    FUZZ_CHECK(strcmp(other.detail, v->detail) == 0);
    FUZZ_CHECK((other.json.root == NULL) == (v->json.root == NULL));
    FUZZ_CHECK(v->json.root == NULL || yyjson_equals(other.json.root, v->json.root));
    pncp_json_release(&other.json);
}

static struct pncp_view trimmed(struct pncp_view body)
{
    while (body.len > 0 && strchr(" \t\r\n", body.data[body.len - 1]) != NULL)
        body.len--;
    return body;
}

/* An array or object that was accepted, cut off at places spread over it. */
static void check_cuts(enum pncp_kind kind, const struct pncp_answer *whole)
{
    size_t end = trimmed(whole->body).len, step = PNCP_MAX(end / CUTS, (size_t)1);
    for (size_t len = 0; len < end; len += step) {
        struct pncp_answer cut = *whole;
        struct pncp_verdict v;
        AUTO(pncp_free_ptr) char *copy = fuzz_exact((struct pncp_view){whole->body.data, len});
        cut.body = (struct pncp_view){copy, len};
        pncp_verdict_make(kind, &cut, NOW_US, &v);
        FUZZ_CHECK(v.kind == PNCP_VERDICT_RETRY && v.json.doc == NULL);
        FUZZ_CHECK(v.reason == PNCP_REASON_TRUNCATED || v.reason == PNCP_REASON_EMPTY_200);
    }
}

/* Seconds as text, or a date as libc reads it; -1: neither. Libc is more lenient, so that "neither" proves nothing. */
static int64_t reference_wait(struct pncp_view text)
{
    while (text.len > 0 && strchr(" \t\r", text.data[text.len - 1]) != NULL)
        text.len--;
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct pncp_view){text.data + 1, text.len - 1};
    uint64_t seconds;
    if (text.len > 0 && strspn(text.data, "0123456789") >= text.len)
        return pncp_view_u64(text, &seconds) && seconds < DAY_S ? (int64_t)seconds : DAY_S;
    struct tm date = {0};
    char line[64] = "";
    if (text.len >= sizeof(line))
        return -1;
    memcpy(line, text.data, text.len);
    memcpy(line, "Mon", 3); /* the day's name is not compared with the date */
    if (strptime(line, "%a, %d %b %Y %H:%M:%S GMT", &date) == NULL)
        return -1;
    int64_t wait = timegm(&date) - NOW_US / 1000000;
    return PNCP_MIN(PNCP_MAX(wait, 0), (int64_t)DAY_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    unsigned mode = fuzz_byte(&in), transport = mode >> 2 & 7;
    enum pncp_kind kind = (enum pncp_kind)(mode & 3);
    struct pncp_answer answer = {.transport =
                                     transport <= PNCP_NET_UNREACHABLE ? (enum pncp_transport)transport : PNCP_NET_OK,
                                 .status = STATUSES[fuzz_byte(&in) % PNCP_ARRAY_LEN(STATUSES)]};
    struct pncp_view header = fuzz_until(&in, '\n'), body = fuzz_rest(&in);
    AUTO(pncp_free_ptr) char *header_copy = fuzz_string(header); /* terminated, for libc; curl gives no NUL within */
    AUTO(pncp_free_ptr) char *body_copy = fuzz_exact(body);
    answer.retry_after = pncp_view_of(header_copy);
    answer.body = (struct pncp_view){body_copy, body.len};

    struct pncp_verdict v;
    pncp_verdict_make(kind, &answer, NOW_US, &v);
    check_verdict(&v, kind, &answer);
    check_in_place(&v, kind, &answer);
    if (v.retry_after_s != -1)
        FUZZ_CHECK(v.retry_after_s == reference_wait(answer.retry_after));
    if (accepted(&v) && answer.status == 200 && kind != PNCP_KIND_COUNT)
        check_cuts(kind, &answer);
    pncp_json_release(&v.json);
    return 0;
}
