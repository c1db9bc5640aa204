/* The sources of credentials, in their order. */
#include "base/clock.h"
#include "base/mem.h"
#include "lake/s3_config_int.h"
#include "lake/s3_credentials_int.h"
#include "lake/s3_xml.h"
#include "lake/sigv4.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define CONTAINER_HOST "http://169.254.170.2"
#define SESSION_NAME "pncp-details"

struct asker {
    const char *region;
    pncp_s3_fetch_fn *fetch;
    void *ctx;
    int64_t now_s;
};

/* PNCP_E_NOTFOUND, without a message: that source is not set. */
typedef enum pncp_code provider_fn(const struct asker *asker, struct pncp_s3_keys *keys, struct pncp_err *err);

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "credentials: out of memory");
}

/* ---- three values ---------------------------------------------------------------------------- */

enum { ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, VALUES };

struct triple {
    const char *from;          /* for messages */
    const char *names[VALUES]; /* what they are called there */
    struct pncp_view values[VALUES];
    enum pncp_code malformed; /* what it is when they make no sense */
};

/* NULL, or what is wrong. A secret is only hashed, the others are written into headers. A file that an editor or `echo`
 * ended with a line break is the usual case. */
static const char *wrong_with(struct pncp_view value, bool is_secret)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x20 || c == 0x7F)
            return "has a line break or another control character";
        if (!is_secret && (c == ' ' || c > 0x7E))
            return "has a blank or a character that is not ASCII";
    }
    if (value.len > 0 && (value.data[0] == ' ' || value.data[value.len - 1] == ' '))
        return "begins or ends with a blank";
    return value.len > PNCP_S3_TOKEN_MAX_BYTES ? "is too long" : NULL;
}

static enum pncp_code keep_triple(const struct triple *triple, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    char **const slots[VALUES] = {&keys->access_key, &keys->secret_key, &keys->session_token};
    for (size_t i = 0; i < VALUES; i++) {
        if (triple->values[i].len == 0 && i == SESSION_TOKEN)
            continue;
        const char *wrong = triple->values[i].len == 0 ? "is missing" : wrong_with(triple->values[i], i == SECRET_KEY);
        if (wrong != NULL)
            return pncp_err_set(err, triple->malformed, "credentials from %s: %s %s", triple->from, triple->names[i],
                                wrong);
        if (pncp_s3_keep(slots[i], triple->values[i]) != PNCP_OK)
            return no_memory(err);
    }
    return PNCP_OK;
}

static bool has_a_key(const struct triple *triple)
{
    return triple->values[ACCESS_KEY].len > 0 || triple->values[SECRET_KEY].len > 0;
}

/* ---- the environment ------------------------------------------------------------------------- */

static enum pncp_code from_variables(const char *const names[VALUES], struct pncp_s3_keys *keys, struct pncp_err *err)
{
    struct triple triple = {.from = "the environment", .malformed = PNCP_E_USAGE};
    for (size_t i = 0; i < VALUES; i++) {
        triple.names[i] = names[i];
        triple.values[i] = pncp_view_of(names[i] == NULL ? NULL : pncp_s3_env(names[i]));
    }
    if (!has_a_key(&triple))
        return PNCP_E_NOTFOUND;
    keys->source = names[ACCESS_KEY];
    return keep_triple(&triple, keys, err);
}

static enum pncp_code from_aws(const struct asker *asker, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    static const char *const names[VALUES] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
    (void)asker;
    return from_variables(names, keys, err);
}

static enum pncp_code from_minio(const struct asker *asker, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    static const char *const names[VALUES] = {"MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", NULL};
    (void)asker;
    return from_variables(names, keys, err);
}

/* ---- what an HTTP answer says ---------------------------------------------------------------- */

static enum pncp_code take_expiry(struct pncp_view text, const char *from, struct pncp_s3_keys *keys,
                                  struct pncp_err *err)
{
    int64_t us;
    if (!pncp_datetime_parse(text, &us) || us <= 0)
        return pncp_err_set(err, PNCP_E_PARSE, "credentials from %s: Expiration is no time", from);
    keys->expires_at_s = us / 1000000;
    return PNCP_OK;
}

