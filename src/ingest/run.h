/* One ingest run, shared by the files of this folder: what ingest.c drives, report.c tells and finish.c closes. */
#ifndef PNCP_RUN_H
#define PNCP_RUN_H

#include "day/data.h"
#include "day/falhas.h"
#include "day/list.h"
#include "day/renewals.h"
#include "ingest/compras.h"
#include "ingest/ingest.h"
#include "ingest/listing.h"
#include "ingest/plan.h"
#include "ingest/saver.h"
#include "ingest/work.h"

#define PNCP_POLL_MS 250 /* live line, progress and signals are looked at this often at least */

enum pncp_phase { PNCP_PHASE_LISTING, PNCP_PHASE_FETCHING, PNCP_PHASE_SAVING, PNCP_PHASE_REWRITING, PNCP_PHASE_ENDED };

enum pncp_lot_kind { PNCP_LOT_NEW, PNCP_LOT_RENEWED, PNCP_LOTS };

/* What the days of a range have in common: when their run began, and its id. */
struct pncp_began {
    char run_id[PNCP_RUN_ID_BYTES];
    int64_t at_us;
    uint64_t at_ms;
};
struct pncp_began pncp_began_now(void);

struct pncp_run { /* of one day */
    const struct pncp_began *began;
    const struct pncp_ingest_options *options;
    struct pncp_event *event;
    struct pncp_day_summary *day; /* filled as the run goes on */
    char run_id[PNCP_RUN_ID_BYTES];
    int64_t started_us; /* this day was */
    uint64_t started_ms;
    enum pncp_phase phase;

    struct pncp_lake *lake;
    struct pncp_hold hold;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_falhas falhas;        /* the saver's while it runs */
    struct pncp_falhas falhas_before; /* as read at the start: the plan's order */
    struct pncp_renewals renewals;    /* rows that are asked for again */
    struct pncp_key known;            /* a row of the day's file whose itens are ok */
    bool has_known;
    struct pncp_list list;
    bool list_whole;        /* every modalidade, every page */
    bool out_of_time;       /* --max-duration is over */
    struct pncp_err outage; /* an API has answered nothing good for --outage-wait: what is finished is saved */

    struct pncp_fetch *fetch;
    struct pncp_listing *listing; /* NULL when the list was at hand */
    struct pncp_compras *compras; /* of bare rows of --input; NULL: there are none to ask for */
    int64_t malformed;            /* rows of --input that are left out: contratações nobody can name */
    struct pncp_plan plan;
    bool plan_ended;
    struct pncp_works works;
    struct pncp_saver saver;
    struct pncp_filled_lot lots[PNCP_LOTS]; /* being filled */
    size_t lot_bytes[PNCP_LOTS];            /* … of these */
    size_t saving_bytes;                    /* of the one being saved */

    uint32_t checkpoint_every;
    int64_t batch;    /* 0: all */
    bool sizes_known; /* checkpoint_every and batch are settled (auto needs the day's size) */
    uint32_t lots_closed;
    int64_t renewed;     /* rows fetched again, waiting for the rewrite */
    int64_t not_renewed; /* asked for again in vain, with --no-auto-resume */
    bool fetching_ended;
    int64_t announced; /* the number of the last "Processing" line; -1: none yet */
    uint64_t live_at_ms, progress_at_ms;
    /* for the debug line that splits the CPU by stage */
    uint64_t cpu_rows_us, cpu_encode_us, cpu_fold_us, cpu_commit_us, cpu_finish_us;
};

/* Contratações that this run takes on, as far as the list is known. */
int64_t pncp_run_total(const struct pncp_run *run);

/* ---- open.c: from the lake's root to the day's list, one step after the other; each may fail with the errors of what
 * it opens ---- */
/* A run over options->date, nothing opened yet; all are borrowed. `day`: zero but for its date. */
void pncp_run_init(struct pncp_run *run, const struct pncp_began *began, const struct pncp_ingest_options *options,
                   struct pncp_event *event, struct pncp_day_summary *day);
/* The lake, and the lock of the day: PNCP_E_BUSY names the run that has it. */
MUST_CHECK enum pncp_code pncp_run_open_lake(struct pncp_run *run, struct pncp_err *err);
/* A whole run that is one job on an existing lake, under the lock of the day; the job finds nothing else opened.
 * PNCP_E_NOTFOUND: there is no lake · PNCP_E_BUSY · what the job answers. */
MUST_CHECK enum pncp_code pncp_run_on_old_lake(const struct pncp_ingest_options *options, struct pncp_event *event,
                                               enum pncp_code (*job)(struct pncp_run *run, void *ctx,
                                                                     struct pncp_err *err),
                                               void *ctx, struct pncp_err *err);
