#include "pncp/verdict.h"

#include <stdio.h>
#include <string.h>

/* First bytes of a body on one printable line. */
static void describe(struct pncp_verdict *v, struct pncp_view body)
{
    size_t used = 0;
    for (size_t i = 0; i < body.len && used + 1 < sizeof(v->detail); i++) {
        unsigned char c = (unsigned char)body.data[i];
        v->detail[used++] = (char)(c < 0x20 || c >= 0x7F ? ' ' : c);
    }
    v->detail[used] = '\0';
}

static void settle(struct pncp_verdict *v, enum pncp_verdict_kind kind, enum pncp_reason reason)
{
    v->kind = kind;
    v->reason = reason;
}

static void judge_array(struct pncp_verdict *v, yyjson_val *array)
{
    if (!yyjson_is_arr(array) || !pncp_json_all_objects(array)) {
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_WRONG_KIND);
        return;
    }
    v->count = (int64_t)yyjson_arr_size(array);
    settle(v, v->count > 0 ? PNCP_VERDICT_ROWS : PNCP_VERDICT_NO_ROWS, PNCP_REASON_NONE);
}

static bool is_count(yyjson_val *val)
{
    int64_t value;
    return pncp_json_int(val, &value) && value >= 0;
}

static void judge_page(struct pncp_verdict *v, yyjson_val *root)
{
    yyjson_val *pages = pncp_json_get(root, "totalPaginas"), *number = pncp_json_get(root, "numeroPagina");
    /* without totalRegistros nothing proves that a list is whole; the other two may lack, but not lie in kind */
    if (!is_count(pncp_json_get(root, "totalRegistros")) || (pages != NULL && !is_count(pages)) ||
        (number != NULL && !is_count(number)))
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_WRONG_KIND);
    else
        judge_array(v, pncp_json_get(root, "data"));
}

static void judge_count(struct pncp_verdict *v, yyjson_val *root)
{
    if (pncp_json_int(root, &v->count) && v->count >= 0)
        settle(v, PNCP_VERDICT_ROWS, PNCP_REASON_NONE);
    else
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_WRONG_KIND);
}

static enum pncp_reason reason_of_fault(enum pncp_json_fault fault)
{
    switch (fault) {
    case PNCP_JSON_TRUNCATED:
        return PNCP_REASON_TRUNCATED;
    case PNCP_JSON_DEEP:
        return PNCP_REASON_TOO_DEEP;
    case PNCP_JSON_DUPLICATE:
        return PNCP_REASON_DUPLICATE_KEY;
    case PNCP_JSON_MANY_KEYS:
    case PNCP_JSON_NOMEM:
        return PNCP_REASON_TOO_LARGE;
    case PNCP_JSON_OK:
    case PNCP_JSON_BAD:
        break;
    }
    return PNCP_REASON_BAD_JSON;
}

static enum pncp_code parse_body(struct pncp_verdict *v, const struct pncp_answer *answer, enum pncp_json_fault *fault)
{
    if (answer->room == NULL || pncp_json_room_fits(answer->room, answer->body.len))
        return pncp_json_parse_in(answer->room, answer->body, &v->json, fault, NULL);
    describe(v, answer->body); /* it is changed now */
    return pncp_json_parse_in_place(answer->room, answer->text, &v->json, fault, NULL);
}

/* A 200: only what parses as the kind expected counts. */
static void judge_body(struct pncp_verdict *v, enum pncp_kind kind, const struct pncp_answer *answer)
{
    struct pncp_view body = answer->body;
    size_t blanks = 0;
    while (blanks < body.len && strchr(" \t\r\n", body.data[blanks]) != NULL && body.data[blanks] != '\0')
        blanks++;
    if (blanks == body.len) {
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_EMPTY_200);
        return;
    }
    if (body.data[blanks] == '<') {
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_HTML_200);
        return;
    }
    enum pncp_json_fault fault;
    if (parse_body(v, answer, &fault) != PNCP_OK) {
        settle(v, PNCP_VERDICT_RETRY, reason_of_fault(fault));
        return;
    }
    switch (kind) {
    case PNCP_KIND_PAGE:
        judge_page(v, v->json.root);
        break;
    case PNCP_KIND_LIST:
        judge_array(v, v->json.root);
        break;
    case PNCP_KIND_COUNT:
        judge_count(v, v->json.root);
        break;
    case PNCP_KIND_OBJECT:
        v->count = yyjson_is_obj(v->json.root) && yyjson_obj_size(v->json.root) > 0;
        settle(v, v->count > 0 ? PNCP_VERDICT_ROWS : PNCP_VERDICT_RETRY,
               v->count > 0 ? PNCP_REASON_NONE : PNCP_REASON_WRONG_KIND);
        break;
    }
    if (v->kind == PNCP_VERDICT_RETRY)
        pncp_json_release(&v->json);
}

static bool judge_transport(struct pncp_verdict *v, const struct pncp_answer *answer)
{
    switch (answer->transport) {
    case PNCP_NET_OK:
        return false;
    case PNCP_NET_TIMEOUT:
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_TIMEOUT);
        break;
    case PNCP_NET_TRUNCATED:
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_TRUNCATED);
        break;
    case PNCP_NET_TOO_LARGE:
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_TOO_LARGE);
        break;
    case PNCP_NET_RESET:
    case PNCP_NET_UNREACHABLE:
        settle(v, PNCP_VERDICT_RETRY, PNCP_REASON_RESET);
        break;
    }
    return true;
}

static void judge_status(struct pncp_verdict *v, enum pncp_kind kind, long status)
{
    bool listing = kind == PNCP_KIND_PAGE; /* an address of the listing that "does not exist" is the server's trouble */
    enum pncp_verdict_kind verdict;
    if (status == 404 || status == 410)
        verdict = listing ? PNCP_VERDICT_RETRY : PNCP_VERDICT_ABSENT;
    else if (status == 422)
        verdict = PNCP_VERDICT_RETRY_FEW;
    else if (status == 429)
        verdict = PNCP_VERDICT_BRAKE;
    else if (status >= 500 || status == 408 || status == 403) /* 403: the filter before the API comes and goes */
        verdict = PNCP_VERDICT_RETRY;
    else
        verdict = PNCP_VERDICT_REFUSED;
    settle(v, verdict, PNCP_REASON_HTTP);
}

void pncp_verdict_make(enum pncp_kind kind, const struct pncp_answer *answer, int64_t now_us,
                       struct pncp_verdict *ret_verdict)
{
    struct pncp_verdict v = {.http_status = answer->status, .retry_after_s = -1};
    if (answer->retry_after.len > 0)
        v.retry_after_s = pncp_retry_after_parse(answer->retry_after, now_us);
    if (!judge_transport(&v, answer)) {
        if (answer->status == 204)
            settle(&v, PNCP_VERDICT_NO_ROWS, PNCP_REASON_NONE);
        else if (answer->status == 200)
            judge_body(&v, kind, answer);
        else
            judge_status(&v, kind, answer->status);
        bool good = v.kind == PNCP_VERDICT_ROWS || v.kind == PNCP_VERDICT_NO_ROWS;
        if (good)
            v.detail[0] = '\0';
        else if (v.detail[0] == '\0')
            describe(&v, answer->body);
    }
    *ret_verdict = v;
}
