/* Texts that real records held and that break careless readers; see the list in odd_text.c. */
#ifndef SIM_ODD_TEXT_H
#define SIM_ODD_TEXT_H

#include "json_text.h"

/* Characters of the longest text that the API accepts (integration manual, objetoCompra). */
#define SIM_TEXT_MAX_CHARS 5120

/* A quoted JSON string, one of the odd kinds by `hash`. */
void sim_odd_text(struct sim_text *text, uint64_t hash);

#endif
