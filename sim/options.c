#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"

struct option_row {
    const char *name, *arg, *help;
    bool runtime; /* /_control may set it */
    enum pncp_code (*set)(struct sim *sim, struct pncp_view value, struct pncp_err *err);
};

static enum pncp_code bad(struct pncp_err *err, struct pncp_view value, const char *wanted)
{
    return pncp_err_set(err, PNCP_E_USAGE, "'" PNCP_VIEW_FMT "' is not %s", PNCP_VIEW_ARG(value), wanted);
}

static enum pncp_code to_u32(struct pncp_view value, uint32_t min, uint32_t max, uint32_t *ret, struct pncp_err *err)
{
    uint64_t number;
    if (!pncp_view_u64(value, &number) || number < min || number > max)
        return pncp_err_set(err, PNCP_E_USAGE, "'" PNCP_VIEW_FMT "' is not a number %" PRIu32 "..%" PRIu32,
                            PNCP_VIEW_ARG(value), min, max);
    *ret = (uint32_t)number;
    return PNCP_OK;
}

static enum pncp_code to_rate(struct pncp_view value, double *ret, struct pncp_err *err)
{
    return sim_parse_rate(value, ret) ? PNCP_OK : bad(err, value, "a rate 0..1");
}

/* "A<sep>B" */
static bool halves(struct pncp_view value, const char *sep, struct pncp_view *ret_a, struct pncp_view *ret_b)
{
    const char *at = value.len == 0 ? NULL : memmem(value.data, value.len, sep, strlen(sep));

    if (at == NULL)
        return false;
    *ret_a = (struct pncp_view){value.data, (size_t)(at - value.data)};
    *ret_b = (struct pncp_view){at + strlen(sep), value.len - ret_a->len - strlen(sep)};
    return true;
}

/* One of two words or numbers. */
static enum pncp_code to_choice(struct pncp_view value, const char *const *words, size_t count, size_t *ret,
                                struct pncp_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (pncp_view_eq_text(value, words[i])) {
            *ret = i;
            return PNCP_OK;
        }
    return bad(err, value, "one of the values named in --help");
}

static enum pncp_code to_status(struct pncp_view value, const char *const *words, size_t count, int *ret,
                                struct pncp_err *err)
{
    size_t choice = 0;
    uint64_t status = 0;
    enum pncp_code rc = to_choice(value, words, count, &choice, err);
    if (rc == PNCP_OK && pncp_view_u64(value, &status))
        *ret = (int)status;
    return rc;
}

#define SETTER(name) static enum pncp_code name(struct sim *sim, struct pncp_view value, struct pncp_err *err)

SETTER(set_listen)
{
    struct pncp_view host, port;
    uint32_t number = 0;

    if (!halves(value, ":", &host, &port) || host.len >= sizeof(sim->listen_host))
        return bad(err, value, "ADDRESS:PORT");
    enum pncp_code rc = to_u32(port, 0, 65535, &number, err);
    if (rc != PNCP_OK)
        return rc;
    memcpy(sim->listen_host, host.data, host.len);
    sim->listen_host[host.len] = '\0';
    sim->listen_port = (uint16_t)number;
    return PNCP_OK;
}

SETTER(set_port_file)
{
    (void)err;
    sim->port_file = value.data;
    return PNCP_OK;
}

SETTER(set_data)
{
    (void)err;
    sim->data_dir = value.data;
    return PNCP_OK;
}

SETTER(set_data_missing)
{
    static const char *const WORDS[] = {"empty", "404"};
    size_t choice = 0;
    enum pncp_code rc = to_choice(value, WORDS, 2, &choice, err);
    if (rc == PNCP_OK)
        sim->data_missing_404 = choice == 1;
    return rc;
}

SETTER(set_day)
{
    struct pncp_view first = value, last = value;

    (void)halves(value, "..", &first, &last);
    if (!pncp_date_parse(first, &sim->generate.first_day) || !pncp_date_parse(last, &sim->generate.last_day) ||
        sim->generate.last_day.days < sim->generate.first_day.days)
        return bad(err, value, "YYYYMMDD or YYYYMMDD..YYYYMMDD");
    sim->generate.restricted = true;
    return PNCP_OK;
}

SETTER(set_count)
{
    return to_u32(value, 0, SIM_ROWS_MAX, &sim->generate.count, err);
}

