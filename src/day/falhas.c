#include "day/falhas.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/layout.h"
#include "lake/race.h"
#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILED_FIRST_S 600
#define FAILED_LONGEST_S (6 * 3600)
#define ABSENT_FIRST_S 3600
#define ABSENT_THEN_S 86400
#define ABSENT_CLOSED_S (7 * 86400)

static const char *const PARTS[] = {
    [PNCP_FALHA_ITENS] = "itens", [PNCP_FALHA_ARQUIVOS] = "arquivos", [PNCP_FALHA_AMBAS] = "ambas"};
static const char *const KINDS[] = {
    [PNCP_FALHA_FAILED] = "failed", [PNCP_FALHA_AUSENTE] = "ausente", [PNCP_FALHA_VAZIO] = "vazio"};

void pncp_falhas_release(struct pncp_falhas *falhas)
{
    pncp_free(falhas->entries);
    *falhas = (struct pncp_falhas){0};
}

/* ---- the set: sorted by key, then part ------------------------------------------------------- */

static int compare(const struct pncp_falha *entry, struct pncp_packed_key key, unsigned part)
{
    int order = pncp_packed_key_cmp(entry->key, key);
    return order != 0 ? order : (int)entry->part - (int)part;
}

/* First entry that is not before (key, part). */
static size_t lower_bound(const struct pncp_falhas *falhas, struct pncp_packed_key key, unsigned part)
{
    size_t low = 0, high = falhas->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&falhas->entries[middle], key, part) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void pncp_falhas_drop(struct pncp_falhas *falhas, const struct pncp_falha *entry)
{
    size_t at = (size_t)(entry - falhas->entries);
    bool failed = entry->kind == PNCP_FALHA_FAILED;
    memmove(&falhas->entries[at], &falhas->entries[at + 1], (falhas->count - at - 1) * sizeof(*falhas->entries));
    falhas->count--;
    falhas->dirty = true;
    falhas->urgent = falhas->urgent || failed;
}

/* The entry of (key, part), made when missing. */
static enum pncp_code entry_of(struct pncp_falhas *falhas, struct pncp_packed_key key, unsigned part,
                               struct pncp_falha **ret_entry)
{
    size_t at = lower_bound(falhas, key, part);
    if (at == falhas->count || compare(&falhas->entries[at], key, part) != 0) {
        if (falhas->count == falhas->cap) {
            size_t cap = pncp_grow(falhas->cap, falhas->count + 1);
            struct pncp_falha *entries = pncp_realloc(falhas->entries, cap, sizeof(*entries));
            if (entries == NULL)
                return PNCP_E_NOMEM;
            falhas->entries = entries;
            falhas->cap = cap;
        }
        memmove(&falhas->entries[at + 1], &falhas->entries[at], (falhas->count - at) * sizeof(*falhas->entries));
        falhas->entries[at] = (struct pncp_falha){.key = key, .part = (uint8_t)part};
        falhas->count++;
    }
    *ret_entry = &falhas->entries[at];
    return PNCP_OK;
}

/* The first entry of a key, of `part` (0: of any), that has failed or has not; or NULL. */
static const struct pncp_falha *find(const struct pncp_falhas *falhas, struct pncp_packed_key key, unsigned part,
                                     bool failed)
{
    for (size_t i = lower_bound(falhas, key, 0);
         i < falhas->count && pncp_packed_key_cmp(falhas->entries[i].key, key) == 0; i++) {
        const struct pncp_falha *entry = &falhas->entries[i];
        if ((entry->kind == PNCP_FALHA_FAILED) == failed && (part == 0 || entry->part == part))
            return entry;
    }
    return NULL;
}

const struct pncp_falha *pncp_falhas_failed(const struct pncp_falhas *falhas, struct pncp_packed_key key)
{
    return find(falhas, key, 0, true);
}

const struct pncp_falha *pncp_falhas_part(const struct pncp_falhas *falhas, struct pncp_packed_key key,
                                          enum pncp_falha_part part)
{
    return find(falhas, key, part, false);
}

void pncp_falhas_resolve(struct pncp_falhas *falhas, struct pncp_packed_key key)
{
    const struct pncp_falha *entry;
    while ((entry = pncp_falhas_failed(falhas, key)) != NULL)
        pncp_falhas_drop(falhas, entry);
}

bool pncp_falha_is_due(const struct pncp_falha *entry, int64_t now_s)
{
    return !entry->closed && entry->not_before_s <= now_s;
}

bool pncp_falha_would_be_due(int64_t asked_s, int64_t now_s)
{
    return asked_s + ABSENT_FIRST_S <= now_s;
}

