#include "source.h"

#include "data_dir.h"
#include "generate.h"

uint32_t sim_source_count(const struct sim_source *source, enum sim_order order, struct pncp_date date,
                          uint32_t modalidade)
{
    if (modalidade < 1 || modalidade > SIM_MODALIDADES)
        return 0;
    return source->data != NULL ? sim_data_count(source->data, order, date, modalidade)
                                : sim_generate_count(&source->generate, date, modalidade);
}

void sim_source_row(const struct sim_source *source, enum sim_order order, struct pncp_date date, uint32_t modalidade,
                    uint32_t position, struct sim_row *ret_row)
{
    if (source->data != NULL)
        sim_data_row(source->data, order, date, modalidade, position, ret_row);
    else
        sim_generate_row(&source->generate, date, modalidade, position, ret_row);
}

bool sim_source_find(const struct sim_source *source, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                     struct sim_row *ret_row)
{
    if (source->data != NULL)
        return sim_data_find(source->data, cnpj, ano, sequencial, ret_row);
    return sim_generate_find(&source->generate, cnpj, ano, sequencial, ret_row);
}

void sim_source_contratacao(const struct sim_source *source, const struct sim_row *row, bool single,
                            struct sim_text *text)
{
    if (source->data != NULL)
        sim_data_contratacao(row, single, text);
    else
        sim_generate_contratacao(&source->generate, row, single, text);
}

void sim_source_part(const struct sim_source *source, const struct sim_row *row, enum sim_part part, uint32_t k,
                     struct sim_text *text)
{
    if (source->data != NULL)
        sim_data_part(row, part, k, text);
    else if (part == SIM_ITENS)
        sim_generate_item(&source->generate, row, k, text);
    else
        sim_generate_arquivo(row, k, text);
}

void sim_source_traits(const struct sim_source *source, const struct sim_row *row, struct sim_traits *ret_traits)
{
    if (source->data != NULL)
        sim_data_traits(row, ret_traits);
    else
        sim_generate_traits(row, ret_traits);
}

void sim_source_release(struct sim_source *source)
{
    sim_data_free(source->data);
    source->data = NULL;
    sim_generate_release(&source->generate);
}
