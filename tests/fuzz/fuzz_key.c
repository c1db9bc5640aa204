/*
 * Keys, reasons and addresses.
 * Input: four lines: two keys, a numeroControlePNCP or reason, an API's address.
 * True: what parses formats to one text that parses to the same; packing keeps key and order; an address that is
 * accepted is accepted again unchanged, and every request's address is that and a known path.
 */
#include "fuzz.h"
#include "model/key.h"
#include "model/reason.h"
#include "pncp/url.h"
#include "reference.h"

static struct pncp_view line_of(struct fuzz_input *in)
{
    return fuzz_until(in, '\n');
}

static bool same_packed(struct pncp_packed_key a, struct pncp_packed_key b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

/* Everything that can be said of a sound key. */
static void check_sound(const struct pncp_key *key)
{
    struct pncp_key again;
    char text[PNCP_KEY_TEXT_BYTES];
    FUZZ_CHECK(strlen(key->cnpj) == PNCP_CNPJ_CHARS && strspn(key->cnpj, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 14);
    FUZZ_CHECK(key->ano >= 1 && key->ano <= 9999 && key->sequencial >= 1);
    pncp_key_format(key, text);
    FUZZ_CHECK(pncp_key_parse(pncp_view_of(text), &again, NULL) == PNCP_OK && pncp_key_eq(key, &again));
    struct pncp_packed_key packed = pncp_key_pack(key);
    FUZZ_CHECK(packed.hi >> (64 - PNCP_PACKED_KEY_FLAG_BITS) == 0);
    packed.hi |= UINT64_MAX << (64 - PNCP_PACKED_KEY_FLAG_BITS); /* the holder's flags say nothing */
    pncp_key_unpack(packed, &again);
    FUZZ_CHECK(pncp_key_eq(key, &again) && strcmp(key->cnpj, again.cnpj) == 0);
    FUZZ_CHECK(same_packed(pncp_key_pack(&again), pncp_key_pack(key)) &&
               pncp_packed_key_cmp(packed, pncp_key_pack(key)) == 0);
}

static bool parse_key(struct pncp_view text, struct pncp_key *ret_key)
{
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(text);
    enum pncp_code rc = pncp_key_parse((struct pncp_view){exact, text.len}, ret_key, &err);
    if (rc == PNCP_OK)
        check_sound(ret_key);
    else
        FUZZ_CHECK(rc == PNCP_E_PARSE && fuzz_is_message(err.msg, sizeof(err.msg)));
    return rc == PNCP_OK;
}

static int sign(int64_t number)
{
    return (number > 0) - (number < 0);
}

static void check_order(const struct pncp_key *a, const struct pncp_key *b)
{
    int order = sign(strcmp(a->cnpj, b->cnpj));
    order = order != 0 ? order : sign((int64_t)a->ano - b->ano);
    order = order != 0 ? order : sign((int64_t)a->sequencial - b->sequencial);
    FUZZ_CHECK(sign(pncp_packed_key_cmp(pncp_key_pack(a), pncp_key_pack(b))) == order);
    FUZZ_CHECK(pncp_key_eq(a, b) == (order == 0));
}

static void check_controle(struct pncp_view text)
{
    struct pncp_key key, again;
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(text);
    if (pncp_key_from_controle((struct pncp_view){exact, text.len}, &key, NULL) != PNCP_OK)
        return;
    char canonical[64];
    check_sound(&key);
    (void)snprintf(canonical, sizeof(canonical), "%s-1-%06d/%d", key.cnpj, key.sequencial, key.ano);
    FUZZ_CHECK(pncp_key_from_controle(pncp_view_of(canonical), &again, NULL) == PNCP_OK && pncp_key_eq(&key, &again));
}

static void check_reason(struct pncp_view text)
{
    enum pncp_reason reason, again;
    long status, status_again;
    char formatted[PNCP_REASON_TEXT_BYTES];
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(text);
    if (!pncp_reason_parse((struct pncp_view){exact, text.len}, &reason, &status))
        return;
    FUZZ_CHECK(reason == PNCP_REASON_HTTP ? status >= 0 && status <= 999 : status == 0);
    pncp_reason_format(reason, status, formatted);
    FUZZ_CHECK(pncp_reason_parse(pncp_view_of(formatted), &again, &status_again));
    FUZZ_CHECK(reason == again && status == status_again);
}

/* `url` must be the base, then a path of that shape (see reference_shape; the key's CNPJ stands in it as it is). */
static void check_url(const struct pncp_buf *url, const char *base, const char *path)
{
    FUZZ_CHECK(url->data != NULL && strlen(url->data) == url->len && url->len < PNCP_URL_MAX_BYTES);
    FUZZ_CHECK(pncp_view_starts(pncp_buf_view(url), base));
    FUZZ_CHECK(strcmp(url->data + strlen(base), path) == 0);
}

static void check_requests(const char *base, const struct pncp_key *key)
{
    AUTO(pncp_buf_release) struct pncp_buf url = {0};
    char path[256];
    struct pncp_date date;
    FUZZ_CHECK(pncp_date_from_civil(key->ano, 12, 31, &date));
    FUZZ_CHECK(pncp_url_listing(&url, base, date, 6, 2, PNCP_PAGE_ROWS_LISTING) == PNCP_OK);
    (void)snprintf(path, sizeof(path),
                   "/v1/contratacoes/publicacao?dataInicial=%04d1231&dataFinal=%04d1231&codigoModalidadeContratacao=6"
                   "&pagina=2&tamanhoPagina=50",
                   key->ano, key->ano);
    check_url(&url, base, path);
    for (int part = 0; part < PNCP_PARTS; part++) {
        const char *name = part == PNCP_PART_ITENS ? "itens" : "arquivos";
        FUZZ_CHECK(pncp_url_part(&url, base, key, (enum pncp_part)part, UINT32_MAX, 1) == PNCP_OK);
        (void)snprintf(path, sizeof(path), "/v1/orgaos/%s/compras/%d/%d/%s?pagina=4294967295&tamanhoPagina=1",
                       key->cnpj, key->ano, key->sequencial, name);
        check_url(&url, base, path);
        FUZZ_CHECK(pncp_url_quantidade(&url, base, key, (enum pncp_part)part) == PNCP_OK);
        (void)snprintf(path, sizeof(path), "/v1/orgaos/%s/compras/%d/%d/%s/quantidade", key->cnpj, key->ano,
                       key->sequencial, name);
        check_url(&url, base, path);
    }
    FUZZ_CHECK(pncp_url_compra(&url, base, key) == PNCP_OK);
    (void)snprintf(path, sizeof(path), "/v1/orgaos/%s/compras/%d/%d", key->cnpj, key->ano, key->sequencial);
    check_url(&url, base, path);
}

static void check_base(struct pncp_view text, const struct pncp_key *key)
{
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_free_ptr) char *given = fuzz_string(text);
    AUTO(pncp_buf_release) struct pncp_buf base = {0}, again = {0};
    enum pncp_code rc = pncp_url_base(given, &base, &err);
    if (rc != PNCP_OK) {
        FUZZ_CHECK(rc == PNCP_E_USAGE && err.msg[0] != '\0' && base.len == 0);
        return;
    }
    FUZZ_CHECK(strlen(base.data) == base.len && base.len <= PNCP_URL_MAX_BYTES / 2);
    FUZZ_CHECK(pncp_view_starts(pncp_view_of(given), base.data) && base.data[base.len - 1] != '/');
    FUZZ_CHECK(strspn(given + base.len, "/") == strlen(given) - base.len); /* only slashes are dropped */
    FUZZ_CHECK(pncp_url_base(base.data, &again, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_view_eq(pncp_buf_view(&base), pncp_buf_view(&again)));
    if (key != NULL)
        check_requests(base.data, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    struct pncp_key key, other;
    bool is_key = parse_key(line_of(&in), &key);
    if (parse_key(line_of(&in), &other) && is_key)
        check_order(&key, &other);
    struct pncp_view third = line_of(&in);
    check_controle(third);
    check_reason(third);
    check_base(line_of(&in), is_key ? &key : NULL);
    return 0;
}
