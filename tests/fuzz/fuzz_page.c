/*
 * A page of the listing -> rows of the day's list.
 * Input: the page's body, as it comes from the API.
 * True: a row goes in whole or not at all; every member of its object is in a column or in `extra`, unchanged; key and
 * day are the row's own, and what did not fit is counted.
 */
#include "fuzz.h"
#include "pncp/rows.h"
#include "pncp/verdict.h"
#include "record.h"
#include "reference.h"

#define HOUR_US INT64_C(3600000000)

struct shape { /* of a table: what a refused row must leave as it was */
    size_t rows, levels, values, bytes;
};

static struct shape shape_of(const struct pncp_table *table)
{
    struct shape shape = {.rows = table->rows};
    for (size_t i = 0; i < table->schema->leaf_count; i++) {
        shape.levels += table->leaves[i].level_count;
        shape.values += table->leaves[i].value_count;
        shape.bytes += table->leaves[i].values.len;
    }
    return shape;
}

static bool same_shape(struct shape a, struct shape b)
{
    return a.rows == b.rows && a.levels == b.levels && a.values == b.values && a.bytes == b.bytes;
}

/* The columns that the program fills in itself. */
static void check_own(const struct pncp_table *list, size_t row, yyjson_val *object, int64_t misfits)
{
    const struct pncp_list_leaves *at = pncp_list_leaves();
    const struct pncp_leaf *leaves = list->leaves;
    struct pncp_key key, again;
    int64_t us;
    FUZZ_CHECK(pncp_rows_key(object, &key, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_key_make(pncp_leaf_text(&leaves[at->cnpj], row), pncp_leaf_int(&leaves[at->ano], row),
                             pncp_leaf_int(&leaves[at->sequencial], row), &again, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_key_eq(&key, &again));
    struct pncp_view published = pncp_json_text(pncp_json_get(object, "dataPublicacaoPncp"));
    int64_t day = pncp_leaf_int(&leaves[at->data_publicacao], row), only_day;
    if (published.len == 10) {
        FUZZ_CHECK(reference_date(published, &only_day) && only_day == day);
    } else {
        FUZZ_CHECK(reference_datetime(published, &us));
        us -= pncp_view_ends(published, "Z") ? 3 * HOUR_US : 0; /* else it is Brasília's clock already */
        FUZZ_CHECK(us >= day * 24 * HOUR_US && us < (day + 1) * 24 * HOUR_US);
    }
    FUZZ_CHECK(pncp_leaf_int(&leaves[at->valores_fora_do_tipo], row) == misfits);
}

static void put_row(struct pncp_table *list, yyjson_val *object, struct record_walk *walk)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct shape before = shape_of(list);
    enum pncp_code rc = pncp_rows_put_contratacao(list, object, &err);
    if (rc != PNCP_OK) {
        FUZZ_CHECK(rc == PNCP_E_PARSE && fuzz_is_message(err.msg, sizeof(err.msg)));
        FUZZ_CHECK(same_shape(before, shape_of(list)));
        return;
    }
    walk->misfits = 0;
    record_check(walk, &list->schema->nodes[0], object, 0);
    check_own(list, before.rows, object, walk->misfits);
    FUZZ_CHECK(list->rows == before.rows + 1);
}

static void put_rows(struct pncp_table *list, yyjson_val *rows)
{
    struct record_walk walk = {.table = list};
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(rows, &iter);
    for (yyjson_val *object; (object = yyjson_arr_iter_next(&iter)) != NULL;)
        put_row(list, object, &walk);
    FUZZ_CHECK(record_ended(&walk, &list->schema->nodes[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pncp_answer answer = {.status = 200, .body = {(const char *)data, size}};
    struct pncp_verdict verdict;
    pncp_verdict_make(PNCP_KIND_PAGE, &answer, 0, &verdict);
    if (verdict.kind == PNCP_VERDICT_ROWS) {
        AUTO(pncp_table_release) struct pncp_table list;
        FUZZ_CHECK(pncp_table_init(&list, pncp_list_schema()) == PNCP_OK);
        put_rows(&list, pncp_json_get(verdict.json.root, "data"));
    }
    pncp_json_release(&verdict.json);
    return 0;
}
