/*
 * falhas: contratações that could not be fetched, and those whose part is absent or empty and is to be asked again
 * (docs/FORMATS.md). Of it only attempts and not-before cannot be rebuilt from the data. Written by write-if and
 * merged: latest last_at of a (key, part) wins; an entry goes only when the row in the file is `ok`.
 */
#ifndef PNCP_FALHAS_H
#define PNCP_FALHAS_H

#include "base/clock.h"
#include "day/keyset.h"
#include "lake/lake.h"
#include "model/model.h"
#include "model/reason.h"

/* A day of 50,000 of which all have failed has 15 MB. */
#define PNCP_FALHAS_MAX_BYTES ((size_t)256 * 1024 * 1024)

enum pncp_falha_part { PNCP_FALHA_ITENS = 1, PNCP_FALHA_ARQUIVOS = 2, PNCP_FALHA_AMBAS = 3 };
enum pncp_falha_kind { PNCP_FALHA_FAILED, PNCP_FALHA_AUSENTE, PNCP_FALHA_VAZIO };

struct pncp_falha {
    struct pncp_packed_key key;
    uint8_t part, kind, reason; /* pncp_falha_part, pncp_falha_kind, pncp_reason */
    bool closed;
    int16_t http_status;
    uint32_t attempts;
    int64_t first_at_s, last_at_s, not_before_s; /* UTC */
};

struct pncp_falhas {
    struct pncp_falha *entries; /* sorted by key, then part */
    size_t count, cap;
    struct pncp_version version; /* of the file read; "" : none yet */
    bool dirty;                  /* differs from the file */
    bool urgent;                 /* by something that the data cannot tell: a failed contratação */
};

/* Read the day's falhas. A missing file is an empty set. A damaged one is set aside as "<path>.damaged" and reported by
 * ret_rebuilt (may be NULL): it is rebuilt from the data. PNCP_E_NEWER · PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_falhas_load(struct pncp_lake *lake, struct pncp_date date,
                                           struct pncp_falhas *ret_falhas, bool *ret_rebuilt, struct pncp_err *err);
/* The text of such a file; of several entries of one (key, part) the one with the latest last_at, then with the most
 * attempts, and the set is dirty. PNCP_E_PARSE · PNCP_E_NEWER · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_falhas_parse(struct pncp_view text, struct pncp_falhas *ret_falhas,
                                            struct pncp_err *err);
void pncp_falhas_release(struct pncp_falhas *falhas);
/* Note a failed fetch (not_before: 10 min, doubling to 6 h) or an absent/empty part (1 h, then daily; closed 7 days
 * after first_at). PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_falhas_note(struct pncp_falhas *falhas, struct pncp_packed_key key,
                                           enum pncp_falha_part part, enum pncp_falha_kind kind,
                                           enum pncp_reason reason, long http_status, int64_t now_s);
/* Drop the `failed` entries of a key whose row is now in the file. */
void pncp_falhas_resolve(struct pncp_falhas *falhas, struct pncp_packed_key key);
/* The `failed` entry of a key, or NULL. */
const struct pncp_falha *pncp_falhas_failed(const struct pncp_falhas *falhas, struct pncp_packed_key key);
/* The entry of a part that is absent or empty, or NULL. */
const struct pncp_falha *pncp_falhas_part(const struct pncp_falhas *falhas, struct pncp_packed_key key,
                                          enum pncp_falha_part part);
/* Is it to be asked again now? */
bool pncp_falha_is_due(const struct pncp_falha *entry, int64_t now_s);
/* As if a part that was absent or empty when it was asked at `asked_s` had an entry: is it to be asked again now? */
bool pncp_falha_would_be_due(int64_t asked_s, int64_t now_s);
/* Take an entry out. */
void pncp_falhas_drop(struct pncp_falhas *falhas, const struct pncp_falha *entry);
/* Take over what `other`, as it is in the lake, knows better: of each (key, part) the newest last_at wins. Its version
 * is the one that is replaced by the next write. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_falhas_merge(struct pncp_falhas *falhas, const struct pncp_falhas *other);
/* Write when dirty: one write-if on the version read. Entries of kind `failed` whose key has PNCP_KEY_SAVED in `keys`
 * are left out. PNCP_E_CONFLICT: it is another now · errors of the lake · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_falhas_write(struct pncp_lake *lake, struct pncp_date date, struct pncp_falhas *falhas,
                                            struct pncp_keyset *keys, struct pncp_err *err);
/* The same; on conflict read again, merge, and try again (race.h).
 * Entries of kind `failed` whose key has PNCP_KEY_SAVED in `keys` are left out. Errors pass through: the caller decides
 * whether they matter. */
MUST_CHECK enum pncp_code pncp_falhas_save(struct pncp_lake *lake, struct pncp_date date, struct pncp_falhas *falhas,
                                           struct pncp_keyset *keys, struct pncp_err *err);

#endif