static int64_t next_time(const struct pncp_falha *entry, int64_t now_s)
{
    if (entry->kind != PNCP_FALHA_FAILED)
        return now_s + (entry->attempts <= 1 ? ABSENT_FIRST_S : ABSENT_THEN_S);
    int64_t wait = FAILED_FIRST_S;
    for (uint32_t i = 1; i < entry->attempts && wait < FAILED_LONGEST_S; i++)
        wait *= 2;
    return now_s + PNCP_MIN(wait, (int64_t)FAILED_LONGEST_S);
}

enum pncp_code pncp_falhas_note(struct pncp_falhas *falhas, struct pncp_packed_key key, enum pncp_falha_part part,
                                enum pncp_falha_kind kind, enum pncp_reason reason, long http_status, int64_t now_s)
{
    struct pncp_falha *entry;
    if (kind == PNCP_FALHA_FAILED) { /* one failed entry a key: the newest says which part */
        const struct pncp_falha *before = pncp_falhas_failed(falhas, key);
        struct pncp_falha kept = before == NULL ? (struct pncp_falha){0} : *before;
        pncp_falhas_resolve(falhas, key);
        enum pncp_code rc = entry_of(falhas, key, part, &entry);
        if (rc != PNCP_OK)
            return rc;
        entry->attempts = kept.attempts;
        entry->first_at_s = kept.first_at_s;
    } else {
        enum pncp_code rc = entry_of(falhas, key, part, &entry);
        if (rc != PNCP_OK)
            return rc;
        if (entry->kind == PNCP_FALHA_FAILED) /* how often it failed says nothing about how long it is absent */
            *entry = (struct pncp_falha){.key = key, .part = (uint8_t)part};
    }
    entry->kind = (uint8_t)kind;
    entry->reason = (uint8_t)reason;
    entry->http_status = (int16_t)http_status;
    entry->attempts++;
    entry->first_at_s = entry->first_at_s == 0 ? now_s : entry->first_at_s;
    entry->last_at_s = now_s;
    entry->not_before_s = next_time(entry, now_s);
    entry->closed = kind != PNCP_FALHA_FAILED && now_s - entry->first_at_s >= ABSENT_CLOSED_S;
    falhas->dirty = true;
    falhas->urgent = falhas->urgent || kind == PNCP_FALHA_FAILED;
    return PNCP_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_choice(struct pncp_view text, const char *const *choices, size_t first, size_t count,
                        uint8_t *ret_choice)
{
    for (size_t i = first; i < count; i++) {
        if (pncp_view_eq_text(text, choices[i])) {
            *ret_choice = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool read_time(yyjson_val *object, const char *name, int64_t *ret_s)
{
    int64_t us;
    if (!pncp_datetime_parse(pncp_json_text(pncp_json_get(object, name)), &us))
        return false;
    *ret_s = us / 1000000;
    return true;
}

static bool read_entry(yyjson_val *object, struct pncp_falha *ret_entry)
{
    struct pncp_key key;
    struct pncp_falha entry = {0};
    enum pncp_reason reason = PNCP_REASON_NONE;
    long from_reason = 0;
    int64_t status = 0, attempts = 0;
    struct pncp_view reason_text = pncp_json_text(pncp_json_get(object, "reason"));
    bool sound =
        pncp_key_parse(pncp_json_text(pncp_json_get(object, "key")), &key, NULL) == PNCP_OK &&
        read_choice(pncp_json_text(pncp_json_get(object, "part")), PARTS, 1, PNCP_ARRAY_LEN(PARTS), &entry.part) &&
        read_choice(pncp_json_text(pncp_json_get(object, "kind")), KINDS, 0, PNCP_ARRAY_LEN(KINDS), &entry.kind) &&
        (reason_text.len == 0 || pncp_reason_parse(reason_text, &reason, &from_reason)) &&
        pncp_json_int(pncp_json_get(object, "attempts"), &attempts) && attempts >= 0 && attempts <= UINT32_MAX &&
        read_time(object, "first_at", &entry.first_at_s) && read_time(object, "last_at", &entry.last_at_s) &&
        read_time(object, "not_before", &entry.not_before_s);
    if (!sound)
        return false;
    yyjson_val *http = pncp_json_get(object, "http_status");
    if (http != NULL && (!pncp_json_int(http, &status) || status < 0 || status > 999))
        return false;
    entry.key = pncp_key_pack(&key);
    entry.reason = (uint8_t)reason;
    entry.http_status = (int16_t)(http != NULL ? status : from_reason);
    entry.attempts = (uint32_t)attempts;
    entry.closed = yyjson_is_true(pncp_json_get(object, "closed"));
    *ret_entry = entry;
    return true;
}

/* By key and part; of one (key, part) the later attempt is the last. */
static int by_key(const void *a, const void *b)
{
    const struct pncp_falha *x = a, *y = b;
    int order = compare(x, y->key, y->part);
    if (order == 0)
        order = (x->last_at_s > y->last_at_s) - (x->last_at_s < y->last_at_s);
    return order != 0 ? order : (x->attempts > y->attempts) - (x->attempts < y->attempts);
}

/* A file that others wrote may have a (key, part) more than once: the last of each stays. */
static void keep_latest(struct pncp_falhas *falhas)
{
    size_t kept = 0;
    for (size_t i = 0; i < falhas->count; i++) {
        const struct pncp_falha *next = i + 1 < falhas->count ? &falhas->entries[i + 1] : NULL;
        if (next == NULL || compare(&falhas->entries[i], next->key, next->part) != 0)
            falhas->entries[kept++] = falhas->entries[i];
    }
    falhas->dirty = kept != falhas->count;
    falhas->count = kept;
}

enum pncp_code pncp_falhas_parse(struct pncp_view text, struct pncp_falhas *ret_falhas, struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    int64_t version;
    enum pncp_code rc = pncp_json_parse(text, &json, NULL, err);
    if (rc != PNCP_OK)
        return rc;
    if (!pncp_json_int(pncp_json_get(json.root, "v"), &version))
        return pncp_err_set(err, PNCP_E_PARSE, "falhas has no version");
    if (version > 1)
        return pncp_err_set(err, PNCP_E_NEWER, "falhas has version %" PRId64 ", this program knows 1", version);
    yyjson_val *entries = pncp_json_get(json.root, "entries");
    if (!yyjson_is_arr(entries))
        return pncp_err_set(err, PNCP_E_PARSE, "falhas has no entries");
    struct pncp_falhas falhas = {.cap = yyjson_arr_size(entries)};
    falhas.entries = pncp_calloc(falhas.cap, sizeof(*falhas.entries));
    if (falhas.entries == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "falhas: out of memory");
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(entries, &iter);
    for (yyjson_val *object; (object = yyjson_arr_iter_next(&iter)) != NULL; falhas.count++) {
        if (!read_entry(object, &falhas.entries[falhas.count])) {
            rc = pncp_err_set(err, PNCP_E_PARSE, "falhas: entry %zu is damaged", falhas.count);
            pncp_falhas_release(&falhas);
            return rc;
        }
    }
    qsort(falhas.entries, falhas.count, sizeof(*falhas.entries), by_key);
    keep_latest(&falhas);
    *ret_falhas = falhas;
    return PNCP_OK;
}

enum pncp_code pncp_falhas_load(struct pncp_lake *lake, struct pncp_date date, struct pncp_falhas *ret_falhas,
                                bool *ret_rebuilt, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES], aside[PNCP_PLACE_BYTES + 16];
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(PNCP_FALHAS_MAX_BYTES);
    struct pncp_version version = {.text = ""};
    pncp_place_format(PNCP_PLACE_FALHAS, date, path);
    pncp_place_format(PNCP_PLACE_FALHAS_LOCK, date, lock);
    *ret_falhas = (struct pncp_falhas){0};
    if (ret_rebuilt != NULL)
        *ret_rebuilt = false;
    enum pncp_code rc = pncp_lake_load(lake, path, lock, &text, &version, err);
    if (rc == PNCP_E_NOTFOUND)
        return PNCP_OK;
    if (rc == PNCP_OK)
        rc = pncp_falhas_parse(pncp_buf_view(&text), ret_falhas, err);
    if (rc == PNCP_E_PARSE) { /* kept aside for a person; failed contratações are simply not in the data, the rest comes
                                 from it */
        (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
        const struct pncp_body body = {.bytes = pncp_buf_view(&text)};
        rc = pncp_lake_put(lake, aside, &body, err);
        if (rc == PNCP_OK)
            ret_falhas->dirty = true;
        if (ret_rebuilt != NULL)
            *ret_rebuilt = true;
    }
    ret_falhas->version = version;
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "%s", path);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_entry(struct pncp_json_writer *w, const struct pncp_falha *entry)
{
    struct pncp_key key;
    char key_text[PNCP_KEY_TEXT_BYTES], reason[PNCP_REASON_TEXT_BYTES];
    pncp_key_unpack(entry->key, &key);
    pncp_key_format(&key, key_text);
    pncp_json_object_begin(w);
    pncp_json_field_text(w, "key", pncp_view_of(key_text));
    pncp_json_field_text(w, "part", pncp_view_of(PARTS[entry->part]));
    pncp_json_field_text(w, "kind", pncp_view_of(KINDS[entry->kind]));
    if (entry->reason != PNCP_REASON_NONE) {
        pncp_reason_format((enum pncp_reason)entry->reason, entry->http_status, reason);
        pncp_json_field_text(w, "reason", pncp_view_of(reason));
    }
    if (entry->http_status != 0)
        pncp_json_field_int(w, "http_status", entry->http_status);
    pncp_json_field_int(w, "attempts", entry->attempts);
    pncp_json_field_time(w, "first_at", entry->first_at_s * 1000000);
    pncp_json_field_time(w, "last_at", entry->last_at_s * 1000000);
    pncp_json_field_time(w, "not_before", entry->not_before_s * 1000000);
    if (entry->closed)
        pncp_json_field_bool(w, "closed", true);
    pncp_json_object_end(w);
}

/* What was written so far to the stage, which collects it. */
static enum pncp_code drain(struct pncp_buf *text, struct pncp_stage *stage, struct pncp_err *err)
{
    enum pncp_code rc = pncp_stage_append(stage, text->data, text->len, err);
    pncp_buf_clear(text);
    return rc;
}

/* The file's text to `stage`, an empty one, an entry at a time: 5,000 have 1 MB. */
static enum pncp_code format(struct pncp_date date, const struct pncp_falhas *falhas, struct pncp_keyset *keys,
                             struct pncp_stage *stage, struct pncp_err *err)
{
    char day[PNCP_DATE_TEXT_BYTES], id[PNCP_HEX_BYTES(16)];
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_json_writer w;
    enum pncp_code rc = PNCP_OK;
    pncp_date_format(date, day);
    pncp_json_writer_init(&w, &text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "date", pncp_view_of(day));
    pncp_json_key(&w, "entries");
    pncp_json_array_begin(&w);
    for (size_t i = 0; rc == PNCP_OK && i < falhas->count; i++) {
        const struct pncp_falha *entry = &falhas->entries[i];
        bool saved = (pncp_keyset_get(keys, entry->key) & PNCP_KEY_SAVED) != 0;
        if (entry->kind != PNCP_FALHA_FAILED || !saved) /* ausente, vazio: of a row that another run may have saved */
            put_entry(&w, entry);
        rc = drain(&text, stage, err);
    }
    pncp_json_array_end(&w);
    pncp_random_hex(16, id);
    pncp_json_field_text(&w, "id", pncp_view_of(id)); /* last: no two texts have the same version (lake.h) */
    pncp_json_object_end(&w);
    if (rc == PNCP_OK && pncp_json_writer_end(&w) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "falhas: out of memory");
    return rc == PNCP_OK ? drain(&text, stage, err) : rc;
}

enum pncp_code pncp_falhas_write(struct pncp_lake *lake, struct pncp_date date, struct pncp_falhas *falhas,
                                 struct pncp_keyset *keys, struct pncp_err *err)
{
    if (!falhas->dirty)
        return PNCP_OK;
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    AUTO(pncp_stage_release) struct pncp_stage stage = PNCP_STAGE_INIT;
    const struct pncp_body body = {.stage = &stage};
    pncp_place_format(PNCP_PLACE_FALHAS, date, path);
    pncp_place_format(PNCP_PLACE_FALHAS_LOCK, date, lock);
    enum pncp_code rc = pncp_stage_open(lake, &stage, err);
    if (rc == PNCP_OK)
        rc = format(date, falhas, keys, &stage, err);
    if (rc == PNCP_OK)
        rc = pncp_lake_write_if(lake, path, lock, &falhas->version, &body, &falhas->version, err);
    if (rc == PNCP_OK)
        falhas->dirty = falhas->urgent = false;
    return rc;
}

enum pncp_code pncp_falhas_merge(struct pncp_falhas *falhas, const struct pncp_falhas *other)
{
    for (size_t i = 0; i < other->count; i++) {
        struct pncp_falha *mine;
        enum pncp_code rc = entry_of(falhas, other->entries[i].key, other->entries[i].part, &mine);
        if (rc != PNCP_OK)
            return rc;
        if (mine->last_at_s < other->entries[i].last_at_s)
            *mine = other->entries[i];
    }
    falhas->version = other->version;
    falhas->dirty = falhas->dirty || other->dirty;
    return PNCP_OK;
}

enum pncp_code pncp_falhas_save(struct pncp_lake *lake, struct pncp_date date, struct pncp_falhas *falhas,
                                struct pncp_keyset *keys, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_FALHAS, date, path);
    unsigned losses = 0;
    enum pncp_code rc = pncp_falhas_write(lake, date, falhas, keys, err);
    while (rc == PNCP_E_CONFLICT && pncp_race_lost(&losses, path, err) == PNCP_OK) {
        AUTO(pncp_falhas_release) struct pncp_falhas other = {0};
        rc = pncp_falhas_load(lake, date, &other, NULL, err);
        if (rc == PNCP_OK && pncp_falhas_merge(falhas, &other) != PNCP_OK)
            rc = pncp_err_set(err, PNCP_E_NOMEM, "%s: out of memory", path);
        if (rc == PNCP_OK)
            rc = pncp_falhas_write(lake, date, falhas, keys, err);
    }
    return rc;
}
