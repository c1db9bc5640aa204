#include "day/complete.h"
#include "day/layout.h"
#include "json/json.h"

#define COMPLETE_MAX_BYTES 65536

enum pncp_code pncp_complete_write(struct pncp_data *data, const struct pncp_complete *complete, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char path[PNCP_PLACE_BYTES], day[PNCP_DATE_TEXT_BYTES];
    struct pncp_json_writer w;
    pncp_place_format(PNCP_PLACE_COMPLETO, data->date, path);
    pncp_date_format(data->date, day);
    pncp_json_writer_init(&w, &text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "date", pncp_view_of(day));
    pncp_json_field_time(&w, "at", pncp_clock_now_us());
    pncp_json_field_text(&w, "commit", pncp_view_of(data->commit));
    pncp_json_field_int(&w, "contratacoes", complete->contratacoes);
    pncp_json_field_int(&w, "itens", complete->itens);
    pncp_json_field_int(&w, "arquivos", complete->arquivos);
    pncp_json_field_int(&w, "ausente", complete->ausente);
    pncp_json_field_int(&w, "vazio", complete->vazio);
    pncp_json_field_time(&w, "list_at", complete->list_at_s * 1000000);
    pncp_json_object_end(&w);
    if (pncp_json_writer_end(&w) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "completo: out of memory");
    const struct pncp_body body = {.bytes = pncp_buf_view(&text)};
    return pncp_lake_put(data->lake, path, &body, err);
}

enum pncp_code pncp_complete_check(struct pncp_data *data, bool *ret_complete, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(COMPLETE_MAX_BYTES);
    AUTO(pncp_json_release) struct pncp_json json = {0};
    char path[PNCP_PLACE_BYTES];
    *ret_complete = false;
    pncp_place_format(PNCP_PLACE_COMPLETO, data->date, path);
    enum pncp_code rc = pncp_lake_load(data->lake, path, NULL, &text, NULL, err);
    if (rc == PNCP_E_NOTFOUND || rc == PNCP_E_LIMIT)
        return PNCP_OK;
    if (rc != PNCP_OK)
        return rc;
    if (pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL) != PNCP_OK)
        return PNCP_OK;
    yyjson_val *commit = pncp_json_get(json.root, "commit"); /* of an empty day, which has no file: "" */
    *ret_complete = yyjson_is_str(commit) && pncp_view_eq_text(pncp_json_text(commit), data->commit);
    return PNCP_OK;
}

enum pncp_code pncp_complete_remove(struct pncp_lake *lake, struct pncp_date date, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_COMPLETO, date, path);
    return pncp_lake_remove(lake, path, err);
}
