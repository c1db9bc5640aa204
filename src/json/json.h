/*
 * Strict JSON (RFC 8259) over yyjson: what comes from outside is read with raw number text (100720.00 stays 100720.00),
 * a depth cap and no duplicate keys. yyjson itself has neither cap nor duplicate check, so a walk after the parse does
 * both. Readers use yyjson's immutable API (yyjson_obj_iter …) on `doc->root`; numbers are YYJSON_TYPE_RAW.
 */
#ifndef PNCP_JSON_H
#define PNCP_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json_writer.h"

#include <yyjson.h>

#define PNCP_JSON_DEPTH_MAX 32 /* the API's deepest answer has 5 levels */
/* Keys of one object: the API's largest has 42. The duplicate check is quadratic in it at worst, so it has a ceiling.
 */
#define PNCP_JSON_KEYS_MAX 512

struct pncp_json {
    yyjson_doc *doc;
    yyjson_val *root; /* NULL when empty */
};

/* Memory that is used for one document after the other: what fits costs no allocation. Zeroed it has none: every
 * document allocates. One document at a time; it must be gone before the room is used again or released. */
struct pncp_json_room {
    char *block; /* of it only what was used is resident */
    bool taken;  /* by a document parsed in place */
};
#define PNCP_JSON_ROOM_BYTES ((size_t)2 * 1024 * 1024) /* for the values of a page of 500 itens, guessed generously */

/* PNCP_E_NOMEM */
MUST_CHECK enum pncp_code pncp_json_room_init(struct pncp_json_room *room);
/* Does a document of so many bytes fit with a copy of its text, whatever it holds? Up to 39 KiB do. */
bool pncp_json_room_fits(const struct pncp_json_room *room, size_t text_bytes);
void pncp_json_room_release(struct pncp_json_room *room);

enum pncp_json_fault {
    PNCP_JSON_OK,
    PNCP_JSON_BAD,       /* not JSON */
    PNCP_JSON_TRUNCATED, /* the beginning of JSON */
    PNCP_JSON_DEEP,      /* deeper than PNCP_JSON_DEPTH_MAX */
    PNCP_JSON_MANY_KEYS, /* an object of more than PNCP_JSON_KEYS_MAX keys */
    PNCP_JSON_DUPLICATE, /* a key twice in one object */
    PNCP_JSON_NOMEM,
};

/* Parse `text` (borrowed only during the call). The result is released with pncp_json_release.
 * `ret_fault` (may be NULL) says which kind of PNCP_E_PARSE it was. PNCP_E_PARSE: message has the byte offset ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_json_parse(struct pncp_view text, struct pncp_json *ret_json,
                                          enum pncp_json_fault *ret_fault, struct pncp_err *err);
/* The same in `room` (NULL: none), if the document fits there. */
MUST_CHECK enum pncp_code pncp_json_parse_in(struct pncp_json_room *room, struct pncp_view text,
                                             struct pncp_json *ret_json, enum pncp_json_fault *ret_fault,
                                             struct pncp_err *err);
/* The same where the text lies: no copy of it is made, its content is the result's from then on, also on error, and so
 * it outlives the result. The values go to `room` (NULL: none), or beyond it to memory of their own. */
MUST_CHECK enum pncp_code pncp_json_parse_in_place(struct pncp_json_room *room, struct pncp_buf *text,
                                                   struct pncp_json *ret_json, enum pncp_json_fault *ret_fault,
                                                   struct pncp_err *err);
/* The same once more with a text that was accepted before: depth and keys are not looked at again. */
MUST_CHECK enum pncp_code pncp_json_parse_again(struct pncp_buf *text, struct pncp_json *ret_json,
                                                struct pncp_err *err);
/* As pncp_json_parse, for a file that Python's json.dumps may have written: a bare NaN, its missing number, is null.
 * Infinity is refused. */
MUST_CHECK enum pncp_code pncp_json_parse_nan(struct pncp_view text, struct pncp_json *ret_json, struct pncp_err *err);
void pncp_json_release(struct pncp_json *json);

/* The raw text of a number, the text of a string; an empty view otherwise. */
struct pncp_view pncp_json_raw(yyjson_val *val);
struct pncp_view pncp_json_text(yyjson_val *val);
/* A whole number without fraction or exponent that fits. */
MUST_CHECK bool pncp_json_int(yyjson_val *val, int64_t *ret_value);
/* Member of an object, NULL when absent or not an object. */
yyjson_val *pncp_json_get(yyjson_val *object, const char *key);
/* Is every element of an array an object? An empty one has none that is not. */
bool pncp_json_all_objects(yyjson_val *array);

/* A decimal number's text (JSON number grammar, exponents allowed) times 10^scale as an exact integer. False when
 * digits would be lost or it does not fit in int64, or the exponent is outside ±400. */
MUST_CHECK bool pncp_decimal_parse(struct pncp_view number, int scale, int64_t *ret_value);

/* A value as the writer's next one; number text unchanged. */
void pncp_json_put_val(struct pncp_json_writer *w, yyjson_val *val);

#endif
