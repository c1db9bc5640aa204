/* The summary's JSON is a contract: every field, in its order, to the letter (docs/FORMATS.md, "Summary"). */
#include "event/summary.h"
#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_json(const struct pncp_summary *summary, const char *want)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    assert_int_equal(pncp_summary_json(summary, &text), PNCP_OK);
    assert_int_equal(pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL), PNCP_OK);
    assert_int_equal(pncp_buf_append(&text, "", 1), PNCP_OK);
    assert_string_equal(text.data, want);
}

static void every_field_to_the_letter(void **state)
{
    (void)state;
    struct pncp_summary s;
    struct pncp_date date;
    assert_true(pncp_date_from_civil(2025, 10, 22, &date));
    pncp_summary_init(&s, "20251023T060102Z-4f1c9a20", "s3://lh-bronze");
    struct pncp_day_summary *d = pncp_summary_begin_day(&s, date);
    assert_non_null(d);
    d->listed = 6500;
    d->listed_final = true;
    d->done_before = d->saved = 200;
    d->remaining = 6100;
    d->untried = 6098;
    d->failed_waiting = 2;
    d->ausente = 3;
    d->vazio = 11;
    d->errors = 2;
    pncp_summary_count_reason(d, "http_500");
    pncp_summary_count_reason(d, "html_200");
    d->itens = 2410;
    d->arquivos = 803;
    d->api_calls = 455;
    d->list_calls = 137;
    d->retries = 9;
    d->checkpoints = 2;
    d->seconds = 61.4;
    d->has_checkpoint = true;
    d->last_checkpoint = (struct pncp_checkpoint_summary){.n = 2,
                                                          .at_s = 1761199323,
                                                          .contratacoes = 100,
                                                          .bytes_sent = 412000,
                                                          .row_groups = 4,
                                                          .file_bytes = 812345,
                                                          .ms_encode = 21,
                                                          .ms_send = 44,
                                                          .ms_commit = 3};
    assert_json(
        &s,
        "{\"v\":1,\"run_id\":\"20251023T060102Z-4f1c9a20\",\"lake\":\"s3://lh-bronze\",\"exit_code\":0,"
        "\"days\":[{\"date\":\"20251022\",\"exit_code\":0,\"complete\":false,\"already_complete\":false,"
        "\"listed\":6500,\"listed_final\":true,\"done_before\":200,\"saved\":200,\"remaining\":6100,\"untried\":6098,"
        "\"failed_due\":0,\"failed_waiting\":2,"
        "\"ausente\":3,\"vazio\":11,\"renewed\":0,\"errors\":2,\"errors_by_reason\":{\"http_500\":1,\"html_200\":1},"
        "\"itens\":2410,\"arquivos\":803,\"api_calls\":455,\"list_calls\":137,\"retries\":9,\"checkpoints\":2,"
        "\"values_out_of_type\":0,\"quantidade_differs\":0,"
        "\"modalidades_failed\":[],\"seconds\":61.4,\"spooled\":0,"
        "\"last_checkpoint\":{\"n\":2,\"at\":\"2025-10-23T06:02:03Z\",\"contratacoes\":100,\"bytes_sent\":412000,"
        "\"row_groups\":4,\"file_bytes\":812345,\"ms\":{\"encode\":21,\"read\":0,\"send\":44,\"commit\":3}}}]}");
    pncp_summary_release(&s);
}

