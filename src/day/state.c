#include "day/state.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "lake/race.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define STATE_MAX_BYTES ((size_t)512 * 1024 * 1024)
#define PARTS_OPEN 2
#define HEAD "{\"v\":1,\"processed_keys\":["
#define COMMIT ",\"commit\":\""
#define FROM_ANOTHER_COMMIT "%s: made from another commit"
#define CHANGED_MEANWHILE "%s: another run committed while it was compared"

struct writer {
    struct pncp_stage stages[PARTS_OPEN];
    struct pncp_buf text; /* scratch */
    bool any;
};

static enum pncp_code to_both(struct writer *w, struct pncp_view text, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < PARTS_OPEN; i++)
        rc = pncp_stage_append(&w->stages[i], text.data, text.len, err);
    return rc;
}

/* The key as it stands in processed_keys; *any: it is not the first one. */
static struct pncp_view key_element(const struct pncp_key *key, bool *any, char text[PNCP_KEY_TEXT_BYTES + 4])
{
    size_t len = 0;
    if (*any)
        text[len++] = ',';
    text[len++] = '"';
    len += pncp_key_format(key, text + len); /* [0-9A-Z|] only: nothing to escape */
    text[len++] = '"';
    *any = true;
    return (struct pncp_view){text, len};
}

static enum pncp_code put_key(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct writer *w = ctx;
    char text[PNCP_KEY_TEXT_BYTES + 4];
    return to_both(w, key_element(&row->key, &w->any, text), err);
}

static void put_executions(struct pncp_json_writer *w, const struct pncp_data *data, enum pncp_part part)
{
    bool itens = part == PNCP_PART_ITENS;
    pncp_json_array_begin(w);
    for (size_t i = 0; i < data->history_count; i++) {
        const struct pncp_history_entry *entry = &data->history[i];
        if (entry->rewrite)
            continue;
        pncp_json_object_begin(w);
        pncp_json_field_time(w, "timestamp", entry->at_s * 1000000);
        pncp_json_field_int(w, "new_records", entry->contratacoes);
        pncp_json_field_int(w, itens ? "total_itens" : "total_arquivos", itens ? entry->itens : entry->arquivos);
        pncp_json_object_end(w);
    }
    pncp_json_array_end(w);
}

/* What follows the keys in the part's file. */
static enum pncp_code tail_of(struct pncp_buf *text, const struct pncp_data *data, enum pncp_part part)
{
    AUTO(pncp_buf_release) struct pncp_buf executions = {0};
    struct pncp_json_writer w;
    char day[PNCP_DATE_TEXT_BYTES];
    pncp_json_writer_init(&w, &executions);
    put_executions(&w, data, part);
    enum pncp_code rc = pncp_json_writer_end(&w);
    pncp_date_format(data->date, day);
    pncp_buf_clear(text);
    if (rc == PNCP_OK)
        rc = pncp_buf_format(text, "],\"executions\":");
    if (rc == PNCP_OK)
        rc = pncp_buf_append(text, executions.data, executions.len);
    if (rc == PNCP_OK)
        rc = pncp_buf_format(text, ",\"date\":\"%s\"" COMMIT "%s\"}", day, data->commit);
    return rc;
}

/* The rows of the commit that data knows. PNCP_E_CONFLICT: there is another by now, and what was told may be of either.
 */
static enum pncp_code each_known_row(struct pncp_data *data,
                                     enum pncp_code (*each)(void *ctx, const struct pncp_data_row *row,
                                                            struct pncp_err *err),
                                     void *ctx, struct pncp_err *err)
{
    char commit[PNCP_ID_BYTES];
    enum pncp_code rc = pncp_data_each_row(data, &(struct pncp_row_walk){each, NULL, ctx}, commit, err);
    if (rc == PNCP_OK && strcmp(commit, data->commit) != 0)
        rc = pncp_err_set(err, PNCP_E_CONFLICT, "details.parquet was changed by someone else");
    return rc;
}

