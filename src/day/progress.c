#include "day/progress.h"
#include "base/json_writer.h"
#include "day/layout.h"

enum pncp_code pncp_progress_save(struct pncp_lake *lake, struct pncp_date date, const struct pncp_progress *p,
                                  struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char path[PNCP_PLACE_BYTES], day[PNCP_DATE_TEXT_BYTES];
    struct pncp_json_writer w;
    pncp_place_format(PNCP_PLACE_PROGRESSO, date, path);
    pncp_date_format(date, day);
    pncp_json_writer_init(&w, &text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "run_id", pncp_view_of(p->run_id));
    pncp_json_field_text(&w, "date", pncp_view_of(day));
    pncp_json_field_text(&w, "phase", pncp_view_of(p->phase));
    pncp_json_field_time(&w, "at", pncp_clock_now_us());
    pncp_json_field_int(&w, "total", p->total);
    pncp_json_field_int(&w, "saved", p->saved);
    pncp_json_field_int(&w, "in_flight", p->in_flight);
    pncp_json_field_int(&w, "in_flight_limit", p->in_flight_limit);
    pncp_json_key(&w, "rate");
    pncp_json_put_fixed(&w, p->rate, 1);
    if (p->eta_s >= 0)
        pncp_json_field_int(&w, "eta_s", p->eta_s);
    pncp_json_field_int(&w, "errors", p->errors);
    if (p->last_checkpoint > 0)
        pncp_json_field_int(&w, "last_checkpoint", p->last_checkpoint);
    pncp_json_field_int(&w, "itens", p->itens);
    pncp_json_field_int(&w, "arquivos", p->arquivos);
    pncp_json_field_int(&w, "api_calls", p->api_calls);
    pncp_json_field_int(&w, "checkpoints", p->checkpoints);
    pncp_json_object_end(&w);
    if (pncp_json_writer_end(&w) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "%s: out of memory", path);
    const struct pncp_body body = {.bytes = pncp_buf_view(&text), .fleeting = true};
    return pncp_lake_put(lake, path, &body, err);
}
