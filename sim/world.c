#include "world.h"

#include "mix.h"

#define LISTING_PAGE_MAX 50u

enum { SALT_ABSENT = 1, SALT_LATE = 11, SALT_QUANTIDADE = 21 };

static bool day_listed(const struct sim_world *world, struct pncp_date date)
{
    return !world->config.has_last_day || date.days <= world->config.last_day.days;
}

/* Rows of the list proper, without strangers and drift. */
static uint32_t own_rows(const struct sim_world *world, enum sim_order order, struct pncp_date date,
                         uint32_t modalidade)
{
    if (!day_listed(world, date))
        return 0;
    uint32_t rows = sim_source_count(world->source, order, date, modalidade);
    return world->config.visible >= 1 ? rows : (uint32_t)(world->config.visible * rows + 0.999999);
}

static uint32_t foreign_rows(const struct sim_world *world, enum sim_order order, struct pncp_date date,
                             uint32_t modalidade)
{
    if (world->config.foreign_rows == 0 || own_rows(world, order, date, modalidade) == 0)
        return 0;
    return PNCP_MIN(world->config.foreign_rows,
                    sim_source_count(world->source, order, (struct pncp_date){date.days + 1}, modalidade));
}

static uint64_t list_id(struct pncp_date date, uint32_t modalidade)
{
    return (uint64_t)(uint32_t)date.days << 8 | modalidade;
}

static bool has_drifted(const struct sim_world *world, struct pncp_date date, uint32_t modalidade)
{
    for (size_t i = 0; i < world->drifted_len; i++)
        if (world->drifted[i] == list_id(date, modalidade))
            return true;
    return false;
}

static bool drifts(const struct sim_world *world, uint32_t rows)
{
    return world->config.drift != SIM_DRIFT_NONE && rows > LISTING_PAGE_MAX * world->config.drift_page;
}

/* Is the first row of the list hidden just now? */
static bool first_hidden(const struct sim_world *world, struct pncp_date date, uint32_t modalidade, uint32_t rows)
{
    if (!drifts(world, rows))
        return false;
    switch (world->config.drift) {
    case SIM_DRIFT_INSERT:
        return !has_drifted(world, date, modalidade);
    case SIM_DRIFT_REMOVE:
        return has_drifted(world, date, modalidade);
    case SIM_DRIFT_NONE:
    case SIM_DRIFT_DUPLICATE:
    case SIM_DRIFT_DISPLACE:
        break;
    }
    return false;
}

uint32_t sim_world_count(const struct sim_world *world, enum sim_order order, struct pncp_date date,
                         uint32_t modalidade)
{
    uint32_t rows = own_rows(world, order, date, modalidade);
    uint32_t total = rows + foreign_rows(world, order, date, modalidade);

    if (first_hidden(world, date, modalidade, rows))
        total--;
    if (world->config.drift == SIM_DRIFT_DUPLICATE && drifts(world, rows))
        total++;
    return total;
}

void sim_world_row(const struct sim_world *world, enum sim_order order, struct pncp_date date, uint32_t modalidade,
                   uint32_t position, uint32_t page_size, struct sim_row *ret_row)
{
    uint32_t rows = own_rows(world, order, date, modalidade);

    if (first_hidden(world, date, modalidade, rows))
        position++;
    if (world->config.drift == SIM_DRIFT_DUPLICATE && drifts(world, rows) &&
        position >= page_size * world->config.drift_page)
        position--;
    if (world->config.drift == SIM_DRIFT_DISPLACE && page_size != 0 && drifts(world, rows) &&
        position == page_size * world->config.drift_page)
        position--;
    if (position >= rows)
        sim_source_row(world->source, order, (struct pncp_date){date.days + 1}, modalidade, position - rows, ret_row);
    else
        sim_source_row(world->source, order, date, modalidade, position, ret_row);
}

void sim_world_served(struct sim_world *world, struct pncp_date date, uint32_t modalidade, uint32_t page)
{
    if (page != world->config.drift_page || world->config.drift == SIM_DRIFT_NONE ||
        world->drifted_len == SIM_DRIFTED_MAX || has_drifted(world, date, modalidade))
        return;
    world->drifted[world->drifted_len++] = list_id(date, modalidade);
}

void sim_world_forget_drift(struct sim_world *world)
{
    world->drifted_len = 0;
}

bool sim_world_find(const struct sim_world *world, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                    struct sim_row *ret_row)
{
    struct sim_row row, first;

    if (!sim_source_find(world->source, cnpj, ano, sequencial, &row))
        return false;
    /* A row that drift has removed is gone here too. */
    uint32_t rows = own_rows(world, SIM_BY_PUBLICATION, row.date, row.modalidade);
    if (world->config.drift == SIM_DRIFT_REMOVE && first_hidden(world, row.date, row.modalidade, rows)) {
        sim_source_row(world->source, SIM_BY_PUBLICATION, row.date, row.modalidade, 0, &first);
        if (first.ano == row.ano && first.sequencial == row.sequencial &&
            memcmp(first.cnpj, row.cnpj, SIM_CNPJ_CHARS) == 0)
            return false;
    }
    *ret_row = row;
    return true;
}

uint64_t sim_world_key(const struct sim_world *world, const struct sim_row *row)
{
    return sim_mix2(sim_mix_bytes(row->cnpj, SIM_CNPJ_CHARS, world->seed), (uint64_t)row->ano << 32 | row->sequencial);
}

static bool arrived(const struct sim_world *world)
{
    const struct sim_world_config *config = &world->config;
    return config->late_arrived || (config->late_after_s != 0 &&
                                    pncp_clock_mono_ms() - world->start_ms >= config->late_after_s * UINT64_C(1000));
}

struct sim_part_state sim_world_part(const struct sim_world *world, const struct sim_row *row, enum sim_part part)
{
    const struct sim_world_config *config = &world->config;
    struct sim_part_state state = {.absent = row->part_absent[part], .rows = row->part_rows[part]};
    uint64_t key = sim_world_key(world, row);

    if (config->absent_rate[part] > 0 && sim_unit(sim_mix2(key, SALT_ABSENT + part)) < config->absent_rate[part])
        state.absent = true;
    if (config->late_rate[part] > 0 && !arrived(world) &&
        sim_unit(sim_mix2(key, SALT_LATE + part)) < config->late_rate[part]) {
        state.absent |= config->late_404;
        state.rows = 0;
    }
    state.quantidade = state.rows;
    if (config->quantidade_rate > 0 && state.rows != 0 &&
        sim_unit(sim_mix2(key, SALT_QUANTIDADE + part)) < config->quantidade_rate)
        state.quantidade = (uint32_t)PNCP_MAX((int64_t)state.rows + config->quantidade_delta, (int64_t)0);
    return state;
}
