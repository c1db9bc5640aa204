/* Why a fetch failed: the words of falhas and of the summary (docs/FORMATS.md). */
#ifndef PNCP_REASON_H
#define PNCP_REASON_H

#include "base/view.h"

/* Reasons by which failures are counted (docs/FORMATS.md, falhas). */
enum pncp_reason {
    PNCP_REASON_NONE,
    PNCP_REASON_HTTP,
    /* "http_NNN" */ PNCP_REASON_HTML_200,
    PNCP_REASON_EMPTY_200,
    PNCP_REASON_BAD_JSON,
    PNCP_REASON_WRONG_KIND,
    PNCP_REASON_TRUNCATED,
    PNCP_REASON_RESET,
    PNCP_REASON_TIMEOUT,
    PNCP_REASON_TOO_LARGE,
    PNCP_REASON_TOO_DEEP,
    PNCP_REASON_DUPLICATE_KEY,
    PNCP_REASON_PAGE_MISMATCH,
    PNCP_REASON_MALFORMED_KEY,
};
#define PNCP_REASON_TEXT_BYTES 24
void pncp_reason_format(enum pncp_reason reason, long http_status, char ret_text[PNCP_REASON_TEXT_BYTES]);
/* From such a text; false when it is none. */
MUST_CHECK bool pncp_reason_parse(struct pncp_view text, enum pncp_reason *ret_reason, long *ret_http_status);

#endif
