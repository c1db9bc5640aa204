#include "base/json_writer.h"
#include "cli/cli.h"
#include "day/status.h"
#include "json/json.h"

static void put_checkpoint(struct pncp_json_writer *w, const struct pncp_history_entry *e)
{
    pncp_json_key(w, "last_commit");
    pncp_json_object_begin(w);
    pncp_json_field_text(w, "run", pncp_view_of(e->run));
    pncp_json_field_text(w, "kind", pncp_view_of(e->rewrite ? "rewrite" : "append"));
    pncp_json_field_int(w, "n", e->n);
    pncp_json_field_time(w, "at", e->at_s * 1000000);
    pncp_json_field_int(w, "contratacoes", e->contratacoes);
    pncp_json_object_end(w);
}

static enum pncp_code put_json(struct pncp_date day, const struct pncp_day_status *s, struct pncp_buf *text)
{
    struct pncp_json_writer w;
    AUTO(pncp_json_release) struct pncp_json progress = {0};
    char date[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(day, date);
    pncp_json_writer_init(&w, text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "date", pncp_view_of(date));
    pncp_json_field_bool(&w, "complete", s->complete);
    if (s->has_list) {
        pncp_json_field_int(&w, "listed", s->listed);
        pncp_json_field_bool(&w, "listed_final", s->list_final);
        pncp_json_field_time(&w, "list_at", s->list_at_s * 1000000);
        pncp_json_field_int(&w, "remaining", s->remaining);
    }
    pncp_json_field_int(&w, "done", s->done);
    pncp_json_field_int(&w, "itens", s->itens);
    pncp_json_field_int(&w, "arquivos", s->arquivos);
    pncp_json_field_int(&w, "ausente", s->ausente);
    pncp_json_field_int(&w, "vazio", s->vazio);
    pncp_json_field_int(&w, "failed", s->failed);
    pncp_json_field_int(&w, "failed_due", s->failed_due);
    if (s->has_data) {
        pncp_json_field_int(&w, "file_bytes", (int64_t)s->file_bytes);
        pncp_json_field_int(&w, "row_groups", (int64_t)s->row_groups);
        put_checkpoint(&w, &s->newest);
    }
    if (pncp_json_parse(pncp_buf_view(&s->progress), &progress, NULL, NULL) == PNCP_OK) {
        pncp_json_key(&w, "progress");
        pncp_json_put_val(&w, progress.root);
    }
    pncp_json_object_end(&w);
    enum pncp_code rc = pncp_json_writer_end(&w);
    return rc == PNCP_OK ? pncp_buf_text(text, "\n") : rc;
}

/* "fetching since …": what the run's progress file says, when it does not say that it has ended. */
static enum pncp_code put_live(const struct pncp_buf *progress, struct pncp_buf *text)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    int64_t at_us, saved = 0, total = 0;
    if (pncp_json_parse(pncp_buf_view(progress), &json, NULL, NULL) != PNCP_OK)
        return PNCP_OK;
    struct pncp_view phase = pncp_json_text(pncp_json_get(json.root, "phase")),
                     run = pncp_json_text(pncp_json_get(json.root, "run_id"));
    if (phase.len == 0 || pncp_view_eq_text(phase, "ended") ||
        !pncp_datetime_parse(pncp_json_text(pncp_json_get(json.root, "at")), &at_us) ||
        !pncp_json_int(pncp_json_get(json.root, "saved"), &saved) ||
        !pncp_json_int(pncp_json_get(json.root, "total"), &total))
        return PNCP_OK;
    int64_t age_s = (pncp_clock_now_us() - at_us) / 1000000;
    return pncp_buf_format(
        text,
        "run         " PNCP_VIEW_FMT ": " PNCP_VIEW_FMT ", %" PRId64 "/%" PRId64 ", last word %" PRId64 " s ago%s\n",
        PNCP_VIEW_ARG(run), PNCP_VIEW_ARG(phase), saved, total, age_s, age_s > 60 ? " (killed?)" : "");
}

static enum pncp_code put_text(struct pncp_date day, const struct pncp_day_status *s, struct pncp_buf *text)
{
    char date[PNCP_DATE_TEXT_BYTES], at[PNCP_STAMP_TEXT_BYTES];
    pncp_date_format(day, date);
    enum pncp_code rc = pncp_buf_format(text, "day         %s: %s\n", date,
                                        s->complete        ? "complete"
                                        : !s->has_data     ? "nothing saved yet"
                                        : !s->has_list     ? "not complete, its list is not final"
                                        : s->remaining > 0 ? "not complete"
                                                           : "all saved, not closed yet: run ingest once more");
    pncp_stamp_format(s->list_at_s * 1000000, at);
    if (rc == PNCP_OK && s->has_list)
        rc = pncp_buf_format(text, "listed      %" PRId64 " at %s%s\n", s->listed, at,
                             s->list_final ? "" : " (the day was not over)");
    if (rc == PNCP_OK)
        rc = pncp_buf_format(text, "done        %" PRId64 " contratacoes, %" PRId64 " itens, %" PRId64 " arquivos\n",
                             s->done, s->itens, s->arquivos);
    if (rc == PNCP_OK && s->has_list)
        rc = pncp_buf_format(text, "remaining   %" PRId64 "\n", s->remaining);
    if (rc == PNCP_OK)
        rc = pncp_buf_format(text, "failed      %" PRId64 " (%" PRId64 " due)\n", s->failed, s->failed_due);
    if (rc == PNCP_OK)
        rc = pncp_buf_format(text, "parts       %" PRId64 " ausente, %" PRId64 " vazio\n", s->ausente, s->vazio);
    pncp_stamp_format(s->newest.at_s * 1000000, at);
    if (rc == PNCP_OK && s->has_data)
        rc = pncp_buf_format(text, "file        %" PRIu64 " bytes, %" PRIu64 " row groups; last commit %s by %s\n",
                             s->file_bytes, s->row_groups, at, s->newest.run);
    return rc == PNCP_OK ? put_live(&s->progress, text) : rc;
}

static enum pncp_code status_day(const struct pncp_cli *cli, struct pncp_date date, struct pncp_day_answer *answer,
                                 struct pncp_err *err)
{
    AUTO(pncp_day_status_release) struct pncp_day_status status = {0};
    struct pncp_lake *lake = NULL;
    const struct pncp_lake_options options = {.unsafe_store = cli->unsafe_store};
    enum pncp_code rc = pncp_lake_open(cli->lake, &options, &lake, err);
    if (rc == PNCP_OK)
        rc = pncp_day_status_read(lake, date, &status, err);
    pncp_lake_free(lake);
    return rc == PNCP_OK ? (cli->json ? put_json : put_text)(date, &status, &answer->text) : rc;
}

int pncp_cmd_status(const struct pncp_cli *cli)
{
    return pncp_cli_days(cli, status_day);
}
