/* `completo` (docs/FORMATS.md): written last, when a final day is complete; removed when it is not. What a sensor waits
 * for. */
#ifndef PNCP_COMPLETE_H
#define PNCP_COMPLETE_H

#include "day/data.h"

struct pncp_complete {
    int64_t contratacoes, itens, arquivos, ausente, vazio;
    int64_t list_at_s;
};
MUST_CHECK enum pncp_code pncp_complete_write(struct pncp_data *data, const struct pncp_complete *complete,
                                              struct pncp_err *err);
/* Is there one for the data's present commit? */
MUST_CHECK enum pncp_code pncp_complete_check(struct pncp_data *data, bool *ret_complete, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_complete_remove(struct pncp_lake *lake, struct pncp_date date, struct pncp_err *err);

#endif
