#include "base/json_writer.h"
#include "cli/cli.h"
#include "day/layout.h"

static uint64_t bytes_of(const struct pncp_adopted *adopted)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < adopted->count; i++)
        bytes += adopted->files[i].bytes;
    return bytes;
}

static enum pncp_code put_json(struct pncp_date day, const struct pncp_adopted *adopted, struct pncp_buf *text)
{
    struct pncp_json_writer w;
    char date[PNCP_DATE_TEXT_BYTES], folder[PNCP_PLACE_BYTES];
    pncp_date_format(day, date);
    pncp_place_format(PNCP_PLACE_LEGADO_FOLDER, day, folder);
    pncp_json_writer_init(&w, text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "date", pncp_view_of(date));
    pncp_json_field_bool(&w, "emptied", adopted->emptied);
    pncp_json_field_text(&w, "folder", pncp_view_of(folder));
    pncp_json_key(&w, "files");
    pncp_json_array_begin(&w);
    for (size_t i = 0; i < adopted->count; i++) {
        pncp_json_object_begin(&w);
        pncp_json_field_text(&w, "name", pncp_view_of(adopted->files[i].name));
        pncp_json_field_text(&w, "copy", pncp_view_of(adopted->files[i].copy));
        pncp_json_field_int(&w, "bytes", (int64_t)adopted->files[i].bytes);
        pncp_json_object_end(&w);
    }
    pncp_json_array_end(&w);
    pncp_json_object_end(&w);
    enum pncp_code rc = pncp_json_writer_end(&w);
    return rc == PNCP_OK ? pncp_buf_text(text, "\n") : rc;
}

static enum pncp_code put_text(struct pncp_date day, const struct pncp_adopted *adopted, struct pncp_buf *text)
{
    char folder[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_LEGADO_FOLDER, day, folder);
    if (adopted->count == 0)
        return pncp_buf_text(text, "nothing to do: no files of another tool\n");
    return pncp_buf_format(text, "adopted: %zu files, %" PRIu64 " bytes, kept in %s%s\n", adopted->count,
                           bytes_of(adopted), folder,
                           adopted->emptied ? "; details.parquet is empty now: run ingest" : "");
}

static enum pncp_code adopt_day(const struct pncp_cli *cli, struct pncp_date date, struct pncp_day_answer *answer,
                                struct pncp_err *err)
{
    AUTO(pncp_adopted_release) struct pncp_adopted adopted = {0};
    struct pncp_ingest_options job = pncp_cli_job(cli);
    struct pncp_event *event;
    job.date = date;
    enum pncp_code rc = pncp_cli_event(cli, &event, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_adopt_run(&job, event, &adopted, err);
    pncp_event_free(event);
    return rc == PNCP_OK ? (cli->json ? put_json : put_text)(date, &adopted, &answer->text) : rc;
}

int pncp_cmd_adopt(const struct pncp_cli *cli)
{
    return pncp_cli_days(cli, adopt_day);
}
