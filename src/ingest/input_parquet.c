#include "ingest/input_parquet.h"
#include "parquet/foreign.h"

enum pncp_code pncp_input_parquet(int fd, uint64_t bytes, struct pncp_list *list, int64_t rows_max,
                                  struct pncp_keyset *keys, struct pncp_input_counts *counts, struct pncp_err *err)
{
    (void)bytes;
    struct pncp_foreign *foreign;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    enum pncp_code rc = pncp_foreign_open(fd, &foreign, err);
    if (rc != PNCP_OK)
        return rc;
    bool end = false;
    for (int64_t number = 1; rc == PNCP_OK && !end && (rows_max == 0 || counts->rows < rows_max); number++) {
        struct pncp_json json;
        rc = pncp_foreign_next(foreign, &text, &end, err);
        if (rc != PNCP_OK || end)
            break;
        rc = pncp_json_parse(pncp_buf_view(&text), &json, NULL, err);
        if (rc == PNCP_OK) {
            rc = pncp_input_add(list, json.root, keys, counts, err);
            pncp_json_release(&json);
        }
        if (rc != PNCP_OK)
            (void)pncp_err_wrap(err, rc, "row %lld", (long long)number);
    }
    pncp_foreign_free(foreign);
    return rc;
}
