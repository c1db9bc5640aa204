/*
 * Generated days. Row `i` of a day is a pure function of (seed, date, i): nothing is stored, any size costs the same.
 *
 * A key leads back to its row without an index: the órgão is a permutation of i (by date), the sequencial holds the day
 * of the year, a flag for "opened last year" and i / SIM_ORGAOS. So each key belongs to one row of one day.
 *
 * Sizes of the parts follow the counts published for 2025-2026: itens per contratação median 2, mean 8 to 9, long tail;
 * arquivos median 2, mean 3 to 4, at most 81.
 */
#ifndef SIM_GENERATE_H
#define SIM_GENERATE_H

#include "source.h"

/* `config` is copied. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code sim_generate_init(struct sim_generate *generate, const struct sim_generate_config *config,
                                            struct pncp_err *err);
void sim_generate_release(struct sim_generate *generate);

uint32_t sim_generate_count(const struct sim_generate *generate, struct pncp_date date, uint32_t modalidade);
void sim_generate_row(const struct sim_generate *generate, struct pncp_date date, uint32_t modalidade,
                      uint32_t position, struct sim_row *ret_row);
bool sim_generate_find(const struct sim_generate *generate, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                       struct sim_row *ret_row);

void sim_generate_contratacao(const struct sim_generate *generate, const struct sim_row *row, bool single,
                              struct sim_text *text);
void sim_generate_item(const struct sim_generate *generate, const struct sim_row *row, uint32_t k,
                       struct sim_text *text);
void sim_generate_arquivo(const struct sim_row *row, uint32_t k, struct sim_text *text);
void sim_generate_traits(const struct sim_row *row, struct sim_traits *ret_traits);

/* Facts of a row that several texts must agree on. */
enum sim_sigilo { SIM_SIGILO_NONE = 1, SIM_SIGILO_PART = 2, SIM_SIGILO_ALL = 3 };
enum sim_sigilo sim_generate_sigilo(const struct sim_row *row);
bool sim_generate_has_result(const struct sim_row *row);

#endif
