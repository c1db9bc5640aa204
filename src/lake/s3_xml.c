#include "lake/s3_xml.h"

#include <stdio.h>
#include <string.h>

/* Where `text` begins in `in`, or in.len. */
static size_t find(struct pncp_view in, const char *text)
{
    const char *at = in.len == 0 ? NULL : memmem(in.data, in.len, text, strlen(text));
    return at == NULL ? in.len : (size_t)(at - in.data);
}

bool pncp_s3_xml_next(struct pncp_view *rest, const char *name, struct pncp_view *ret_text)
{
    char begin[64], end[64];
    (void)snprintf(begin, sizeof(begin), "<%s>", name);
    (void)snprintf(end, sizeof(end), "</%s>", name);
    size_t at = find(*rest, begin);
    if (at == rest->len)
        return false;
    struct pncp_view text = pncp_view_from(*rest, at + strlen(begin));
    size_t len = find(text, end);
    if (len == text.len)
        return false;
    *ret_text = (struct pncp_view){text.data, len};
    *rest = pncp_view_from(text, len + strlen(end));
    return true;
}

struct pncp_view pncp_s3_xml_first(struct pncp_view xml, const char *name)
{
    struct pncp_view text;
    return pncp_s3_xml_next(&xml, name, &text) ? text : PNCP_VIEW_LIT("");
}

bool pncp_s3_xml_text(struct pncp_view xml, const char *name, char *ret_text, size_t bytes)
{
    struct pncp_view text = pncp_s3_xml_first(xml, name);
    size_t used = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        static const char *const quotes[] = {"&quot;", "&#34;", "&#x22;"};
        size_t skip = 0;
        for (size_t q = 0; q < PNCP_ARRAY_LEN(quotes) && skip == 0; q++) {
            if (pncp_view_starts(pncp_view_from(text, i), quotes[q]))
                skip = strlen(quotes[q]);
        }
        if (used + 1 >= bytes)
            return false;
        ret_text[used++] = skip > 0 ? '"' : text.data[i];
        i += skip > 0 ? skip - 1 : 0;
    }
    ret_text[used] = '\0';
    return true;
}
