/*
 * The órgãos that publish generated contratações: a fixed number of them, made from the seed at the start, with their
 * JSON objects ready to copy. About one in 32 has an alphanumeric CNPJ (new registrations since July 2026).
 */
#ifndef SIM_ORGAOS_H
#define SIM_ORGAOS_H

#include "base/err.h"
#include "base/view.h"

/* About the number of municipalities; prime, because days permute it by multiplication. */
#define SIM_ORGAOS 5573u
#define SIM_CNPJ_CHARS 14

struct sim_orgao {
    char cnpj[SIM_CNPJ_CHARS + 1];
    uint8_t uf;   /* index into SIM_UF */
    char ibge[8]; /* municipality code */
    char codigo_unidade[8];
    struct pncp_view entidade, unidade; /* JSON objects without their closing brace, in the table's arena */
};

struct sim_orgaos {
    struct sim_orgao *rows; /* SIM_ORGAOS of them */
    char *arena;
    uint16_t *slots; /* open addressing by CNPJ: index + 1, 0 empty */
};

/* PNCP_E_NOMEM. Release accepts a zeroed table. */
MUST_CHECK enum pncp_code sim_orgaos_init(struct sim_orgaos *orgaos, uint64_t seed, struct pncp_err *err);
void sim_orgaos_release(struct sim_orgaos *orgaos);
/* Index of the órgão with that CNPJ, -1 when there is none. */
int sim_orgaos_find(const struct sim_orgaos *orgaos, struct pncp_view cnpj);

#endif
