/* URLs of the two PNCP APIs (pncp-api sections 2-4). Pure text. All append to a buffer that is cleared first and end
 * with a NUL that is not counted in len. */
#ifndef PNCP_URL_H
#define PNCP_URL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/key.h"
#include "model/model.h"

#define PNCP_URL_MAX_BYTES 2048
#define PNCP_PAGE_ROWS_LISTING 50 /* the API's maximum (pncp-api 3.1) */
#define PNCP_PAGE_ROWS_DETAIL 500 /* accepted: 50..1000 (pncp-api 4) */

/* Check a base URL given by a person (http/https, a host, no query) and drop trailing slashes. PNCP_E_USAGE. */
MUST_CHECK enum pncp_code pncp_url_base(const char *text, struct pncp_buf *ret_base, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_url_listing(struct pncp_buf *ret_url, const char *consulta, struct pncp_date date,
                                           int modalidade, uint32_t page, uint32_t page_rows);
MUST_CHECK enum pncp_code pncp_url_part(struct pncp_buf *ret_url, const char *detail, const struct pncp_key *key,
                                        enum pncp_part part, uint32_t page, uint32_t page_rows);
MUST_CHECK enum pncp_code pncp_url_quantidade(struct pncp_buf *ret_url, const char *detail, const struct pncp_key *key,
                                              enum pncp_part part);
MUST_CHECK enum pncp_code pncp_url_compra(struct pncp_buf *ret_url, const char *consulta, const struct pncp_key *key);

#endif
