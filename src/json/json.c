#include "json/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- strict reading -------------------------------------------------------------------------- */

/* One object under the walk: where its members go on, and a set of small hashes of the keys met. */
struct walk_level {
    yyjson_val *container;
    yyjson_obj_iter object;
    yyjson_arr_iter array;
    uint64_t seen[4]; /* 256 bits: among 37 keys few are taken for another */
    bool is_object;
};

/* Was a key of that hash met? It is from now on. */
static bool met_before(struct walk_level *level, const char *text, size_t len)
{
    unsigned hash = (unsigned)len * 31;
    if (len > 0)
        hash += (unsigned char)text[0] * 7U + (unsigned char)text[len / 2] * 3U + (unsigned char)text[len - 1];
    uint64_t *word = &level->seen[hash / 64 % 4], bit = UINT64_C(1) << (hash % 64);
    bool met = (*word & bit) != 0;
    *word |= bit;
    return met;
}

/* Has an earlier member of `object` the key of `key`? Asked only when the hashes say perhaps. */
static bool key_before(yyjson_val *object, yyjson_val *key)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(object, &iter);
    for (yyjson_val *other; (other = yyjson_obj_iter_next(&iter)) != key;) {
        if (yyjson_get_len(other) == yyjson_get_len(key) &&
            memcmp(yyjson_get_str(other), yyjson_get_str(key), yyjson_get_len(key)) == 0)
            return true;
    }
    return false;
}

static enum pncp_json_fault enter(struct walk_level *levels, size_t *depth, yyjson_val *container)
{
    if (*depth == PNCP_JSON_DEPTH_MAX)
        return PNCP_JSON_DEEP;
    if (yyjson_obj_size(container) > PNCP_JSON_KEYS_MAX)
        return PNCP_JSON_MANY_KEYS;
    struct walk_level *level = &levels[(*depth)++];
    *level = (struct walk_level){.container = container, .is_object = yyjson_is_obj(container)};
    if (level->is_object)
        yyjson_obj_iter_init(container, &level->object);
    else
        yyjson_arr_iter_init(container, &level->array);
    return PNCP_JSON_OK;
}

/* The next member that holds others, or NULL at the end; the keys on the way there are checked. */
static enum pncp_json_fault walk_object(struct walk_level *level, yyjson_val **ret_inner)
{
    yyjson_obj_iter iter = level->object;
    *ret_inner = NULL;
    for (yyjson_val *key; *ret_inner == NULL && (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        if (met_before(level, yyjson_get_str(key), yyjson_get_len(key)) && key_before(level->container, key))
            return PNCP_JSON_DUPLICATE;
        yyjson_val *val = yyjson_obj_iter_get_val(key);
        *ret_inner = yyjson_is_ctn(val) ? val : NULL;
    }
    level->object = iter;
    return PNCP_JSON_OK;
}

static enum pncp_json_fault walk_array(struct walk_level *level, yyjson_val **ret_inner)
{
    do
        *ret_inner = yyjson_arr_iter_next(&level->array);
    while (*ret_inner != NULL && !yyjson_is_ctn(*ret_inner));
    return PNCP_JSON_OK;
}

/* Depth and duplicate keys, which yyjson does not check. Iterative: a hostile body must not use up the stack. */
static enum pncp_json_fault check_tree(yyjson_val *root)
{
    struct walk_level levels[PNCP_JSON_DEPTH_MAX];
    size_t depth = 0;
    enum pncp_json_fault fault = yyjson_is_ctn(root) ? enter(levels, &depth, root) : PNCP_JSON_OK;
    while (fault == PNCP_JSON_OK && depth > 0) {
        struct walk_level *level = &levels[depth - 1];
        yyjson_val *inner;
        fault = level->is_object ? walk_object(level, &inner) : walk_array(level, &inner);
        if (fault == PNCP_JSON_OK && inner != NULL)
            fault = enter(levels, &depth, inner);
        else
            depth--;
    }
    return fault;
}

#define COPIED_MAX_BYTES (PNCP_JSON_ROOM_BYTES / 4) /* for a document and a copy of its text */

enum pncp_code pncp_json_room_init(struct pncp_json_room *room)
{
    *room = (struct pncp_json_room){.block = pncp_malloc(PNCP_JSON_ROOM_BYTES)};
    return room->block == NULL ? PNCP_E_NOMEM : PNCP_OK;
}

void pncp_json_room_release(struct pncp_json_room *room)
{
    pncp_free_ptr(&room->block);
}

bool pncp_json_room_fits(const struct pncp_json_room *room, size_t text_bytes)
{
    return room != NULL && room->block != NULL && text_bytes < COPIED_MAX_BYTES && /* no overflow below */
           yyjson_read_max_memory_usage(text_bytes, YYJSON_READ_NUMBER_AS_RAW) <= COPIED_MAX_BYTES;
}

/* For a document parsed in place, whose values are one block that grows: the room, as long as it is large enough. */

static void *take_room(void *ctx, size_t bytes)
{
    struct pncp_json_room *room = ctx;
    if (room->taken || bytes > PNCP_JSON_ROOM_BYTES)
        return pncp_malloc(bytes);
    room->taken = true;
    return room->block;
}

static void leave_room(void *ctx, void *block)
{
    struct pncp_json_room *room = ctx;
    if (block == room->block)
        room->taken = false;
    else
        pncp_free(block);
}

static void *grow_in_room(void *ctx, void *block, size_t old_bytes, size_t bytes)
{
    struct pncp_json_room *room = ctx;
    if (block != room->block)
        return pncp_realloc(block, bytes, 1);
    if (bytes <= PNCP_JSON_ROOM_BYTES)
        return block;
    void *moved = pncp_malloc(bytes);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old_bytes);
    leave_room(room, block);
    return moved;
}

