/* progresso: to the letter, but for the present time. */
#include "day/progress.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <string.h>

static void load(const struct rows_lake *lake, const char *path, struct pncp_buf *text)
{
    assert_true(rows_file_get(lake, path, text));
    char *at = strstr(text->data, "\"at\":\"20");
    if (at != NULL)
        memcpy(at, "\"at\":\"2025-10-23T06:02:03Z\"", 27);
}

static void progress_to_the_letter(void **state)
{
    (void)state;
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    rows_lake_open(&lake);
    struct pncp_progress p = {.run_id = ROWS_RUN,
                              .phase = "fetching",
                              .total = 505,
                              .saved = 100,
                              .errors = 2,
                              .eta_s = 61,
                              .in_flight = 8,
                              .in_flight_limit = 16,
                              .rate = 12.345,
                              .itens = 500,
                              .arquivos = 300,
                              .api_calls = 210,
                              .checkpoints = 2,
                              .last_checkpoint = 2};
    assert_int_equal(pncp_progress_save(lake.lake, lake.date, &p, NULL), PNCP_OK);
    load(&lake, "pncp_details/_state/progresso/pncp_details_20251022.json", &text);
    assert_string_equal(text.data, "{\"v\":1,\"run_id\":\"" ROWS_RUN
                                   "\",\"date\":\"20251022\",\"phase\":\"fetching\",\"at\":\"2025-10-23T06:02:03Z\","
                                   "\"total\":505,\"saved\":100,\"in_flight\":8,\"in_flight_limit\":16,\"rate\":12.3,"
                                   "\"eta_s\":61,\"errors\":2,\"last_checkpoint\":2,\"itens\":500,\"arquivos\":300,"
                                   "\"api_calls\":210,\"checkpoints\":2}");
    /* what does not apply is absent */
    p = (struct pncp_progress){.run_id = "r", .phase = "listing", .eta_s = -1};
    assert_int_equal(pncp_progress_save(lake.lake, lake.date, &p, NULL), PNCP_OK);
    load(&lake, "pncp_details/_state/progresso/pncp_details_20251022.json", &text);
    assert_string_equal(text.data, "{\"v\":1,\"run_id\":\"r\",\"date\":\"20251022\",\"phase\":\"listing\","
                                   "\"at\":\"2025-10-23T06:02:03Z\",\"total\":0,\"saved\":0,\"in_flight\":0,"
                                   "\"in_flight_limit\":0,\"rate\":0.0,\"errors\":0,\"itens\":0,\"arquivos\":0,"
                                   "\"api_calls\":0,\"checkpoints\":0}");
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_to_the_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
