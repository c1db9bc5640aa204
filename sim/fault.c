#include "fault.h"

#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "mix.h"

const struct sim_fault_info SIM_FAULT_INFO[SIM_FAULTS] = {
    [SIM_FAULT_NONE] = {"ok", 0, 0, "the right answer (in a rule: exempts from the rates)"},
    [SIM_FAULT_429] = {"429", 0, 0, "HTML, limit exceeded"},
    [SIM_FAULT_500_JSON] = {"500_json", 0, 0, "JSON, no database connection"},
    [SIM_FAULT_500_TEXT] = {"500_text", 0, 0, "plain text declared as JSON"},
    [SIM_FAULT_500_SLOW] = {"500_slow", 30000, 600000, "500_json after ARG ms"},
    [SIM_FAULT_502] = {"502", 0, 0, "HTML"},
    [SIM_FAULT_503] = {"503", 0, 0, "HTML, at once"},
    [SIM_FAULT_504] = {"504", 0, 0, "HTML"},
    [SIM_FAULT_520] = {"520", 0, 0, "HTML"},
    [SIM_FAULT_524] = {"524", 0, 0, "HTML"},
    [SIM_FAULT_STATUS] = {"status", 410, 599, "HTML with status ARG"},
    [SIM_FAULT_HTML_200] = {"html_200", 0, 0, "a firewall's page with status 200"},
    [SIM_FAULT_EMPTY_200] = {"empty_200", 0, 0, "200 without a byte of body"},
    [SIM_FAULT_204] = {"204", 0, 0, "204 although there are rows"},
    [SIM_FAULT_400] = {"400", 0, 0, "400 although the request is right"},
    [SIM_FAULT_404] = {"404", 0, 0, "404 although it exists"},
    [SIM_FAULT_422] = {"422", 0, 0, "422 although the request is right"},
    [SIM_FAULT_TRUNCATED] = {"truncated", 0, 0, "half of the body, Content-Length of the half"},
    [SIM_FAULT_SHORT_BODY] = {"short_body", 0, 0, "half of the body, Content-Length of the whole, closed"},
    [SIM_FAULT_RESET] = {"reset", 0, 0, "connection reset, nothing sent"},
    [SIM_FAULT_RESET_BODY] = {"reset_body", 0, 0, "connection reset after half of the body"},
    [SIM_FAULT_CLOSE] = {"close", 0, 0, "connection closed, nothing sent"},
    [SIM_FAULT_TRICKLE] = {"trickle", 5000, 600000, "the right answer, spread over ARG ms"},
    [SIM_FAULT_HANG] = {"hang", 600000, 3600000, "nothing for ARG ms, then closed"},
    [SIM_FAULT_DELAY] = {"delay", 1000, 3600000, "the right answer after ARG ms"},
    [SIM_FAULT_DUP_KEY] = {"dup_key", 0, 0, "an object that has a key twice"},
    [SIM_FAULT_DEEP] = {"deep", 10000, 5000000, "ARG nested arrays"},
    [SIM_FAULT_HUGE] = {"huge", 256, 4096, "ARG MiB of valid JSON, nearly all blanks"},
    [SIM_FAULT_TRAILING] = {"trailing", 0, 0, "text behind the JSON value"},
    [SIM_FAULT_BAD_UTF8] = {"bad_utf8", 0, 0, "a byte sequence that is not UTF-8"},
    [SIM_FAULT_WRONG_TYPE] = {"wrong_type", 0, 0, "the right body, declared text/html"},
    [SIM_FAULT_WRONG_KIND] = {"wrong_kind", 0, 0, "valid JSON of another kind"},
    [SIM_FAULT_WRONG_PAGE] = {"wrong_page", 0, 0, "the page after the one asked for"},
    [SIM_FAULT_FIRST_PAGE] = {"first_page", 0, 0, "page 1, whatever was asked"},
};

static const char *const SCOPE_NAMES[SIM_SCOPES] = {"all",      "listing",    "detail", "itens",
                                                    "arquivos", "quantidade", "compra"};

bool sim_scope_parse(struct pncp_view text, enum sim_scope *ret_scope)
{
    for (int i = 0; i < SIM_SCOPES; i++)
        if (pncp_view_eq_text(text, SCOPE_NAMES[i])) {
            *ret_scope = (enum sim_scope)i;
            return true;
        }
    return false;
}

bool sim_parse_rate(struct pncp_view text, double *ret_rate)
{
    char copy[32], *end;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    double rate = strtod(copy, &end);
    if (*end != '\0' || !(rate >= 0 && rate <= 1))
        return false;
    *ret_rate = rate;
    return true;
}

void sim_faults_clear_rules(struct sim_faults *faults)
{
    for (size_t i = 0; i < faults->rules_len; i++)
        pncp_free(faults->rules[i].match);
    faults->rules_len = 0;
}

