#include "lake/sigv4.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define OWN_HEADERS 4    /* host, x-amz-content-sha256, x-amz-date, x-amz-security-token */
#define STAMP_DATE_LEN 8 /* of "20130524T000000Z" the date */
#define BLANK " \t\n\v\f\r"

enum pncp_code pncp_sha256_hex(const void *data, size_t len, char ret_hex[PNCP_SHA256_HEX_BYTES])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    if (SHA256(data, len, hash) == NULL)
        return PNCP_E_NOMEM;
    pncp_hex(hash, sizeof(hash), ret_hex);
    return PNCP_OK;
}

/* ---- the target ------------------------------------------------------------------------------ */

static bool is_unreserved(char c) /* isalnum would ask the locale */
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

enum pncp_code pncp_percent_encode(struct pncp_buf *buf, const char *text, bool keep_slashes)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;
    for (const char *c = text; *c != '\0'; c++)
        len += is_unreserved(*c) || (*c == '/' && keep_slashes) ? 1 : 3;
    enum pncp_code rc = pncp_buf_reserve(buf, len);
    if (rc != PNCP_OK)
        return rc;
    for (const char *c = text; *c != '\0'; c++) {
        if (is_unreserved(*c) || (*c == '/' && keep_slashes)) {
            buf->data[buf->len++] = *c;
            continue;
        }
        buf->data[buf->len++] = '%';
        buf->data[buf->len++] = digits[(unsigned char)*c >> 4];
        buf->data[buf->len++] = digits[(unsigned char)*c & 15];
    }
    return PNCP_OK;
}

/* Where a raw byte stands among encoded ones: the end of the text first; then what is encoded, because '%' is less than
 * all that stays, and in the order of the bytes, because hex digits are; then what stays. */
static int encoded_rank(char c)
{
    return (is_unreserved(c) ? 256 : 0) + (unsigned char)c;
}

/* The order of two texts once they are encoded. */
static int encoded_order(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return encoded_rank(*a) - encoded_rank(*b);
}

/* By name, then value: not by "name=value", where "a-b" would stand before "a". */
static int query_order(const void *a, const void *b)
{
    const struct pncp_sigv4_pair *x = a, *y = b;
    int order = encoded_order(x->name, y->name);
    return order != 0 ? order : encoded_order(x->value, y->value);
}

static enum pncp_code put_target(const struct pncp_sigv4_request *request, struct pncp_buf *target)
{
    struct pncp_sigv4_pair query[PNCP_SIGV4_PAIRS_MAX];
    if (request->query_count > PNCP_SIGV4_PAIRS_MAX)
        return PNCP_E_LIMIT;
    for (size_t i = 0; i < request->query_count; i++)
        query[i] = request->query[i];
    qsort(query, request->query_count, sizeof(query[0]), query_order);

    assert(request->path[0] == '/');
    enum pncp_code rc = pncp_percent_encode(target, request->path, true);
    for (size_t i = 0; rc == PNCP_OK && i < request->query_count; i++) {
        rc = pncp_buf_text(target, i == 0 ? "?" : "&");
        if (rc == PNCP_OK)
            rc = pncp_percent_encode(target, query[i].name, false);
        if (rc == PNCP_OK)
            rc = pncp_buf_text(target, "=");
        if (rc == PNCP_OK)
            rc = pncp_percent_encode(target, query[i].value, false);
    }
    if (rc == PNCP_OK)
        rc = pncp_buf_append(target, "", 1);
    if (rc == PNCP_OK)
        target->len--;
    return rc;
}

/* ---- the headers ----------------------------------------------------------------------------- */

/* "name:value" and '\n', the value's white space as it is signed. */
static enum pncp_code put_header(struct pncp_buf *lines, const char *name, const char *value)
{
    enum pncp_code rc = pncp_buf_text(lines, name);
    const char *before = ":", *word = value + strspn(value, BLANK);
    assert(*word != '\0');
    while (rc == PNCP_OK && *word != '\0') {
        size_t len = strcspn(word, BLANK);
        rc = pncp_buf_text(lines, before);
        if (rc == PNCP_OK)
            rc = pncp_buf_append(lines, word, len);
        before = " ";
        word += len + strspn(word + len, BLANK);
    }
    return rc == PNCP_OK ? pncp_buf_text(lines, "\n") : rc;
}

