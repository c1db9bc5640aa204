/*
 * The keys of one day: an exact set of packed keys with ten flags each. Open addressing, load ≤ 0.8: 8 bytes a slot,
 * and 17 a place for a pair of a cnpj and a year, of which there are few. Thread-safe: a mutex of its own. Removing is
 * by flag only.
 */
#ifndef PNCP_KEYSET_H
#define PNCP_KEYSET_H

#include "base/err.h"
#include "model/key.h"

enum pncp_key_flag {
    PNCP_KEY_SAVED = 1,  /* its row is in the day's file (day/data.h sets and clears it) */
    PNCP_KEY_LISTED = 2, /* in the day's list */
    PNCP_KEY_TAKEN = 4,  /* this run has taken it on */
    PNCP_KEY_FAILED = 8, /* has an entry of kind `failed` in falhas */
    PNCP_KEY_SEEN = 16,  /* scratch of one pass (verify, state) */
    PNCP_KEY_READ = 32,  /* scratch of data.c: met in the version being read */
    PNCP_KEY_OLD = 64,   /* its row was there when the run began */
    PNCP_KEY_DUE = 128,  /* asked for before, and to be asked again by this run */
};

struct pncp_keyset;
MUST_CHECK enum pncp_code pncp_keyset_new(struct pncp_keyset **ret_set);
void pncp_keyset_free(struct pncp_keyset *set);
/* Set `flags` on the key, adding it when new; *ret_before (may be NULL) gets its flags before (0 for a new key).
 * PNCP_E_NOMEM · PNCP_E_LIMIT: more than 8,388,608 pairs of a cnpj and a year. */
MUST_CHECK enum pncp_code pncp_keyset_set(struct pncp_keyset *set, struct pncp_packed_key key, unsigned flags,
                                          unsigned *ret_before);
void pncp_keyset_clear(struct pncp_keyset *set, struct pncp_packed_key key, unsigned flags);
void pncp_keyset_clear_all(struct pncp_keyset *set, unsigned flags); /* from every key */
/* In one step: every key with `from` gets `to`, every other loses it; `from` is gone then. */
void pncp_keyset_become(struct pncp_keyset *set, unsigned from, unsigned to);
unsigned pncp_keyset_get(struct pncp_keyset *set, struct pncp_packed_key key); /* 0 for an unknown key */
/* Keys that have all of `with` and none of `without`. */
size_t pncp_keyset_count(struct pncp_keyset *set, unsigned with, unsigned without);

#endif
