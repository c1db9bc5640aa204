#include "event/summary.h"
#include "base/json_writer.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void pncp_summary_init(struct pncp_summary *summary, const char *run_id, const char *lake)
{
    *summary = (struct pncp_summary){.day_count = 0};
    (void)snprintf(summary->run_id, sizeof(summary->run_id), "%s", run_id);
    pncp_summary_set_lake(summary, lake);
}

void pncp_summary_release(struct pncp_summary *summary)
{
    pncp_free(summary->days);
    *summary = (struct pncp_summary){.day_count = 0};
}

struct pncp_day_summary *pncp_summary_begin_day(struct pncp_summary *summary, struct pncp_date date)
{
    assert(summary->day_count < PNCP_SUMMARY_DAYS_MAX);
    if (summary->day_count == summary->day_cap) {
        size_t cap = summary->day_cap == 0 ? 1 : pncp_grow(summary->day_cap, summary->day_count + 1); /* mostly one */
        struct pncp_day_summary *days = pncp_realloc(summary->days, cap, sizeof(*days));
        if (days == NULL)
            return NULL;
        summary->days = days;
        summary->day_cap = cap;
    }
    struct pncp_day_summary *day = &summary->days[summary->day_count++];
    *day = (struct pncp_day_summary){.date = date};
    return day;
}

void pncp_summary_set_lake(struct pncp_summary *summary, const char *lake)
{
    (void)snprintf(summary->lake, sizeof(summary->lake), "%s", lake);
}

void pncp_summary_count_reason(struct pncp_day_summary *day, const char *reason)
{
    for (size_t i = 0; i < day->reason_count; i++) {
        if (strcmp(day->reasons[i].reason, reason) == 0) {
            day->reasons[i].count++;
            return;
        }
    }
    if (day->reason_count == PNCP_SUMMARY_REASONS_MAX)
        return;
    struct pncp_reason_count *added = &day->reasons[day->reason_count++];
    (void)snprintf(added->reason, sizeof(added->reason), "%s", reason);
    added->count = 1;
}

static void put_checkpoint(struct pncp_json_writer *w, const struct pncp_checkpoint_summary *c)
{
    pncp_json_key(w, "last_checkpoint");
    pncp_json_object_begin(w);
    pncp_json_field_int(w, "n", c->n);
    pncp_json_field_time(w, "at", c->at_s * 1000000);
    pncp_json_field_int(w, "contratacoes", c->contratacoes);
    pncp_json_field_int(w, "bytes_sent", (int64_t)c->bytes_sent);
    pncp_json_field_int(w, "row_groups", (int64_t)c->row_groups);
    pncp_json_field_int(w, "file_bytes", (int64_t)c->file_bytes);
    pncp_json_key(w, "ms");
    pncp_json_object_begin(w);
    pncp_json_field_int(w, "encode", c->ms_encode);
    pncp_json_field_int(w, "read", c->ms_read);
    pncp_json_field_int(w, "send", c->ms_send);
    pncp_json_field_int(w, "commit", c->ms_commit);
    pncp_json_object_end(w);
    pncp_json_object_end(w);
}

static void put_day(struct pncp_json_writer *w, const struct pncp_day_summary *day)
{
    char date[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(day->date, date);
    pncp_json_object_begin(w);
    pncp_json_field_text(w, "date", pncp_view_of(date));
    pncp_json_field_int(w, "exit_code", day->exit_code);
    pncp_json_field_bool(w, "complete", day->complete);
    pncp_json_field_bool(w, "already_complete", day->already_complete);
    pncp_json_field_int(w, "listed", day->listed);
    pncp_json_field_bool(w, "listed_final", day->listed_final);
    const struct {
        const char *name;
        int64_t value;
    } counts[] = {{"done_before", day->done_before}, {"saved", day->saved},
                  {"remaining", day->remaining},     {"untried", day->untried},
                  {"failed_due", day->failed_due},   {"failed_waiting", day->failed_waiting},
                  {"ausente", day->ausente},         {"vazio", day->vazio},
                  {"renewed", day->renewed},         {"errors", day->errors}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(counts); i++)
        pncp_json_field_int(w, counts[i].name, counts[i].value);
    pncp_json_key(w, "errors_by_reason");
    pncp_json_object_begin(w);
    for (size_t i = 0; i < day->reason_count; i++)
        pncp_json_field_int(w, day->reasons[i].reason, day->reasons[i].count);
    pncp_json_object_end(w);
    pncp_json_field_int(w, "itens", day->itens);
    pncp_json_field_int(w, "arquivos", day->arquivos);
    pncp_json_field_int(w, "api_calls", day->api_calls);
    pncp_json_field_int(w, "list_calls", day->list_calls);
    pncp_json_field_int(w, "retries", day->retries);
    pncp_json_field_int(w, "checkpoints", day->checkpoints);
    pncp_json_field_int(w, "values_out_of_type", day->values_out_of_type);
    pncp_json_field_int(w, "quantidade_differs", day->quantidade_differs);
    pncp_json_key(w, "modalidades_failed");
    pncp_json_array_begin(w);
    for (size_t i = 0; i < day->modalidades_failed_count; i++)
        pncp_json_put_int(w, day->modalidades_failed[i]);
    pncp_json_array_end(w);
    pncp_json_key(w, "seconds");
    pncp_json_put_fixed(w, day->seconds, 1);
    pncp_json_field_int(w, "spooled", day->spooled);
    if (day->has_checkpoint)
        put_checkpoint(w, &day->last_checkpoint);
    if (day->error[0] != '\0')
        pncp_json_field_text(w, "error", pncp_view_of(day->error));
    pncp_json_object_end(w);
}

enum pncp_code pncp_summary_json(const struct pncp_summary *summary, struct pncp_buf *ret_text)
{
    struct pncp_json_writer writer, *w = &writer;
    pncp_json_writer_init(w, ret_text);
    pncp_json_object_begin(w);
    pncp_json_field_int(w, "v", 1);
    pncp_json_field_text(w, "run_id", pncp_view_of(summary->run_id));
    pncp_json_field_text(w, "lake", pncp_view_of(summary->lake));
    pncp_json_field_int(w, "exit_code", summary->exit_code);
    pncp_json_key(w, "days");
    pncp_json_array_begin(w);
    for (size_t i = 0; i < summary->day_count; i++)
        put_day(w, &summary->days[i]);
    pncp_json_array_end(w);
    pncp_json_object_end(w);
    return pncp_json_writer_end(w);
}
