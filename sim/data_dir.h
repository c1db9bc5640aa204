/*
 * Captured answers served again (--data DIR): every *.json below the folder is read once, at the start.
 *
 * - Contratações: any object with numeroControlePNCP, modalidadeId and dataPublicacaoPncp, at any depth of any file
 *   (pages, arrays, wrapped answers). An object with a key that begins with "_" is another tool's and left out. Of two
 *   objects with the same key a listed one beats a single one, else the first file (by name) wins.
 * - Itens and arquivos: itens-CNPJ-ANO-SEQ.json, arquivos-CNPJ-ANO-SEQ.json; itens.json and arquivos.json in a folder
 *   compra-CNPJ-ANO-SEQ; an object of arrays by numeroControlePNCP in a file whose name begins with arquivos or itens.
 *
 * Texts are served compact, with the files' own key order and number text.
 */
#ifndef SIM_DATA_DIR_H
#define SIM_DATA_DIR_H

#include "source.h"

/* Ceilings: bytes of one file, files, depth of folders, records of all kinds. */
#define SIM_DATA_FILE_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define SIM_DATA_FILES_MAX 100000u
#define SIM_DATA_DEPTH_MAX 16u
#define SIM_DATA_RECORDS_MAX 5000000u

/* missing_404: a part that was not captured is 404, else an empty list.
 * PNCP_E_IO · PNCP_E_PARSE · PNCP_E_LIMIT · PNCP_E_NOMEM; PNCP_E_NOTFOUND: no contratação below `path`. */
MUST_CHECK enum pncp_code sim_data_open(const char *path, bool missing_404, struct sim_data_dir **ret_data,
                                        struct pncp_err *err);
void sim_data_free(struct sim_data_dir *data);
/* The days that have rows, ascending. False when `index` is past the last. */
bool sim_data_day(const struct sim_data_dir *data, size_t index, struct pncp_date *ret_date, uint32_t *ret_rows);

uint32_t sim_data_count(const struct sim_data_dir *data, enum sim_order order, struct pncp_date date,
                        uint32_t modalidade);
void sim_data_row(const struct sim_data_dir *data, enum sim_order order, struct pncp_date date, uint32_t modalidade,
                  uint32_t position, struct sim_row *ret_row);
bool sim_data_find(const struct sim_data_dir *data, struct pncp_view cnpj, uint32_t ano, uint32_t sequencial,
                   struct sim_row *ret_row);
void sim_data_contratacao(const struct sim_row *row, bool single, struct sim_text *text);
void sim_data_part(const struct sim_row *row, enum sim_part part, uint32_t k, struct sim_text *text);
void sim_data_traits(const struct sim_row *row, struct sim_traits *ret_traits);

#endif