/* What is done and what has failed before. */
MUST_CHECK enum pncp_code pncp_run_open_day(struct pncp_run *run, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_run_start_fetcher(struct pncp_run *run, struct pncp_err *err);
/* The day's list: given (--input), saved by an earlier run when the day was final, else a listing is begun. */
MUST_CHECK enum pncp_code pncp_run_open_list(struct pncp_run *run, struct pncp_err *err);
/* Only the saved one. PNCP_E_NOTFOUND: there is none that can be used. */
MUST_CHECK enum pncp_code pncp_run_open_saved_list(struct pncp_run *run, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_run_begin_listing(struct pncp_run *run, struct pncp_err *err);
/* Only list, to the end, into a list under construction. */
MUST_CHECK enum pncp_code pncp_run_fetch_list(struct pncp_run *run, struct pncp_err *err);
/* The listing has come to its end: flush the list, save it when it is whole. Or the bare rows of --input: flush it. */
MUST_CHECK enum pncp_code pncp_run_end_listing(struct pncp_run *run, struct pncp_err *err);
void pncp_run_release(struct pncp_run *run);

/* ---- lots.c: finished contratações on their way to the saver ---------------------------------- */
/* Finished contratações into the lots; a full lot to the saver when it is free. `everything`: however full they get. */
MUST_CHECK enum pncp_code pncp_lots_fill(struct pncp_run *run, bool everything, struct pncp_err *err);
bool pncp_lots_any_full(const struct pncp_run *run);
bool pncp_lots_empty(const struct pncp_run *run, enum pncp_lot_kind kind);
/* To the saver, which is idle; what became of the lot before is told first. */
void pncp_lots_hand_over(struct pncp_run *run, enum pncp_lot_kind kind, bool last);
void pncp_lots_collect(struct pncp_run *run); /* tell what has been saved */
/* One that could not be fetched (pncp_works; ctx: the run): noted for falhas, with the next lot, and told. */
void pncp_lots_note_failure(void *ctx, const struct pncp_work_failure *failure);
/* The store is in trouble, or there is no time: finished contratações wait in the spool. Rows fetched again do not:
 * those that they were to replace are there. What a saver that has not ended holds is left to it. */
void pncp_lots_spool(struct pncp_run *run);

/* ---- report.c: what people and programs are told --------------------------------------------- */
void pncp_report_total(struct pncp_run *run); /* the "Processing" line, when its number is new */
void pncp_report_saved(struct pncp_run *run, const struct pncp_saved *saved);
void pncp_report_failure(struct pncp_run *run, const struct pncp_work_failure *failure);
void pncp_report_renewed(struct pncp_run *run, const struct pncp_commit_result *rewrite, double seconds);
/* A row of --input that is left out; ctx: the run. The first ones are told each, the others as a number at the end. */
void pncp_report_malformed(void *ctx, const char *path, int64_t row, const char *why);
void pncp_report_malformed_end(struct pncp_run *run);
void pncp_report_note(void *ctx, const struct pncp_fetch_note *note); /* ctx: the run */
void pncp_report_tick(struct pncp_run *run);     /* live line and progress file, when they are due */
void pncp_report_progress(struct pncp_run *run); /* the progress file now */
void pncp_report_end(struct pncp_run *run, enum pncp_code rc, const struct pncp_err *err);

/* ---- finish.c: after the last checkpoint ----------------------------------------------------- */
/* State files, the summary's counts, completeness: compaction and `completo`; the exit code of a run that ended with
 * `rc`. */
MUST_CHECK enum pncp_code pncp_run_finish(struct pncp_run *run, enum pncp_code rc, struct pncp_err *err);
/* The summary's counts and the exit code of a run that only listed. */
MUST_CHECK enum pncp_code pncp_run_finish_list(struct pncp_run *run, enum pncp_code rc, struct pncp_err *err);

/* ---- range.c: a job over its days ------------------------------------------------------------ */
/* Opens the lake, does its work on one day, tells how it ended, and sets the day's exit code. */
typedef enum pncp_code pncp_day_job(struct pncp_run *run, const void *ctx, struct pncp_err *err);
/* The days one after the other, until one's exit code, a signal or --max-duration ends it; then the run's record. The
 * summary's days are those that were begun. Errors are the job's · PNCP_E_CANCELLED: a signal between two days ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_range_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                                         pncp_day_job *job, const void *ctx, struct pncp_summary *ret_summary,
                                         struct pncp_err *err);

#endif
