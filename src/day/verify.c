#include "day/verify.h"
#include "day/columns.h"
#include "day/complete.h"
#include "day/data_int.h"
#include "day/falhas.h"
#include "day/layout.h"
#include "day/state.h"
#include "parquet/chunk_reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void problem(struct pncp_verify *verify, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void problem(struct pncp_verify *verify, const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    verify->problems++;
    verify->problem(verify->ctx, text);
}

/* ---- rows --------------------------------------------------------------------------------------- */

enum {
    CNPJ,
    ANO,
    SEQUENCIAL,
    PUBLICACAO,
    SITUACAO,
    TOTAL = SITUACAO + PNCP_PARTS,
    NUMBERS = TOTAL + PNCP_PARTS,
    KEPT = NUMBERS + PNCP_PARTS
};

/* The columns of one group that are compared with each other; the others are read and dropped. */
struct kept {
    struct pncp_leaf leaves[KEPT];
    int wanted[KEPT];
};

static void name_kept(struct kept *kept)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    const int wanted[KEPT] = {at->cnpj,           at->ano,
                              at->sequencial,     at->data_publicacao,
                              at->itens_situacao, at->arquivos_situacao,
                              at->itens_total,    at->arquivos_total,
                              at->itens_numero,   at->arquivos_sequencial};
    memcpy(kept->wanted, wanted, sizeof(wanted));
}

static void release_kept(struct kept *kept)
{
    for (size_t i = 0; i < KEPT; i++)
        pncp_leaf_release(&kept->leaves[i]);
}

/* Read every column of the group; keep those that are compared. A page that cannot be read is a problem; *ret_sound
 * false then. */
static enum pncp_code read_group(const struct pncp_columns *file, size_t group, struct kept *kept, bool *ret_sound,
                                 struct pncp_verify *verify, struct pncp_err *err)
{
    const struct pncp_schema *schema = pncp_details_schema();
    *ret_sound = true;
    for (size_t i = 0; i < schema->leaf_count; i++) {
        struct pncp_leaf leaf;
        struct pncp_err why = PNCP_ERR_INIT;
        pncp_leaf_init(&leaf, &schema->leaves[i]);
        enum pncp_code rc = pncp_columns_read(file, schema, i, group, 1, &leaf, &why);
        size_t k = 0;
        while (rc == PNCP_OK && k < KEPT && kept->wanted[k] != (int)i)
            k++;
        if (rc == PNCP_OK && k < KEPT) {
            kept->leaves[k] = leaf;
            continue;
        }
        pncp_leaf_release(&leaf);
        if (rc == PNCP_E_PARSE || rc == PNCP_E_LIMIT || rc == PNCP_E_UNSUPPORTED) {
            problem(verify, "%s (%s)", why.msg, schema->leaves[i].path);
            *ret_sound = false;
        } else if (rc != PNCP_OK) {
            *err = why;
            return rc;
        }
    }
    verify->pages_bytes += (int64_t)file->footer->groups[group].bytes;
    return PNCP_OK;
}

/* Elements of the list whose field `numbers` is, row by row: walks its levels once. *at is the next row's first slot.
 */
static int64_t list_length(const struct pncp_leaf *numbers, size_t *at)
{
    const int16_t element_def =
        (int16_t)(numbers->max_def - 2); /* list (repeated) is there: element and field may be null */
    int64_t length = 0;
    size_t i = *at;
    assert(numbers->def != NULL && numbers->rep != NULL); /* a nested column always has levels */
    do
        length += numbers->def[i] >= element_def;
    while (++i < numbers->level_count && numbers->rep[i] != 0);
    *at = i;
    return length;
}

struct totals { /* an optional column read in row order */
    const struct pncp_leaf *leaf;
    size_t slot, value;
};

/* The next row's value, -1 for null. */
static int64_t next_total(struct totals *totals)
{
    assert(totals->leaf->def != NULL); /* an optional column */
    bool present = totals->leaf->def[totals->slot++] == totals->leaf->max_def;
    return present ? pncp_leaf_int(totals->leaf, totals->value++) : -1;
}

static void check_part(struct pncp_verify *verify, const char *key, enum pncp_part part, struct pncp_view situacao,
                       int64_t total, int64_t length)
{
    const char *name = pncp_part_text(part);
    bool ok = pncp_view_eq_text(situacao, "ok"), vazio = pncp_view_eq_text(situacao, "vazio");
    if (total != length && !(total == -1 && length == 0))
        problem(verify, "%s: %s_total is %" PRId64 ", the list has %" PRId64, key, name, total, length);
    if ((ok && total <= 0) || (vazio && total != 0) || (!ok && !vazio && total != -1))
        problem(verify, "%s: %s_situacao is " PNCP_VIEW_FMT " with %s_total %" PRId64, key, name,
                PNCP_VIEW_ARG(situacao), name, total);
}

