/* A request line taken apart: which endpoint, which contratação, which parameters. No validation of values here. */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "base/view.h"

/* What requests are counted by. */
enum sim_kind {
    SIM_KIND_LISTING,
    SIM_KIND_COMPRA,
    SIM_KIND_ITENS,
    SIM_KIND_ARQUIVOS,
    SIM_KIND_QUANTIDADE_ITENS,
    SIM_KIND_QUANTIDADE_ARQUIVOS,
    SIM_KIND_OTHER, /* unknown and moved paths */
    SIM_KINDS,
    SIM_KIND_OWN = SIM_KINDS, /* /_control and the like: neither counted nor tampered with */
};

/* The two APIs: limits and latencies are apart. */
enum sim_api { SIM_API_LISTING, SIM_API_DETAIL, SIM_APIS };

enum sim_endpoint {
    SIM_UNKNOWN,
    SIM_PUBLICACAO,
    SIM_ATUALIZACAO,
    SIM_PROPOSTA,
    SIM_COMPRA,
    SIM_MOVED, /* the path of one contratação on the detail API */
    SIM_LIST_ITENS,
    SIM_LIST_ARQUIVOS,
    SIM_COUNT_ITENS,
    SIM_COUNT_ARQUIVOS,
    SIM_CONTROL,
    SIM_STATS,
    SIM_TRUTH,
};

enum sim_param_name {
    SIM_DATA_INICIAL,
    SIM_DATA_FINAL,
    SIM_MODALIDADE_CODE,
    SIM_MODO_CODE,
    SIM_UF_FILTER,
    SIM_IBGE_FILTER,
    SIM_CNPJ_FILTER,
    SIM_UNIDADE_FILTER,
    SIM_PAGINA,
    SIM_TAMANHO,
    SIM_DATE, /* of /_truth */
    SIM_KEYS, /* of /_stats */
    SIM_PARAMS,
};

#define SIM_PARAM_CHARS 63
struct sim_param {
    bool present;
    uint8_t len;
    char text[SIM_PARAM_CHARS + 1]; /* decoded, NUL-terminated; longer values are cut, which no valid value is */
};

struct sim_request {
    enum sim_kind kind;
    enum sim_api api;
    enum sim_endpoint endpoint;
    struct pncp_view target, path, query; /* borrowed */
    struct pncp_view inner;               /* path below the base: "/v1/…" */
    struct pncp_view cnpj;                /* of a contratação's path; as sent */
    bool key_ok;                          /* cnpj, ano and sequencial are well-formed */
    uint32_t ano, sequencial;
    struct sim_param params[SIM_PARAMS];
};

/* `target` is the request target as sent: path and query; borrowed as long as *ret_request is used. */
void sim_request_parse(struct pncp_view target, struct sim_request *ret_request);
struct pncp_view sim_param_view(const struct sim_request *request, enum sim_param_name name);
/* The parameter as integer 0..UINT32_MAX; false when it is not one. */
MUST_CHECK bool sim_param_u32(const struct sim_request *request, enum sim_param_name name, uint32_t *ret_value);

/* Walk "a=b&c=d": the next pair, percent-decoded ('+' is a blank) into caller's text of `cap` bytes each,
 * NUL-terminated and cut when longer. False at the end. */
bool sim_form_next(struct pncp_view *rest, char *ret_name, size_t name_cap, char *ret_value, size_t value_cap,
                   size_t *ret_value_len);

#endif
