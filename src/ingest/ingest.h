/*
 * The jobs: ingest days (list -> details -> checkpoints), list days, verify a day against the source, compact one,
 * adopt one. Each takes its options, tells what happens to an event sink (event/event.h) and fills a summary; the exit
 * code is in the summary, the reason for a bad one in `err`. Of a range of days the job is one run: one id, one record;
 * limits count per day, but max_duration_ms for all (range.c).
 */
#ifndef PNCP_INGEST_H
#define PNCP_INGEST_H

#include "base/clock.h"
#include "base/err.h"
#include "day/adopt.h"
#include "day/falhas.h"
#include "event/event.h"
#include "fetch/fetch.h"
#include "pncp/part.h"

#define PNCP_BUDGET_BYTES                                                                                              \
    ((size_t)12 * 1024 * 1024) /* answers of unfinished contratações and two lots (design section 5.1) */
#define PNCP_LOT_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define PNCP_CHECKPOINT_EVERY_MAX 10000
#define PNCP_LISTING_CONNECTIONS 4 /* pages in flight to the listing API (design section 7) */
#define PNCP_AUTO 0                /* --checkpoint-every auto */
#define PNCP_BATCH_AUTO (-1)

#define PNCP_SHARE_WHOLE 10000 /* 100% */

/* So many, or so many of ten thousand: hundredths of a percent. */
struct pncp_share {
    int64_t value;
    bool percent;
};

/* What is asked again of what was asked before. */
struct pncp_again {
    bool everything; /* --no-auto-resume: the whole day, whatever is done */
    bool only;       /* retry: nothing that was never tried */
    bool not_due;    /* retry --all: also what has not waited long enough, or is closed */
    unsigned parts;  /* of falhas: enum pncp_falha_part */
};

struct pncp_ingest_options {
    struct pncp_days days; /* of ingest and list: one after the other */
    struct pncp_date date; /* the day at hand; ingest and list set it themselves */
    const char *lake_url;
    uint32_t checkpoint_every;    /* 1..10000, or PNCP_AUTO */
    int64_t batch_size;           /* 0: all; PNCP_BATCH_AUTO; else at most so many not-done contratações */
    int64_t max_contratacoes;     /* 0: all; else look only at the first so many of the list */
    uint32_t max_duration_ms;     /* 0: none; else nothing new is begun after that, no day either */
    struct pncp_share max_failed; /* of the day's list: as many failed contratações are still exit 0 */
    struct pncp_again again;
    const char *input; /* NULL: our own listing; else Parquet, JSON or NDJSON files (ingest/input.h) */
    struct pncp_fetch_options fetch;
    enum pncp_confirm confirm;
    const char *spool;                     /* folder for lots that cannot be saved; NULL: none */
    const char *consulta_url, *detail_url; /* checked bases, without trailing slash */
    int64_t final_after_s;                 /* how long after its end a day is final */
    uint32_t wait_lease_ms;                /* how long a day that another run holds is waited for */
    bool allow_empty, unsafe_store;
    const char *scheduler_run_id; /* NULL: none */
    int argc;                     /* as given, without secrets; for the run record */
    const char *const *argv;
};

/* Ingest. The summary's exit_code is always set, the worst of its days; the caller releases it. The return value is
 * PNCP_OK when the job ran to an end of its own (exit 0 and 3), else the error that ended it. */
enum pncp_code pncp_ingest_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                               struct pncp_summary *ret_summary, struct pncp_err *err);

/* Only the list: fetched and saved when it is not there as final (or `again`). */
enum pncp_code pncp_list_run(const struct pncp_ingest_options *options, bool again, struct pncp_event *event,
                             struct pncp_summary *ret_summary, struct pncp_err *err);

/* verify --source: every saved row's counts against /quantidade, the day's keys against a fresh listing. Differences
 * are told to `event` one by one, the first hundred, and counted. */
struct pncp_source_check {
    int64_t asked, itens_differ, arquivos_differ, not_listed, not_saved, unanswered, modalidades_failed;
};
enum pncp_code pncp_verify_source(const struct pncp_ingest_options *options, struct pncp_event *event,
                                  struct pncp_source_check *ret_check, struct pncp_err *err);

/* Compact a day by hand. PNCP_E_NOTFOUND: no lake. */
struct pncp_compacted {
    bool there; /* false: nothing is saved of it */
    bool done;  /* false: it was compact already */
    int64_t rows;
    uint64_t groups_before, groups_after, bytes_before, bytes_after;
};
enum pncp_code pncp_compact_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                                struct pncp_compacted *ret_compacted, struct pncp_err *err);

/* Adopt what another tool has left in the day's folder (day/adopt.h, which has the errors); *ret_adopted is the
 * caller's to release, also on failure. PNCP_E_NOTFOUND: no lake · PNCP_E_BUSY: the day is held by a run. */
enum pncp_code pncp_adopt_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                              struct pncp_adopted *ret_adopted, struct pncp_err *err);

/* Exit code of an error that ended a job (design section 2). */
int pncp_exit_of(const struct pncp_err *err);
/* Of two days' exit codes that of both: 2 > 1 > 75 > 3 > 0, a signal's above all. */
int pncp_exit_worse(int a, int b);
/* Does a range go on to its next day after that one? After 0 and 3 it does. */
bool pncp_exit_goes_on(int exit_code);

/* Signals: SIGTERM and SIGINT ask the running job to stop, and end the process 2.5 s later when it has not; installed
 * by pncp_stop_install before a job, once per process. */
enum pncp_code pncp_stop_install(struct pncp_err *err);
int pncp_stop_signal(void); /* 0, or the signal received */
int pncp_stop_fd(void);     /* readable once a signal came */
const volatile bool *pncp_stop_flag(void);

#endif
