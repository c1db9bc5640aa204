/* The summary of a run: plain data and its JSON form (docs/FORMATS.md, "Summary"). Fields that do not apply are left
 * out of the JSON. */
#ifndef PNCP_SUMMARY_H
#define PNCP_SUMMARY_H

#include "base/buf.h"
#include "base/clock.h"

/* Days in a range: ten years and more than there are since the first contratação of the PNCP (2021). All of them take 7
 * MB here. */
#define PNCP_SUMMARY_DAYS_MAX 3660
#define PNCP_SUMMARY_REASONS_MAX 24
#define PNCP_SUMMARY_MODALIDADES_MAX 20

struct pncp_reason_count {
    char reason[24];
    int64_t count;
};

struct pncp_checkpoint_summary {
    uint32_t n;
    int64_t at_s, contratacoes;
    uint64_t bytes_sent, row_groups, file_bytes;
    uint32_t ms_encode, ms_read, ms_send, ms_commit;
};

struct pncp_day_summary {
    struct pncp_date date;
    int exit_code;
    bool complete, already_complete, listed_final;
    int64_t listed, done_before, saved, remaining, untried, failed_due, failed_waiting;
    int64_t ausente, vazio, renewed, errors;
    struct pncp_reason_count reasons[PNCP_SUMMARY_REASONS_MAX];
    size_t reason_count;
    int64_t itens, arquivos, api_calls, list_calls, retries, checkpoints, values_out_of_type, quantidade_differs;
    int modalidades_failed[PNCP_SUMMARY_MODALIDADES_MAX];
    size_t modalidades_failed_count;
    double seconds;
    int64_t spooled;
    bool has_checkpoint;
    struct pncp_checkpoint_summary last_checkpoint;
    char error[512]; /* why it ended, "" when it ended well */
};

struct pncp_summary {
    char run_id[40];
    char lake[1024];
    int exit_code;
    struct pncp_day_summary *days; /* those that were begun, in order; owned */
    size_t day_count, day_cap;
};

void pncp_summary_init(struct pncp_summary *summary, const char *run_id, const char *lake);
void pncp_summary_release(struct pncp_summary *summary);
/* A day more, all zero; valid until the next one is begun. NULL: out of memory. */
struct pncp_day_summary *pncp_summary_begin_day(struct pncp_summary *summary, struct pncp_date date);
void pncp_summary_set_lake(struct pncp_summary *summary, const char *lake);
void pncp_summary_count_reason(struct pncp_day_summary *day, const char *reason);
/* One line of JSON without a final newline, appended. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_summary_json(const struct pncp_summary *summary, struct pncp_buf *ret_text);

#endif