/* Without the walk; `more` are further flags of yyjson. */
static enum pncp_code parse(const yyjson_alc *alc, struct pncp_view text, yyjson_read_flag more,
                            struct pncp_json *ret_json, enum pncp_json_fault *ret_fault, struct pncp_err *err)
{
    yyjson_read_err why = {0};
    const yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW | more;
    char *data = (char *)(uintptr_t)text.data; /* yyjson writes to it only with YYJSON_READ_INSITU */
    yyjson_doc *doc = text.len == 0 ? NULL : yyjson_read_opts(data, text.len, flags, alc, &why);
    if (doc == NULL) {
        if (why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
            *ret_fault = PNCP_JSON_NOMEM;
            return pncp_err_set(err, PNCP_E_NOMEM, "json: out of memory");
        }
        bool truncated = text.len == 0 || why.code == YYJSON_READ_ERROR_UNEXPECTED_END ||
                         why.code == YYJSON_READ_ERROR_EMPTY_CONTENT || why.pos >= text.len;
        *ret_fault = truncated ? PNCP_JSON_TRUNCATED : PNCP_JSON_BAD;
        return pncp_err_set(err, PNCP_E_PARSE, "json: %s at byte %zu", why.msg == NULL ? "empty" : why.msg, why.pos);
    }
    *ret_json = (struct pncp_json){.doc = doc, .root = yyjson_doc_get_root(doc)};
    return PNCP_OK;
}

static enum pncp_code parse_checked(const yyjson_alc *alc, struct pncp_view text, yyjson_read_flag more,
                                    struct pncp_json *ret_json, enum pncp_json_fault *ret_fault, struct pncp_err *err)
{
    struct pncp_json json = {0};
    enum pncp_code rc = parse(alc, text, more, &json, ret_fault, err);
    if (rc != PNCP_OK)
        return rc;
    *ret_fault = check_tree(json.root);
    if (*ret_fault != PNCP_JSON_OK) {
        pncp_json_release(&json);
        if (*ret_fault == PNCP_JSON_DEEP)
            return pncp_err_set(err, PNCP_E_PARSE, "json: nested deeper than %d", PNCP_JSON_DEPTH_MAX);
        if (*ret_fault == PNCP_JSON_MANY_KEYS)
            return pncp_err_set(err, PNCP_E_PARSE, "json: more than %d keys in one object", PNCP_JSON_KEYS_MAX);
        return pncp_err_set(err, PNCP_E_PARSE, "json: a key twice in one object");
    }
    *ret_json = json;
    return PNCP_OK;
}

enum pncp_code pncp_json_parse(struct pncp_view text, struct pncp_json *ret_json, enum pncp_json_fault *ret_fault,
                               struct pncp_err *err)
{
    return pncp_json_parse_in(NULL, text, ret_json, ret_fault, err);
}

enum pncp_code pncp_json_parse_in(struct pncp_json_room *room, struct pncp_view text, struct pncp_json *ret_json,
                                  enum pncp_json_fault *ret_fault, struct pncp_err *err)
{
    enum pncp_json_fault ignored;
    yyjson_alc alc;
    bool fits = pncp_json_room_fits(room, text.len) && yyjson_alc_pool_init(&alc, room->block, COPIED_MAX_BYTES);
    return parse_checked(fits ? &alc : NULL, text, YYJSON_READ_NOFLAG, ret_json,
                         ret_fault == NULL ? &ignored : ret_fault, err);
}

