/* What was asked and answered: the figures behind /_stats, the attempt numbers that faults go by, and the rate limits.
 */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include "fault.h"
#include "json_text.h"
#include "request.h"
#include "source.h"

/* Hash -> dense number 0, 1, 2 …; open addressing. 64-bit hashes are taken as identities. */
struct sim_index {
    uint64_t *ids; /* 0: empty slot */
    uint32_t *numbers;
    size_t cap, len;
};

/* URLs whose attempts are told apart, and contratações counted; beyond them every attempt is the first, nothing is
 * counted. */
#define SIM_URLS_MAX 8000000u
#define SIM_KEYS_MAX 2000000u
#define SIM_CLIENTS_MAX 64
#define SIM_WINDOW_S 60

struct sim_key_tally {
    char cnpj[SIM_CNPJ_CHARS + 1];
    uint32_t ano, sequencial;
    uint32_t requests[SIM_KINDS];
};

struct sim_limit {
    uint32_t requests; /* 0: no limit */
    uint32_t window_s;
};
#define SIM_LIMIT_REQUESTS_MAX 100000u

/* One client address on one API. */
struct sim_client_api {
    uint64_t requests;
    uint32_t per_second[SIM_WINDOW_S]; /* ring by second */
    uint64_t second;                   /* of the newest entry */
    uint32_t window_sum, window_max;   /* requests in the last 60 s, and their maximum */
    uint64_t *accepted_ms;             /* ring of the last limit.requests accepted; allocated when a limit is set */
    uint32_t accepted_cap, accepted_len, accepted_at;
    uint64_t blocked_until_ms;
};
struct sim_client {
    char address[48];
    struct sim_client_api api[SIM_APIS];
};

struct sim_tally {
    uint64_t requests[SIM_KINDS];
    uint64_t status[600]; /* by status, 0: none was sent */
    uint64_t faults[SIM_FAULTS];
    uint64_t limited[SIM_APIS];
    uint64_t bytes; /* of bodies */
    uint64_t connections;
    uint32_t in_flight, in_flight_max;
    struct sim_index urls;
    uint32_t *attempts; /* by number */
    struct sim_index keys;
    struct sim_key_tally *key_rows;
    struct sim_client clients[SIM_CLIENTS_MAX];
    size_t clients_len;
    struct sim_limit limit[SIM_APIS];
    uint32_t recovery_s; /* after a refusal everything is refused that long */
};

void sim_tally_release(struct sim_tally *tally);
/* Figures to zero; limits, attempts and what is in flight stay. */
void sim_tally_reset(struct sim_tally *tally);
void sim_tally_forget_attempts(struct sim_tally *tally);

/* A request arrives. Returns its attempt number, from 1, of that URL (hash). */
uint32_t sim_tally_arrival(struct sim_tally *tally, const struct sim_request *request, uint64_t url_hash);
/* False: the limit refuses it. */
bool sim_tally_admit(struct sim_tally *tally, const char *address, enum sim_api api);
/* status 0: no status line was sent. */
void sim_tally_answered(struct sim_tally *tally, int status, uint64_t body_bytes);

/* The JSON document of /_stats. */
void sim_tally_write(const struct sim_tally *tally, bool keys, struct sim_text *text);

#endif
