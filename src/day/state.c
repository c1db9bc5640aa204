#include "day/state.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define STATE_MAX_BYTES ((size_t)512 * 1024 * 1024)
#define PARTS_OPEN 2
#define SAVE_TRIES 5 /* versions that others made while the keys were read */

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

static enum pncp_code put_key(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct writer *w = ctx;
    char key[PNCP_KEY_TEXT_BYTES], text[PNCP_KEY_TEXT_BYTES + 4];
    pncp_key_format(&row->key, key); /* [0-9A-Z|] only: nothing to escape */
    int len = snprintf(text, sizeof(text), "%s\"%s\"", w->any ? "," : "", key);
    w->any = true;
    return to_both(w, (struct pncp_view){text, (size_t)len}, err);
}

static void put_executions(struct pncp_json_writer *w, const struct pncp_data *data, enum pncp_part part)
{
    bool itens = part == PNCP_PART_ITENS;
    pncp_json_array_begin(w);
    for (size_t i = 0; i < data->history_count; i++) {
        const struct pncp_history_entry *entry = &data->history[i];
        char stamp[PNCP_STAMP_TEXT_BYTES];
        if (entry->rewrite)
            continue;
        pncp_stamp_format(entry->at_s * 1000000, stamp);
        pncp_json_object_begin(w);
        pncp_json_field_text(w, "timestamp", pncp_view_of(stamp));
        pncp_json_field_int(w, "new_records", entry->contratacoes);
        pncp_json_field_int(w, itens ? "total_itens" : "total_arquivos", itens ? entry->itens : entry->arquivos);
        pncp_json_object_end(w);
    }
    pncp_json_array_end(w);
}

/* What follows the keys in the part's file. */
static enum pncp_code tail_of(struct pncp_buf *text, const struct pncp_data *data, enum pncp_part part,
                              const char *commit)
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
        rc = pncp_buf_format(text, ",\"date\":\"%s\",\"commit\":\"%s\"}", day, commit);
    return rc;
}

/* *ret_again: the keys are of another version than the history that data knows; all was read anew. */
static enum pncp_code save_once(struct pncp_data *data, bool *ret_again, struct pncp_err *err)
{
    struct writer w = {.stages = {PNCP_STAGE_INIT, PNCP_STAGE_INIT}};
    char commit[PNCP_ID_BYTES] = "";
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < PARTS_OPEN; i++)
        rc = pncp_stage_open(data->lake, &w.stages[i], err);
    if (rc == PNCP_OK)
        rc = to_both(&w, PNCP_VIEW_LIT("{\"v\":1,\"processed_keys\":["), err);
    if (rc == PNCP_OK)
        rc = pncp_data_each_row(data, put_key, &w, commit, err);
    *ret_again = rc == PNCP_OK && strcmp(commit, data->commit) != 0;
    if (*ret_again)
        rc = pncp_data_gone(pncp_data_reload(data, err), err);
    for (size_t i = 0; rc == PNCP_OK && !*ret_again && i < PARTS_OPEN; i++) {
        char path[PNCP_PLACE_BYTES];
        rc = tail_of(&w.text, data, (enum pncp_part)i, commit);
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
    for (int tries = 0; tries < SAVE_TRIES; tries++) {
        bool again;
        enum pncp_code rc = save_once(data, &again, err);
        if (rc != PNCP_OK || !again)
            return rc;
    }
    return pncp_err_set(err, PNCP_E_CONFLICT, "state: the day's file is changed by others all the time");
}

/* ---- checking -------------------------------------------------------------------------------- */

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

enum pncp_code pncp_state_check(struct pncp_data *data, enum pncp_part part, enum pncp_state_health *ret_health,
                                char ret_what[PNCP_STATE_WHAT_BYTES], struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(STATE_MAX_BYTES);
    AUTO(pncp_json_release) struct pncp_json json = {0};
    pncp_place_format(part == PNCP_PART_ITENS ? PNCP_PLACE_STATE_ITENS : PNCP_PLACE_STATE_ARQUIVOS, data->date, path);
    ret_what[0] = '\0';
    enum pncp_code rc = pncp_lake_load(data->lake, path, NULL, &text, NULL, err);
    if (rc == PNCP_E_NOTFOUND) {
        *ret_health = PNCP_STATE_MISSING;
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, "%s: missing", path);
        return PNCP_OK;
    }
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
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, "%s: made from another commit", path);
        return PNCP_OK;
    }
    struct key_check check = {.differs = false};
    yyjson_arr_iter_init(pncp_json_get(json.root, "processed_keys"), &check.keys);
    rc = pncp_data_each_row(data, check_key, &check, NULL, err);
    if (rc != PNCP_OK)
        return rc;
    bool differs = check.differs || yyjson_arr_iter_next(&check.keys) != NULL;
    *ret_health = differs ? PNCP_STATE_DAMAGED : check_executions(data, part, json.root);
    if (*ret_health != PNCP_STATE_SOUND)
        (void)snprintf(ret_what, PNCP_STATE_WHAT_BYTES, "%s: %s differ from the data", path,
                       differs ? "keys" : "executions");
    return PNCP_OK;
}
