/*
 * What an answer means: one pure table (pncp-api section 12). A body counts only when it parses as the kind expected;
 * HTML, an empty 200, truncated JSON, 5xx, resets and time-outs are failures to retry, never "no rows".
 */
#ifndef PNCP_VERDICT_H
#define PNCP_VERDICT_H

#include "model/reason.h"
#include "json/json.h"

enum pncp_kind {                   /* of answer expected */
                 PNCP_KIND_PAGE,   /* listing: {"data":[…],"totalRegistros":…} */
                 PNCP_KIND_LIST,   /* detail: [ … ] of objects */
                 PNCP_KIND_COUNT,  /* /quantidade: a bare non-negative integer */
                 PNCP_KIND_OBJECT, /* one contratação */
};

enum pncp_transport {
    PNCP_NET_OK,
    PNCP_NET_RESET,
    PNCP_NET_TIMEOUT,
    PNCP_NET_TRUNCATED,
    PNCP_NET_TOO_LARGE,
    PNCP_NET_UNREACHABLE
};

struct pncp_answer {
    enum pncp_transport transport;
    long status; /* 0 when none arrived */
    struct pncp_view body;
    struct pncp_view retry_after; /* header's value or empty */
    /* Both or neither. The verdict's `json` lies in `room`, or when it does not fit there, in `text`, which is `body`,
     * and so must be gone before them. Neither: it has memory of its own. */
    struct pncp_json_room *room;
    struct pncp_buf *text;
};

enum pncp_verdict_kind {
    PNCP_VERDICT_ROWS,      /* accepted: `json` holds it (the caller's, to release) */
    PNCP_VERDICT_NO_ROWS,   /* 204, or an accepted body without rows: PAGE with empty data (json set), LIST [] */
    PNCP_VERDICT_ABSENT,    /* 404 or 410 on a detail or object path */
    PNCP_VERDICT_RETRY,     /* counts as an attempt */
    PNCP_VERDICT_RETRY_FEW, /* 422: at most 3 tries, then permanent */
    PNCP_VERDICT_BRAKE,     /* 429: pause the whole API; never an attempt */
    PNCP_VERDICT_REFUSED,   /* permanent for this request: 400, 401, 403, other 4xx, a redirect */
};

struct pncp_verdict {
    enum pncp_verdict_kind kind;
    enum pncp_reason reason;
    long http_status;
    int64_t retry_after_s; /* -1: none given */
    struct pncp_json json;
    int64_t count;   /* COUNT: the number; LIST, PAGE: rows in the body */
    char detail[96]; /* for the log: first bytes or the parser's complaint, one line, printable */
};

/* 5xx with a Retry-After keeps it in retry_after_s too. NOMEM while parsing is a RETRY with PNCP_REASON_TOO_LARGE. */
void pncp_verdict_make(enum pncp_kind kind, const struct pncp_answer *answer, int64_t now_us,
                       struct pncp_verdict *ret_verdict);

/* Retry-After (RFC 9110 section 10.2.3): seconds, or an IMF-fixdate. Seconds from now, 0..86400; -1 when it is neither.
 */
int64_t pncp_retry_after_parse(struct pncp_view text, int64_t now_us);

#endif
