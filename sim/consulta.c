/* The consulta API: listings by date and modalidade, and one contratação. */
#include "api.h"

#define PAGE_DEFAULT 50u
#define PAGE_MIN 10u
#define PAGE_MAX 50u
#define RANGE_MAX_DAYS 365

struct listing {
    enum sim_order order;
    struct pncp_date first, last;
    uint32_t modalidade;
    uint32_t pagina, tamanho;
    bool filtered;
    bool has_modo;
    uint32_t modo;
    const struct sim_request *request;
};

static bool fail_400(struct sim_answer *answer, const struct sim_request *request, const char *message)
{
    sim_answer_400(answer, SIM_CONSULTA_INNER, request->inner, message);
    return false;
}

static bool fail_422(struct sim_answer *answer, const struct sim_request *request, const char *message)
{
    sim_answer_422(answer, SIM_CONSULTA_INNER, request->inner, message, false);
    return false;
}

static bool require(const struct sim_request *request, enum sim_param_name name, const char *message,
                    struct sim_answer *answer)
{
    return request->params[name].present ? true : fail_400(answer, request, message);
}

/* yyyyMMdd only; the ISO form is refused (reports of 2025). */
static bool parse_day(const struct sim_request *request, enum sim_param_name name, const char *message,
                      struct pncp_date *ret_date, struct sim_answer *answer)
{
    if (request->params[name].len != 8 || !pncp_date_parse(sim_param_view(request, name), ret_date))
        return fail_422(answer, request, message);
    return true;
}

static bool parse_paging(const struct sim_request *request, struct listing *listing, struct sim_answer *answer)
{
    if (!require(request, SIM_PAGINA,
                 "Required request parameter 'pagina' for method parameter type Integer is not present", answer))
        return false;
    if (!sim_param_u32(request, SIM_PAGINA, &listing->pagina) || listing->pagina < 1) {
        sim_answer_400_erros(answer, "deve ser maior que ou igual à 1");
        return false;
    }
    listing->tamanho = PAGE_DEFAULT;
    if (!request->params[SIM_TAMANHO].present)
        return true;
    if (!sim_param_u32(request, SIM_TAMANHO, &listing->tamanho) || listing->tamanho < PAGE_MIN) {
        sim_answer_400_erros(answer, "deve ser maior que ou igual à 10");
        return false;
    }
    return listing->tamanho <= PAGE_MAX ? true : fail_400(answer, request, "Tamanho de página inválido");
}

static bool parse_modalidade(const struct sim_request *request, const struct sim_policy *policy,
                             struct listing *listing, struct sim_answer *answer)
{
    if (!sim_param_u32(request, SIM_MODALIDADE_CODE, &listing->modalidade))
        return fail_400(answer, request,
                        "Failed to convert value of type 'java.lang.String' to required type 'java.lang.Long'");
    if (listing->modalidade < 1 || listing->modalidade > 14 || (listing->modalidade == 14 && policy->refuse_14))
        return fail_422(answer, request, "Código da modalidade de contratação inválido.");
    return true;
}

static bool parse_filters(const struct sim_request *request, struct listing *listing, struct sim_answer *answer)
{
    listing->request = request;
    listing->has_modo = request->params[SIM_MODO_CODE].present;
    if (listing->has_modo && !sim_param_u32(request, SIM_MODO_CODE, &listing->modo))
        return fail_400(answer, request,
                        "Failed to convert value of type 'java.lang.String' to required type 'java.lang.Integer'");
    listing->filtered = listing->has_modo || request->params[SIM_UF_FILTER].present ||
                        request->params[SIM_IBGE_FILTER].present || request->params[SIM_CNPJ_FILTER].present ||
                        request->params[SIM_UNIDADE_FILTER].present;
    return true;
}

