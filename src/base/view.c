#include "base/view.h"

#include <string.h>

#define DOTS_MAX 8 /* deeper than any name was ever flattened */

struct pncp_view pncp_view_of(const char *text)
{
    return text == NULL ? (struct pncp_view){"", 0} : (struct pncp_view){text, strlen(text)};
}

bool pncp_view_eq(struct pncp_view a, struct pncp_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool pncp_view_eq_text(struct pncp_view a, const char *text)
{
    return pncp_view_eq(a, pncp_view_of(text));
}

bool pncp_view_starts(struct pncp_view view, const char *prefix)
{
    size_t len = strlen(prefix);
    return view.len >= len && memcmp(view.data, prefix, len) == 0;
}

bool pncp_view_ends(struct pncp_view view, const char *suffix)
{
    size_t len = strlen(suffix);
    return view.len >= len && memcmp(view.data + view.len - len, suffix, len) == 0;
}

struct pncp_view pncp_view_cut_dot(struct pncp_view *name)
{
    const char *dot = name->len == 0 ? NULL : memchr(name->data, '.', name->len);
    struct pncp_view head = {name->data, dot == NULL ? name->len : (size_t)(dot - name->data)};
    *name = pncp_view_from(*name, dot == NULL ? name->len : head.len + 1);
    return head;
}

bool pncp_view_is_dotted(struct pncp_view name)
{
    int dots = 0;
    for (bool more = true; more;) {
        size_t len = name.len;
        struct pncp_view part = pncp_view_cut_dot(&name);
        if (part.len == 0)
            return false;
        more = part.len < len;
        dots += more;
    }
    return dots > 0 && dots <= DOTS_MAX;
}

bool pncp_view_u64(struct pncp_view view, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (view.len == 0)
        return false;
    for (size_t i = 0; i < view.len; i++) {
        unsigned digit = (unsigned)(unsigned char)view.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool pncp_view_i64(struct pncp_view view, int64_t *ret_value)
{
    bool negative = view.len > 0 && view.data[0] == '-';
    struct pncp_view digits = {view.data + negative, view.len - negative};
    uint64_t value;
    if (!pncp_view_u64(digits, &value) || value > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* Bytes of the sequence that begins at `text`, or 0. Ranges of the second byte: RFC 3629 section 4. */
static size_t utf8_sequence(const unsigned char *text, size_t len)
{
    unsigned char lead = text[0], low = 0x80, high = 0xBF;
    size_t bytes;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF) {
        bytes = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        bytes = 3;
        low = lead == 0xE0 ? 0xA0 : 0x80;
        high = lead == 0xED ? 0x9F : 0xBF;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        bytes = 4;
        low = lead == 0xF0 ? 0x90 : 0x80;
        high = lead == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (len < bytes || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    }
    return bytes;
}

size_t pncp_view_utf8_len(struct pncp_view view)
{
    for (size_t i = 0; i < view.len;) {
        size_t bytes = utf8_sequence((const unsigned char *)view.data + i, view.len - i);
        if (bytes == 0)
            return i;
        i += bytes;
    }
    return view.len;
}

bool pncp_view_is_utf8(struct pncp_view view)
{
    return pncp_view_utf8_len(view) == view.len;
}

void pncp_utf8_end_whole(char *text)
{
    size_t len = strlen(text);
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)text[len - back];
        if ((c & 0xC0) == 0x80) /* the lead is further to the left */
            continue;
        size_t bytes = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1;
        if (bytes > back)
            text[len - back] = '\0';
        return;
    }
}