enum pncp_code pncp_s3_keys_parse_xml(struct pncp_view body, const char *from, struct pncp_s3_keys *ret_keys,
                                      struct pncp_err *err)
{
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct triple triple = {
        .from = from, .names = {"AccessKeyId", "SecretAccessKey", "SessionToken"}, .malformed = PNCP_E_PARSE};
    struct pncp_view all = pncp_s3_xml_first(body, "Credentials");
    for (size_t i = 0; i < VALUES; i++) {
        triple.values[i] = pncp_s3_xml_first(all, triple.names[i]);
        if (triple.values[i].len > 0 && memchr(triple.values[i].data, '<', triple.values[i].len) != NULL)
            return pncp_err_set(err, PNCP_E_PARSE, "credentials from %s: %s is no text", from, triple.names[i]);
    }
    enum pncp_code rc = keep_triple(&triple, &keys, err);
    if (rc == PNCP_OK)
        rc = take_expiry(pncp_s3_xml_first(all, "Expiration"), from, &keys, err);
    if (rc != PNCP_OK)
        return rc;
    *ret_keys = keys;
    keys = (struct pncp_s3_keys){0};
    return PNCP_OK;
}

static enum pncp_code keys_of_json(yyjson_val *root, const char *from, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    struct triple triple = {
        .from = from, .names = {"AccessKeyId", "SecretAccessKey", "Token"}, .malformed = PNCP_E_PARSE};
    for (size_t i = 0; i < VALUES; i++)
        triple.values[i] = pncp_json_text(pncp_json_get(root, triple.names[i]));
    enum pncp_code rc = keep_triple(&triple, keys, err);
    for (size_t i = 0; i < VALUES; i++) /* yyjson's own copy */
        explicit_bzero((char *)(uintptr_t)triple.values[i].data, triple.values[i].len);
    if (rc != PNCP_OK)
        return rc;
    yyjson_val *expiry = pncp_json_get(root, "Expiration");
    return expiry == NULL || yyjson_is_null(expiry) ? PNCP_OK : take_expiry(pncp_json_text(expiry), from, keys, err);
}

enum pncp_code pncp_s3_keys_parse_json(struct pncp_view body, const char *from, struct pncp_s3_keys *ret_keys,
                                       struct pncp_err *err)
{
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_code rc = pncp_json_parse(body, &json, NULL, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "credentials from %s", from);
    rc = keys_of_json(json.root, from, &keys, err);
    if (rc != PNCP_OK)
        return rc;
    *ret_keys = keys;
    keys = (struct pncp_s3_keys){0};
    return PNCP_OK;
}

/* Fresh ones that are over already: our clock or theirs is wrong. */
static enum pncp_code check_fresh(const struct asker *asker, const struct pncp_s3_keys *keys, const char *from,
                                  struct pncp_err *err)
{
    char stamp[PNCP_STAMP_TEXT_BYTES];
    if (keys->expires_at_s == 0 || keys->expires_at_s > asker->now_s)
        return PNCP_OK;
    pncp_stamp_format(keys->expires_at_s * 1000000, stamp);
    return pncp_err_transient(
        err, pncp_err_set(
                 err, PNCP_E_UNAVAILABLE,
                 "credentials from %s: the new ones have expired already, at %s: is the clock of this machine right?",
                 from, stamp));
}

static enum pncp_code ask(const struct asker *asker, const char *from, const char *url, const char *authorization,
                          const char *form, struct pncp_buf *body, struct pncp_err *err)
{
    struct pncp_err why = PNCP_ERR_INIT;
    *body = PNCP_BUF_INIT(PNCP_S3_ANSWER_MAX_BYTES);
    if (pncp_buf_reserve(body, PNCP_S3_ANSWER_MAX_BYTES) != PNCP_OK) /* now, so that growing leaves no copies */
        return no_memory(err);
    enum pncp_code rc = asker->fetch(asker->ctx, url, authorization, form, body, &why);
    if (rc == PNCP_OK)
        return PNCP_OK;
    why.msg[strcspn(why.msg, "?")] = '\0'; /* should it quote the URL */
    bool passes = rc != PNCP_E_NOMEM && rc != PNCP_E_CANCELLED;
    rc = pncp_err_set(err, passes ? PNCP_E_UNAVAILABLE : rc, "credentials from %s: %s", from,
                      why.msg[0] == '\0' ? pncp_code_name(rc) : why.msg);
    if (err != NULL) {
        err->transient = passes;
        err->http_status = why.http_status;
    }
    return rc;
}

/* ---- tokens in files ------------------------------------------------------------------------- */

/* What `variable` names, without the line break at its end, with a NUL behind it. */
static enum pncp_code read_token(const char *variable, struct pncp_buf *text, struct pncp_err *err)
{
    enum pncp_code rc = pncp_s3_read_file(pncp_s3_env(variable), PNCP_S3_TOKEN_MAX_BYTES, text, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "%s", variable);
    while (text->len > 0 && memchr(" \t\r\n", text->data[text->len - 1], 4) != NULL)
        text->len--;
    text->data[text->len] = '\0'; /* room for one byte more than the ceiling was taken */
    const char *wrong = text->len == 0 ? "is empty" : wrong_with(pncp_buf_view(text), true);
    return wrong == NULL
               ? PNCP_OK
               : pncp_err_set(err, PNCP_E_USAGE, "%s: the token in %s %s", variable, pncp_s3_env(variable), wrong);
}

