#include "model/reason.h"

#include <stdio.h>

static const char *const REASONS[] = {
    [PNCP_REASON_NONE] = "none",
    [PNCP_REASON_HTTP] = "http",
    [PNCP_REASON_HTML_200] = "html_200",
    [PNCP_REASON_EMPTY_200] = "empty_200",
    [PNCP_REASON_BAD_JSON] = "bad_json",
    [PNCP_REASON_WRONG_KIND] = "wrong_kind",
    [PNCP_REASON_TRUNCATED] = "truncated",
    [PNCP_REASON_RESET] = "reset",
    [PNCP_REASON_TIMEOUT] = "timeout",
    [PNCP_REASON_TOO_LARGE] = "too_large",
    [PNCP_REASON_TOO_DEEP] = "too_deep",
    [PNCP_REASON_DUPLICATE_KEY] = "duplicate_key",
    [PNCP_REASON_PAGE_MISMATCH] = "page_mismatch",
    [PNCP_REASON_MALFORMED_KEY] = "malformed_key",
};

void pncp_reason_format(enum pncp_reason reason, long http_status, char ret_text[PNCP_REASON_TEXT_BYTES])
{
    if (reason == PNCP_REASON_HTTP)
        (void)snprintf(ret_text, PNCP_REASON_TEXT_BYTES, "http_%ld", http_status);
    else
        (void)snprintf(ret_text, PNCP_REASON_TEXT_BYTES, "%s", REASONS[reason]);
}

bool pncp_reason_parse(struct pncp_view text, enum pncp_reason *ret_reason, long *ret_http_status)
{
    uint64_t status;
    if (pncp_view_starts(text, "http_") && pncp_view_u64((struct pncp_view){text.data + 5, text.len - 5}, &status) &&
        status < 1000) {
        *ret_reason = PNCP_REASON_HTTP;
        *ret_http_status = (long)status;
        return true;
    }
    for (size_t i = 0; i < PNCP_ARRAY_LEN(REASONS); i++) {
        if (i != PNCP_REASON_HTTP && pncp_view_eq_text(text, REASONS[i])) {
            *ret_reason = (enum pncp_reason)i;
            *ret_http_status = 0;
            return true;
        }
    }
    return false;
}