SETTER(set_weekend)
{
    return to_u32(value, 0, SIM_ROWS_MAX, &sim->generate.weekend_count, err);
}

SETTER(set_seed)
{
    return pncp_view_u64(value, &sim->generate.seed) ? PNCP_OK : bad(err, value, "a number");
}

SETTER(set_itens_max)
{
    return to_u32(value, 0, SIM_PART_ROWS_MAX, &sim->generate.itens_max, err);
}

static enum pncp_code add_forced(struct sim *sim, enum sim_part part, struct pncp_view value, struct pncp_err *err)
{
    struct pncp_view index, rows;
    struct sim_forced forced = {0};

    if (!halves(value, "=", &index, &rows))
        return bad(err, value, "INDEX=ROWS");
    enum pncp_code rc = to_u32(index, 0, SIM_ROWS_MAX, &forced.index, err);
    if (rc == PNCP_OK)
        rc = to_u32(rows, 0, SIM_PART_ROWS_MAX, &forced.rows, err);
    if (rc == PNCP_OK && sim->generate.forced_len[part] == SIM_FORCED_MAX)
        rc = pncp_err_set(err, PNCP_E_LIMIT, "more than %d of them", SIM_FORCED_MAX);
    if (rc == PNCP_OK)
        sim->generate.forced[part][sim->generate.forced_len[part]++] = forced;
    return rc;
}

SETTER(add_forced_itens)
{
    return add_forced(sim, SIM_ITENS, value, err);
}

SETTER(add_forced_arquivos)
{
    return add_forced(sim, SIM_ARQUIVOS, value, err);
}

SETTER(set_odd_values)
{
    return to_rate(value, &sim->generate.odd_values, err);
}

SETTER(set_new_keys)
{
    return to_rate(value, &sim->generate.new_keys, err);
}

SETTER(set_foreign)
{
    return to_u32(value, 0, 1000, &sim->world.config.foreign_rows, err);
}

SETTER(set_visible)
{
    return to_rate(value, &sim->world.config.visible, err);
}

SETTER(set_drift)
{
    static const char *const WORDS[] = {"none", "insert", "remove", "duplicate", "displace"};
    struct pncp_view kind = value, page = {0};
    uint32_t number = 1;
    size_t choice = 0;

    bool paged = halves(value, "@", &kind, &page);
    enum pncp_code rc = to_choice(kind, WORDS, PNCP_ARRAY_LEN(WORDS), &choice, err);
    if (rc == PNCP_OK && paged)
        rc = to_u32(page, 1, 1000000, &number, err);
    if (rc != PNCP_OK)
        return rc;
    sim->world.config.drift = (enum sim_drift)choice;
    sim->world.config.drift_page = number;
    sim_world_forget_drift(&sim->world);
    return PNCP_OK;
}

SETTER(set_past_last)
{
    static const char *const WORDS[] = {"204", "400", "200"};
    return to_status(value, WORDS, PNCP_ARRAY_LEN(WORDS), &sim->policy.past_last_page, err);
}

SETTER(set_past_end)
{
    static const char *const WORDS[] = {"200", "204"};
    return to_status(value, WORDS, PNCP_ARRAY_LEN(WORDS), &sim->policy.past_end, err);
}

SETTER(set_empty_part)
{
    static const char *const WORDS[] = {"204", "200"};
    return to_status(value, WORDS, PNCP_ARRAY_LEN(WORDS), &sim->policy.empty_part, err);
}

SETTER(set_modalidade_14)
{
    static const char *const WORDS[] = {"204", "422"};
    size_t choice = 0;
    enum pncp_code rc = to_choice(value, WORDS, PNCP_ARRAY_LEN(WORDS), &choice, err);
    if (rc == PNCP_OK)
        sim->policy.refuse_14 = choice == 1;
    return rc;
}

SETTER(set_cut)
{
    return to_u32(value, 0, SIM_PART_ROWS_MAX, &sim->policy.cut, err);
}

SETTER(set_cut_listing)
{
    return to_u32(value, 0, 50, &sim->policy.cut_listing, err);
}

SETTER(set_cut_mode)
{
    static const char *const WORDS[] = {"given", "asked"};
    size_t choice = 0;
    enum pncp_code rc = to_choice(value, WORDS, PNCP_ARRAY_LEN(WORDS), &choice, err);
    if (rc == PNCP_OK)
        sim->policy.cut_mode = choice == 0 ? SIM_CUT_GIVEN : SIM_CUT_ASKED;
    return rc;
}

