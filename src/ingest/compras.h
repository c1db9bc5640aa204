/*
 * Contratações got one by one from the consulta API, GET /v1/orgaos/{cnpj}/compras/{ano}/{sequencial} (pncp-api section
 * 3.4), into a day's list: for rows of --input that have no more than a key. Rows come in the order of the keys, some
 * tens at a time.
 *
 * A contratação of another publication day is counted, left out and not listed any more. One that cannot be got is
 * told, and stays listed: the day is not complete without it. Memory: 16 bytes a key, and at most PNCP_COMPRAS_WINDOW
 * answers. Threads: the fetch thread. Never blocks except for writing the list's own file.
 */
#ifndef PNCP_COMPRAS_H
#define PNCP_COMPRAS_H

#include "day/keyset.h"
#include "day/list.h"
#include "fetch/fetch.h"
#include "ingest/work.h"

/* Rows given to the list at a time, after the first groups, which are smaller: the plan takes what there is as a group,
 * and each costs some KB of footer. */
#define PNCP_COMPRAS_ROWS 50
/* Handed to the fetcher at a time: what is queued there is sent even when it is not wanted any more. */
#define PNCP_COMPRAS_ASKING 8
/* Asked for and not in the list yet, at most: 10 KB each when they are answered. */
#define PNCP_COMPRAS_WINDOW (PNCP_COMPRAS_ROWS + PNCP_COMPRAS_ASKING)

struct pncp_compras_options {
    const char *consulta_url; /* borrowed */
    struct pncp_list *list;   /* under construction; borrowed, as is keys */
    struct pncp_keyset *keys; /* the keys asked for have PNCP_KEY_LISTED */
    /* Called once for each that could not be got (404 too). */
    void (*failed)(void *ctx, const struct pncp_work_failure *failure);
    void *ctx;
};

struct pncp_compras;
/* Begin with `asks`, at least one, which is taken over also on error. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_compras_new(const struct pncp_compras_options *options, struct pncp_fetch *fetch,
                                           struct pncp_packed_key *asks, size_t count,
                                           struct pncp_compras **ret_compras, struct pncp_err *err);
void pncp_compras_free(struct pncp_compras *compras); /* only after the fetcher was freed; NULL is fine */

bool pncp_compras_finished(const struct pncp_compras *compras);
/* The rows to come are not wanted: finished, as it is now. */
void pncp_compras_stop(struct pncp_compras *compras);
/* PNCP_OK, or why the work as a whole cannot go on (no memory, the list's file cannot be written). */
enum pncp_code pncp_compras_error(const struct pncp_compras *compras, struct pncp_err *ret_err);
/* Contratações that are neither in the list nor known to fail. */
int64_t pncp_compras_left(const struct pncp_compras *compras);
int64_t pncp_compras_other_days(const struct pncp_compras *compras);

#endif
