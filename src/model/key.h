/*
 * The key of a contratação: cnpj|ano|sequencial. A CNPJ is 14 of [0-9A-Z] (letters since July 2026), text everywhere.
 * Packed exactly into 16 bytes (36^14 < 2^73, ano 14 bits, sequencial 31 bits; 10 bits are left for the holder's
 * flags).
 */
#ifndef PNCP_KEY_H
#define PNCP_KEY_H

#include "base/err.h"
#include "base/view.h"

#define PNCP_CNPJ_CHARS 14
#define PNCP_KEY_TEXT_BYTES 32 /* "83102277000152|2025|423" and its NUL; longest 14+1+5+1+10 */

struct pncp_key {
    char cnpj[PNCP_CNPJ_CHARS + 1];
    int32_t ano;        /* 1..9999 */
    int32_t sequencial; /* 1.. */
};

struct pncp_packed_key {
    uint64_t hi, lo; /* bits 118..127 (top of hi) are zero: the holder's */
};
#define PNCP_PACKED_KEY_FLAG_BITS 10
#define PNCP_PACKED_KEY_SEQUENCIAL_BITS 31 /* the lowest of lo */

/* PNCP_E_PARSE names what is wrong: cnpj not 14 of [0-9A-Z], ano outside 1..9999, sequencial < 1. */
MUST_CHECK enum pncp_code pncp_key_make(struct pncp_view cnpj, int64_t ano, int64_t sequencial,
                                        struct pncp_key *ret_key, struct pncp_err *err);
/* From "39215827000158-1-000008/2026" (pncp-api section 7). */
MUST_CHECK enum pncp_code pncp_key_from_controle(struct pncp_view text, struct pncp_key *ret_key, struct pncp_err *err);
/* From "cnpj|ano|sequencial". */
MUST_CHECK enum pncp_code pncp_key_parse(struct pncp_view text, struct pncp_key *ret_key, struct pncp_err *err);
/* Returns the length. */
size_t pncp_key_format(const struct pncp_key *key, char ret_text[PNCP_KEY_TEXT_BYTES]);
struct pncp_packed_key pncp_key_pack(const struct pncp_key *key);
void pncp_key_unpack(struct pncp_packed_key packed, struct pncp_key *ret_key);
bool pncp_key_eq(const struct pncp_key *a, const struct pncp_key *b);
/* Order of the packed form: cnpj, ano, sequencial as text/number (what "sorted by key" means). */
int pncp_packed_key_cmp(struct pncp_packed_key a, struct pncp_packed_key b);

#endif
