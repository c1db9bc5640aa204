/*
 * What goes wrong, and when. A rule (script) names requests and attempts; a rate draws by hash of (seed, URL, attempt),
 * so that a run can be repeated. The first rule that matches wins, rules before rates.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "base/err.h"
#include "base/view.h"
#include "request.h"

enum sim_fault {
    SIM_FAULT_NONE,
    SIM_FAULT_429,
    SIM_FAULT_500_JSON,
    SIM_FAULT_500_TEXT,
    SIM_FAULT_500_SLOW,
    SIM_FAULT_502,
    SIM_FAULT_503,
    SIM_FAULT_504,
    SIM_FAULT_520,
    SIM_FAULT_524,
    SIM_FAULT_STATUS,
    SIM_FAULT_HTML_200,
    SIM_FAULT_EMPTY_200,
    SIM_FAULT_204,
    SIM_FAULT_400,
    SIM_FAULT_404,
    SIM_FAULT_422,
    SIM_FAULT_TRUNCATED,
    SIM_FAULT_SHORT_BODY,
    SIM_FAULT_RESET,
    SIM_FAULT_RESET_BODY,
    SIM_FAULT_CLOSE,
    SIM_FAULT_TRICKLE,
    SIM_FAULT_HANG,
    SIM_FAULT_DELAY,
    SIM_FAULT_DUP_KEY,
    SIM_FAULT_DEEP,
    SIM_FAULT_HUGE,
    SIM_FAULT_TRAILING,
    SIM_FAULT_BAD_UTF8,
    SIM_FAULT_WRONG_TYPE,
    SIM_FAULT_WRONG_KIND,
    SIM_FAULT_WRONG_PAGE,
    SIM_FAULT_FIRST_PAGE,
    SIM_FAULTS,
};

struct sim_fault_info {
    const char *name;
    uint32_t arg;     /* default */
    uint32_t arg_max; /* 0: takes no argument */
    const char *help;
};
extern const struct sim_fault_info SIM_FAULT_INFO[SIM_FAULTS];

/* Requests a rate applies to. */
enum sim_scope {
    SIM_SCOPE_ALL,
    SIM_SCOPE_LISTING,
    SIM_SCOPE_DETAIL,
    SIM_SCOPE_ITENS,
    SIM_SCOPE_ARQUIVOS,
    SIM_SCOPE_QUANTIDADE,
    SIM_SCOPE_COMPRA,
    SIM_SCOPES
};

struct sim_decision {
    enum sim_fault fault;
    uint32_t arg;
};

struct sim_rule {
    char *match;          /* texts that must occur in the target in this order, separated by '*' */
    uint32_t first, last; /* attempts; last UINT32_MAX: for ever */
    struct sim_decision decision;
};

struct sim_rate {
    enum sim_scope scope;
    double rate;
    struct sim_decision decision;
};

#define SIM_RULES_MAX 4096
#define SIM_RATES_MAX 128
#define SIM_SCRIPT_MAX_BYTES ((size_t)1024 * 1024)

struct sim_faults {
    uint64_t seed;
    struct sim_rule *rules;
    size_t rules_len, rules_cap;
    struct sim_rate rates[SIM_RATES_MAX];
    size_t rates_len;
};

void sim_faults_release(struct sim_faults *faults);
void sim_faults_clear_rules(struct sim_faults *faults);

/* "MATCH[@attempts]=FAULT[:arg]"; attempts: N, A-B, A- or *; none: *. PNCP_E_USAGE · PNCP_E_LIMIT · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code sim_faults_add_rule(struct sim_faults *faults, struct pncp_view text, struct pncp_err *err);
/* Rules of a file, one a line; empty lines and lines that begin with '#' are skipped. Also PNCP_E_IO. */
MUST_CHECK enum pncp_code sim_faults_add_script(struct sim_faults *faults, const char *path, struct pncp_err *err);
/* "[SCOPE:]FAULT=RATE[:arg]", rate 0..1; the same scope and fault again replaces. PNCP_E_USAGE · PNCP_E_LIMIT. */
MUST_CHECK enum pncp_code sim_faults_set_rate(struct sim_faults *faults, struct pncp_view text, struct pncp_err *err);

/* Which fault this attempt (from 1) meets; url_hash of the target with the seed. */
struct sim_decision sim_faults_decide(const struct sim_faults *faults, const struct sim_request *request,
                                      uint64_t url_hash, uint32_t attempt);

/* "0.25" in 0..1. */
MUST_CHECK bool sim_parse_rate(struct pncp_view text, double *ret_rate);
/* Scope by name; false when there is none. */
MUST_CHECK bool sim_scope_parse(struct pncp_view text, enum sim_scope *ret_scope);

#endif
