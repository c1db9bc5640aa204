/* The run's record: to the letter; and records read again: those of late, the oldest first. */
#include "day/run_record.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <string.h>

static void the_record_to_the_letter(void **state)
{
    (void)state;
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    const char *const argv[] = {"pncp-details", "--date", "2025\"10"};
    rows_lake_open(&lake);
    struct pncp_run_record r = {.run_id = ROWS_RUN,
                                .version = "0.1.0",
                                .host = "box",
                                .consulta_url = "http://a",
                                .detail_url = "http://b",
                                .started_us = INT64_C(1761199323000000),
                                .ended_us = INT64_C(1761199384999999),
                                .argc = 3,
                                .argv = argv,
                                .summary = PNCP_VIEW_LIT("{\"v\":1}")};
    assert_int_equal(pncp_run_record_save(lake.lake, &r, NULL), PNCP_OK);
    assert_true(rows_file_get(&lake, "pncp_details/_state/execucoes/" ROWS_RUN ".json", &text));
    assert_string_equal(text.data,
                        "{\"v\":1,\"run_id\":\"" ROWS_RUN
                        "\",\"started_at\":\"2025-10-23T06:02:03Z\",\"ended_at\":\"2025-10-23T06:03:04Z\","
                        "\"version\":\"0.1.0\",\"argv\":[\"pncp-details\",\"--date\",\"2025\\\"10\"],\"host\":\"box\","
                        "\"urls\":{\"consulta\":\"http://a\",\"detail\":\"http://b\"},\"summary\":{\"v\":1}}");
    r.scheduler_run_id = "scheduled__2025";
    assert_int_equal(pncp_run_record_save(lake.lake, &r, NULL), PNCP_OK);
    assert_true(rows_file_get(&lake, "pncp_details/_state/execucoes/" ROWS_RUN ".json", &text));
    assert_non_null(strstr(text.data, "\"host\":\"box\",\"scheduler_run_id\":\"scheduled__2025\",\"urls\""));
    rows_lake_close(&lake);
}

struct seen {
    char ids[8][40];
    size_t count, stop_at;
};

static enum pncp_code see(void *ctx, yyjson_val *record, struct pncp_err *err)
{
    struct seen *seen = ctx;
    struct pncp_view id = pncp_json_text(pncp_json_get(record, "run_id"));
    (void)snprintf(seen->ids[seen->count++], sizeof(seen->ids[0]), PNCP_VIEW_FMT, PNCP_VIEW_ARG(id));
    return seen->count == seen->stop_at ? pncp_err_set(err, PNCP_E_CANCELLED, "enough") : PNCP_OK;
}

static void put(const struct rows_lake *lake, const char *name, const char *text)
{
    char path[200];
    const struct pncp_body body = {.bytes = pncp_view_of(text)};
    (void)snprintf(path, sizeof(path), "pncp_details/_state/execucoes/%s", name);
    assert_int_equal(pncp_lake_put(lake->lake, path, &body, NULL), PNCP_OK);
}

static void those_of_late(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct seen seen = {.count = 0};
    struct pncp_err err = PNCP_ERR_INIT;
    int64_t since_us;
    rows_lake_open(&lake);
    assert_true(pncp_datetime_parse(PNCP_VIEW_LIT("2025-10-23T06:00:00Z"), &since_us));
    assert_int_equal(pncp_run_record_each(lake.lake, since_us, see, &seen, &err), PNCP_OK); /* none at all */
    assert_int_equal(seen.count, 0);
    put(&lake, "20251024T000000Z-00000001.json", "{\"run_id\":\"third\"}");
    put(&lake, "20251023T060000Z-00000001.json", "{\"run_id\":\"first\"}");
    put(&lake, "20251023T055959Z-ffffffff.json", "{\"run_id\":\"too early\"}");
    put(&lake, "20251023T060000Z-00000002.json", "{\"run_id\":\"second\"}");
    put(&lake, "20251023T070000Z-00000001.json", "{\"run_id\":"); /* what is no record is passed over */
    put(&lake, "20251023T070000Z-00000002.json", "[]");
    put(&lake, "20251023T070000Z-00000003.txt", "{}");
    put(&lake, "20251023T070000Z-and-a-name-that-is-too-long-for-a-run-id.json", "{}");
    assert_int_equal(pncp_run_record_each(lake.lake, since_us, see, &seen, &err), PNCP_OK);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.ids[0], "first");
    assert_string_equal(seen.ids[1], "second");
    assert_string_equal(seen.ids[2], "third");
    seen = (struct seen){.stop_at = 2};
    assert_int_equal(pncp_run_record_each(lake.lake, since_us, see, &seen, &err), PNCP_E_CANCELLED);
    assert_int_equal(seen.count, 2);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_record_to_the_letter),
        cmocka_unit_test(those_of_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