void sim_faults_release(struct sim_faults *faults)
{
    sim_faults_clear_rules(faults);
    pncp_free(faults->rules);
    faults->rules = NULL;
    faults->rules_cap = 0;
}

static const char *find_last(struct pncp_view text, char c)
{
    return text.len == 0 ? NULL : memrchr(text.data, c, text.len);
}

static bool find_fault(struct pncp_view name, enum sim_fault *ret_fault)
{
    for (int i = 0; i < SIM_FAULTS; i++)
        if (pncp_view_eq_text(name, SIM_FAULT_INFO[i].name)) {
            *ret_fault = (enum sim_fault)i;
            return true;
        }
    return false;
}

/* `arg` is what follows the colon; empty: the default. */
static enum pncp_code make_decision(struct pncp_view name, struct pncp_view arg, struct sim_decision *ret_decision,
                                    struct pncp_err *err)
{
    enum sim_fault fault;
    uint64_t value;

    if (!find_fault(name, &fault))
        return pncp_err_set(err, PNCP_E_USAGE, "no fault named '" PNCP_VIEW_FMT "'", PNCP_VIEW_ARG(name));
    value = SIM_FAULT_INFO[fault].arg;
    if (arg.len != 0 &&
        (SIM_FAULT_INFO[fault].arg_max == 0 || !pncp_view_u64(arg, &value) || value > SIM_FAULT_INFO[fault].arg_max))
        return pncp_err_set(err, PNCP_E_USAGE, "fault '%s' does not take '" PNCP_VIEW_FMT "'",
                            SIM_FAULT_INFO[fault].name, PNCP_VIEW_ARG(arg));
    if (fault == SIM_FAULT_STATUS && (value < 200 || value == 204))
        return pncp_err_set(err, PNCP_E_USAGE, "status must be 200..599 and not 204");
    *ret_decision = (struct sim_decision){fault, (uint32_t)value};
    return PNCP_OK;
}

/* Cut `text` at its last `sep`; false when there is none. */
static bool cut_last(struct pncp_view *text, char sep, struct pncp_view *ret_tail)
{
    const char *at = find_last(*text, sep);

    if (at == NULL)
        return false;
    *ret_tail = (struct pncp_view){at + 1, (size_t)(text->data + text->len - at - 1)};
    text->len = (size_t)(at - text->data);
    return true;
}

/* "3", "1-2", "2-", "*" */
static bool parse_attempts(struct pncp_view text, struct sim_rule *rule)
{
    uint64_t first, last;
    struct pncp_view tail;

    if (pncp_view_eq_text(text, "*")) {
        rule->first = 1;
        rule->last = UINT32_MAX;
        return true;
    }
    if (!cut_last(&text, '-', &tail)) {
        if (!pncp_view_u64(text, &first))
            return false;
        last = first;
    } else {
        last = UINT32_MAX;
        if (!pncp_view_u64(text, &first) || (tail.len != 0 && !pncp_view_u64(tail, &last)))
            return false;
    }
    if (first < 1 || last < first || last > UINT32_MAX)
        return false;
    rule->first = (uint32_t)first;
    rule->last = (uint32_t)last;
    return true;
}

enum pncp_code sim_faults_add_rule(struct sim_faults *faults, struct pncp_view text, struct pncp_err *err)
{
    struct sim_rule rule = {.first = 1, .last = UINT32_MAX};
    struct pncp_view match = text, fault, arg = {0}, attempts;

    if (!cut_last(&match, '=', &fault))
        return pncp_err_set(err, PNCP_E_USAGE, "rule '" PNCP_VIEW_FMT "' is not MATCH[@attempts]=FAULT[:arg]",
                            PNCP_VIEW_ARG(text));
    (void)cut_last(&fault, ':', &arg);
    enum pncp_code rc = make_decision(fault, arg, &rule.decision, err);
    if (rc != PNCP_OK)
        return rc;
    if (cut_last(&match, '@', &attempts) && !parse_attempts(attempts, &rule))
        return pncp_err_set(err, PNCP_E_USAGE, "rule '" PNCP_VIEW_FMT "': attempts are N, A-B, A- or *",
                            PNCP_VIEW_ARG(text));
    if (faults->rules_len == SIM_RULES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "more than %d rules", SIM_RULES_MAX);