/* publicacao and atualizacao. The order of the checks: presence, form, then meaning. */
static bool parse_range(const struct sim_request *request, const struct sim_policy *policy, struct listing *listing,
                        struct sim_answer *answer)
{
    listing->order = request->endpoint == SIM_ATUALIZACAO ? SIM_BY_UPDATE : SIM_BY_PUBLICATION;
    if (!require(request, SIM_DATA_INICIAL,
                 "Required request parameter 'dataInicial' for method parameter type String is not present", answer) ||
        !require(request, SIM_DATA_FINAL,
                 "Required request parameter 'dataFinal' for method parameter type String is not present", answer) ||
        !require(
            request, SIM_MODALIDADE_CODE,
            "Required request parameter 'codigoModalidadeContratacao' for method parameter type Long is not present",
            answer) ||
        !parse_paging(request, listing, answer))
        return false;
    if (!parse_day(request, SIM_DATA_INICIAL, "Data Inicial inválida, deve estar no formato yyyyMMdd", &listing->first,
                   answer) ||
        !parse_day(request, SIM_DATA_FINAL, "Data Final inválida, deve estar no formato yyyyMMdd", &listing->last,
                   answer))
        return false;
    if (listing->first.days > listing->last.days)
        return fail_422(answer, request, "Data Inicial deve ser anterior ou igual à Data Final");
    if (listing->last.days - listing->first.days > RANGE_MAX_DAYS)
        return fail_422(answer, request, "Período inicial e final maior que 365 dias");
    return parse_modalidade(request, policy, listing, answer) && parse_filters(request, listing, answer);
}

static bool text_matches(const struct sim_request *request, enum sim_param_name name, struct pncp_view value)
{
    return !request->params[name].present || pncp_view_eq(sim_param_view(request, name), value);
}

static bool row_matches(const struct sim_world *world, const struct listing *listing, const struct sim_row *row)
{
    struct sim_traits traits;

    if (!text_matches(listing->request, SIM_CNPJ_FILTER, (struct pncp_view){row->cnpj, SIM_CNPJ_CHARS}))
        return false;
    sim_source_traits(world->source, row, &traits);
    return text_matches(listing->request, SIM_UF_FILTER, traits.uf) &&
           text_matches(listing->request, SIM_IBGE_FILTER, traits.ibge) &&
           text_matches(listing->request, SIM_UNIDADE_FILTER, traits.unidade) &&
           (!listing->has_modo || listing->modo == traits.modo);
}

/* Append rows skip .. skip + take - 1 of the listing to the body, pages beginning every `step` rows; returns the rows
 * of the whole listing. */
static uint64_t put_rows(const struct sim_world *world, const struct listing *listing, uint64_t skip, uint32_t take,
                         uint32_t step, struct sim_text *body, uint32_t *ret_given)
{
    uint64_t total = 0;

    *ret_given = 0;
    for (struct pncp_date day = listing->first; day.days <= listing->last.days; day.days++) {
        uint32_t rows = sim_world_count(world, listing->order, day, listing->modalidade);
        /* Without filters whole days are passed over by their counts; with them each row is looked at. */
        uint64_t from = !listing->filtered && skip > total ? PNCP_MIN(skip - total, (uint64_t)rows) : 0;
        total += from;
        for (uint32_t i = (uint32_t)from; i < rows; i++) {
            struct sim_row row;
            if (!listing->filtered && *ret_given == take) {
                total += rows - i;
                break;
            }
            sim_world_row(world, listing->order, day, listing->modalidade, i, step, &row);
            if (listing->filtered && !row_matches(world, listing, &row))
                continue;
            if (total++ < skip || *ret_given == take)
                continue;
            if ((*ret_given)++ != 0)
                SIM_PUT(body, ",");
            sim_source_contratacao(world->source, &row, false, body);
        }
    }
    return total;
}