SETTER(set_quantidade_off)
{
    struct pncp_view rate, delta;
    int64_t number;

    if (!halves(value, ":", &rate, &delta) || !pncp_view_i64(delta, &number) || number < INT32_MIN ||
        number > INT32_MAX)
        return bad(err, value, "RATE:DELTA");
    enum pncp_code rc = to_rate(rate, &sim->world.config.quantidade_rate, err);
    if (rc == PNCP_OK)
        sim->world.config.quantidade_delta = (int32_t)number;
    return rc;
}

SETTER(set_late_itens)
{
    return to_rate(value, &sim->world.config.late_rate[SIM_ITENS], err);
}

SETTER(set_late_arquivos)
{
    return to_rate(value, &sim->world.config.late_rate[SIM_ARQUIVOS], err);
}

SETTER(set_late_answer)
{
    static const char *const WORDS[] = {"404", "empty"};
    size_t choice = 0;
    enum pncp_code rc = to_choice(value, WORDS, PNCP_ARRAY_LEN(WORDS), &choice, err);
    if (rc == PNCP_OK)
        sim->world.config.late_404 = choice == 0;
    return rc;
}

SETTER(set_late_after)
{
    return to_u32(value, 0, 86400, &sim->world.config.late_after_s, err);
}

SETTER(set_late)
{
    static const char *const WORDS[] = {"waiting", "arrived"};
    size_t choice = 0;
    enum pncp_code rc = to_choice(value, WORDS, PNCP_ARRAY_LEN(WORDS), &choice, err);
    if (rc == PNCP_OK)
        sim->world.config.late_arrived = choice == 1;
    return rc;
}

/* lasting_404 belongs to the contratação, not to the request: the world keeps it, so that /_truth tells it. */
SETTER(add_fault)
{
    static const char *const NAMES[] = {"lasting_404", "itens:lasting_404", "arquivos:lasting_404"};
    struct pncp_view name, rate;
    double number;

    for (size_t i = 0; i < PNCP_ARRAY_LEN(NAMES); i++) {
        if (!halves(value, "=", &name, &rate) || !pncp_view_eq_text(name, NAMES[i]))
            continue;
        enum pncp_code rc = to_rate(rate, &number, err);
        if (rc != PNCP_OK)
            return rc;
        if (i != 2)
            sim->world.config.absent_rate[SIM_ITENS] = number;
        if (i != 1)
            sim->world.config.absent_rate[SIM_ARQUIVOS] = number;
        return PNCP_OK;
    }
    return sim_faults_set_rate(&sim->faults, value, err);
}

SETTER(add_rule)
{
    return sim_faults_add_rule(&sim->faults, value, err);
}

SETTER(add_script)
{
    return sim_faults_add_script(&sim->faults, value.data, err);
}

static enum pncp_code set_limit(struct sim *sim, enum sim_api api, struct pncp_view value, struct pncp_err *err)
{
    struct pncp_view requests, window;
    struct sim_limit limit = {0};
    enum pncp_code rc = PNCP_OK;

    if (!pncp_view_eq_text(value, "0")) {
        if (!halves(value, "/", &requests, &window))
            return bad(err, value, "REQUESTS/SECONDS or 0");
        rc = to_u32(requests, 1, SIM_LIMIT_REQUESTS_MAX, &limit.requests, err);
        if (rc == PNCP_OK)
            rc = to_u32(window, 1, 86400, &limit.window_s, err);
    }
    if (rc == PNCP_OK)
        sim->tally.limit[api] = limit;
    return rc;
}

SETTER(set_limit_listing)
{
    return set_limit(sim, SIM_API_LISTING, value, err);
}

SETTER(set_limit_detail)
{
    return set_limit(sim, SIM_API_DETAIL, value, err);
}

SETTER(set_recovery)
{
    return to_u32(value, 0, 86400, &sim->tally.recovery_s, err);
}

SETTER(set_retry_after)
{
    return to_u32(value, 0, 86400, &sim->retry_after_s, err);
}

static enum pncp_code set_latencies(struct sim *sim, bool listing, bool detail, struct pncp_view value,
                                    struct pncp_err *err)
{
    struct sim_latency latency;

    if (!sim_latency_parse(value, &latency))
        return bad(err, value, "MS, june2026[*SCALE] or september2026[*SCALE]");
    if (listing)
        sim->latency[SIM_API_LISTING] = latency;
    if (detail)
        sim->latency[SIM_API_DETAIL] = latency;
    return PNCP_OK;
}

