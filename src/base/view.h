/* Borrowed text: pointer and length travel together, by value. Not NUL-terminated. Valid until its owner changes. */
#ifndef PNCP_VIEW_H
#define PNCP_VIEW_H

#include "base/base.h"

struct pncp_view {
    const char *data;
    size_t len;
};

/* For printf: printf(PNCP_VIEW_FMT, PNCP_VIEW_ARG(view)). */
#define PNCP_VIEW_FMT "%.*s"
#define PNCP_VIEW_ARG(view) (int)(view).len, (view).data
#define PNCP_VIEW_LIT(text) ((struct pncp_view){(text), sizeof(text) - 1})

/* What is behind its first `bytes` bytes: view.len at most. */
static inline struct pncp_view pncp_view_from(struct pncp_view view, size_t bytes)
{
    return (struct pncp_view){view.data + bytes, view.len - bytes};
}

struct pncp_view pncp_view_of(const char *text); /* NULL gives an empty view */
bool pncp_view_eq(struct pncp_view a, struct pncp_view b);
bool pncp_view_eq_text(struct pncp_view a, const char *text);
bool pncp_view_starts(struct pncp_view view, const char *prefix);
bool pncp_view_ends(struct pncp_view view, const char *suffix);

/* Whole text as a decimal number: digits only (and a leading '-' for i64), no blanks, no '+'. False when it is not one
 * or does not fit; *ret_value is set on true only. */
MUST_CHECK bool pncp_view_u64(struct pncp_view view, uint64_t *ret_value);
MUST_CHECK bool pncp_view_i64(struct pncp_view view, int64_t *ret_value);

/* Is it "a.b", "a.b.c" …, the name that flattening (pandas.json_normalize) gives a member of an object? At most eight
 * dots, no part empty. */
bool pncp_view_is_dotted(struct pncp_view name);
/* Take the part before the first dot away from *name; without a dot all of it, and *name is empty. */
struct pncp_view pncp_view_cut_dot(struct pncp_view *name);

/* Is it valid UTF-8 (RFC 3629: no surrogates, no overlong forms)? And how many of its first bytes are? */
bool pncp_view_is_utf8(struct pncp_view view);
size_t pncp_view_utf8_len(struct pncp_view view);
/* Take the beginning of a UTF-8 sequence from the end of a text that was cut after some number of bytes; other bytes
 * stay, UTF-8 or not. */
void pncp_utf8_end_whole(char *text);

#endif
