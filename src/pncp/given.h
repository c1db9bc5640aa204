/*
 * A contratação as others keep it: a row of a data team's table, which --input reads. Its key may be written in any of
 * these ways, in several at once when they agree:
 *   cnpj         cnpj, orgaoEntidade.cnpj (a struct, or a flat name with the dot), orgaoEntidade_cnpj
 *   ano          ano, anoCompra
 *   sequencial   sequencial, sequencialCompra
 *   all three    numeroControlePNCP (pncp-api section 7)
 * Numbers may be widened, as pandas does when a column has a missing value: 2025.0 is 2025; or be digits of a text. A
 * CNPJ that lost its zeros on the way (a number, or a text of fewer than 14 digits) gets them back. What is null, "" or
 * "NaT" is missing.
 */
#ifndef PNCP_GIVEN_H
#define PNCP_GIVEN_H

#include "base/clock.h"
#include "model/key.h"
#include "json/json.h"

struct pncp_given {
    struct pncp_key key;
    bool has_date;
    struct pncp_date date; /* publication day, of dataPublicacaoPncp (pncp/rows.h) */
    bool has_fields;       /* one field of the contratação at least, other than its key and its date */
};

/* What a row says of itself. PNCP_E_PARSE: a part of the key is missing, wrong, or said twice and differently; a date
 * that is none. The message names the field. */
MUST_CHECK enum pncp_code pncp_given_read(yyjson_val *row, struct pncp_given *ret_given, struct pncp_err *err);

/* Turn a row that pncp_given_read has read into what the listing would have sent: flat names with a dot become objects
 * (one that would hide another value stays as it is), the key stands in orgaoEntidade.cnpj, anoCompra and
 * sequencialCompra, and not under the other names. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_given_normalise(struct pncp_json *row, const struct pncp_key *key, struct pncp_err *err);

#endif