/* ---- web identity ---------------------------------------------------------------------------- */

/* What STS is asked, and a NUL; to be wiped: the token is in it. */
static enum pncp_code make_form(const char *role, const char *token, struct pncp_buf *form)
{
    const char *session = pncp_s3_env("AWS_ROLE_SESSION_NAME");
    const struct {
        const char *key, *value;
    } fields[] = {{"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=", role},
                  {"&RoleSessionName=", session == NULL ? SESSION_NAME : session},
                  {"&WebIdentityToken=", token}};
    size_t bytes = 1;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(fields); i++)
        bytes += strlen(fields[i].key) + 3 * strlen(fields[i].value);
    enum pncp_code rc = pncp_buf_reserve(form, bytes); /* now, so that growing leaves no copies */
    for (size_t i = 0; rc == PNCP_OK && i < PNCP_ARRAY_LEN(fields); i++) {
        rc = pncp_buf_text(form, fields[i].key);
        if (rc == PNCP_OK)
            rc = pncp_percent_encode(form, fields[i].value, false);
    }
    return rc == PNCP_OK ? pncp_buf_append(form, "", 1) : rc;
}

/* STS's URL. It may have a path: MinIO's operator has one for each tenant. */
static enum pncp_code make_sts_url(const char *region, char **ret_url, struct pncp_err *err)
{
    static const char variable[] = "AWS_ENDPOINT_URL_STS";
    const char *given = pncp_s3_env(variable);
    struct pncp_s3_address address;
    if (given == NULL) {
        *ret_url =
            pncp_asprintf("https://sts.%s.amazonaws.com%s/", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
        return *ret_url == NULL ? no_memory(err) : PNCP_OK;
    }
    const char *wrong = pncp_s3_address_parse(given, &address);
    if (wrong == NULL && strcspn(given, "?# \t") != strlen(given))
        wrong = "has a query, a fragment or a blank";
    if (wrong != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "%s: %s", variable, wrong);
    *ret_url = pncp_asprintf("%s%s", given, address.rest.len == 0 ? "/" : "");
    return *ret_url == NULL ? no_memory(err) : PNCP_OK;
}

static enum pncp_code from_web_identity(const struct asker *asker, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    static const char file[] = "AWS_WEB_IDENTITY_TOKEN_FILE", role[] = "AWS_ROLE_ARN", from[] = "web identity (STS)";
    AUTO(pncp_s3_wipe_buf) struct pncp_buf token = {0};
    AUTO(pncp_s3_wipe_buf) struct pncp_buf body = {0};
    AUTO(pncp_s3_wipe_buf) struct pncp_buf form = {0};
    AUTO(pncp_s3_wipe_text) char *url = NULL;
    if (pncp_s3_env(file) == NULL)
        return PNCP_E_NOTFOUND;
    if (pncp_s3_env(role) == NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "credentials from %s: %s is missing", from, role);
    enum pncp_code rc = make_sts_url(asker->region, &url, err);
    if (rc == PNCP_OK)
        rc = read_token(file, &token, err);
    if (rc != PNCP_OK)
        return rc;
    rc = make_form(pncp_s3_env(role), token.data, &form) == PNCP_OK ? ask(asker, from, url, NULL, form.data, &body, err)
                                                                    : no_memory(err);
    if (rc == PNCP_OK)
        rc = pncp_s3_keys_parse_xml(pncp_buf_view(&body), from, keys, err);
    if (rc == PNCP_OK)
        rc = check_fresh(asker, keys, from, err);
    keys->source = "web identity";
    return rc;
}

/* ---- a container's endpoint ------------------------------------------------------------------ */

/* Without TLS only this machine, ECS and EKS are asked: the token goes along. */
static bool is_trusted(const struct pncp_s3_address *address)
{
    static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    char host[PNCP_S3_HOST_BYTES];
    struct pncp_s3_address portless = *address;
    portless.port = 0;
    pncp_s3_address_host(&portless, host);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(hosts); i++) {
        if (strcmp(host, hosts[i]) == 0)
            return true;
    }
    return address->tls || (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

/* PNCP_E_NOTFOUND: neither variable is set. */
static enum pncp_code make_container_url(char **ret_url, struct pncp_err *err)
{
    static const char relative[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                      full[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const char *variable = pncp_s3_env(relative) != NULL ? relative : full, *value = pncp_s3_env(variable), *wrong;
    struct pncp_s3_address address;
    if (value == NULL)
        return PNCP_E_NOTFOUND;
    if (wrong_with(pncp_view_of(value), false) != NULL)
        wrong = "has a blank or a strange character";
    else if (variable == relative)
        wrong = value[0] == '/' ? NULL : "does not begin with /";
    else
        wrong = pncp_s3_address_parse(value, &address);
    if (wrong == NULL && variable == full && !is_trusted(&address))
        wrong = "is http, but not at this machine: use https";
    if (wrong != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "%s: %s", variable, wrong);
    *ret_url = pncp_asprintf("%s%s", variable == relative ? CONTAINER_HOST : "", value);
    return *ret_url == NULL ? no_memory(err) : PNCP_OK;
}

static enum pncp_code from_container(const struct asker *asker, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    static const char file[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", direct[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                      from[] = "the container's endpoint";
    AUTO(pncp_s3_wipe_buf) struct pncp_buf token = {0};
    AUTO(pncp_s3_wipe_buf) struct pncp_buf body = {0};
    AUTO(pncp_s3_wipe_text) char *url = NULL;
    const char *authorization = pncp_s3_env(direct);
    enum pncp_code rc = make_container_url(&url, err);
    if (rc == PNCP_OK && pncp_s3_env(file) != NULL) { /* it is renewed: read each time, before the variable */
        rc = read_token(file, &token, err);
        authorization = token.data;
    } else if (rc == PNCP_OK && wrong_with(pncp_view_of(authorization), true) != NULL) {
        rc = pncp_err_set(err, PNCP_E_USAGE, "%s %s", direct, wrong_with(pncp_view_of(authorization), true));
    }
    if (rc == PNCP_OK)
        rc = ask(asker, from, url, authorization, NULL, &body, err);
    if (rc == PNCP_OK)
        rc = pncp_s3_keys_parse_json(pncp_buf_view(&body), from, keys, err);
    if (rc == PNCP_OK)
        rc = check_fresh(asker, keys, from, err);
    keys->source = "the container's endpoint";
    return rc;
}

/* ---- the profile, and the end ---------------------------------------------------------------- */

static enum pncp_code from_profile(const struct asker *asker, struct pncp_s3_keys *keys, struct pncp_err *err)
{
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {0};
    (void)asker;
    enum pncp_code rc = pncp_s3_profile_load(&profile, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t file = 0; file < PNCP_S3_FILES; file++) { /* all three from one: halves of two pairs are no pair */
        char from[320];
        struct triple triple = {.from = from, .malformed = PNCP_E_USAGE};
        for (size_t i = 0; i < VALUES; i++) {
            enum pncp_s3_setting setting = (enum pncp_s3_setting)(PNCP_S3_ACCESS_KEY + i);
            triple.names[i] = pncp_s3_setting_name(setting);
            triple.values[i] = pncp_view_of(profile.values[file][setting]);
        }
        if (!has_a_key(&triple))
            continue;
        (void)snprintf(from, sizeof(from), "profile \"%.80s\" in %.200s", profile.name, profile.paths[file]);
        keys->source = "the profile";
        return keep_triple(&triple, keys, err);
    }
    return PNCP_E_NOTFOUND;
}

static enum pncp_code nothing_set(struct pncp_err *err)
{
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {0};
    enum pncp_code rc = pncp_s3_profile_load(&profile, err);
    if (rc != PNCP_OK)
        return rc;
    const char *path = profile.paths[PNCP_S3_FILE_CREDENTIALS], *other = profile.unsupported;
    return pncp_err_set(
        err, PNCP_E_USAGE,
        "no credentials for the store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or MINIO_ACCESS_KEY "
        "and MINIO_SECRET_KEY, or put them into profile \"%.80s\" of %.180s%s%s%s",
        profile.name, path == NULL ? "~/.aws/credentials" : path, other == NULL ? "" : " (its ",
        other == NULL ? "" : other, other == NULL ? "" : " is not supported)");
}

enum pncp_code pncp_s3_keys_read(const char *region, pncp_s3_fetch_fn *fetch, void *ctx, int64_t now_s,
                                 struct pncp_s3_keys *ret_keys, struct pncp_err *err)
{
    static provider_fn *const providers[] = {from_aws, from_minio, from_web_identity, from_profile, from_container};
    const struct asker asker = {region, fetch, ctx, now_s};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(providers); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        enum pncp_code rc = providers[i](&asker, &keys, err);
        if (rc == PNCP_E_NOTFOUND)
            continue;
        if (rc != PNCP_OK)
            return rc;
        *ret_keys = keys;
        keys = (struct pncp_s3_keys){0};
        return PNCP_OK;
    }
    return nothing_set(err);
}
