/* Where things lie is a contract: to the letter. */
#include "day/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_place_to_the_letter(void **state)
{
    (void)state;
    static const struct {
        enum pncp_place place;
        const char *path;
    } places[] = {
        {PNCP_PLACE_DATA, "pncp_details/year=2025/month=03/day=07/details.parquet"},
        {PNCP_PLACE_DATA_FOLDER, "pncp_details/year=2025/month=03/day=07"},
        {PNCP_PLACE_DATA_LOCK, "pncp_details/_state/lock/pncp_details_20250307.commit"},
        {PNCP_PLACE_RUN_LOCK, "pncp_details/_state/lock/pncp_details_20250307.run"},
        {PNCP_PLACE_STATE_ITENS, "pncp_details/_state/itens/pncp_details_20250307_state.json"},
        {PNCP_PLACE_STATE_ARQUIVOS, "pncp_details/_state/arquivos/pncp_details_20250307_state.json"},
        {PNCP_PLACE_FALHAS, "pncp_details/_state/falhas/pncp_details_20250307.json"},
        {PNCP_PLACE_FALHAS_LOCK, "pncp_details/_state/lock/falhas_20250307.commit"},
        {PNCP_PLACE_COMPLETO, "pncp_details/_state/completo/pncp_details_20250307.json"},
        {PNCP_PLACE_PROGRESSO, "pncp_details/_state/progresso/pncp_details_20250307.json"},
        {PNCP_PLACE_LIST, "pncp_contratacoes/year=2025/month=03/day=07/contratacoes.parquet"},
        {PNCP_PLACE_LIST_PART_FOLDER, "pncp_contratacoes/_state/pncp_contratacoes_20250307"},
        {PNCP_PLACE_LEGADO_FOLDER, "pncp_details_legado/year=2025/month=03/day=07"},
        {PNCP_PLACE_LEGADO_LOCK, "pncp_details/_state/lock/legado_20250307.commit"},
    };
    struct pncp_date date;
    char path[PNCP_PLACE_BYTES];
    assert_true(pncp_date_from_civil(2025, 3, 7, &date));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(places); i++) {
        pncp_place_format(places[i].place, date, path);
        assert_string_equal(path, places[i].path);
    }
    pncp_place_list_part(date, 6, path);
    assert_string_equal(path, "pncp_contratacoes/_state/pncp_contratacoes_20250307/modalidade_06.parquet");
    pncp_place_list_part(date, 13, path);
    assert_string_equal(path, "pncp_contratacoes/_state/pncp_contratacoes_20250307/modalidade_13.parquet");
    pncp_place_run_record("20251023T060102Z-4f1c9a20", path);
    assert_string_equal(path, "pncp_details/_state/execucoes/20251023T060102Z-4f1c9a20.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_place_to_the_letter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
