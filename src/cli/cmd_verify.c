#include "base/json_writer.h"
#include "cli/cli.h"
#include "day/verify.h"

#define PROBLEMS_SHOWN 100 /* of a file that is all wrong the rest says nothing new; all are counted */

struct report {
    struct pncp_json_writer problems; /* an array, for --json */
    struct pncp_buf json, text;
    bool as_json, lost; /* lost: no memory for a line */
    int64_t count;
};

static void take_problem(void *ctx, const char *text)
{
    struct report *report = ctx;
    if (report->count++ >= PROBLEMS_SHOWN)
        return;
    if (report->as_json)
        pncp_json_put_text(&report->problems, pncp_view_of(text));
    else
        report->lost = pncp_buf_format(&report->text, "%s\n", text) != PNCP_OK || report->lost;
}

static bool differs(const struct pncp_source_check *s)
{
    return s->itens_differ + s->arquivos_differ + s->not_listed + s->not_saved > 0;
}

static void put_source(struct pncp_json_writer *w, const struct pncp_source_check *s)
{
    pncp_json_key(w, "source");
    pncp_json_object_begin(w);
    pncp_json_field_int(w, "asked", s->asked);
    pncp_json_field_int(w, "itens_differ", s->itens_differ);
    pncp_json_field_int(w, "arquivos_differ", s->arquivos_differ);
    pncp_json_field_int(w, "not_listed", s->not_listed);
    pncp_json_field_int(w, "not_saved", s->not_saved);
    pncp_json_field_int(w, "unanswered", s->unanswered);
    pncp_json_field_int(w, "modalidades_failed", s->modalidades_failed);
    pncp_json_object_end(w);
}

static enum pncp_code put_json(struct pncp_date day, struct report *report, const struct pncp_verify *verify,
                               const struct pncp_source_check *source, struct pncp_buf *text)
{
    struct pncp_json_writer w;
    char date[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(day, date);
    pncp_json_writer_init(&w, text);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "date", pncp_view_of(date));
    pncp_json_field_bool(&w, "sound", verify->problems == 0);
    pncp_json_field_int(&w, "contratacoes", verify->rows);
    pncp_json_field_int(&w, "itens", verify->itens);
    pncp_json_field_int(&w, "arquivos", verify->arquivos);
    pncp_json_field_int(&w, "problems", verify->problems);
    pncp_json_key(&w, "problem_list");
    pncp_json_put_raw(&w, pncp_buf_view(&report->json));
    if (source != NULL)
        put_source(&w, source);
    pncp_json_object_end(&w);
    enum pncp_code rc = pncp_json_writer_end(&w);
    return rc == PNCP_OK ? pncp_buf_text(text, "\n") : rc;
}

static enum pncp_code put_text(struct report *report, const struct pncp_verify *verify,
                               const struct pncp_source_check *source, struct pncp_buf *text)
{
    enum pncp_code rc =
        report->lost ? PNCP_E_NOMEM
                     : pncp_buf_append(text, report->text.data == NULL ? "" : report->text.data, report->text.len);
    if (rc == PNCP_OK && verify->problems > PROBLEMS_SHOWN)
        rc = pncp_buf_format(text, "… and %" PRId64 " more\n", verify->problems - PROBLEMS_SHOWN);
    if (rc == PNCP_OK)
        rc = pncp_buf_format(
            text, "%s: %" PRId64 " contratacoes, %" PRId64 " itens, %" PRId64 " arquivos, %" PRId64 " problems\n",
            verify->problems == 0 ? "sound" : "NOT SOUND", verify->rows, verify->itens, verify->arquivos,
            verify->problems);
    if (rc == PNCP_OK && source != NULL)
        rc = pncp_buf_format(text,
                             "source: %" PRId64 " parts asked, itens differ %" PRId64 ", arquivos differ %" PRId64
                             ", saved but not listed %" PRId64 ", listed but not saved %" PRId64 ", unanswered %" PRId64
                             ", modalidades not listed %" PRId64 "\n",
                             source->asked, source->itens_differ, source->arquivos_differ, source->not_listed,
                             source->not_saved, source->unanswered, source->modalidades_failed);
    return rc;
}

static enum pncp_code check_source(const struct pncp_cli *cli, struct pncp_date date, struct pncp_source_check *source,
                                   struct pncp_err *err)
{
    struct pncp_ingest_options job = pncp_cli_job(cli);
    struct pncp_event *event;
    job.date = date;
    enum pncp_code rc = pncp_cli_event(cli, &event, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_verify_source(&job, event, source, err);
    pncp_event_free(event);
    return rc;
}

static enum pncp_code check_file(const struct pncp_cli *cli, struct pncp_date date, struct pncp_verify *verify,
                                 struct pncp_err *err)
{
    struct pncp_lake *lake;
    const struct pncp_lake_options options = {.unsafe_store = cli->unsafe_store};
    enum pncp_code rc = pncp_lake_open(cli->lake, &options, &lake, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_verify_day(lake, date, verify, err);
    pncp_lake_free(lake);
    return rc;
}

static enum pncp_code verify_day(const struct pncp_cli *cli, struct pncp_date date, struct pncp_day_answer *answer,
                                 struct pncp_err *err)
{
    struct report report = {.as_json = cli->json};
    struct pncp_source_check source = {0};
    struct pncp_verify verify = {.problem = take_problem, .ctx = &report};
    pncp_json_writer_init(&report.problems, &report.json);
    pncp_json_array_begin(&report.problems);
    enum pncp_code rc = check_file(cli, date, &verify, err);
    pncp_json_array_end(&report.problems);
    if (rc == PNCP_OK && cli->source && verify.problems == 0) /* a file that is not sound cannot be compared */
        rc = check_source(cli, date, &source, err);
    const struct pncp_source_check *asked = cli->source && verify.problems == 0 ? &source : NULL;
    if (rc == PNCP_OK)
        rc = pncp_json_writer_end(&report.problems);
    if (rc == PNCP_OK)
        rc = cli->json ? put_json(date, &report, &verify, asked, &answer->text)
                       : put_text(&report, &verify, asked, &answer->text);
    pncp_buf_release(&report.json);
    pncp_buf_release(&report.text);
    answer->exit_code = verify.problems > 0 || differs(&source)             ? 1
                        : source.unanswered + source.modalidades_failed > 0 ? 75
                                                                            : 0;
    return rc;
}

int pncp_cmd_verify(const struct pncp_cli *cli)
{
    return pncp_cli_days(cli, verify_day);
}
