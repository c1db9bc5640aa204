/*
 * What says where an S3 lake is and who we are to it: the files of the AWS tools, an address, the answers with
 * credentials.
 * Input: a byte: credentials file, config file, address, STS's XML, a container's JSON; the text.
 * True: what a file says of a profile is what it says once more of the same lines twice; values are trimmed, of one
 * line and stand in the file. A host formats to one that parses to the same. Credentials are such that headers can hold
 * them, and stand in the answer. An error is a malformed file or answer.
 */
#include "fuzz.h"
#include "lake/s3_config_int.h"
#include "lake/s3_credentials_int.h"

#include <ctype.h>

static bool has(struct pncp_view text, const char *value)
{
    return memmem(text.data, text.len, value, strlen(value)) != NULL;
}

static void check_file(struct pncp_view text, enum pncp_s3_file file)
{
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {.name = pncp_strdup("p")};
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile twice = {.name = pncp_strdup("p")};
    struct pncp_err err = PNCP_ERR_INIT;
    FUZZ_CHECK(profile.name != NULL && twice.name != NULL);
    enum pncp_code rc = pncp_s3_profile_parse(&profile, file, "f", text, &err);
    if (rc != PNCP_OK) {
        FUZZ_CHECK(rc == PNCP_E_PARSE && strncmp(err.msg, "f line ", 7) == 0);
        return;
    }
    for (int i = 0; i < 2; i++)
        FUZZ_CHECK(pncp_s3_profile_parse(&twice, file, "f", text, NULL) == PNCP_OK);
    FUZZ_CHECK(profile.found == twice.found && profile.unsupported == twice.unsupported);
    for (size_t i = 0; i < PNCP_S3_SETTINGS; i++) {
        const char *value = profile.values[file][i], *again = twice.values[file][i];
        FUZZ_CHECK((value == NULL) == (again == NULL) && profile.values[1 - file][i] == NULL);
        if (value == NULL)
            continue;
        FUZZ_CHECK(profile.found && strcmp(value, again) == 0 && value[0] != '\0' && strchr(value, '\n') == NULL);
        FUZZ_CHECK(strchr(" \t\r", value[0]) == NULL && strchr(" \t\r", value[strlen(value) - 1]) == NULL);
        FUZZ_CHECK(has(text, value));
    }
}

static void check_address(struct pncp_view text)
{
    AUTO(pncp_free_ptr) char *given = fuzz_string(text);
    struct pncp_s3_address address, again;
    char host[PNCP_S3_HOST_BYTES], url[PNCP_S3_HOST_BYTES + 8], host_again[PNCP_S3_HOST_BYTES];
    const char *wrong = pncp_s3_address_parse(given, &address);
    if (wrong != NULL) {
        FUZZ_CHECK(strncmp(wrong, "is ", 3) == 0 || strncmp(wrong, "has ", 4) == 0);
        return;
    }
    FUZZ_CHECK(address.host.len > 0 && address.host.len <= PNCP_S3_HOST_MAX_BYTES && address.port <= 65535);
    FUZZ_CHECK(address.rest.data + address.rest.len == given + strlen(given));
    FUZZ_CHECK(address.rest.len == 0 || strchr("/?#", address.rest.data[0]) != NULL);
    pncp_s3_address_host(&address, host);
    for (const char *c = host; *c != '\0'; c++)
        FUZZ_CHECK(islower((unsigned char)*c) || isdigit((unsigned char)*c) || strchr(".-_:[]", *c) != NULL);
    (void)snprintf(url, sizeof(url), "%s://%s", address.tls ? "https" : "http", host);
    FUZZ_CHECK(pncp_s3_address_parse(url, &again) == NULL && again.port == address.port && again.rest.len == 0);
    pncp_s3_address_host(&again, host_again);
    FUZZ_CHECK(strcmp(host, host_again) == 0);
}

static bool is_for_headers(const char *value)
{
    size_t len = strlen(value);
    for (size_t i = 0; i < len; i++) {
        if (value[i] <= ' ' || value[i] > '~')
            return false;
    }
    return len > 0 && len <= PNCP_S3_TOKEN_MAX_BYTES;
}

static void check_answer(struct pncp_view text, bool xml)
{
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc =
        xml ? pncp_s3_keys_parse_xml(text, "f", &keys, &err) : pncp_s3_keys_parse_json(text, "f", &keys, &err);
    if (rc != PNCP_OK) {
        FUZZ_CHECK(rc == PNCP_E_PARSE && strncmp(err.msg, "credentials from f: ", 20) == 0);
        FUZZ_CHECK(keys.access_key == NULL && keys.secret_key == NULL && keys.session_token == NULL);
        return;
    }
    FUZZ_CHECK(is_for_headers(keys.access_key) && (keys.session_token == NULL || is_for_headers(keys.session_token)));
    FUZZ_CHECK(keys.secret_key[0] != '\0' && strpbrk(keys.secret_key, "\r\n") == NULL);
    FUZZ_CHECK(xml ? keys.expires_at_s > 0 : keys.expires_at_s >= 0);
    if (xml)
        FUZZ_CHECK(has(text, keys.access_key) && has(text, keys.secret_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    unsigned kind = fuzz_byte(&in) % 5;
    struct pncp_view rest = fuzz_rest(&in);
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(rest);
    struct pncp_view text = {exact, rest.len};
    if (kind < 2)
        check_file(text, (enum pncp_s3_file)kind);
    else if (kind == 2)
        check_address(text);
    else
        check_answer(text, kind == 3);
    return 0;
}