static void check_rows(const struct pncp_footer *footer, size_t group, struct pncp_date date, struct kept *kept,
                       struct pncp_verify *verify)
{
    size_t at[PNCP_PARTS] = {0};
    struct totals totals[PNCP_PARTS] = {{.leaf = &kept->leaves[TOTAL]}, {.leaf = &kept->leaves[TOTAL + 1]}};
    int64_t *sums[PNCP_PARTS] = {&verify->itens, &verify->arquivos};
    for (size_t row = 0; row < footer->groups[group].rows; row++) {
        struct pncp_err err = PNCP_ERR_INIT;
        struct pncp_key key;
        char text[PNCP_KEY_TEXT_BYTES] = "";
        if (pncp_key_make(pncp_leaf_text(&kept->leaves[CNPJ], row), pncp_leaf_int(&kept->leaves[ANO], row),
                          pncp_leaf_int(&kept->leaves[SEQUENCIAL], row), &key, &err) != PNCP_OK) {
            problem(verify, "row group %zu, row %zu: %s", group, row, err.msg);
        } else {
            pncp_key_format(&key, text);
        }
        if (pncp_leaf_int(&kept->leaves[PUBLICACAO], row) != date.days)
            problem(verify, "%s: data_publicacao is another day", text);
        for (int part = 0; part < PNCP_PARTS; part++) {
            int64_t length = list_length(&kept->leaves[NUMBERS + part], &at[part]);
            check_part(verify, text, (enum pncp_part)part, pncp_leaf_text(&kept->leaves[SITUACAO + part], row),
                       next_total(&totals[part]), length);
            *sums[part] += length;
        }
    }
    verify->rows += (int64_t)footer->groups[group].rows;
}