/* yyjson reads "NaN" and "Infinity" (in any case, with any sign) as numbers that do not begin with a digit. */
static bool is_literal(yyjson_val *val)
{
    struct pncp_view raw = pncp_json_raw(val);
    size_t sign = raw.len > 0 && raw.data[0] == '-';
    return raw.len > sign && (raw.data[sign] < '0' || raw.data[sign] > '9');
}

enum pncp_code pncp_json_parse_nan(struct pncp_view text, struct pncp_json *ret_json, struct pncp_err *err)
{
    enum pncp_json_fault ignored;
    struct pncp_json json = {0};
    enum pncp_code rc = parse_checked(NULL, text, YYJSON_READ_ALLOW_INF_AND_NAN, &json, &ignored, err);
    if (rc != PNCP_OK)
        return rc;
    yyjson_val *end = json.root + yyjson_doc_get_val_count(json.doc); /* a document's values lie one after the other */
    for (yyjson_val *val = json.root; val < end; val++) {
        if (!is_literal(val))
            continue;
        if (!pncp_view_eq_text(pncp_json_raw(val), "NaN")) {
            rc = pncp_err_set(err, PNCP_E_PARSE, "json: " PNCP_VIEW_FMT " is no number",
                              PNCP_VIEW_ARG(pncp_json_raw(val)));
            pncp_json_release(&json);
            return rc;
        }
        (void)yyjson_set_null(val);
    }
    *ret_json = json;
    return PNCP_OK;
}

/* What yyjson wants behind a text that it parses where it lies. */
static enum pncp_code put_padding(struct pncp_buf *text, struct pncp_err *err)
{
    if (pncp_buf_reserve(text, YYJSON_PADDING_SIZE) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "json: out of memory");
    memset(text->data + text->len, 0, YYJSON_PADDING_SIZE);
    return PNCP_OK;
}

enum pncp_code pncp_json_parse_in_place(struct pncp_json_room *room, struct pncp_buf *text, struct pncp_json *ret_json,
                                        enum pncp_json_fault *ret_fault, struct pncp_err *err)
{
    enum pncp_json_fault ignored;
    const yyjson_alc alc = {.malloc = take_room, .realloc = grow_in_room, .free = leave_room, .ctx = room};
    enum pncp_code rc = put_padding(text, err);
    ret_fault = ret_fault == NULL ? &ignored : ret_fault;
    *ret_fault = PNCP_JSON_NOMEM;
    if (rc != PNCP_OK)
        return rc;
    return parse_checked(room == NULL || room->block == NULL ? NULL : &alc, pncp_buf_view(text), YYJSON_READ_INSITU,
                         ret_json, ret_fault, err);
}

enum pncp_code pncp_json_parse_again(struct pncp_buf *text, struct pncp_json *ret_json, struct pncp_err *err)
{
    enum pncp_json_fault ignored;
    enum pncp_code rc = put_padding(text, err);
    return rc == PNCP_OK ? parse(NULL, pncp_buf_view(text), YYJSON_READ_INSITU, ret_json, &ignored, err) : rc;
}

void pncp_json_release(struct pncp_json *json)
{
    yyjson_doc_free(json->doc);
    *json = (struct pncp_json){0};
}

struct pncp_view pncp_json_raw(yyjson_val *val)
{
    return yyjson_is_raw(val) ? (struct pncp_view){yyjson_get_raw(val), yyjson_get_len(val)}
                              : (struct pncp_view){"", 0};
}

struct pncp_view pncp_json_text(yyjson_val *val)
{
    return yyjson_is_str(val) ? (struct pncp_view){yyjson_get_str(val), yyjson_get_len(val)}
                              : (struct pncp_view){"", 0};
}

bool pncp_json_int(yyjson_val *val, int64_t *ret_value)
{
    return pncp_view_i64(pncp_json_raw(val), ret_value);
}

yyjson_val *pncp_json_get(yyjson_val *object, const char *key)
{
    return yyjson_obj_get(object, key);
}

bool pncp_json_all_objects(yyjson_val *array)
{
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(array, &iter);
    for (yyjson_val *val; (val = yyjson_arr_iter_next(&iter)) != NULL;) {
        if (!yyjson_is_obj(val))
            return false;
    }
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

void pncp_json_put_val(struct pncp_json_writer *w, yyjson_val *val)
{
    size_t len;
    char *text = yyjson_val_write(val, 0, &len);
    if (text == NULL)
        w->failed = PNCP_E_NOMEM;
    else
        pncp_json_put_raw(w, (struct pncp_view){text, len});
    free(text);
}
