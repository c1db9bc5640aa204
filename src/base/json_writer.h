/*
 * Writing JSON (RFC 8259): commas, quotes and escapes are the writer's business. Reading is in json/.
 */
#ifndef PNCP_JSON_WRITER_H
#define PNCP_JSON_WRITER_H

#include "base/buf.h"

/* Values are appended to a buffer; nesting is tracked. Errors stick: check pncp_json_writer_end. */
struct pncp_json_writer {
    struct pncp_buf *out; /* borrowed */
    enum pncp_code failed;
    uint64_t need_comma; /* bit per depth */
    unsigned depth;
};
void pncp_json_writer_init(struct pncp_json_writer *w, struct pncp_buf *out);
void pncp_json_object_begin(struct pncp_json_writer *w);
void pncp_json_object_end(struct pncp_json_writer *w);
void pncp_json_array_begin(struct pncp_json_writer *w);
void pncp_json_array_end(struct pncp_json_writer *w);
void pncp_json_key(struct pncp_json_writer *w, const char *key);
void pncp_json_key_view(struct pncp_json_writer *w, struct pncp_view key); /* a key that came from outside */
void pncp_json_put_text(struct pncp_json_writer *w,
                        struct pncp_view text); /* bytes that are not UTF-8 become U+FFFD each */
void pncp_json_put_int(struct pncp_json_writer *w, int64_t value);
void pncp_json_put_bool(struct pncp_json_writer *w, bool value);
void pncp_json_put_null(struct pncp_json_writer *w);
void pncp_json_put_fixed(struct pncp_json_writer *w, double value,
                         int decimals);                                    /* measurements only; not finite: null */
void pncp_json_put_raw(struct pncp_json_writer *w, struct pncp_view json); /* text that is JSON already */
/* key + value in one call, the common case */
void pncp_json_field_text(struct pncp_json_writer *w, const char *key, struct pncp_view text);
void pncp_json_field_int(struct pncp_json_writer *w, const char *key, int64_t value);
void pncp_json_field_bool(struct pncp_json_writer *w, const char *key, bool value);
void pncp_json_field_time(struct pncp_json_writer *w, const char *key, int64_t utc_us); /* "2025-10-23T19:30:00Z" */
MUST_CHECK enum pncp_code
pncp_json_writer_end(struct pncp_json_writer *w); /* asserts depth 0; the first failure, or PNCP_OK */

#endif