static enum pncp_code check_groups(struct pncp_data *data, struct pncp_verify *verify, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_object object;
    struct pncp_footer footer;
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    enum pncp_code rc = pncp_lake_open_object(data->lake, path, lock, &object, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_footer_read(&object.source, &footer, err);
    if (rc != PNCP_OK) {
        pncp_object_release(&object);
        return rc;
    }
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    struct pncp_columns file = {.source = &object.source, .footer = &footer, .reader = &reader};
    rc = pncp_data_check(data, &footer, path, &file.schema, err); /* it may be another version by now */
    for (size_t group = 0; rc == PNCP_OK && group < footer.group_count; group++) {
        AUTO(release_kept) struct kept kept = {.wanted = {0}};
        bool sound;
        name_kept(&kept);
        rc = read_group(&file, group, &kept, &sound, verify, err);
        if (rc == PNCP_OK && sound)
            check_rows(&footer, group, data->date, &kept, verify);
    }
    pncp_footer_release(&footer);
    pncp_object_release(&object);
    return rc;
}

/* ---- what was made from the rows ----------------------------------------------------------------- */

static void check_history(const struct pncp_data *data, struct pncp_verify *verify)
{
    const struct pncp_day_totals totals = pncp_data_totals(data);
    const struct pncp_history_entry *newest = pncp_data_newest(data);
    if (newest == NULL || !pncp_view_eq_text(pncp_view_of(newest->id), data->commit))
        problem(verify, "pncp.commit is not the newest entry of pncp.history");
    if (totals.contratacoes != verify->rows || totals.itens != verify->itens || totals.arquivos != verify->arquivos)
        problem(verify,
                "pncp.history counts %" PRId64 " contratações, %" PRId64 " itens, %" PRId64
                " arquivos; the rows have %" PRId64 ", %" PRId64 ", %" PRId64,
                totals.contratacoes, totals.itens, totals.arquivos, verify->rows, verify->itens, verify->arquivos);
}

static enum pncp_code check_state(struct pncp_data *data, struct pncp_verify *verify, struct pncp_err *err)
{
    for (int part = 0; part < PNCP_PARTS; part++) {
        enum pncp_state_health health;
        char what[PNCP_STATE_WHAT_BYTES];
        enum pncp_code rc = pncp_state_check(data, (enum pncp_part)part, &health, what, err);
        if (rc != PNCP_OK)
            return rc;
        if (health != PNCP_STATE_SOUND)
            problem(verify, "%s", what);
    }
    return PNCP_OK;
}

struct falhas_check {
    const struct pncp_falhas *falhas;
    struct pncp_verify *verify;
};

static enum pncp_code check_falhas_of(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    (void)err;
    struct falhas_check *check = ctx;
    struct pncp_packed_key key = pncp_key_pack(&row->key);
    const enum pncp_situacao situacoes[PNCP_PARTS] = {row->itens, row->arquivos};
    char text[PNCP_KEY_TEXT_BYTES];
    pncp_key_format(&row->key, text);
    if (pncp_falhas_failed(check->falhas, key) != NULL)
        problem(check->verify, "%s: is saved, falhas still says that it failed", text);
    for (int part = 0; part < PNCP_PARTS; part++) {
        const struct pncp_falha *entry =
            pncp_falhas_part(check->falhas, key, part == PNCP_PART_ITENS ? PNCP_FALHA_ITENS : PNCP_FALHA_ARQUIVOS);
        const char *name = pncp_part_text((enum pncp_part)part), *situacao = pncp_situacao_text(situacoes[part]);
        bool wanted = situacoes[part] != PNCP_SITUACAO_OK;
        bool same = entry != NULL && (entry->kind == PNCP_FALHA_AUSENTE) == (situacoes[part] == PNCP_SITUACAO_AUSENTE);
        if (wanted && !same)
            problem(check->verify, "%s: %s is %s in the file, %s in falhas", text, name, situacao,
                    entry == NULL ? "missing" : "something else");
        else if (!wanted && entry != NULL)
            problem(check->verify, "%s: %s is ok in the file, falhas still asks for it", text, name);
    }
    return PNCP_OK;
}

static enum pncp_code check_falhas(struct pncp_data *data, struct pncp_verify *verify, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(PNCP_FALHAS_MAX_BYTES);
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    char path[PNCP_PLACE_BYTES];
    struct pncp_err why = PNCP_ERR_INIT;
    pncp_place_format(PNCP_PLACE_FALHAS, data->date, path);
    enum pncp_code rc = pncp_lake_load(data->lake, path, NULL, &text, NULL, err);
    if (rc == PNCP_OK && pncp_falhas_parse(pncp_buf_view(&text), &falhas, &why) != PNCP_OK)
        problem(verify, "%s: %s", path, why.msg);
    if (rc != PNCP_OK && rc != PNCP_E_NOTFOUND)
        return rc;
    struct falhas_check check = {.falhas = &falhas, .verify = verify};
    return pncp_data_each_row(data, &(struct pncp_row_walk){check_falhas_of, NULL, &check}, NULL, err);
}

static enum pncp_code check_complete(struct pncp_data *data, struct pncp_verify *verify, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char path[PNCP_PLACE_BYTES];
    bool complete;
    pncp_place_format(PNCP_PLACE_COMPLETO, data->date, path);
    enum pncp_code rc = pncp_lake_load(data->lake, path, NULL, &text, NULL, err);
    if (rc == PNCP_E_NOTFOUND)
        return PNCP_OK;
    if (rc == PNCP_OK)
        rc = pncp_complete_check(data, &complete, err);
    if (rc == PNCP_OK && !complete)
        problem(verify, "%s: is of another commit", path);
    return rc;
}

enum pncp_code pncp_verify_day(struct pncp_lake *lake, struct pncp_date date, struct pncp_verify *verify,
                               struct pncp_err *err)
{
    struct pncp_data data;
    struct pncp_keyset *keys;
    if (pncp_keyset_new(&keys) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    enum pncp_code rc = pncp_data_open(lake, date, keys, &data, err);
    if (rc == PNCP_E_PARSE) {
        problem(verify, "%s", err->msg);
        *err = PNCP_ERR_INIT;
        pncp_keyset_free(keys);
        return PNCP_OK;
    }
    if (rc != PNCP_OK) {
        pncp_keyset_free(keys);
        return rc;
    }
    if (data.exists) {
        int64_t before = verify->problems;
        rc = check_groups(&data, verify, err);
        if (rc == PNCP_OK && verify->problems == before) /* counts of rows that cannot be read say nothing */
            check_history(&data, verify);
        if (rc == PNCP_OK)
            rc = check_state(&data, verify, err);
        if (rc == PNCP_OK)
            rc = check_falhas(&data, verify, err);
    }
    if (rc == PNCP_OK)
        rc = check_complete(&data, verify, err);
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    return rc;
}
