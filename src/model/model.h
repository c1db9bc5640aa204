/*
 * The tables of the domain: every field of contratação, item and arquivo, its type, and where it is documented. One
 * descriptor table each; decoding, Parquet schema, tests and docs/FORMATS.md are driven by them.
 * Columns are only ever added, at the end of their level (docs/FORMATS.md, "Schema versions"): a row of its table that
 * says PNCP_COL_SINCE(version) is all that an addition takes. One to the contratação stands in the tables of both
 * files.
 */
#ifndef PNCP_MODEL_H
#define PNCP_MODEL_H

#include "table/schema.h"

/* Situation of a part (itens_situacao, arquivos_situacao). */
enum pncp_situacao { PNCP_SITUACAO_OK, PNCP_SITUACAO_VAZIO, PNCP_SITUACAO_AUSENTE };
const char *pncp_situacao_text(enum pncp_situacao situacao); /* "ok", "vazio", "ausente" */

/* The two parts of a contratação's details. */
enum pncp_part { PNCP_PART_ITENS, PNCP_PART_ARQUIVOS };
#define PNCP_PARTS 2
const char *pncp_part_text(enum pncp_part part); /* "itens", "arquivos" */

/* Columns of `details.parquet`: the contratação's (PNCP_CONTRATACAO_COLS, without its bookkeeping tail), itens,
 * arquivos, tail. */
const struct pncp_schema *pncp_details_schema(void);
/* All versions of it; the newest is the one above. */
struct pncp_schema_versions pncp_details_versions(void);
/* Columns of the day's list `contratacoes.parquet`: the first leaves are those of the details schema, in the same
 * order: leaf i of the list is leaf i of the details for i < pncp_list_shared_leaves(); then valores_fora_do_tipo and
 * extra. */
const struct pncp_schema *pncp_list_schema(void);
size_t pncp_list_shared_leaves(void);
/* As many as those of the details; some may be equal. */
struct pncp_schema_versions pncp_list_versions(void);
/* The leaf of the details schema that has the path of leaf `leaf` of the list. */
size_t pncp_list_details_leaf(size_t leaf);

/* Leaves and nodes by name, resolved once: no code outside model/ looks columns up by text. */
struct pncp_details_leaves {
    int cnpj, ano, sequencial, numero_controle, data_publicacao;
    int itens_situacao, arquivos_situacao, itens_total, arquivos_total, itens_quantidade, arquivos_quantidade;
    int valores_fora_do_tipo, obtido_em, run_id, checkpoint, extra;
    int itens_numero;              /* itens.list.element.numeroItem */
    int arquivos_sequencial;       /* arquivos.list.element.sequencialDocumento */
    int itens_node, arquivos_node; /* indices into schema->nodes: the two LIST nodes */
    size_t contratacao_nodes; /* root children [0, n): derived keys and API fields of the contratação (no itens …) */
};
const struct pncp_details_leaves *pncp_details_leaves(void);
struct pncp_list_leaves {
    int cnpj, ano, sequencial, numero_controle, data_publicacao, modalidade_id, valores_fora_do_tipo, extra;
};
const struct pncp_list_leaves *pncp_list_leaves(void);

#endif