static void what_does_not_apply_is_absent(void **state)
{
    (void)state;
    struct pncp_summary s;
    struct pncp_date date;
    assert_true(pncp_date_from_civil(2025, 10, 22, &date));
    pncp_summary_init(&s, "r", "");
    pncp_summary_set_lake(&s, "/a \"lake\"");
    struct pncp_day_summary *d = pncp_summary_begin_day(&s, date);
    assert_non_null(d);
    s.exit_code = d->exit_code = 75;
    d->modalidades_failed[d->modalidades_failed_count++] = 6;
    d->modalidades_failed[d->modalidades_failed_count++] = 12;
    (void)snprintf(d->error, sizeof(d->error), "no answer");
    assert_json(&s, "{\"v\":1,\"run_id\":\"r\",\"lake\":\"/a \\\"lake\\\"\",\"exit_code\":75,"
                    "\"days\":[{\"date\":\"20251022\",\"exit_code\":75,\"complete\":false,\"already_complete\":false,"
                    "\"listed\":0,\"listed_final\":false,\"done_before\":0,\"saved\":0,\"remaining\":0,\"untried\":0,"
                    "\"failed_due\":0,\"failed_waiting\":0,\"ausente\":0,\"vazio\":0,\"renewed\":0,\"errors\":0,"
                    "\"errors_by_reason\":{},\"itens\":0,\"arquivos\":0,\"api_calls\":0,\"list_calls\":0,\"retries\":0,"
                    "\"checkpoints\":0,\"values_out_of_type\":0,\"quantidade_differs\":0,\"modalidades_failed\":[6,12],"
                    "\"seconds\":0.0,\"spooled\":0,\"error\":\"no answer\"}]}");
    pncp_summary_release(&s);
}

/* As many as a range may have; each one that was begun has its place and its order. */
static void every_day_of_a_range(void **state)
{
    (void)state;
    struct pncp_summary s;
    struct pncp_date first;
    assert_true(pncp_date_from_civil(2021, 1, 1, &first));
    pncp_summary_init(&s, "r", "/lake");
    assert_json(&s, "{\"v\":1,\"run_id\":\"r\",\"lake\":\"/lake\",\"exit_code\":0,\"days\":[]}");
    for (int i = 0; i < PNCP_SUMMARY_DAYS_MAX; i++) {
        struct pncp_day_summary *day = pncp_summary_begin_day(&s, (struct pncp_date){first.days + i});
        assert_non_null(day);
        assert_int_equal(day->saved, 0);
        day->saved = i;
    }
    assert_int_equal(s.day_count, PNCP_SUMMARY_DAYS_MAX);
    for (int i = 0; i < PNCP_SUMMARY_DAYS_MAX; i++) {
        assert_int_equal(s.days[i].date.days, first.days + i);
        assert_int_equal(s.days[i].saved, i);
    }
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    assert_int_equal(pncp_summary_json(&s, &text), PNCP_OK);
    assert_int_equal(pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL), PNCP_OK);
    assert_int_equal(yyjson_arr_size(pncp_json_get(json.root, "days")), PNCP_SUMMARY_DAYS_MAX);
    pncp_summary_release(&s);
    pncp_summary_release(&s);
}

static void reasons_are_counted_by_name(void **state)
{
    (void)state;
    struct pncp_day_summary day = {.reason_count = 0};
    for (int i = 0; i < 3; i++) {
        pncp_summary_count_reason(&day, "timeout");
        pncp_summary_count_reason(&day, "http_503");
    }
    assert_int_equal(day.reason_count, 2);
    assert_string_equal(day.reasons[0].reason, "timeout");
    assert_int_equal(day.reasons[0].count, 3);
    assert_int_equal(day.reasons[1].count, 3);
    for (int i = 0; i < 100; i++) { /* more than there is room for: the first ones stay right */
        char reason[24];
        (void)snprintf(reason, sizeof(reason), "http_%d", 400 + i);
        pncp_summary_count_reason(&day, reason);
    }
    assert_int_equal(day.reason_count, PNCP_SUMMARY_REASONS_MAX);
    pncp_summary_count_reason(&day, "timeout");
    assert_int_equal(day.reasons[0].count, 4);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    struct pncp_summary s;
    char long_one[3000];
    memset(long_one, 'x', sizeof(long_one));
    long_one[sizeof(long_one) - 1] = '\0';
    pncp_summary_init(&s, long_one, long_one);
    assert_int_equal(strlen(s.run_id), sizeof(s.run_id) - 1);
    assert_int_equal(strlen(s.lake), sizeof(s.lake) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_to_the_letter), cmocka_unit_test(what_does_not_apply_is_absent),
        cmocka_unit_test(every_day_of_a_range),      cmocka_unit_test(reasons_are_counted_by_name),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
