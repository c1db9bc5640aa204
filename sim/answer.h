/*
 * An answer as the API would give it, before any fault. The API's error bodies are the ones that public reports quote
 * (2025-07 to 2026-09); where only a part was quoted the rest is completed in the same shape. Time stamps in them are
 * constant, so that equal requests give equal bytes.
 */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include "json_text.h"

#define SIM_TYPE_JSON "application/json"
#define SIM_TYPE_HTML "text/html"
#define SIM_LOCATION_MAX_CHARS 300

struct sim_answer {
    int status;
    const char *type;                          /* NULL: none (204) */
    char location[SIM_LOCATION_MAX_CHARS + 1]; /* empty: none */
    struct sim_text *body;                     /* borrowed */
};

/* Each empties the body first. */
void sim_answer_204(struct sim_answer *answer);
/* `path` is the path below the API's base; `inner_base` what the service calls itself ("/pncp-consulta"). */
void sim_answer_400(struct sim_answer *answer, const char *inner_base, struct pncp_view path, const char *message);
void sim_answer_400_erros(struct sim_answer *answer, const char *message);
void sim_answer_404_compra(struct sim_answer *answer);
void sim_answer_404_path(struct sim_answer *answer, struct pncp_view path);
/* status_number: the body's status as 422, else as "422"; both are seen. */
void sim_answer_422(struct sim_answer *answer, const char *inner_base, struct pncp_view path, const char *message,
                    bool status_number);
/* A page of HTML: 429, 502, 503, 504, 520, 524, and 200 (a firewall's refusal). */
void sim_answer_html(struct sim_answer *answer, int status);
void sim_answer_500_json(struct sim_answer *answer, const char *inner_base, struct pncp_view path);
void sim_answer_500_text(struct sim_answer *answer);

#endif