/* *ret_again: another version was put there; all was read anew. */
static enum pncp_code save_once(struct pncp_data *data, bool *ret_again, struct pncp_err *err)
{
    struct writer w = {.stages = {PNCP_STAGE_INIT, PNCP_STAGE_INIT}};
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < PARTS_OPEN; i++)
        rc = pncp_stage_open(data->lake, &w.stages[i], err);
    if (rc == PNCP_OK)
        rc = to_both(&w, PNCP_VIEW_LIT(HEAD), err);
    if (rc == PNCP_OK)
        rc = each_known_row(data, put_key, &w, err);
    *ret_again = rc == PNCP_E_CONFLICT;
    if (*ret_again)
        rc = pncp_data_gone(pncp_data_reload(data, err), err);
    for (size_t i = 0; rc == PNCP_OK && !*ret_again && i < PARTS_OPEN; i++) {
        char path[PNCP_PLACE_BYTES];
        rc = tail_of(&w.text, data, (enum pncp_part)i);
        if (rc != PNCP_OK)
            (void)pncp_err_set(err, rc, "state: out of memory");
        if (rc == PNCP_OK)
            rc = pncp_stage_append(&w.stages[i], w.text.data, w.text.len, err);
        pncp_place_format(i == PNCP_PART_ITENS ? PNCP_PLACE_STATE_ITENS : PNCP_PLACE_STATE_ARQUIVOS, data->date, path);
        const struct pncp_body body = {.stage = &w.stages[i]};
        if (rc == PNCP_OK)
            rc = pncp_lake_put(data->lake, path, &body, err);
    }
    for (size_t i = 0; i < PARTS_OPEN; i++)
        pncp_stage_release(&w.stages[i]);
    pncp_buf_release(&w.text);
    return rc;
}

enum pncp_code pncp_state_save(struct pncp_data *data, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    unsigned losses = 0;
    bool again; /* another version was made while the keys were read */
    enum pncp_code rc = save_once(data, &again, err);
    while (rc == PNCP_OK && again) {
        rc = pncp_race_lost(&losses, path, err);
        if (rc == PNCP_OK)
            rc = save_once(data, &again, err);
    }
    return rc;
}

/* ---- checking: byte by byte ------------------------------------------------------------------ */

/* The file as it should be against the file as it is, a piece at a time: of a day of 100,000 it has 2.7 MB. */
struct comparison {
    const struct pncp_source *source;
    struct pncp_buf expected; /* the bytes from `at` on, not compared yet */
    uint64_t at;
    bool any, differs;
};
#define PIECE_BYTES ((size_t)16 * 1024)

static enum pncp_code compare_piece(struct comparison *c, struct pncp_err *err)
{
    char piece[PIECE_BYTES + PNCP_KEY_TEXT_BYTES + 4];
    for (size_t done = 0; !c->differs && done < c->expected.len;) {
        size_t step = PNCP_MIN(sizeof(piece), c->expected.len - done);
        if (step > c->source->size || c->at > c->source->size - step) {
            c->differs = true;
            break;
        }
        enum pncp_code rc = c->source->read_at(c->source->ctx, c->at, piece, step, err);
        if (rc != PNCP_OK)
            return rc;
        c->differs = memcmp(piece, c->expected.data + done, step) != 0;
        c->at += step;
        done += step;
    }
    pncp_buf_clear(&c->expected);
    return PNCP_OK;
}

static enum pncp_code compare(struct comparison *c, struct pncp_view text, struct pncp_err *err)
{
    if (pncp_buf_append(&c->expected, text.data, text.len) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "state: out of memory");
    return c->expected.len < PIECE_BYTES ? PNCP_OK : compare_piece(c, err);
}

static enum pncp_code compare_key(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct comparison *c = ctx;
    char text[PNCP_KEY_TEXT_BYTES + 4];
    return c->differs ? PNCP_OK : compare(c, key_element(&row->key, &c->any, text), err);
}

/* Is `source` what would be written now? */
static enum pncp_code is_as_expected(struct pncp_data *data, enum pncp_part part, const struct pncp_source *source,
                                     bool *ret_same, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    struct comparison c = {.source = source};
    enum pncp_code rc = tail_of(&tail, data, part) == PNCP_OK ? compare(&c, PNCP_VIEW_LIT(HEAD), err)
                                                              : pncp_err_set(err, PNCP_E_NOMEM, "state: out of memory");
    if (rc == PNCP_OK)
        rc = each_known_row(data, compare_key, &c, err);
    if (rc == PNCP_OK)
        rc = compare(&c, pncp_buf_view(&tail), err);
    if (rc == PNCP_OK)
        rc = compare_piece(&c, err);
    *ret_same = !c.differs && c.at == source->size;
    pncp_buf_release(&c.expected);
    return rc;
}

/* Does it end as ours do, saying that it was made from another commit than the newest? Then nothing else of it is read.
 */
static enum pncp_code is_stale(const struct pncp_data *data, const struct pncp_source *source, bool *ret_stale,
                               struct pncp_err *err)
{
    char end[sizeof(COMMIT "\"}") - 1 + PNCP_ID_BYTES - 1];
    *ret_stale = false;
    if (source->size < sizeof(end))
        return PNCP_OK;
    enum pncp_code rc = source->read_at(source->ctx, source->size - sizeof(end), end, sizeof(end), err);
    if (rc != PNCP_OK)
        return rc;
    char id[PNCP_ID_BYTES] = "";
    memcpy(id, end + sizeof(COMMIT) - 1, sizeof(id) - 1);
    *ret_stale = memcmp(end, COMMIT, sizeof(COMMIT) - 1) == 0 && memcmp(end + sizeof(end) - 2, "\"}", 2) == 0 &&
                 strspn(id, "0123456789abcdef") == sizeof(id) - 1 && strcmp(id, data->commit) != 0;
    return PNCP_OK;
}