/* By name: not by "name:value", where "x-amz-meta-a-b" would stand before "x-amz-meta-a". */
static int header_order(const void *a, const void *b)
{
    const struct pncp_sigv4_pair *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Lines that end in '\n', as the canonical request has them; their names "a;b;c". */
static enum pncp_code put_headers(const struct pncp_sigv4_key *key, const struct pncp_sigv4_request *request,
                                  const char *stamp, struct pncp_buf *lines, struct pncp_buf *names)
{
    struct pncp_sigv4_pair headers[PNCP_SIGV4_PAIRS_MAX + OWN_HEADERS];
    size_t count = 0;
    if (request->header_count > PNCP_SIGV4_PAIRS_MAX)
        return PNCP_E_LIMIT;
    for (; count < request->header_count; count++)
        headers[count] = request->headers[count];
    headers[count++] = (struct pncp_sigv4_pair){"host", request->host};
    headers[count++] = (struct pncp_sigv4_pair){"x-amz-date", stamp};
    if (strcmp(key->service, "s3") == 0)
        headers[count++] = (struct pncp_sigv4_pair){"x-amz-content-sha256", request->payload_hash};
    if (key->session_token != NULL && key->session_token[strspn(key->session_token, BLANK)] != '\0')
        headers[count++] = (struct pncp_sigv4_pair){"x-amz-security-token", key->session_token};
    qsort(headers, count, sizeof(headers[0]), header_order);

    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < count; i++) {
        assert(i == 0 || header_order(&headers[i - 1], &headers[i]) < 0);
        rc = pncp_buf_format(names, "%s%s", i == 0 ? "" : ";", headers[i].name);
        if (rc == PNCP_OK)
            rc = put_header(lines, headers[i].name, headers[i].value);
    }
    return rc;
}

/* ---- the signature --------------------------------------------------------------------------- */

/* The key of the day, region and service is made from the secret, and signs `text`: five HMACs in a row, each with the
 * one before as its key. */
static enum pncp_code make_signature(const struct pncp_sigv4_key *key, const char *stamp, const struct pncp_buf *text,
                                     char ret_hex[PNCP_SHA256_HEX_BYTES])
{
    const struct pncp_view steps[] = {{stamp, STAMP_DATE_LEN},
                                      pncp_view_of(key->region),
                                      pncp_view_of(key->service),
                                      PNCP_VIEW_LIT("aws4_request"),
                                      pncp_buf_view(text)};
    char *secret = pncp_asprintf("AWS4%s", key->secret_key);
    if (secret == NULL)
        return PNCP_E_NOMEM;
    size_t secret_len = strlen(secret);
    unsigned char mac[SHA256_DIGEST_LENGTH] = {0}, next[SHA256_DIGEST_LENGTH] = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < PNCP_ARRAY_LEN(steps); i++) {
        const void *with = i == 0 ? (const void *)secret : mac;
        int with_len = i == 0 ? (int)secret_len : SHA256_DIGEST_LENGTH;
        ok = HMAC(EVP_sha256(), with, with_len, (const unsigned char *)steps[i].data, steps[i].len, next, NULL) != NULL;
        memcpy(mac, next, sizeof(mac));
    }
    if (ok)
        pncp_hex(mac, sizeof(mac), ret_hex);
    OPENSSL_cleanse(mac, sizeof(mac));
    OPENSSL_cleanse(next, sizeof(next));
    OPENSSL_cleanse(secret, secret_len);
    pncp_free(secret);
    return ok ? PNCP_OK : PNCP_E_NOMEM;
}

enum pncp_code pncp_sigv4_sign(const struct pncp_sigv4_key *key, const struct pncp_sigv4_request *request,
                               struct pncp_buf *ret_target, struct pncp_buf *ret_headers)
{
    AUTO(pncp_buf_release) struct pncp_buf names = {0};
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    char stamp[PNCP_STAMP_BASIC_BYTES], hash[PNCP_SHA256_HEX_BYTES], signature[PNCP_SHA256_HEX_BYTES];
    pncp_stamp_format_basic(request->time_us, stamp);
    pncp_buf_clear(ret_target);
    pncp_buf_clear(ret_headers);
    enum pncp_code rc = put_target(request, ret_target);
    if (rc == PNCP_OK)
        rc = put_headers(key, request, stamp, ret_headers, &names);
    if (rc != PNCP_OK)
        return rc;

    /* canonical request */
    int path_len = (int)strcspn(ret_target->data, "?");
    const char *query = ret_target->data + path_len;
    rc = pncp_buf_format(&text, "%s\n%.*s\n%s\n%.*s\n%s\n%s", request->method, path_len, ret_target->data,
                         *query == '?' ? query + 1 : "", PNCP_VIEW_ARG(pncp_buf_view(ret_headers)), names.data,
                         request->payload_hash);
    if (rc == PNCP_OK)
        rc = pncp_sha256_hex(text.data, text.len, hash);
    if (rc != PNCP_OK)
        return rc;

    /* string to sign */
    pncp_buf_clear(&text);
    rc = pncp_buf_format(&text, ALGORITHM "\n%s\n%.*s/%s/%s/aws4_request\n%s", stamp, STAMP_DATE_LEN, stamp,
                         key->region, key->service, hash);
    if (rc == PNCP_OK)
        rc = make_signature(key, stamp, &text, signature);
    if (rc != PNCP_OK)
        return rc;

    pncp_buf_clear(&text);
    rc = pncp_buf_format(&text, ALGORITHM " Credential=%s/%.*s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
                         key->access_key, STAMP_DATE_LEN, stamp, key->region, key->service, names.data, signature);
    if (rc == PNCP_OK)
        rc = put_header(ret_headers, "authorization", text.data);
    for (size_t i = 0; i < ret_headers->len; i++) {
        if (ret_headers->data[i] == '\n')
            ret_headers->data[i] = '\0';
    }
    return rc;
}
