/*
 * The words and domain tables that generated days are made of. Every string is ready to stand inside a JSON string as
 * it is (no quote, backslash or control character). Domain values: API manual 1.0, chapter 5, and records of 2025-2026;
 * place names and things bought are invented or generic.
 */
#ifndef SIM_VOCABULARY_H
#define SIM_VOCABULARY_H

#include "base/base.h"

struct sim_words {
    const char *const *words;
    uint32_t count;
};

/* The word that `hash` and `salt` pick. */
const char *sim_word(struct sim_words list, uint64_t hash, uint64_t salt);

extern const struct sim_words SIM_OBJETO_VERBS;  /* how an objetoCompra begins */
extern const struct sim_words SIM_OBJETO_THINGS; /* what is bought */
extern const struct sim_words SIM_OBJETO_PURPOSES;
extern const struct sim_words SIM_ITEM_NOUNS;
extern const struct sim_words SIM_ITEM_TRAITS;
extern const struct sim_words SIM_ITEM_UNITS;
extern const struct sim_words SIM_SERVICE_NOUNS;
extern const struct sim_words SIM_USERS;  /* usuarioNome: publishing systems */
extern const struct sim_words SIM_TITLES; /* arquivo titulo */
extern const struct sim_words SIM_PLACE_FIRST;
extern const struct sim_words SIM_PLACE_LAST;

struct sim_uf {
    const char *nome, *sigla;
    uint32_t ibge; /* first two digits of the municipality codes */
};
#define SIM_UFS 27
extern const struct sim_uf SIM_UF[SIM_UFS];

#define SIM_MODALIDADES 13 /* codes 1..13 carry rows */
struct sim_modalidade {
    const char *nome;
    uint32_t share;       /* rows of a day of 6,500 (2025-07-10) */
    uint32_t amparo[2];   /* index into SIM_AMPARO; the second one is rare */
    uint32_t instrumento; /* code */
    uint32_t modo[3];     /* codes of modo de disputa, the first the commonest */
};
/* Index 0 is unused, so that the code is the index. */
extern const struct sim_modalidade SIM_MODALIDADE[SIM_MODALIDADES + 1];

struct sim_amparo {
    const char *json; /* the whole object */
};
extern const struct sim_amparo SIM_AMPARO[];

/* Index = code, entry 0 unused. */
extern const char *const SIM_INSTRUMENTO[5];
extern const char *const SIM_MODO[7];
extern const char *const SIM_CRITERIO[10];
extern const char *const SIM_SITUACAO_COMPRA[5];
extern const char *const SIM_SITUACAO_ITEM[6];
extern const char *const SIM_BENEFICIO[6];
extern const char *const SIM_TIPO_DOCUMENTO[21];
struct sim_fonte {
    const char *nome, *descricao;
};
extern const struct sim_fonte SIM_FONTE[5];

#endif
