#include "model/key.h"
#include "base/digits.h"

#include <assert.h>
#include <string.h>

#define ANO_BITS 14
#define SEQUENCIAL_BITS PNCP_PACKED_KEY_SEQUENCIAL_BITS

static bool is_cnpj(struct pncp_view text)
{
    if (text.len != PNCP_CNPJ_CHARS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

enum pncp_code pncp_key_make(struct pncp_view cnpj, int64_t ano, int64_t sequencial, struct pncp_key *ret_key,
                             struct pncp_err *err)
{
    if (!is_cnpj(cnpj))
        return pncp_err_set(err, PNCP_E_PARSE, "cnpj is not 14 of [0-9A-Z]: \"%.*s\"",
                            (int)PNCP_MIN(cnpj.len, (size_t)32), cnpj.data);
    if (ano < 1 || ano > 9999)
        return pncp_err_set(err, PNCP_E_PARSE, "ano is not 1..9999: %" PRId64, ano);
    if (sequencial < 1 || sequencial > INT32_MAX)
        return pncp_err_set(err, PNCP_E_PARSE, "sequencial is not 1..2147483647: %" PRId64, sequencial);
    struct pncp_key key = {.ano = (int32_t)ano, .sequencial = (int32_t)sequencial};
    memcpy(key.cnpj, cnpj.data, PNCP_CNPJ_CHARS);
    *ret_key = key;
    return PNCP_OK;
}

/* "<cnpj>-1-<sequencial, zero-padded>/<ano>" (pncp-api section 7). */
enum pncp_code pncp_key_from_controle(struct pncp_view text, struct pncp_key *ret_key, struct pncp_err *err)
{
    const char *slash = text.len == 0 ? NULL : memrchr(text.data, '/', text.len);
    uint64_t ano, sequencial;
    if (slash == NULL || text.len < PNCP_CNPJ_CHARS + 3 || memcmp(text.data + PNCP_CNPJ_CHARS, "-1-", 3) != 0)
        return pncp_err_set(err, PNCP_E_PARSE, "numeroControlePNCP is not cnpj-1-sequencial/ano: \"%.*s\"",
                            (int)PNCP_MIN(text.len, (size_t)48), text.data);
    const char *from = text.data + PNCP_CNPJ_CHARS + 3;
    struct pncp_view middle = {from, slash < from ? 0 : (size_t)(slash - from)};
    struct pncp_view last = {slash + 1, (size_t)(text.data + text.len - slash - 1)};
    if (!pncp_view_u64(middle, &sequencial) || !pncp_view_u64(last, &ano) || sequencial > INT32_MAX || ano > 9999)
        return pncp_err_set(err, PNCP_E_PARSE, "numeroControlePNCP is not cnpj-1-sequencial/ano: \"%.*s\"",
                            (int)PNCP_MIN(text.len, (size_t)48), text.data);
    return pncp_key_make((struct pncp_view){text.data, PNCP_CNPJ_CHARS}, (int64_t)ano, (int64_t)sequencial, ret_key,
                         err);
}

enum pncp_code pncp_key_parse(struct pncp_view text, struct pncp_key *ret_key, struct pncp_err *err)
{
    const char *first = text.len == 0 ? NULL : memchr(text.data, '|', text.len);
    const char *last = text.len == 0 ? NULL : memrchr(text.data, '|', text.len);
    uint64_t ano, sequencial;
    if (first == NULL || first == last)
        return pncp_err_set(err, PNCP_E_PARSE, "key is not cnpj|ano|sequencial");
    struct pncp_view cnpj = {text.data, (size_t)(first - text.data)}, middle = {first + 1, (size_t)(last - first - 1)};
    struct pncp_view end = {last + 1, (size_t)(text.data + text.len - last - 1)};
    if (!pncp_view_u64(middle, &ano) || !pncp_view_u64(end, &sequencial) || ano > 9999 || sequencial > INT32_MAX)
        return pncp_err_set(err, PNCP_E_PARSE, "key is not cnpj|ano|sequencial");
    return pncp_key_make(cnpj, (int64_t)ano, (int64_t)sequencial, ret_key, err);
}

size_t pncp_key_format(const struct pncp_key *key, char ret_text[PNCP_KEY_TEXT_BYTES])
{
    assert(key->ano >= 0 && key->ano < 1 << ANO_BITS && key->sequencial >= 0);
    size_t len = strlen(key->cnpj);
    memcpy(ret_text, key->cnpj, len);
    ret_text[len++] = '|';
    len += pncp_digits_int(key->ano, ret_text + len);
    ret_text[len++] = '|';
    return len + pncp_digits_int(key->sequencial, ret_text + len);
}

/* One integer: cnpj in base 36 (73 bits), then ano (14), then sequencial (31): 118 bits, ordered like the three fields.
 */
struct pncp_packed_key pncp_key_pack(const struct pncp_key *key)
{
    __extension__ typedef unsigned __int128 wide;
    wide value = 0;
    for (size_t i = 0; i < PNCP_CNPJ_CHARS; i++) {
        char c = key->cnpj[i];
        value = value * 36 + (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
    }
    value = (value << ANO_BITS) | (unsigned)key->ano;
    value = (value << SEQUENCIAL_BITS) | (unsigned)key->sequencial;
    return (struct pncp_packed_key){.hi = (uint64_t)(value >> 64), .lo = (uint64_t)value};
}

void pncp_key_unpack(struct pncp_packed_key packed, struct pncp_key *ret_key)
{
    __extension__ typedef unsigned __int128 wide;
    wide value = ((wide)(packed.hi & (UINT64_MAX >> PNCP_PACKED_KEY_FLAG_BITS)) << 64) | packed.lo;
    *ret_key = (struct pncp_key){.sequencial = (int32_t)(value & ((1U << SEQUENCIAL_BITS) - 1))};
    value >>= SEQUENCIAL_BITS;
    ret_key->ano = (int32_t)(value & ((1U << ANO_BITS) - 1));
    value >>= ANO_BITS;
    for (size_t i = PNCP_CNPJ_CHARS; i-- > 0; value /= 36) {
        unsigned digit = (unsigned)(value % 36);
        ret_key->cnpj[i] = (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
    }
}

bool pncp_key_eq(const struct pncp_key *a, const struct pncp_key *b)
{
    return a->ano == b->ano && a->sequencial == b->sequencial && memcmp(a->cnpj, b->cnpj, PNCP_CNPJ_CHARS) == 0;
}

int pncp_packed_key_cmp(struct pncp_packed_key a, struct pncp_packed_key b)
{
    uint64_t mask = UINT64_MAX >> PNCP_PACKED_KEY_FLAG_BITS, a_hi = a.hi & mask, b_hi = b.hi & mask;
    if (a_hi != b_hi)
        return a_hi < b_hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}
