#include "generate.h"

#include "mix.h"

/* Slots of a sequencial per turn of the órgãos: twice the day of the year (1..366), plus the flag. */
#define SEQ_TURN 734u

/* Salts: one number per question asked of a row's hash. The texts have their own, in generate_*.c. */
enum {
    SALT_LAST_YEAR = 1,
    SALT_SECOND,
    SALT_ITENS,
    SALT_ITENS_SIZE,
    SALT_ARQUIVOS,
    SALT_ARQUIVOS_SIZE,
    SALT_SIGILO,
    SALT_RESULT,
    SALT_SAME_SECOND
};

/* Rows of `total` per modalidade by largest remainder, as offsets. */
static void split_day(uint32_t total, uint32_t offset[SIM_MODALIDADES + 2])
{
    uint32_t rows[SIM_MODALIDADES + 1] = {0}, share_sum = 0, given = 0;
    uint64_t rest[SIM_MODALIDADES + 1] = {0};

    for (uint32_t m = 1; m <= SIM_MODALIDADES; m++)
        share_sum += SIM_MODALIDADE[m].share;
    for (uint32_t m = 1; m <= SIM_MODALIDADES; m++) {
        uint64_t exact = (uint64_t)total * SIM_MODALIDADE[m].share;
        rows[m] = (uint32_t)(exact / share_sum);
        rest[m] = exact % share_sum;
        given += rows[m];
    }
    for (; given < total; given++) {
        uint32_t best = 1;
        for (uint32_t m = 2; m <= SIM_MODALIDADES; m++)
            if (rest[m] > rest[best])
                best = m;
        rows[best]++;
        rest[best] = 0;
    }
    offset[0] = offset[1] = 0;
    for (uint32_t m = 1; m <= SIM_MODALIDADES; m++)
        offset[m + 1] = offset[m] + rows[m];
}

enum pncp_code sim_generate_init(struct sim_generate *generate, const struct sim_generate_config *config,
                                 struct pncp_err *err)
{
    *generate = (struct sim_generate){.config = *config};
    split_day(config->count, generate->offset[0]);
    split_day(config->weekend_count == UINT32_MAX ? config->count : config->weekend_count, generate->offset[1]);
    return sim_orgaos_init(&generate->orgaos, config->seed, err);
}

void sim_generate_release(struct sim_generate *generate)
{
    sim_orgaos_release(&generate->orgaos);
}

/* The offsets of that day, NULL when it has no rows. 1970-01-01 was a Thursday. */
static const uint32_t *day_offsets(const struct sim_generate *generate, struct pncp_date date)
{
    const struct sim_generate_config *config = &generate->config;

    if (config->restricted && (date.days < config->first_day.days || date.days > config->last_day.days))
        return NULL;
    int weekday = (date.days % 7 + 7 + 4) % 7; /* 0 Sunday */
    return generate->offset[weekday == 0 || weekday == 6];
}

uint32_t sim_generate_count(const struct sim_generate *generate, struct pncp_date date, uint32_t modalidade)
{
    const uint32_t *offset = day_offsets(generate, date);
    return offset == NULL ? 0 : offset[modalidade + 1] - offset[modalidade];
}

/* The day's permutation of órgãos: index -> (a * index + b) mod SIM_ORGAOS. */
static void permutation(const struct sim_generate *generate, struct pncp_date date, uint64_t *ret_a, uint64_t *ret_b)
{
    uint64_t h = sim_mix2(generate->config.seed, 0x0d00000000u + (uint32_t)date.days);
    *ret_a = 1 + sim_pick(h, 1, SIM_ORGAOS - 1);
    *ret_b = sim_pick(h, 2, SIM_ORGAOS);
}

/* a^(p-2) mod p: the inverse, since SIM_ORGAOS is prime. */
static uint64_t inverse(uint64_t a)
{
    uint64_t result = 1;
    for (uint32_t e = SIM_ORGAOS - 2; e != 0; e >>= 1, a = a * a % SIM_ORGAOS)
        if (e & 1)
            result = result * a % SIM_ORGAOS;
    return result;
}

/* Second of the day at which the share `q` (0..1) of a day has been published: office hours carry most. Increasing. */
static uint32_t second_at(double q)
{
    static const struct {
        double share, hour;
    } CURVE[] = {{0, 0}, {0.02, 6}, {0.07, 8}, {0.45, 12}, {0.57, 14}, {0.92, 18}, {0.99, 22}, {1, 24}};

    for (size_t i = 1; i < PNCP_ARRAY_LEN(CURVE); i++)
        if (q < CURVE[i].share) {
            double part = (q - CURVE[i - 1].share) / (CURVE[i].share - CURVE[i - 1].share);
            return (uint32_t)((CURVE[i - 1].hour + part * (CURVE[i].hour - CURVE[i - 1].hour)) * 3600.0);
        }
    return 86399;
}

/* A step of a distribution: up to `upto` of a million, sizes from..to. */
struct step {
    uint32_t upto, from, to;
};

static uint32_t draw(const struct step *steps, uint64_t hash, uint64_t salt, uint64_t size_salt)
{
    uint32_t u = sim_pick(hash, salt, 1000000);
    while (u >= steps->upto)
        steps++;
    return steps->from + sim_pick(hash, size_salt, steps->to - steps->from + 1);
}

