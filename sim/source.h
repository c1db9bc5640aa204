/*
 * Where contratações come from: a generated day (generate.c) or a folder of captured answers (data_dir.c). Both give
 * the rows of (publication day, modalidade) by position in ascending dataPublicacaoPncp, find one by its key, and write
 * the JSON text of a contratação, an item, an arquivo. What a client sees of it at this moment is decided above, in
 * world.h.
 */
#ifndef SIM_SOURCE_H
#define SIM_SOURCE_H

#include "base/clock.h"
#include "json_text.h"
#include "orgaos.h"
#include "vocabulary.h"

/* Rows per generated day: what fits a six-digit sequencial, see generate.c. */
#define SIM_ROWS_MAX 7500000u
/* Ceiling of itens and of arquivos of one contratação. */
#define SIM_PART_ROWS_MAX 200000u
/* How many --force-itens and --force-arquivos are remembered. */
#define SIM_FORCED_MAX 64

enum sim_part { SIM_ITENS, SIM_ARQUIVOS, SIM_PARTS };

struct sim_forced {
    uint32_t index; /* row of the day, 0-based, modalidades in order of code */
    uint32_t rows;
};

struct sim_generate_config {
    uint64_t seed;
    uint32_t count;         /* rows of a day */
    uint32_t weekend_count; /* rows of a Saturday or Sunday; UINT32_MAX: as count */
    bool restricted;        /* only first_day..last_day have rows */
    struct pncp_date first_day, last_day;
    uint32_t itens_max; /* 0: the distribution as it is */
    double odd_values;  /* share of itens with a quantity outside DECIMAL(18,4) */
    double new_keys;    /* share of contratações, and of itens, with a key that was not there before */
    struct sim_forced forced[SIM_PARTS][SIM_FORCED_MAX];
    size_t forced_len[SIM_PARTS];
};

struct sim_record; /* data_dir.c */

/* One contratação. Cheap to make; borrowed from the source. */
struct sim_row {
    uint32_t ano, sequencial;
    char cnpj[SIM_CNPJ_CHARS + 1];
    struct pncp_date date; /* publication day */
    uint32_t modalidade;
    uint32_t part_rows[SIM_PARTS];
    bool part_absent[SIM_PARTS]; /* nothing captured and --data-missing 404 */
    /* generated rows */
    const struct sim_orgao *orgao;
    const struct sim_orgaos *orgaos; /* all of them */
    uint64_t hash;
    uint32_t index;  /* in the day */
    uint32_t second; /* of dataPublicacaoPncp */
    /* captured rows */
    const struct sim_record *record;
};

struct sim_generate {
    struct sim_generate_config config;
    struct sim_orgaos orgaos;
    /* The split by modalidade of the two sizes a day can have: offset[kind][code] .. offset[kind][code + 1]. */
    uint32_t offset[2][SIM_MODALIDADES + 2];
};

struct sim_data_dir; /* data_dir.c */

struct sim_source {
    struct sim_generate generate;
    struct sim_data_dir *data; /* NULL: generated */
};

/* Which date a listing goes by. The rows of a generated day are updated on the day, in the order of their publication.
 */
enum sim_order { SIM_BY_PUBLICATION, SIM_BY_UPDATE, SIM_ORDERS };

/* Rows of that day and modalidade (1..SIM_MODALIDADES; others have none). */
uint32_t sim_source_count(const struct sim_source *source, enum sim_order order, struct pncp_date date,
                          uint32_t modalidade);
/* position < sim_source_count(). */
void sim_source_row(const struct sim_source *source, enum sim_order order, struct pncp_date date, uint32_t modalidade,
                    uint32_t position, struct sim_row *ret_row);
/* False: no such contratação. */
MUST_CHECK bool sim_source_find(const struct sim_source *source, struct pncp_view cnpj, uint32_t ano,
                                uint32_t sequencial, struct sim_row *ret_row);

/* The object as listed, or (single) with the three fields that only the single object has. */
void sim_source_contratacao(const struct sim_source *source, const struct sim_row *row, bool single,
                            struct sim_text *text);
/* Row `k` < row->part_rows[part] of the list. */
void sim_source_part(const struct sim_source *source, const struct sim_row *row, enum sim_part part, uint32_t k,
                     struct sim_text *text);

/* What the listing's filters look at. The texts are borrowed. */
struct sim_traits {
    struct pncp_view uf, ibge, unidade;
    uint32_t modo;
};
void sim_source_traits(const struct sim_source *source, const struct sim_row *row, struct sim_traits *ret_traits);

void sim_source_release(struct sim_source *source);

#endif
