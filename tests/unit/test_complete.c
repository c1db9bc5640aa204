/* `completo`: to the letter, and only for the commit it was written for. */
#include "day/complete.h"
#include "rows_fixture.h"

#include <string.h>

#define COMPLETO "pncp_details/_state/completo/pncp_details_20251022.json"

static bool check(struct pncp_data *data)
{
    bool complete = true;
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_complete_check(data, &complete, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    return complete;
}

static void it_is_for_one_commit(void **state)
{
    (void)state;
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    const struct pncp_complete complete = {.contratacoes = 1, .itens = 2, .arquivos = 3, .ausente = 4, .vazio = 5};
    rows_lake_open(&lake);
    struct pncp_data data = {.lake = lake.lake, .date = lake.date, .commit = "0123456789abcdef0123456789abcdef"};
    assert_false(check(&data));
    assert_int_equal(pncp_complete_remove(lake.lake, lake.date, NULL), PNCP_OK); /* none is fine */
    assert_int_equal(pncp_complete_write(&data, &complete, NULL), PNCP_OK);
    assert_true(check(&data));
    assert_true(rows_file_get(&lake, COMPLETO, &text));
    char *at = strstr(text.data, "\"at\":\"20");
    assert_non_null(at);
    memcpy(at, "\"at\":\"2025-10-23T06:02:03Z\"", 27); /* the present time is not the test's */
    assert_string_equal(text.data, "{\"v\":1,\"date\":\"20251022\",\"at\":\"2025-10-23T06:02:03Z\","
                                   "\"commit\":\"0123456789abcdef0123456789abcdef\",\"contratacoes\":1,\"itens\":2,"
                                   "\"arquivos\":3,\"ausente\":4,\"vazio\":5,\"list_at\":\"1970-01-01T00:00:00Z\"}");
    /* the day has grown */
    data.commit[0] = 'f';
    assert_false(check(&data));
    data.commit[0] = '\0'; /* no file: not what it was written for */
    assert_false(check(&data));
    /* damaged, or something else */
    static const char *const texts[] = {"", "{", "[]", "{\"v\":1}", "{\"commit\":7}", "{\"commit\":null}"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(texts); i++) {
        rows_file_put(&lake, COMPLETO, texts[i], strlen(texts[i]));
        assert_false(check(&data));
    }
    assert_int_equal(pncp_complete_remove(lake.lake, lake.date, NULL), PNCP_OK);
    assert_false(rows_file_exists(&lake, COMPLETO));
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_for_one_commit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