static const struct step ITENS_STEPS[] = {
    {15000, 0, 0},      {395000, 1, 1},     {515000, 2, 2},        {595000, 3, 3},    {805000, 4, 9},
    {835000, 10, 10},   {925000, 11, 20},   {980000, 21, 50},      {995500, 51, 120}, {998700, 121, 332},
    {999200, 333, 333}, {999700, 500, 500}, {1000000, 1000, 1600},
};
static const struct step ARQUIVOS_STEPS[] = {
    {40000, 0, 0},    {420000, 1, 1},   {620000, 2, 2},   {740000, 3, 3},   {840000, 4, 5},    {930000, 6, 9},
    {940000, 10, 10}, {980000, 11, 20}, {995000, 21, 40}, {999500, 41, 80}, {1000000, 81, 81},
};

static uint32_t part_rows(const struct sim_generate *generate, uint64_t hash, uint32_t index, enum sim_part part)
{
    const struct sim_generate_config *config = &generate->config;

    for (size_t i = 0; i < config->forced_len[part]; i++)
        if (config->forced[part][i].index == index)
            return config->forced[part][i].rows;
    if (part == SIM_ARQUIVOS)
        return draw(ARQUIVOS_STEPS, hash, SALT_ARQUIVOS, SALT_ARQUIVOS_SIZE);
    uint32_t rows = draw(ITENS_STEPS, hash, SALT_ITENS, SALT_ITENS_SIZE);
    return config->itens_max != 0 ? PNCP_MIN(rows, config->itens_max) : rows;
}

void sim_generate_row(const struct sim_generate *generate, struct pncp_date date, uint32_t modalidade,
                      uint32_t position, struct sim_row *ret_row)
{
    const uint32_t *offset = day_offsets(generate, date);
    uint32_t index = offset[modalidade] + position, rows = offset[modalidade + 1] - offset[modalidade];
    uint64_t day_hash = sim_mix2(generate->config.seed, (uint32_t)date.days);
    uint64_t hash = sim_mix2(day_hash, index);
    uint64_t a, b;
    int year, month, day;
    struct pncp_date new_year = date;

    permutation(generate, date, &a, &b);
    pncp_date_to_civil(date, &year, &month, &day);
    (void)pncp_date_from_civil(year, 1, 1, &new_year); /* the first of January always exists */
    uint32_t day_of_year = (uint32_t)(date.days - new_year.days) + 1;
    uint32_t last_year = sim_once_in(hash, SALT_LAST_YEAR, 40);
    const struct sim_orgao *orgao = &generate->orgaos.rows[(a * (index % SIM_ORGAOS) + b) % SIM_ORGAOS];
    /* One neighbour in six shares the second of the row before it. */
    uint32_t same_as = position - (position % 2 == 1 && sim_once_in(hash, SALT_SAME_SECOND, 3));
    double in_place = sim_unit(sim_mix2(sim_mix2(day_hash, index - position + same_as), SALT_SECOND));

    *ret_row = (struct sim_row){
        .ano = (uint32_t)year - last_year,
        .sequencial = index / SIM_ORGAOS * SEQ_TURN + day_of_year * 2 + last_year,
        .date = date,
        .modalidade = modalidade,
        .part_rows = {part_rows(generate, hash, index, SIM_ITENS), part_rows(generate, hash, index, SIM_ARQUIVOS)},
        .orgao = orgao,
        .orgaos = &generate->orgaos,
        .hash = hash,
        .index = index,
        .second = second_at((same_as + in_place) / rows),
    };
    memcpy(ret_row->cnpj, orgao->cnpj, sizeof(ret_row->cnpj));
}

bool sim_generate_find(const struct sim_generate *generate, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                       struct sim_row *ret_row)
{
    int orgao = sim_orgaos_find(&generate->orgaos, cnpj);
    uint32_t slot = sequencial % SEQ_TURN, day_of_year = slot / 2, last_year = slot % 2;
    struct pncp_date date;
    uint64_t a, b;
    int year, month, day;

    if (orgao < 0 || day_of_year == 0 || ano < 1 || ano > 9998 ||
        !pncp_date_from_civil((int)(ano + last_year), 1, 1, &date))
        return false;
    date.days += (int32_t)day_of_year - 1;
    pncp_date_to_civil(date, &year, &month, &day);
    const uint32_t *offset = day_offsets(generate, date);
    if (year != (int)(ano + last_year) || offset == NULL)
        return false;

    permutation(generate, date, &a, &b);
    uint64_t in_turn = inverse(a) * ((uint64_t)orgao + SIM_ORGAOS - b) % SIM_ORGAOS;
    uint64_t index = (uint64_t)(sequencial / SEQ_TURN) * SIM_ORGAOS + in_turn;
    if (index >= offset[SIM_MODALIDADES + 1])
        return false;

    uint32_t modalidade = 1;
    while (index >= offset[modalidade + 1])
        modalidade++;
    sim_generate_row(generate, date, modalidade, (uint32_t)index - offset[modalidade], ret_row);
    return ret_row->ano == ano && ret_row->sequencial == sequencial;
}

enum sim_sigilo sim_generate_sigilo(const struct sim_row *row)
{
    uint32_t u = sim_pick(row->hash, SALT_SIGILO, 100);
    return u < 2 ? SIM_SIGILO_ALL : u < 3 ? SIM_SIGILO_PART : SIM_SIGILO_NONE;
}

bool sim_generate_has_result(const struct sim_row *row)
{
    /* Direct contracting is often published with its result, a competition hardly ever on its first day. */
    bool direct = row->modalidade == 8 || row->modalidade == 9;
    return row->part_rows[SIM_ITENS] != 0 && sim_once_in(row->hash, SALT_RESULT, direct ? 2 : 10);
}
