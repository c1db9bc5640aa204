/*
 * The saver: a thread that turns one lot at a time into a checkpoint (design section 5), then brings falhas and state
 * up to date. One lot is saved while the next one fills. A save that fails for a reason that may pass is tried again
 * with back-off for retry_ms; then the saver is failed and takes no more. Sequence (all from the owner's thread): start
 * -> while idle(): give; result after each wake -> finish.
 */
#ifndef PNCP_SAVER_H
#define PNCP_SAVER_H

#include "day/data.h"
#include "day/falhas.h"
#include "day/renewals.h"

#include <pthread.h>
#include <stdatomic.h>

struct pncp_saver_note { /* an entry for falhas */
    struct pncp_packed_key key;
    enum pncp_falha_part part;
    enum pncp_falha_kind kind;
    enum pncp_reason reason;
    long http_status;
};

struct pncp_filled_lot {
    struct pncp_table table; /* may be empty: then only the notes are saved */
    struct pncp_saver_note *notes;
    size_t note_count, note_cap;
    uint32_t n; /* number of this checkpoint in its run */
    bool by_size, last;
    bool renewed; /* rows fetched again: they wait for the rewrite instead of being appended */
};
MUST_CHECK enum pncp_code pncp_filled_lot_note(struct pncp_filled_lot *lot, const struct pncp_saver_note *note);
void pncp_filled_lot_release(struct pncp_filled_lot *lot);

struct pncp_saved { /* what became of a lot */
    uint32_t n;
    bool by_size, last;
    bool committed; /* a checkpoint was written (false for notes alone, or when every row was there already) */
    size_t renewed; /* rows put aside for the rewrite */
    struct pncp_commit_result commit;
};

struct pncp_saver {
    /* set before start */
    struct pncp_data *data;         /* borrowed; the saver's until finish */
    struct pncp_falhas *falhas;     /* likewise */
    struct pncp_renewals *renewals; /* likewise */
    const char *run_id;
    uint32_t retry_ms;       /* how long a save is tried again */
    uint32_t state_every_ms; /* full key lists at most this often: 10,000 on a folder */
    void (*wake)(void *ctx); /* after each lot, from the saver's thread */
    void *wake_ctx;
    /* private */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool started, ended, quit, busy, has_result;
    atomic_bool hurry;          /* no more retries: a signal came */
    struct pncp_filled_lot lot; /* to be saved; after a failure the one that was not */
    struct pncp_table spare;    /* of a saved lot, emptied: memory for the next one */
    struct pncp_saved result;
    struct pncp_err error;
    uint64_t state_at_ms;
    uint64_t cpu_us;
};

MUST_CHECK enum pncp_code pncp_saver_start(struct pncp_saver *saver, struct pncp_err *err);
bool pncp_saver_idle(struct pncp_saver *saver);
/* Takes *lot over: it becomes empty, with the memory of a lot saved before where there is some. Only while idle. */
void pncp_saver_give(struct pncp_saver *saver, struct pncp_filled_lot *lot);
/* The result of the last lot, once. False: none new. */
bool pncp_saver_result(struct pncp_saver *saver, struct pncp_saved *ret_saved);
/* The lot that it has given up on, if it has rows; the caller's then. False: there is none, or it has not ended. */
bool pncp_saver_take_failed(struct pncp_saver *saver, struct pncp_filled_lot *ret_lot);
/* PNCP_OK, or why it has given up. */
enum pncp_code pncp_saver_error(struct pncp_saver *saver, struct pncp_err *ret_err);
void pncp_saver_hurry(struct pncp_saver *saver);
/* Wait until idle, at most timeout_ms; false when it still works. */
bool pncp_saver_wait(struct pncp_saver *saver, uint32_t timeout_ms);
/* End the thread (waits for it). Its last result and error can still be read, until release. */
void pncp_saver_finish(struct pncp_saver *saver);
void pncp_saver_release(struct pncp_saver *saver); /* one that was never started too */

#endif
