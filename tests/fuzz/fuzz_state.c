/*
 * A state file beside the data that it was made from.
 * Input: the text of the itens state; $COMMIT and $AT in it stand for what the data has, which is new in every process.
 * True: it is sound exactly when commit, keys and executions are those of the file that the program itself writes. What
 * else is found says what it is, on one line that names the file.
 */
#include "day/layout.h"
#include "day/state.h"
#include "fuzz.h"
#include "memory_lake.h"
#include "pncp/rows.h"
#include "record.h"
#include "json/json.h"

#define ROWS 3

static struct pncp_data day;
static struct pncp_buf true_text; /* the file as the program writes it */
static char at[PNCP_STAMP_TEXT_BYTES];

/* ---- the data: three rows without itens or arquivos, in one checkpoint ----------------------- */

static void put_row(struct pncp_table *details, int number)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    AUTO(pncp_table_release) struct pncp_table list;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    const struct pncp_row_stamp stamp = {.run_id = PNCP_VIEW_LIT(MEMORY_LAKE_RUN), .checkpoint = 1};
    struct pncp_part_fetch parts[PNCP_PARTS];
    struct pncp_row_counts counts;
    for (int i = 0; i < PNCP_PARTS; i++) {
        pncp_part_init(&parts[i], (enum pncp_part)i, PNCP_CONFIRM_AUTO);
        parts[i].situacao = PNCP_SITUACAO_VAZIO;
    }
    FUZZ_CHECK(pncp_buf_format(&text,
                               "{\"numeroControlePNCP\":\"83102277000152-1-%06d/2025\","
                               "\"dataPublicacaoPncp\":\"2025-10-22T08:41:33\"}",
                               number) == PNCP_OK);
    FUZZ_CHECK(pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_table_init(&list, pncp_list_schema()) == PNCP_OK);
    FUZZ_CHECK(pncp_rows_put_contratacao(&list, json.root, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_rows_put_details(details, &list, 0, parts, &stamp, &counts, NULL) == PNCP_OK);
}

static void load_state(struct pncp_buf *text)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_STATE_ITENS, day.date, path);
    FUZZ_CHECK(pncp_lake_load(memory_lake(), path, NULL, text, NULL, NULL) == PNCP_OK);
}

static void release(void)
{
    pncp_keyset_free(day.keys);
    pncp_data_release(&day);
    pncp_buf_release(&true_text);
}

static void prepare(void)
{
    AUTO(pncp_table_release) struct pncp_table details;
    struct pncp_keyset *keys;
    struct pncp_commit_result result;
    const struct pncp_lot lot = {.table = &details, .run_id = MEMORY_LAKE_RUN, .n = 1};
    FUZZ_CHECK(pncp_keyset_new(&keys) == PNCP_OK);
    FUZZ_CHECK(pncp_data_open(memory_lake(), memory_lake_date(), keys, &day, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_table_init(&details, pncp_details_schema()) == PNCP_OK);
    for (int i = 1; i <= ROWS; i++)
        put_row(&details, i);
    FUZZ_CHECK(pncp_data_append(&day, &lot, &result, NULL) == PNCP_OK && result.contratacoes == ROWS);
    FUZZ_CHECK(pncp_state_save(&day, NULL) == PNCP_OK);
    load_state(&true_text);
    pncp_stamp_format(day.history[0].at_s * 1000000, at);
    FUZZ_CHECK(atexit(release) == 0);
}

/* ---- the file under test --------------------------------------------------------------------- */

static void fill_in(struct pncp_view text, struct pncp_buf *ret_text)
{
    while (text.len > 0) {
        const char *found = memchr(text.data, '$', text.len);
        size_t plain = found == NULL ? text.len : (size_t)(found - text.data);
        FUZZ_CHECK(pncp_buf_append(ret_text, text.data, plain) == PNCP_OK);
        text = (struct pncp_view){text.data + plain, text.len - plain};
        const char *word = pncp_view_starts(text, "$COMMIT") ? "$COMMIT" : pncp_view_starts(text, "$AT") ? "$AT" : "";
        const char *value = word[0] == '\0' ? "" : word[1] == 'C' ? day.commit : at;
        FUZZ_CHECK(pncp_buf_text(ret_text, value) == PNCP_OK);
        size_t passed = PNCP_MIN(PNCP_MAX(strlen(word), (size_t)1), text.len);
        text = (struct pncp_view){text.data + passed, text.len - passed};
    }
}

/* Does it end as a file of a commit does, and not of the newest? */
static bool ends_with_another_id(struct pncp_view text)
{
    static const char before[] = ",\"commit\":\"", after[] = "\"}";
    char id[PNCP_ID_BYTES] = "";
    size_t id_len = sizeof(id) - 1, len = strlen(before) + id_len + strlen(after);
    if (text.len < len || !pncp_view_ends(text, after))
        return false;
    struct pncp_view end = pncp_view_from(text, text.len - len);
    memcpy(id, end.data + strlen(before), id_len);
    return pncp_view_starts(end, before) && strspn(id, "0123456789abcdef") == id_len && strcmp(id, day.commit) != 0;
}

static enum pncp_state_health judge(struct pncp_view text)
{
    static const char *const members[] = {"processed_keys", "executions"};
    AUTO(pncp_json_release) struct pncp_json json = {0}, truth = {0};
    FUZZ_CHECK(pncp_json_parse(pncp_buf_view(&true_text), &truth, NULL, NULL) == PNCP_OK);
    if (ends_with_another_id(text))
        return PNCP_STATE_STALE;
    if (pncp_json_parse(text, &json, NULL, NULL) != PNCP_OK ||
        !yyjson_is_arr(pncp_json_get(json.root, "processed_keys")))
        return PNCP_STATE_DAMAGED;
    if (!pncp_view_eq_text(pncp_json_text(pncp_json_get(json.root, "commit")), day.commit))
        return PNCP_STATE_STALE;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(members); i++) {
        yyjson_val *mine = pncp_json_get(json.root, members[i]), *theirs = pncp_json_get(truth.root, members[i]);
        if (mine == NULL || !record_same_json(mine, theirs))
            return PNCP_STATE_DAMAGED;
    }
    return PNCP_STATE_SOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char path[PNCP_PLACE_BYTES], what[PNCP_STATE_WHAT_BYTES];
    enum pncp_state_health health;
    if (day.lake == NULL)
        prepare();
    fill_in(fuzz_rest(&in), &text);
    const struct pncp_body body = {.bytes = pncp_buf_view(&text)};
    pncp_place_format(PNCP_PLACE_STATE_ITENS, day.date, path);
    FUZZ_CHECK(pncp_lake_put(memory_lake(), path, &body, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_state_check(&day, PNCP_PART_ITENS, &health, what, NULL) == PNCP_OK);
    FUZZ_CHECK(health == judge(pncp_buf_view(&text)));
    if (health == PNCP_STATE_SOUND)
        FUZZ_CHECK(what[0] == '\0');
    else
        FUZZ_CHECK(fuzz_is_message(what, sizeof(what)) && pncp_view_starts(pncp_view_of(what), path));
    return 0;
}
