/* Carquet, which reads the files of other writers: its set-up, one time per process, and its memory. */
#ifndef PNCP_FOREIGN_CARQUET_H
#define PNCP_FOREIGN_CARQUET_H

#include "base/err.h"

#include <carquet/carquet.h>

/* No page, dictionary or chunk of a listing comes near. Damaged lengths do. */
#define PNCP_CARQUET_ALLOC_MAX_BYTES ((size_t)256 * 1024 * 1024)

/* Route carquet's memory through base/mem.h and under that ceiling, then initialise it. Thread-safe; before any other
 * call. PNCP_E_NOMEM · PNCP_E_UNSUPPORTED. */
MUST_CHECK enum pncp_code pncp_carquet_prepare(struct pncp_err *err);
/* Calls of carquet stand between these two: `end` says whether an allocation was refused on this thread since `begin`,
 * whatever the calls themselves said. Carquet 0.7.2 does not look at each of its allocations: when one for the levels
 * of a page failed, the column was written with values missing, and closed with success. PNCP_E_NOMEM · PNCP_E_LIMIT:
 * more than PNCP_CARQUET_ALLOC_MAX_BYTES at once. */
void pncp_carquet_begin(void);
MUST_CHECK enum pncp_code pncp_carquet_end(void);
/* Our code for a carquet status: PNCP_E_NOMEM, PNCP_E_UNSUPPORTED (codec not built in), else PNCP_E_PARSE. */
enum pncp_code pncp_carquet_code(carquet_status_t status);

#endif