static void put_envelope_end(struct sim_text *body, uint64_t total, uint64_t pages, uint32_t page, bool empty)
{
    SIM_PUT(body, "],\"totalRegistros\":");
    sim_text_u64(body, total);
    SIM_PUT(body, ",\"totalPaginas\":");
    sim_text_u64(body, pages);
    SIM_PUT(body, ",\"numeroPagina\":");
    sim_text_u64(body, page);
    SIM_PUT(body, ",\"paginasRestantes\":");
    sim_text_u64(body, pages > page ? pages - page : 0);
    SIM_PUT(body, ",\"empty\":");
    sim_text_bool(body, empty);
    SIM_PUT(body, "}");
}

static void answer_range(struct sim_world *world, const struct sim_policy *policy, const struct listing *listing,
                         struct sim_answer *answer)
{
    uint32_t take = policy->cut_listing != 0 ? PNCP_MIN(listing->tamanho, policy->cut_listing) : listing->tamanho;
    uint32_t step = policy->cut_mode == SIM_CUT_GIVEN ? take : listing->tamanho;
    uint32_t given;

    answer->status = 200;
    answer->type = SIM_TYPE_JSON;
    sim_text_clear(answer->body);
    SIM_PUT(answer->body, "{\"data\":[");
    uint64_t total = put_rows(world, listing, (uint64_t)(listing->pagina - 1) * step, take, step, answer->body, &given);

    if (given == 0 && (total == 0 || policy->past_last_page == 204)) {
        sim_answer_204(answer);
        return;
    }
    if (given == 0 && policy->past_last_page == 400) {
        (void)fail_400(answer, listing->request, "Número da página inválido");
        return;
    }
    put_envelope_end(answer->body, total, (total + step - 1) / step, listing->pagina, given == 0);
    if (listing->first.days == listing->last.days && listing->order == SIM_BY_PUBLICATION && !listing->filtered)
        sim_world_served(world, listing->first, listing->modalidade, listing->pagina);
}

/* Validation only: no generated contratação is said to be still open. */
static void answer_proposta(const struct sim_request *request, const struct sim_policy *policy,
                            struct sim_answer *answer)
{
    struct listing listing = {.order = SIM_BY_PUBLICATION};

    if (!require(request, SIM_DATA_FINAL,
                 "Required request parameter 'dataFinal' for method parameter type String is not present", answer) ||
        !parse_paging(request, &listing, answer) ||
        !parse_day(request, SIM_DATA_FINAL, "Data Final inválida, deve estar no formato yyyyMMdd", &listing.last,
                   answer))
        return;
    if (listing.last.days < pncp_date_brasilia(pncp_clock_now_us()).days) {
        (void)fail_422(answer, request, "Data Final inválida. Data Final deve ser maior ou igual a data atual");
        return;
    }
    if (request->params[SIM_MODALIDADE_CODE].present && !parse_modalidade(request, policy, &listing, answer))
        return;
    sim_answer_204(answer);
}

static void answer_compra(const struct sim_world *world, const struct sim_request *request, struct sim_answer *answer)
{
    struct sim_row row;

    if (!request->key_ok) {
        (void)fail_400(answer, request, "CNPJ, ano ou sequencial inválido");
        return;
    }
    if (!sim_world_find(world, request->cnpj, request->ano, request->sequencial, &row)) {
        sim_answer_404_compra(answer);
        return;
    }
    answer->status = 200;
    answer->type = SIM_TYPE_JSON;
    sim_text_clear(answer->body);
    sim_source_contratacao(world->source, &row, true, answer->body);
}

void sim_consulta_answer(struct sim_world *world, const struct sim_policy *policy, const struct sim_request *request,
                         struct sim_answer *answer)
{
    struct listing listing = {0};

    switch (request->endpoint) {
    case SIM_PUBLICACAO:
    case SIM_ATUALIZACAO:
        if (parse_range(request, policy, &listing, answer))
            answer_range(world, policy, &listing, answer);
        break;
    case SIM_PROPOSTA:
        answer_proposta(request, policy, answer);
        break;
    case SIM_COMPRA:
        answer_compra(world, request, answer);
        break;
    default:
        sim_answer_404_path(answer, request->path);
    }
}