/* ---- checking: what is wrong with it --------------------------------------------------------- */

struct key_check {
    yyjson_arr_iter keys;
    bool differs;
};

static enum pncp_code check_key(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    (void)err;
    struct key_check *check = ctx;
    char key[PNCP_KEY_TEXT_BYTES];
    pncp_key_format(&row->key, key);
    yyjson_val *val = yyjson_arr_iter_next(&check->keys);
    check->differs = check->differs || val == NULL || !pncp_view_eq_text(pncp_json_text(val), key);
    return PNCP_OK;
}

static enum pncp_state_health check_executions(const struct pncp_data *data, enum pncp_part part, yyjson_val *root)
{
    AUTO(pncp_buf_release) struct pncp_buf expected = {0}, found = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &expected);
    put_executions(&w, data, part);
    enum pncp_code rc = pncp_json_writer_end(&w);
    pncp_json_writer_init(&w, &found);
    pncp_json_put_val(&w, pncp_json_get(root, "executions"));
    bool same = rc == PNCP_OK && pncp_json_writer_end(&w) == PNCP_OK &&
                pncp_view_eq(pncp_buf_view(&expected), pncp_buf_view(&found));
    return same ? PNCP_STATE_SOUND : PNCP_STATE_DAMAGED;
}

/* It is not as expected: parsed as what it is, JSON that another program may have written anew. */
static enum pncp_code explain(struct pncp_data *data, enum pncp_part part, const char *path,
                              enum pncp_state_health *ret_health, char ret_what[PNCP_STATE_WHAT_BYTES],
                              struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(STATE_MAX_BYTES);
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_code rc = pncp_lake_load(data->lake, path, NULL, &text, NULL, err);
    if (rc != PNCP_OK)
        return rc;
    if (pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL) != PNCP_OK ||
        !yyjson_is_arr(pncp_json_get(json.root, "processed_keys"))) {
        *ret_health = PNCP_STATE_DAMAGED;
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, "%s: not a state file", path);
        return PNCP_OK;
    }
    if (!pncp_view_eq_text(pncp_json_text(pncp_json_get(json.root, "commit")), data->commit)) {
        *ret_health = PNCP_STATE_STALE;
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, FROM_ANOTHER_COMMIT, path);
        return PNCP_OK;
    }
    struct key_check check = {.differs = false};
    yyjson_arr_iter_init(pncp_json_get(json.root, "processed_keys"), &check.keys);
    rc = each_known_row(data, check_key, &check, err);
    if (rc != PNCP_OK)
        return rc;
    bool differs = check.differs || yyjson_arr_iter_next(&check.keys) != NULL;
    *ret_health = differs ? PNCP_STATE_DAMAGED : check_executions(data, part, json.root);
    if (*ret_health != PNCP_STATE_SOUND)
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, "%s: %s differ from the data", path,
                       differs ? "keys" : "executions");
    return PNCP_OK;
}

enum pncp_code pncp_state_check(struct pncp_data *data, enum pncp_part part, enum pncp_state_health *ret_health,
                                char ret_what[PNCP_STATE_WHAT_BYTES], struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    struct pncp_object object;
    bool stale = false, same = false;
    pncp_place_format(part == PNCP_PART_ITENS ? PNCP_PLACE_STATE_ITENS : PNCP_PLACE_STATE_ARQUIVOS, data->date, path);
    ret_what[0] = '\0';
    enum pncp_code rc = pncp_lake_open_object(data->lake, path, NULL, &object, err);
    if (rc == PNCP_E_NOTFOUND) {
        *ret_health = PNCP_STATE_MISSING;
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, "%s: missing", path);
        return PNCP_OK;
    }
    if (rc != PNCP_OK)
        return rc;
    rc = is_stale(data, &object.source, &stale, err);
    if (rc == PNCP_OK && !stale)
        rc = is_as_expected(data, part, &object.source, &same, err);
    pncp_object_release(&object);
    *ret_health = stale ? PNCP_STATE_STALE : PNCP_STATE_SOUND;
    if (stale)
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, FROM_ANOTHER_COMMIT, path);
    if (rc == PNCP_OK && !stale && !same)
        rc = explain(data, part, path, ret_health, ret_what, err);
    if (rc != PNCP_E_CONFLICT)
        return rc;
    *ret_health = PNCP_STATE_STALE; /* at best of the commit that data knows, which is the newest no more */
    (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, CHANGED_MEANWHILE, path);
    return PNCP_OK;
}
