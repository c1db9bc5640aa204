#include "pncp/extra.h"

void pncp_extra_open(struct pncp_extra *extra)
{
    if (extra->open)
        return;
    if (extra->parent != NULL) {
        pncp_extra_open(extra->parent);
        pncp_json_key(extra->writer, extra->name);
    }
    pncp_json_object_begin(extra->writer);
    extra->open = true;
}

void pncp_extra_close(struct pncp_extra *extra)
{
    if (extra->open)
        pncp_json_object_end(extra->writer);
}

void pncp_extra_put(struct pncp_extra *extra, struct pncp_view key, yyjson_val *val)
{
    pncp_extra_open(extra);
    pncp_json_key_view(extra->writer, key);
    pncp_json_put_val(extra->writer, val);
}