SETTER(set_latency)
{
    return set_latencies(sim, true, true, value, err);
}

SETTER(set_latency_listing)
{
    return set_latencies(sim, true, false, value, err);
}

SETTER(set_latency_detail)
{
    return set_latencies(sim, false, true, value, err);
}

static const struct option_row OPTIONS[] = {
    {"listen", "ADDRESS:PORT", "where to listen; port 0 picks a free one (127.0.0.1:8180)", false, set_listen},
    {"port-file", "FILE", "write the port there once it is open", false, set_port_file},
    {NULL, NULL, "Data", false, NULL},
    {"day", "DATE[..DATE]", "only these days have rows; otherwise every day has", false, set_day},
    {"count", "N", "contratações of a day (6500)", false, set_count},
    {"weekend-count", "N", "of a Saturday or Sunday (as --count)", false, set_weekend},
    {"seed", "N", "other days for another seed (1)", false, set_seed},
    {"itens-max", "N", "no contratação has more itens (0: as drawn)", false, set_itens_max},
    {"force-itens", "I=N", "row I of a day (0-based, by modalidade) has N itens; repeatable", false, add_forced_itens},
    {"force-arquivos", "I=N", "same for arquivos", false, add_forced_arquivos},
    {"odd-values", "RATE", "itens with a quantity that has seven decimals (0)", false, set_odd_values},
    {"new-keys", "RATE", "contratações with valorAdjudicado, itens with observacaoItem, which no API sends (0)", false,
     set_new_keys},
    {"foreign-rows", "K", "each list ends with K rows of the next day (0)", false, set_foreign},
    {"data", "DIR", "serve captured answers below DIR instead of generated days", false, set_data},
    {"data-missing", "empty|404", "a part that was not captured (empty)", false, set_data_missing},
    {NULL, NULL, "Behaviour", false, NULL},
    {"past-last-page", "204|400|200", "listing page past the last (204)", true, set_past_last},
    {"past-end", "200|204", "detail page past the end (200, an empty array)", true, set_past_end},
    {"empty-part", "204|200", "a contratação without itens or arquivos (204)", true, set_empty_part},
    {"modalidade-14", "204|422", "accepted without rows, or refused (204)", true, set_modalidade_14},
    {"cut", "K", "detail pages hold at most K rows, silently (0: 1000)", true, set_cut},
    {"cut-listing", "K", "listing pages too (0: 50)", true, set_cut_listing},
    {"cut-mode", "given|asked", "offsets of cut pages go by the size given or asked (given)", true, set_cut_mode},
    {"quantidade-off", "RATE:DELTA", "that share of /quantidade is off by DELTA", true, set_quantidade_off},
    {"visible", "SHARE", "share of each list that is published so far (1)", true, set_visible},
    {"drift", "insert|remove|duplicate|displace|none[@P]", "lists move after their page P (1)", true, set_drift},
    {"late-itens", "RATE", "itens that are not there yet", true, set_late_itens},
    {"late-arquivos", "RATE", "arquivos that are not there yet", true, set_late_arquivos},
    {"late-answer", "404|empty", "what such a part answers (404)", true, set_late_answer},
    {"late-after", "SECONDS", "they arrive that long after the start (0: when told late=arrived)", true,
     set_late_after},
    {"late", "waiting|arrived", "have they arrived (waiting)", true, set_late},
    {NULL, NULL, "Faults and limits", false, NULL},
    {"fault", "[SCOPE:]FAULT=RATE[:ARG]", "repeatable; SCOPE: listing detail itens arquivos quantidade compra", true,
     add_fault},
    {"rule", "MATCH[@ATTEMPTS]=FAULT[:ARG]",
     "MATCH: text in the URL, '*' between texts; ATTEMPTS: 2, 1-3, 2-, *; first rule wins", true, add_rule},
    {"script", "FILE", "rules, one a line", true, add_script},
    {"limit-listing", "N/SECONDS", "429 beyond N requests in a sliding window, by address (0: none)", true,
     set_limit_listing},
    {"limit-detail", "N/SECONDS", "same for the detail API", true, set_limit_detail},
    {"limit-recovery", "SECONDS", "after a 429 everything is refused that long (0)", true, set_recovery},
    {"retry-after", "SECONDS", "header of every 429 (0: none)", true, set_retry_after},
    {NULL, NULL, "Latency", false, NULL},
    {"latency", "MS|PROFILE[*SCALE]", "both APIs; profiles june2026, september2026 (0)", true, set_latency},
    {"latency-listing", "…", "listing only", true, set_latency_listing},
    {"latency-detail", "…", "detail only", true, set_latency_detail},
};

