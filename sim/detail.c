/* The detail API: bare arrays without envelope, ten rows unless asked, and bare counts. */
#include "api.h"

#include <stdio.h>

#define PAGE_DEFAULT 10u

static bool parse_paging(const struct sim_request *request, uint32_t *ret_page, uint32_t *ret_size)
{
    *ret_page = 1;
    *ret_size = PAGE_DEFAULT;
    if (request->params[SIM_PAGINA].present && (!sim_param_u32(request, SIM_PAGINA, ret_page) || *ret_page < 1))
        return false;
    return !request->params[SIM_TAMANHO].present || (sim_param_u32(request, SIM_TAMANHO, ret_size) && *ret_size >= 1);
}

static void answer_list(const struct sim_world *world, const struct sim_policy *policy,
                        const struct sim_request *request, const struct sim_row *row, enum sim_part part, uint32_t rows,
                        struct sim_answer *answer)
{
    uint32_t page, asked;

    if (!parse_paging(request, &page, &asked)) {
        sim_answer_400_erros(answer, "deve ser maior que ou igual à 1");
        return;
    }
    uint32_t take = PNCP_MIN(asked, policy->cut != 0 ? policy->cut : SIM_DETAIL_PAGE_MAX);
    uint64_t from = (uint64_t)(page - 1) * (policy->cut_mode == SIM_CUT_GIVEN ? take : asked);
    if (rows == 0 ? policy->empty_part == 204 : from >= rows && policy->past_end == 204) {
        sim_answer_204(answer);
        return;
    }
    answer->status = 200;
    answer->type = SIM_TYPE_JSON;
    sim_text_clear(answer->body);
    SIM_PUT(answer->body, "[");
    for (uint64_t k = from; k < rows && k < from + take; k++) {
        if (k != from)
            SIM_PUT(answer->body, ",");
        sim_source_part(world->source, row, part, (uint32_t)k, answer->body);
    }
    SIM_PUT(answer->body, "]");
}

static void answer_moved(const struct sim_request *request, const char *host, struct sim_answer *answer)
{
    answer->status = 301;
    answer->type = NULL;
    sim_text_clear(answer->body);
    (void)snprintf(answer->location, sizeof(answer->location), "http://%s/api/consulta" PNCP_VIEW_FMT, host,
                   PNCP_VIEW_ARG(request->inner));
}

void sim_detail_answer(const struct sim_world *world, const struct sim_policy *policy,
                       const struct sim_request *request, const char *host, struct sim_answer *answer)
{
    enum sim_part part =
        request->endpoint == SIM_LIST_ARQUIVOS || request->endpoint == SIM_COUNT_ARQUIVOS ? SIM_ARQUIVOS : SIM_ITENS;
    struct sim_row row;

    if (request->endpoint == SIM_UNKNOWN) {
        sim_answer_404_path(answer, request->path);
        return;
    }
    if (request->endpoint == SIM_MOVED) {
        answer_moved(request, host, answer);
        return;
    }
    if (!request->key_ok) {
        sim_answer_400(answer, SIM_DETAIL_INNER, request->inner, "CNPJ, ano ou sequencial inválido");
        return;
    }
    if (!sim_world_find(world, request->cnpj, request->ano, request->sequencial, &row)) {
        sim_answer_404_compra(answer);
        return;
    }
    struct sim_part_state state = sim_world_part(world, &row, part);
    if (state.absent) {
        sim_answer_404_compra(answer);
    } else if (request->endpoint == SIM_LIST_ITENS || request->endpoint == SIM_LIST_ARQUIVOS) {
        answer_list(world, policy, request, &row, part, state.rows, answer);
    } else {
        answer->status = 200;
        answer->type = SIM_TYPE_JSON;
        sim_text_clear(answer->body);
        sim_text_u64(answer->body, state.quantidade);
    }
}
