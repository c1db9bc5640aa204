#include "pncp/url.h"
#include "base/digits.h"

#include <string.h>

enum pncp_code pncp_url_base(const char *text, struct pncp_buf *ret_base, struct pncp_err *err)
{
    struct pncp_view url = pncp_view_of(text);
    size_t scheme = pncp_view_starts(url, "https://") ? 8 : pncp_view_starts(url, "http://") ? 7 : 0;
    if (scheme == 0 || url.len == scheme || url.data[scheme] == '/')
        return pncp_err_set(err, PNCP_E_USAGE, "not an http or https address: \"%.200s\"", text);
    if (strpbrk(text, "?# \t\r\n") != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "an API's address has no query, fragment or blank: \"%.200s\"", text);
    if (url.len > PNCP_URL_MAX_BYTES / 2)
        return pncp_err_set(err, PNCP_E_USAGE, "an API's address of more than %d bytes", PNCP_URL_MAX_BYTES / 2);
    while (url.data[url.len - 1] == '/')
        url.len--;
    pncp_buf_clear(ret_base);
    enum pncp_code rc = pncp_buf_append(ret_base, url.data, url.len);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(ret_base, "", 1);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "out of memory");
    ret_base->len--;
    return PNCP_OK;
}

enum pncp_code pncp_url_listing(struct pncp_buf *ret_url, const char *consulta, struct pncp_date date, int modalidade,
                                uint32_t page, uint32_t page_rows)
{
    char day[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(date, day);
    pncp_buf_clear(ret_url);
    return pncp_buf_format(
        ret_url,
        "%s/v1/contratacoes/publicacao?dataInicial=%s&dataFinal=%s&codigoModalidadeContratacao=%d&pagina=%" PRIu32
        "&tamanhoPagina=%" PRIu32,
        consulta, day, day, modalidade, page, page_rows);
}

static enum pncp_code put_texts(struct pncp_buf *out, const char *const *texts, size_t count)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < count; i++)
        rc = pncp_buf_text(out, texts[i]);
    return rc;
}

/* What all addresses about one contratação begin with, and `texts` behind it. Without printf, which took a hundredth of
 * a whole run. */
static enum pncp_code put_compra(struct pncp_buf *ret_url, const char *base, const struct pncp_key *key,
                                 const char *const *texts, size_t count)
{
    char ano[PNCP_INT_TEXT_BYTES], sequencial[PNCP_INT_TEXT_BYTES];
    const char *const begin[] = {base, "/v1/orgaos/", key->cnpj, "/compras/", ano, "/", sequencial};
    (void)pncp_digits_int(key->ano, ano);
    (void)pncp_digits_int(key->sequencial, sequencial);
    pncp_buf_clear(ret_url);
    enum pncp_code rc = put_texts(ret_url, begin, PNCP_ARRAY_LEN(begin));
    if (rc == PNCP_OK)
        rc = put_texts(ret_url, texts, count);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(ret_url, "", 1);
    ret_url->len -= rc == PNCP_OK;
    return rc;
}

enum pncp_code pncp_url_part(struct pncp_buf *ret_url, const char *detail, const struct pncp_key *key,
                             enum pncp_part part, uint32_t page, uint32_t page_rows)
{
    char number[PNCP_INT_TEXT_BYTES], rows[PNCP_INT_TEXT_BYTES];
    const char *const end[] = {"/", pncp_part_text(part), "?pagina=", number, "&tamanhoPagina=", rows};
    (void)pncp_digits_int(page, number);
    (void)pncp_digits_int(page_rows, rows);
    return put_compra(ret_url, detail, key, end, PNCP_ARRAY_LEN(end));
}

enum pncp_code pncp_url_quantidade(struct pncp_buf *ret_url, const char *detail, const struct pncp_key *key,
                                   enum pncp_part part)
{
    const char *const end[] = {"/", pncp_part_text(part), "/quantidade"};
    return put_compra(ret_url, detail, key, end, PNCP_ARRAY_LEN(end));
}

enum pncp_code pncp_url_compra(struct pncp_buf *ret_url, const char *consulta, const struct pncp_key *key)
{
    return put_compra(ret_url, consulta, key, NULL, 0);
}