    if (faults->rules_len == faults->rules_cap) {
        size_t cap = pncp_grow(faults->rules_cap, faults->rules_len + 1);
        struct sim_rule *rules = pncp_realloc(faults->rules, cap, sizeof(*rules));
        if (rules == NULL)
            return pncp_err_set(err, PNCP_E_NOMEM, "no memory for a rule");
        faults->rules = rules;
        faults->rules_cap = cap;
    }
    rule.match = pncp_asprintf(PNCP_VIEW_FMT, PNCP_VIEW_ARG(match));
    if (rule.match == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for a rule");
    faults->rules[faults->rules_len++] = rule;
    return PNCP_OK;
}

enum pncp_code sim_faults_add_script(struct sim_faults *faults, const char *path, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(SIM_SCRIPT_MAX_BYTES);
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

    if (fd == -1)
        return pncp_err_sys(err, errno, "script %s", path);
    enum pncp_code rc = pncp_file_slurp(fd, &buf, path, err);
    struct pncp_view rest = pncp_buf_view(&buf);
    for (unsigned line_no = 1; rc == PNCP_OK && rest.len != 0; line_no++) {
        const char *end = memchr(rest.data, '\n', rest.len);
        struct pncp_view line = {rest.data, end == NULL ? rest.len : (size_t)(end - rest.data)};
        rest.data += line.len + (end != NULL);
        rest.len -= line.len + (end != NULL);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        rc = sim_faults_add_rule(faults, line, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "%s:%u", path, line_no);
    }
    return rc;
}

enum pncp_code sim_faults_set_rate(struct sim_faults *faults, struct pncp_view text, struct pncp_err *err)
{
    struct sim_rate rate = {.scope = SIM_SCOPE_ALL};
    struct pncp_view name = text, value, arg = {0}, tail;
    bool scoped = false;

    if (!cut_last(&name, '=', &value))
        return pncp_err_set(err, PNCP_E_USAGE, "fault '" PNCP_VIEW_FMT "' is not [SCOPE:]FAULT=RATE[:arg]",
                            PNCP_VIEW_ARG(text));
    (void)cut_last(&value, ':', &arg);
    struct pncp_view scope = name;
    if (cut_last(&scope, ':', &tail)) {
        name = tail;
        scoped = true;
    }
    if ((scoped && !sim_scope_parse(scope, &rate.scope)) || !sim_parse_rate(value, &rate.rate))
        return pncp_err_set(err, PNCP_E_USAGE,
                            "fault '" PNCP_VIEW_FMT "' is not [SCOPE:]FAULT=RATE[:arg] with a rate 0..1",
                            PNCP_VIEW_ARG(text));
    enum pncp_code rc = make_decision(name, arg, &rate.decision, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; i < faults->rates_len; i++)
        if (faults->rates[i].scope == rate.scope && faults->rates[i].decision.fault == rate.decision.fault) {
            faults->rates[i] = rate;
            return PNCP_OK;
        }
    if (faults->rates_len == SIM_RATES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "more than %d fault rates", SIM_RATES_MAX);
    faults->rates[faults->rates_len++] = rate;
    return PNCP_OK;
}

/* The pieces of `match` between '*' occur in `text`, one after the other. */
static bool matches(const char *match, struct pncp_view text)
{
    while (*match != '\0') {
        size_t len = strcspn(match, "*");
        if (len != 0) {
            const char *at = text.len == 0 ? NULL : memmem(text.data, text.len, match, len);
            if (at == NULL)
                return false;
            text.len -= (size_t)(at + len - text.data);
            text.data = at + len;
        }
        match += len;
        while (*match == '*')
            match++;
    }
    return true;
}

static bool in_scope(enum sim_scope scope, const struct sim_request *request)
{
    switch (scope) {
    case SIM_SCOPE_ALL:
        return true;
    case SIM_SCOPE_LISTING:
        return request->kind == SIM_KIND_LISTING;
    case SIM_SCOPE_DETAIL:
        return request->api == SIM_API_DETAIL;
    case SIM_SCOPE_ITENS:
        return request->kind == SIM_KIND_ITENS;
    case SIM_SCOPE_ARQUIVOS:
        return request->kind == SIM_KIND_ARQUIVOS;
    case SIM_SCOPE_QUANTIDADE:
        return request->kind == SIM_KIND_QUANTIDADE_ITENS || request->kind == SIM_KIND_QUANTIDADE_ARQUIVOS;
    case SIM_SCOPE_COMPRA:
        return request->kind == SIM_KIND_COMPRA;
    case SIM_SCOPES:
        break;
    }
    return false;
}

struct sim_decision sim_faults_decide(const struct sim_faults *faults, const struct sim_request *request,
                                      uint64_t url_hash, uint32_t attempt)
{
    for (size_t i = 0; i < faults->rules_len; i++) {
        const struct sim_rule *rule = &faults->rules[i];
        if (attempt >= rule->first && attempt <= rule->last && matches(rule->match, request->target))
            return rule->decision;
    }
    uint64_t h = sim_mix2(sim_mix2(faults->seed, url_hash), attempt);
    for (size_t i = 0; i < faults->rates_len; i++) {
        const struct sim_rate *rate = &faults->rates[i];
        uint64_t salt = (uint64_t)rate->decision.fault << 8 | (uint64_t)rate->scope;
        if (rate->rate > 0 && in_scope(rate->scope, request) && sim_unit(sim_mix2(h, salt)) < rate->rate)
            return rate->decision;
    }
    return (struct sim_decision){SIM_FAULT_NONE, 0};
}
