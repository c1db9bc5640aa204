#include "lake/s3_config.h"
#include "base/mem.h"
#include "lake/s3_config_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BUCKET_MIN_BYTES 3 /* "General purpose bucket naming rules", Amazon S3 user guide */
#define BUCKET_MAX_BYTES 63
#define REGION_MAX_BYTES 64 /* the longest of AWS has 14; other stores have names of their own */
#define REGION_DEFAULT "us-east-1"

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "where the lake is: out of memory");
}

/* Is every byte a letter, a digit, or one of `more`? */
static bool is_made_of(struct pncp_view text, bool capitals, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool known = (c >= 'a' && c <= 'z') || (capitals && c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!known && (c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return true;
}

/* ---- an address ------------------------------------------------------------------------------ */

/* Take what is behind the host's end: nothing, or ":port". */
static const char *parse_port(struct pncp_view text, struct pncp_s3_address *address)
{
    uint64_t port;
    if (text.len == 0)
        return NULL;
    if (text.data[0] != ':')
        return "has a strange host";
    if (!pncp_view_u64(pncp_view_from(text, 1), &port) || port < 1 || port > 65535)
        return "has a port that is not in 1..65535";
    address->port = port == (address->tls ? 443 : 80) ? 0 : (unsigned)port;
    return NULL;
}

const char *pncp_s3_address_parse(const char *text, struct pncp_s3_address *ret_address)
{
    struct pncp_s3_address address = {0};
    size_t scheme = strncasecmp(text, "https://", 8) == 0 ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
    if (scheme == 0)
        return "is not an http or https URL";
    address.tls = scheme == 8;
    size_t authority = strcspn(text + scheme, "/?#");
    struct pncp_view host = {text + scheme, authority};
    if (memchr(host.data, '@', host.len) != NULL)
        return "has user info";
    bool bracketed = host.len > 0 && host.data[0] == '[';
    const char *end = memchr(host.data, bracketed ? ']' : ':', host.len);
    size_t host_len = end == NULL ? host.len : (size_t)(end - host.data) + bracketed;
    if (host_len == 0)
        return "has no host";
    address.host = (struct pncp_view){host.data, host_len};
    struct pncp_view name = bracketed ? (struct pncp_view){host.data + 1, host_len - 1} : address.host;
    if (bracketed && end == NULL)
        return "has a strange host";
    name.len -= bracketed;
    if (name.len == 0 || host_len > PNCP_S3_HOST_MAX_BYTES || !is_made_of(name, true, bracketed ? ".:" : ".-_"))
        return "has a strange host";
    address.rest = pncp_view_of(text + scheme + authority);
    const char *wrong = parse_port(pncp_view_from(host, host_len), &address);
    if (wrong == NULL)
        *ret_address = address;
    return wrong;
}

void pncp_s3_address_host(const struct pncp_s3_address *address, char ret_host[PNCP_S3_HOST_BYTES])
{
    size_t len = address->host.len;
    memcpy(ret_host, address->host.data, len);
    ret_host[len] = '\0';
    for (char *c = ret_host; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    if (address->port != 0)
        (void)snprintf(ret_host + len, PNCP_S3_HOST_BYTES - len, ":%u", address->port);
}

/* ---- the URL --------------------------------------------------------------------------------- */

static bool is_bucket(struct pncp_view name)
{
    if (name.len < BUCKET_MIN_BYTES || name.len > BUCKET_MAX_BYTES || !is_made_of(name, false, ".-"))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        if (name.data[i] == '.' && name.data[i - 1] == '.')
            return false;
    }
    return is_made_of((struct pncp_view){name.data, 1}, false, "") &&
           is_made_of(pncp_view_from(name, name.len - 1), false, "");
}

static enum pncp_code take_bucket(struct pncp_view name, struct pncp_s3_config *config, struct pncp_err *err)
{
    const char *from = "--lake";
    if (name.len == 0) {
        from = "BUCKET_BRONZE";
        name = pncp_view_of(pncp_s3_env(from));
    }
    if (name.len == 0)
        return pncp_err_set(err, PNCP_E_USAGE, "--lake s3:// names no bucket: give s3://bucket[/prefix], or set %s",
                            from);
    if (!is_bucket(name))
        return pncp_err_set(
            err, PNCP_E_USAGE,
            "%s: \"%.*s\" cannot be a bucket: %d to %d of a-z, 0-9, '.' and '-', with a letter or digit at "
            "both ends and no two dots together",
            from, (int)PNCP_MIN(name.len, (size_t)100), name.data, BUCKET_MIN_BYTES, BUCKET_MAX_BYTES);
    return pncp_s3_keep(&config->bucket, name) == PNCP_OK ? PNCP_OK : no_memory(err);
}

/* What is wrong with a prefix that has no slash at its end, or NULL. */
static const char *wrong_with_prefix(struct pncp_view prefix)
{
    for (size_t at = 0; at < prefix.len;) {
        const char *slash = memchr(prefix.data + at, '/', prefix.len - at);
        size_t end = slash == NULL ? prefix.len : (size_t)(slash - prefix.data);
        struct pncp_view segment = {prefix.data + at, end - at};
        if (segment.len == 0)
            return "has an empty segment";
        if (pncp_view_eq_text(segment, ".") || pncp_view_eq_text(segment, "..")) /* URLs are made without those */
            return "has . or .. as a segment";
        at = end + 1;
    }
    for (size_t i = 0; i < prefix.len; i++) {
        if ((unsigned char)prefix.data[i] < 0x20 || prefix.data[i] == 0x7F)
            return "has a control character";
    }
    return pncp_view_is_utf8(prefix) ? NULL : "is not UTF-8";
}

/* `bucket`: how the URL has it, perhaps empty. */
static enum pncp_code take_prefix(struct pncp_view bucket, struct pncp_view prefix, struct pncp_s3_config *config,
                                  struct pncp_err *err)
{
    static const char folder[] = "pncp_details";
    while (prefix.len > 0 && prefix.data[prefix.len - 1] == '/')
        prefix.len--;
    const char *wrong = wrong_with_prefix(prefix);
    if (wrong != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "--lake: the prefix \"%.*s\" %s", (int)PNCP_MIN(prefix.len, (size_t)200),
                            prefix.data, wrong);
    if (prefix.len > PNCP_S3_PREFIX_MAX_BYTES)
        return pncp_err_set(err, PNCP_E_USAGE, "--lake: a prefix of more than %d bytes", PNCP_S3_PREFIX_MAX_BYTES);
    bool whole = pncp_view_eq_text(prefix, folder);
    if (whole || pncp_view_ends(prefix, "/pncp_details")) {
        size_t parent = whole ? 0 : prefix.len - sizeof(folder);
        return pncp_err_set(err, PNCP_E_USAGE,
                            "the lake is given without its pncp_details folder: use --lake s3://%.*s%s%.*s",
                            (int)bucket.len, bucket.data, parent == 0 ? "" : "/", (int)parent, prefix.data);
    }
    return pncp_s3_keep(&config->prefix, prefix) == PNCP_OK ? PNCP_OK : no_memory(err);
}

static enum pncp_code take_url(const char *url, struct pncp_s3_config *config, struct pncp_err *err)
{
    static const char scheme[] = "s3://";
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return pncp_err_set(err, PNCP_E_USAGE, "--lake %.200s: give s3://bucket[/prefix]", url);
    struct pncp_view bucket = {url + strlen(scheme), strcspn(url + strlen(scheme), "/")};
    struct pncp_view prefix = pncp_view_of(bucket.data + bucket.len);
    enum pncp_code rc = take_bucket(bucket, config, err);
    if (rc == PNCP_OK)
        rc = take_prefix(bucket, prefix.len == 0 ? prefix : pncp_view_from(prefix, 1), config, err);
    return rc;
}

/* ---- settings and where they come from ------------------------------------------------------- */

struct origin {
    const char *value; /* NULL: nobody sets it */
    char from[320];    /* variable, or setting and file */
};

/* The first variable that is set; NULL ends them. */
static bool find_variable(const char *const *variables, struct origin *ret_origin)
{
    for (; *variables != NULL; variables++) {
        ret_origin->value = pncp_s3_env(*variables);
        (void)snprintf(ret_origin->from, sizeof(ret_origin->from), "%s", *variables);
        if (ret_origin->value != NULL)
            return true;
    }
    return false;
}

static bool find_in_profile(const struct pncp_s3_profile *profile, enum pncp_s3_setting setting,
                            struct origin *ret_origin)
{
    const char *path;
    ret_origin->value = pncp_s3_profile_get(profile, setting, &path);
    if (ret_origin->value == NULL)
        return false;
    (void)snprintf(ret_origin->from, sizeof(ret_origin->from), "%s of profile \"%.80s\" in %.180s",
                   pncp_s3_setting_name(setting), profile->name, path);
    return true;
}

static enum pncp_code take_region(const struct pncp_s3_profile *profile, struct pncp_s3_config *config,
                                  struct pncp_err *err)
{
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION", "MINIO_REGION_NAME", NULL};
    struct origin region;
    if (!find_variable(variables, &region) && !find_in_profile(profile, PNCP_S3_REGION, &region))
        region.value = REGION_DEFAULT;
    struct pncp_view name = pncp_view_of(region.value);
    if (name.len > REGION_MAX_BYTES || !is_made_of(name, true, "-_"))
        return pncp_err_set(err, PNCP_E_USAGE, "%s: is not the name of a region", region.from);
    return pncp_s3_keep(&config->region, name) == PNCP_OK ? PNCP_OK : no_memory(err);
}

static const char *wrong_with_path(struct pncp_view rest)
{
    while (rest.len > 0 && rest.data[0] == '/')
        rest = pncp_view_from(rest, 1);
    if (rest.len == 0)
        return NULL;
    return memchr(rest.data, '?', rest.len) != NULL ? "has a query"
           : rest.data[0] == '#'                    ? "has a fragment"
                                                    : "has a path";
}

static enum pncp_code take_endpoint(const struct origin *endpoint, struct pncp_s3_config *config, struct pncp_err *err)
{
    struct pncp_s3_address address;
    char host[PNCP_S3_HOST_BYTES];
    const char *wrong = pncp_s3_address_parse(endpoint->value, &address);
    if (wrong == NULL)
        wrong = wrong_with_path(address.rest);
    if (wrong != NULL) /* its value is not quoted: user info and queries hold secrets */
        return pncp_err_set(err, PNCP_E_USAGE, "%s: %s; give http://host:port or https://host:port", endpoint->from,
                            wrong);
    pncp_s3_address_host(&address, host);
    config->path_style = true;
    config->host = pncp_strdup(host);
    config->endpoint = pncp_asprintf("%s://%s", address.tls ? "https" : "http", host);
    return config->host != NULL && config->endpoint != NULL ? PNCP_OK : no_memory(err);
}

/* "Amazon S3 path-style and virtual-hosted-style requests", Amazon S3 user guide. China is a partition of its own. */
static enum pncp_code take_aws(const struct pncp_s3_profile *profile, struct pncp_s3_config *config,
                               struct pncp_err *err)
{
    const char *suffix = strncmp(config->region, "cn-", 3) == 0 ? ".cn" : "";
    struct origin style;
    config->path_style = strchr(config->bucket, '.') != NULL;
    if (find_in_profile(profile, PNCP_S3_ADDRESSING_STYLE, &style)) {
        if (strcmp(style.value, "path") == 0)
            config->path_style = true;
        else if (strcmp(style.value, "virtual") != 0 && strcmp(style.value, "auto") != 0)
            return pncp_err_set(err, PNCP_E_USAGE, "%s: is none of path, virtual, auto", style.from);
    }
    config->host = pncp_asprintf("%s%ss3.%s.amazonaws.com%s", config->path_style ? "" : config->bucket,
                                 config->path_style ? "" : ".", config->region, suffix);
    if (config->host != NULL)
        config->endpoint = pncp_asprintf("https://%s", config->host);
    return config->endpoint != NULL ? PNCP_OK : no_memory(err);
}

static enum pncp_code take_ca_bundle(const struct pncp_s3_profile *profile, struct pncp_s3_config *config,
                                     struct pncp_err *err)
{
    static const char *const aws[] = {"AWS_CA_BUNDLE", NULL}, *const others[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE",
                                                                                 NULL};
    struct origin bundle;
    if (!find_variable(aws, &bundle) && !find_in_profile(profile, PNCP_S3_CA_BUNDLE, &bundle) &&
        !find_variable(others, &bundle))
        return PNCP_OK;
    config->ca_bundle = pncp_strdup(bundle.value);
    return config->ca_bundle != NULL ? PNCP_OK : no_memory(err);
}

enum pncp_code pncp_s3_config_load(const char *url, struct pncp_s3_config *ret_config, struct pncp_err *err)
{
    static const char *const variables[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MINIO_ENDPOINT_URL", NULL};
    AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {0};
    struct origin endpoint;
    enum pncp_code rc = take_url(url, &config, err);
    if (rc == PNCP_OK)
        rc = pncp_s3_profile_load(&profile, err);
    if (rc == PNCP_OK)
        rc = take_region(&profile, &config, err);
    if (rc != PNCP_OK)
        return rc;
    if (find_variable(variables, &endpoint) || find_in_profile(&profile, PNCP_S3_ENDPOINT_URL, &endpoint))
        rc = take_endpoint(&endpoint, &config, err);
    else
        rc = take_aws(&profile, &config, err);
    if (rc == PNCP_OK)
        rc = take_ca_bundle(&profile, &config, err);
    if (rc != PNCP_OK)
        return rc;
    *ret_config = config;
    config = (struct pncp_s3_config){0};
    return PNCP_OK;
}

void pncp_s3_config_release(struct pncp_s3_config *config)
{
    pncp_free(config->endpoint);
    pncp_free(config->host);
    pncp_free(config->bucket);
    pncp_free(config->prefix);
    pncp_free(config->region);
    pncp_free(config->ca_bundle);
    *config = (struct pncp_s3_config){0};
}