void sim_options_help(void)
{
    printf("pncp-sim: the PNCP consulta and detail APIs on this machine, with their faults\n\n"
           "usage: pncp-sim [--listen 127.0.0.1:0] [--day 20251022 --count 500] [--fault 500_json=0.01] …\n\n"
           "  consulta  http://ADDRESS:PORT/api/consulta      detail  http://ADDRESS:PORT/api/pncp (also /pncp-api)\n"
           "  GET /_stats[?keys=1]   GET /_truth?date=YYYYMMDD   POST /_control (settings marked + as a form; also\n"
           "  clear=rules|faults|all, reset=stats|attempts|drift|all)\n\n");
    for (size_t i = 0; i < PNCP_ARRAY_LEN(OPTIONS); i++) {
        const struct option_row *row = &OPTIONS[i];
        if (row->name == NULL)
            printf("\n%s\n", row->help);
        else
            printf("%c --%s %s\n      %s\n", row->runtime ? '+' : ' ', row->name, row->arg, row->help);
    }
    printf("  --quiet\n      say nothing but errors\n\nFaults (ARG default)\n");
    for (int i = 0; i < SIM_FAULTS; i++) {
        if (SIM_FAULT_INFO[i].arg_max != 0)
            printf("  %-12s %s (%" PRIu32 ")\n", SIM_FAULT_INFO[i].name, SIM_FAULT_INFO[i].help, SIM_FAULT_INFO[i].arg);
        else
            printf("  %-12s %s\n", SIM_FAULT_INFO[i].name, SIM_FAULT_INFO[i].help);
    }
    printf("  %-12s %s\n", "lasting_404",
           "by rate only: the part is 404 for ever, its /quantidade too; SCOPE itens or arquivos");
}

enum { OPT_QUIET = 1000, OPT_HELP };

enum pncp_code sim_options_parse(struct sim *sim, int argc, char **argv, bool *ret_help, struct pncp_err *err)
{
    struct option longs[PNCP_ARRAY_LEN(OPTIONS) + 3] = {0};
    size_t count = 0;
    int c;

    for (size_t i = 0; i < PNCP_ARRAY_LEN(OPTIONS); i++)
        if (OPTIONS[i].name != NULL)
            longs[count++] = (struct option){OPTIONS[i].name, required_argument, NULL, (int)i};
    longs[count++] = (struct option){"quiet", no_argument, NULL, OPT_QUIET};
    longs[count] = (struct option){"help", no_argument, NULL, OPT_HELP};
    *ret_help = false;
    opterr = 0;

    while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (c == OPT_HELP) {
            *ret_help = true;
            return PNCP_OK;
        }
        if (c == OPT_QUIET) {
            sim->quiet = true;
            continue;
        }
        if (c == '?' || c == ':')
            return pncp_err_set(err, PNCP_E_USAGE, c == ':' ? "%s needs a value" : "unknown option %s",
                                argv[optind - 1]);
        enum pncp_code rc = OPTIONS[c].set(sim, pncp_view_of(optarg), err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "--%s", OPTIONS[c].name);
    }
    if (optind < argc)
        return pncp_err_set(err, PNCP_E_USAGE, "unexpected argument '%s'", argv[optind]);
    return PNCP_OK;
}

enum pncp_code sim_options_control(struct sim *sim, const char *name, struct pncp_view value, struct pncp_err *err)
{
    for (size_t i = 0; i < PNCP_ARRAY_LEN(OPTIONS); i++) {
        if (OPTIONS[i].name == NULL || strcmp(OPTIONS[i].name, name) != 0)
            continue;
        if (!OPTIONS[i].runtime)
            return pncp_err_set(err, PNCP_E_USAGE, "%s is fixed while running", name);
        enum pncp_code rc = OPTIONS[i].set(sim, value, err);
        return rc == PNCP_OK ? rc : pncp_err_wrap(err, rc, "%s", name);
    }
    return pncp_err_set(err, PNCP_E_USAGE, "no setting named '%s'", name);
}
