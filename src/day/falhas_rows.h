/*
 * falhas made to agree with the day's rows: what is absent or empty is asked again whether or not an entry for it
 * survived. The rows are the truth; only attempts and not-before of an entry cannot be told from them.
 */
#ifndef PNCP_FALHAS_ROWS_H
#define PNCP_FALHAS_ROWS_H

#include "day/data.h"
#include "day/falhas.h"

/* A part that is ausente or vazio gets an entry of that kind when it has none: asked once, when its row was obtained.
 * An entry of a part that is ok goes, and so does a `failed` one of a contratação that has a row. falhas->dirty tells
 * whether anything was changed. Errors of data · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_falhas_from_rows(struct pncp_falhas *falhas, struct pncp_data *data,
                                                struct pncp_err *err);
/* Bring the day's falhas into agreement with its rows and write them: the file is read with its version first and the
 * data after it, each time that someone else was faster. What it says then of a contratação, or a later version of it,
 * was so after the rows were read: an absent part that nobody asks for cannot come of it.
 * `falhas`: what this run has noted; afterwards what the file says. Errors of both. */
MUST_CHECK enum pncp_code pncp_falhas_settle(struct pncp_falhas *falhas, struct pncp_data *data, struct pncp_err *err);

#endif
