/* Where an S3 lake is: URL, variables and the files of the AWS tools, and what each error says and keeps quiet about.
 */
#include "lake/s3_config.h"
#include "lake/s3_config_int.h"
#include "s3_fixture.h"

#define SECRET "SEGREDO/wJalrXUtnFEMI" /* is in no message */

/* Load with that environment and those files; NULL is none. */
static enum pncp_code load(const char *url, const char *env, const char *credentials, const char *config,
                           struct pncp_s3_config *ret_config, struct pncp_err *err)
{
    struct s3_home home;
    s3_home_open(&home);
    s3_env_set(&home, env);
    s3_home_put(&home, ".aws/credentials", credentials);
    s3_home_put(&home, ".aws/config", config);
    enum pncp_code rc = pncp_s3_config_load(url, ret_config, err);
    if (rc != PNCP_OK && (err->code != rc || err->msg[0] == '\0' || strstr(err->msg, SECRET) != NULL))
        fail_msg("%s: %s \"%s\"", url, pncp_code_name(rc), err->msg);
    s3_home_close(&home);
    return rc;
}

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* ---- the URL --------------------------------------------------------------------------------- */

static void a_url_is_bucket_and_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *url, *env, *bucket, *prefix;
    } cases[] = {
        {"s3://lh-bronze", NULL, "lh-bronze", ""},
        {"s3://lh-bronze/", NULL, "lh-bronze", ""},
        {"s3://lh-bronze/a", NULL, "lh-bronze", "a"},
        {"s3://lh-bronze/a/b c/ç//", NULL, "lh-bronze", "a/b c/ç"},
        {"s3://a.b-1/x.y/..z", NULL, "a.b-1", "x.y/..z"},
        {"s3://abc/my_pncp_details", NULL, "abc", "my_pncp_details"},
        {"s3://abc/pncp_details/x", NULL, "abc", "pncp_details/x"},
        {"s3://abc", "BUCKET_BRONZE=other", "abc", ""},
        {"s3://", "BUCKET_BRONZE=lh-bronze", "lh-bronze", ""},
        {"s3:///a/b", "BUCKET_BRONZE=lh-bronze", "lh-bronze", "a/b"},
        {"s3://012345678901234567890123456789012345678901234567890123456789012", NULL,
         "012345678901234567890123456789012345678901234567890123456789012", ""},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        if (load(cases[i].url, cases[i].env, NULL, NULL, &config, &err) != PNCP_OK)
            fail_msg("%s: %s", cases[i].url, err.msg);
        assert_string_equal(config.bucket, cases[i].bucket);
        assert_string_equal(config.prefix, cases[i].prefix);
    }
}

static void what_is_no_lake_is_a_usage_error(void **state)
{
    (void)state;
    static const struct {
        const char *url, *env, *says;
    } cases[] = {
        {"s4://abc", NULL, "give s3://bucket[/prefix]"},
        {"S3://abc", NULL, "give s3://bucket[/prefix]"},
        {"s3:abc", NULL, "give s3://bucket[/prefix]"},
        {"s3://", NULL, "names no bucket: give s3://bucket[/prefix], or set BUCKET_BRONZE"},
        {"s3://", "BUCKET_BRONZE=", "names no bucket"},
        {"s3://", "BUCKET_BRONZE=Lake", "BUCKET_BRONZE: \"Lake\" cannot be a bucket"},
        {"s3://ab", NULL, "--lake: \"ab\" cannot be a bucket: 3 to 63"},
        {"s3://0123456789012345678901234567890123456789012345678901234567890123", NULL, "cannot be a bucket"},
        {"s3://Lake", NULL, "\"Lake\" cannot be a bucket"},
        {"s3://lake_1", NULL, "cannot be a bucket"},
        {"s3://user@lake", NULL, "cannot be a bucket"},
        {"s3://lake:9000/a", NULL, "cannot be a bucket"},
        {"s3://-lake", NULL, "cannot be a bucket"},
        {"s3://lake.", NULL, "cannot be a bucket"},
        {"s3://la..ke", NULL, "cannot be a bucket"},
        {"s3://lake?x", NULL, "cannot be a bucket"},
        {"s3://lake//a", NULL, "the prefix \"/a\" has an empty segment"},
        {"s3://lake/a//b", NULL, "the prefix \"a//b\" has an empty segment"},
        {"s3://lake/./b", NULL, "has . or .. as a segment"},
        {"s3://lake/a/..", NULL, "has . or .. as a segment"},
        {"s3://lake/a\nb", NULL, "has a control character"},
        {"s3://lake/a\xff", NULL, "is not UTF-8"},
        {"s3://lake/pncp_details", NULL, "without its pncp_details folder: use --lake s3://lake"},
        {"s3://lake/pncp_details/", NULL, "use --lake s3://lake"},
        {"s3://lake/a/b/pncp_details//", NULL, "use --lake s3://lake/a/b"},
        {"s3:///pncp_details", "BUCKET_BRONZE=lake", "use --lake s3://"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = load(cases[i].url, cases[i].env, NULL, NULL, &config, &err);
        if (rc != PNCP_E_USAGE || strstr(err.msg, cases[i].says) == NULL || config.bucket != NULL)
            fail_msg("%s: %s \"%s\"", cases[i].url, pncp_code_name(rc), err.msg);
    }
    /* The right URL is all that comes behind "use --lake ". */
    AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(load("s3://lake/pncp_details", NULL, NULL, NULL, &config, &err), PNCP_E_USAGE);
    assert_string_equal(strstr(err.msg, "use "), "use --lake s3://lake");
    assert_int_equal(pncp_s3_config_load("s3://", &config, NULL), PNCP_E_USAGE);
}

static void a_prefix_has_a_ceiling(void **state)
{
    (void)state;
    AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    char url[PNCP_S3_PREFIX_MAX_BYTES + 20] = "s3://abc/";
    memset(url + 9, 'a', PNCP_S3_PREFIX_MAX_BYTES + 1);
    assert_int_equal(load(url, NULL, NULL, NULL, &config, &err), PNCP_E_USAGE);
    assert_non_null(strstr(err.msg, "more than 512 bytes"));
    url[9 + PNCP_S3_PREFIX_MAX_BYTES] = '\0';
    assert_int_equal(load(url, NULL, NULL, NULL, &config, &err), PNCP_OK);
    assert_int_equal(strlen(config.prefix), PNCP_S3_PREFIX_MAX_BYTES);
}

/* ---- endpoint, region, CA -------------------------------------------------------------------- */

static void settings_come_from_the_first_that_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *url, *env, *config;
        const char *endpoint, *region, *ca_bundle;
        bool path_style;
    } cases[] = {
        {"s3://abc", NULL, NULL, "https://abc.s3.us-east-1.amazonaws.com", "us-east-1", NULL, false},
        {"s3://a.bc", NULL, NULL, "https://s3.us-east-1.amazonaws.com", "us-east-1", NULL, true},
        {"s3://abc", "AWS_REGION=sa-east-1", NULL, "https://abc.s3.sa-east-1.amazonaws.com", "sa-east-1", NULL, false},
        {"s3://abc", "AWS_REGION=cn-north-1", NULL, "https://abc.s3.cn-north-1.amazonaws.com.cn", "cn-north-1", NULL,
         false},
        /* the region */
        {"s3://abc", "AWS_REGION=r1\nAWS_DEFAULT_REGION=r2\nMINIO_REGION_NAME=r3", "[default]\nregion=r4",
         "https://abc.s3.r1.amazonaws.com", "r1", NULL, false},
        {"s3://abc", "AWS_REGION=\nAWS_DEFAULT_REGION=r2\nMINIO_REGION_NAME=r3", "[default]\nregion=r4",
         "https://abc.s3.r2.amazonaws.com", "r2", NULL, false},
        {"s3://abc", "MINIO_REGION_NAME=r3", "[default]\nregion=r4", "https://abc.s3.r3.amazonaws.com", "r3", NULL,
         false},
        {"s3://abc", NULL, "[default]\nregion=r4", "https://abc.s3.r4.amazonaws.com", "r4", NULL, false},
        /* the endpoint */
        {"s3://abc",
         "AWS_ENDPOINT_URL_S3=http://e1:9000\nAWS_ENDPOINT_URL=http://e2:9000\nMINIO_ENDPOINT_URL=http://e3:9000",
         "[default]\nendpoint_url=http://e4:9000", "http://e1:9000", "us-east-1", NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=http://e2:9000\nMINIO_ENDPOINT_URL=http://e3:9000",
         "[default]\nendpoint_url=http://e4:9000", "http://e2:9000", "us-east-1", NULL, true},
        {"s3://abc", "MINIO_ENDPOINT_URL=http://e3:9000", "[default]\nendpoint_url=http://e4:9000", "http://e3:9000",
         "us-east-1", NULL, true},
        {"s3://abc", NULL, "[default]\nendpoint_url = http://e4:9000", "http://e4:9000", "us-east-1", NULL, true},
        /* its forms */
        {"s3://abc", "AWS_ENDPOINT_URL=http://127.0.0.1:9000/", NULL, "http://127.0.0.1:9000", "us-east-1", NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=HTTPS://Minio_1.Example:443//", NULL, "https://minio_1.example", "us-east-1",
         NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=http://h:80", NULL, "http://h", "us-east-1", NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=http://h:443", NULL, "http://h:443", "us-east-1", NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=http://h:09000", NULL, "http://h:9000", "us-east-1", NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=https://[fd00::1]:9000", NULL, "https://[fd00::1]:9000", "us-east-1", NULL,
         true},
        /* style */
        {"s3://abc", NULL, "[default]\ns3 =\n  addressing_style = path\n", "https://s3.us-east-1.amazonaws.com",
         "us-east-1", NULL, true},
        {"s3://abc", NULL, "[default]\ns3 =\n  addressing_style = auto\n", "https://abc.s3.us-east-1.amazonaws.com",
         "us-east-1", NULL, false},
        {"s3://a.bc", NULL, "[default]\ns3 =\n  addressing_style = virtual\n", "https://s3.us-east-1.amazonaws.com",
         "us-east-1", NULL, true},
        {"s3://abc", "AWS_ENDPOINT_URL=http://h:1", "[default]\ns3 =\n  addressing_style = virtual\n", "http://h:1",
         "us-east-1", NULL, true},
        /* CA bundle */
        {"s3://abc", "AWS_CA_BUNDLE=/1\nCURL_CA_BUNDLE=/3\nSSL_CERT_FILE=/4", "[default]\nca_bundle=/2",
         "https://abc.s3.us-east-1.amazonaws.com", "us-east-1", "/1", false},
        {"s3://abc", "CURL_CA_BUNDLE=/3\nSSL_CERT_FILE=/4", "[default]\nca_bundle=/2",
         "https://abc.s3.us-east-1.amazonaws.com", "us-east-1", "/2", false},
        {"s3://abc", "CURL_CA_BUNDLE=/3\nSSL_CERT_FILE=/4", NULL, "https://abc.s3.us-east-1.amazonaws.com", "us-east-1",
         "/3", false},
        {"s3://abc", "SSL_CERT_FILE=/4", NULL, "https://abc.s3.us-east-1.amazonaws.com", "us-east-1", "/4", false},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        if (load(cases[i].url, cases[i].env, NULL, cases[i].config, &config, &err) != PNCP_OK)
            fail_msg("case %zu: %s", i, err.msg);
        const char *host = strstr(config.endpoint, "://");
        assert_non_null(host);
        if (!is_same(config.endpoint, cases[i].endpoint) || !is_same(config.region, cases[i].region) ||
            !is_same(config.ca_bundle, cases[i].ca_bundle) || config.path_style != cases[i].path_style ||
            !is_same(config.host, host + 3))
            fail_msg("case %zu: %s %s %s %s %d", i, config.endpoint, config.host, config.region, config.ca_bundle,
                     config.path_style);
    }
}

static void settings_that_cannot_be_are_named_and_not_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *env, *config, *says;
    } cases[] = {
        {"AWS_ENDPOINT_URL_S3=minio:9000/" SECRET, NULL, "AWS_ENDPOINT_URL_S3: is not an http or https URL"},
        {"AWS_ENDPOINT_URL=ftp://h", NULL, "AWS_ENDPOINT_URL: is not an http or https URL; give http://host:port"},
        {"MINIO_ENDPOINT_URL=minio:9000", NULL, "MINIO_ENDPOINT_URL: is not an http or https URL"},
        {"AWS_ENDPOINT_URL=http://u:" SECRET "@h:9000", NULL, "AWS_ENDPOINT_URL: has a port that is not"},
        {"AWS_ENDPOINT_URL=http://u:p@h:9000", NULL, "AWS_ENDPOINT_URL: has user info"},
        {"AWS_ENDPOINT_URL=http://h/" SECRET, NULL, "AWS_ENDPOINT_URL: has a path"},
        {"AWS_ENDPOINT_URL=http://h/?k=" SECRET, NULL, "AWS_ENDPOINT_URL: has a query"},
        {"AWS_ENDPOINT_URL=http://h?k=" SECRET, NULL, "AWS_ENDPOINT_URL: has a query"},
        {"AWS_ENDPOINT_URL=http://h#x", NULL, "AWS_ENDPOINT_URL: has a fragment"},
        {"AWS_ENDPOINT_URL=http://", NULL, "has no host"},
        {"AWS_ENDPOINT_URL=http:///", NULL, "has no host"},
        {"AWS_ENDPOINT_URL=http://:9000", NULL, "has no host"},
        {"AWS_ENDPOINT_URL=http://h h", NULL, "has a strange host"},
        {"AWS_ENDPOINT_URL=http://[::1", NULL, "has a strange host"},
        {"AWS_ENDPOINT_URL=http://[]", NULL, "has a strange host"},
        {"AWS_ENDPOINT_URL=http://[::1]9000", NULL, "has a strange host"},
        {"AWS_ENDPOINT_URL=http://h:", NULL, "has a port that is not in 1..65535"},
        {"AWS_ENDPOINT_URL=http://h:0", NULL, "has a port that is not in 1..65535"},
        {"AWS_ENDPOINT_URL=http://h:65536", NULL, "has a port that is not in 1..65535"},
        {"AWS_ENDPOINT_URL=http://h:9a", NULL, "has a port that is not in 1..65535"},
        {NULL, "[default]\nendpoint_url = h:1", "endpoint_url of profile \"default\" in /tmp/"},
        {"AWS_DEFAULT_REGION=a.b", NULL, "AWS_DEFAULT_REGION: is not the name of a region"},
        {"AWS_REGION=" SECRET, NULL, "AWS_REGION: is not the name of a region"},
        {NULL, "[default]\nregion = a b", "region of profile \"default\" in /tmp/"},
        {NULL, "[default]\ns3 =\n addressing_style = both", "addressing_style of profile \"default\" in /tmp/"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = load("s3://abc", cases[i].env, NULL, cases[i].config, &config, &err);
        if (rc != PNCP_E_USAGE || strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s \"%s\"", i, pncp_code_name(rc), err.msg);
    }
}

static void a_host_of_endless_length_is_refused(void **state)
{
    (void)state;
    char text[PNCP_S3_HOST_MAX_BYTES + 20] = "http://";
    struct pncp_s3_address address;
    char host[PNCP_S3_HOST_BYTES];
    memset(text + 7, 'A', PNCP_S3_HOST_MAX_BYTES);
    memcpy(text + 7 + PNCP_S3_HOST_MAX_BYTES, ":65535", 7);
    assert_null(pncp_s3_address_parse(text, &address));
    pncp_s3_address_host(&address, host);
    assert_int_equal(strlen(host), PNCP_S3_HOST_BYTES - 1);
    assert_string_equal(host + PNCP_S3_HOST_MAX_BYTES - 1, "a:65535");
    memcpy(text + 7 + PNCP_S3_HOST_MAX_BYTES, "A:1", 4);
    assert_string_equal(pncp_s3_address_parse(text, &address), "has a strange host");
}

/* ---- profiles and their files ---------------------------------------------------------------- */

static void the_environment_names_profile_and_files(void **state)
{
    (void)state;
    static const char credentials[] = "[default]\nregion=r-c\n[p]\naws_access_key_id=k\n[profile q]\nregion=x\n";
    static const char config[] =
        "[default]\nregion=r-d\n[profile p]\nregion=r-p\n[profile  'two words' ] # here\nregion="
        "r-t\n[q]\nregion=r-q\n[sso-session p]\nregion=s";
    static const struct {
        const char *env, *region;
    } cases[] = {
        {NULL, "r-c"}, /* of both files the credentials count first */
        {"AWS_PROFILE=default", "r-c"},
        {"AWS_PROFILE=p", "r-p"},
        {"AWS_DEFAULT_PROFILE=p", "r-p"},
        {"AWS_PROFILE=two words\nAWS_DEFAULT_PROFILE=p", "r-t"},
        {"AWS_SHARED_CREDENTIALS_FILE=@/none", "r-d"},
        {"AWS_SHARED_CREDENTIALS_FILE=/dev/null\nAWS_CONFIG_FILE=/dev/null", "us-east-1"},
        {"AWS_SHARED_CREDENTIALS_FILE=/dev/null\nAWS_CONFIG_FILE=~/.aws/none", "us-east-1"},
        {"AWS_SHARED_CREDENTIALS_FILE=~/.aws/config/x", "r-d"}, /* a file where a folder should be */
        {"AWS_CONFIG_FILE=~/.aws/config\nAWS_SHARED_CREDENTIALS_FILE=@/none\nAWS_PROFILE=p", "r-p"},
        {"HOME=", "us-east-1"},
        {"HOME=\nAWS_CONFIG_FILE=~/.aws/config", "us-east-1"},
    };
    static const struct {
        const char *env, *says;
    } missing[] = {
        {"AWS_PROFILE=q",
         "AWS_PROFILE: no profile \"q\" in /tmp/pncp-s3-"}, /* [q] and [profile q] each in the wrong file */
        {"AWS_DEFAULT_PROFILE=P", "AWS_DEFAULT_PROFILE: no profile \"P\""},
        {"HOME=\nAWS_PROFILE=p", "no profile \"p\" in (HOME is not set) or (HOME is not set)"},
    };
    struct pncp_err err = PNCP_ERR_INIT;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config loaded = {0};
        if (load("s3://abc", cases[i].env, credentials, config, &loaded, &err) != PNCP_OK)
            fail_msg("case %zu: %s", i, err.msg);
        if (strcmp(loaded.region, cases[i].region) != 0)
            fail_msg("case %zu: %s", i, loaded.region);
    }
    for (size_t i = 0; i < PNCP_ARRAY_LEN(missing); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config loaded = {0};
        enum pncp_code rc = load("s3://abc", missing[i].env, credentials, config, &loaded, &err);
        if (rc != PNCP_E_USAGE || strstr(err.msg, missing[i].says) == NULL)
            fail_msg("case %zu: %s \"%s\"", i, pncp_code_name(rc), err.msg);
    }
}

static void lines_of_a_file(void **state)
{
    (void)state;
    static const struct {
        const char *text, *region, *style, *secret, *unsupported; /* of profile p in the credentials */
    } cases[] = {
        {"", NULL, NULL, NULL, NULL},
        {"[p]", NULL, NULL, NULL, NULL},
        {"[p]\nregion=a", "a", NULL, NULL, NULL},
        {"[p]\r\nregion = a \r\n", "a", NULL, NULL, NULL},
        {"\xEF\xBB\xBF[ p ]\n\n\t Region\t=\ta\n", "a", NULL, NULL, NULL},
        {"# x\n; y\n[p] ; z\n # region=b\nregion=a # b\n", "a", NULL, NULL, NULL},
        {"[p]\naws_secret_access_key = a#b;c=/+ ;d", NULL, NULL, "a#b;c=/+", NULL},
        {"[p]\naws_secret_access_key=#a", NULL, NULL, "#a", NULL},
        {"[p]\nregion = # a", NULL, NULL, NULL, NULL},
        {"[p]\nregion=a\n[q]\nregion=b\n[p]\naws_secret_access_key=c", "a", NULL, "c", NULL},
        {"[p]\nregion=a\nregion=b\n[P]\nregion=c", "b", NULL, NULL, NULL},
        {"[p]\nregion=a\nregion=\n", NULL, NULL, NULL, NULL},
        {"[q]\nregion=b", NULL, NULL, NULL, NULL},
        {"[p]\ns3 =\n  max_queue_size = 1\n\n  # x\n  addressing_style = path\nregion=a", "a", "path", NULL, NULL},
        {"[p]\nS3=\n addressing_style=path", NULL, "path", NULL, NULL},
        {"[p]\ns3api =\n addressing_style = path", NULL, NULL, NULL, NULL},
        {"[p]\naddressing_style = path", NULL, NULL, NULL, NULL}, /* not in its block */
        {"[p]\ns3 =\n region = a\n", NULL, NULL, NULL, NULL},     /* not out of it */
        {"[q]\ns3 =\n addressing_style = path\n[p]\n", NULL, NULL, NULL, NULL},
        {"[p]\n  region = a\n  aws_secret_access_key = b", "a", NULL, "b", NULL}, /* all of it to the right */
        {"[p]\ncredential_process = x\n  --y\nregion=a", "a", NULL, NULL, "credential_process"},
        {"[p]\nsso_session = x", NULL, NULL, NULL, "sso_session"},
        {"[q]\nregion = a\n  b\nrole_arn=x", NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {.name = strdup("p")};
        struct pncp_err err = PNCP_ERR_INIT;
        const char *path;
        if (pncp_s3_profile_parse(&profile, PNCP_S3_FILE_CREDENTIALS, "f", pncp_view_of(cases[i].text), &err) !=
            PNCP_OK)
            fail_msg("case %zu: %s", i, err.msg);
        if (profile.found != (strstr(cases[i].text, "[p]") != NULL || strstr(cases[i].text, "[ p ]") != NULL) ||
            !is_same(pncp_s3_profile_get(&profile, PNCP_S3_REGION, &path), cases[i].region) ||
            !is_same(pncp_s3_profile_get(&profile, PNCP_S3_ADDRESSING_STYLE, &path), cases[i].style) ||
            !is_same(pncp_s3_profile_get(&profile, PNCP_S3_SECRET_KEY, &path), cases[i].secret) ||
            !is_same(profile.unsupported, cases[i].unsupported))
            fail_msg("case %zu: %s %s %s", i, pncp_s3_profile_get(&profile, PNCP_S3_REGION, &path),
                     pncp_s3_profile_get(&profile, PNCP_S3_ADDRESSING_STYLE, &path), profile.unsupported);
    }
}

static void a_malformed_line_is_numbered_and_not_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"\n[default]\n" SECRET "\n", ".aws/credentials line 3: neither key = value nor [section]"},
        {"[other]\n" SECRET, "line 2: neither key = value nor [section]"},
        {"[default]\n= " SECRET, "line 2: a value without a key"},
        {"[" SECRET "\n", "line 1: a section without its ]"},
        {"[default] " SECRET "\n", "line 1: something behind the ] of a section"},
        {"# x\naws_secret_access_key = " SECRET, "line 2: stands before the first [section]"},
        {"[default]\ns3 =\n  " SECRET, "line 3: neither key = value nor [section]"},
        {"[default]\naws_access_key_id = a\n  aws_secret_access_key = " SECRET, "line 3: is indented below a value"},
    };
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {.name = strdup("default")};
    struct pncp_err err = PNCP_ERR_INIT;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
        enum pncp_code rc = load("s3://abc", NULL, cases[i].text, NULL, &config, &err);
        if (rc != PNCP_E_PARSE || strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s \"%s\"", i, pncp_code_name(rc), err.msg);
    }
    assert_int_equal(
        pncp_s3_profile_parse(&profile, PNCP_S3_FILE_CONFIG, "f", PNCP_VIEW_LIT("[default]\nregion = a\0b"), &err),
        PNCP_E_PARSE);
    assert_string_equal(err.msg, "f line 2: a value with a NUL byte");
}

static void a_file_too_large_or_not_readable_is_an_error(void **state)
{
    (void)state;
    static const char begin[] = "[default]\nregion=a\n";
    AUTO(pncp_s3_config_release) struct pncp_s3_config config = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    char *text = malloc(PNCP_S3_FILE_MAX_BYTES + 2);
    assert_non_null(text);
    memset(text, '\n', PNCP_S3_FILE_MAX_BYTES + 1);
    memcpy(text, begin, strlen(begin));
    text[PNCP_S3_FILE_MAX_BYTES + 1] = '\0';
    assert_int_equal(load("s3://abc", NULL, NULL, text, &config, &err), PNCP_E_LIMIT);
    assert_non_null(strstr(err.msg, "/.aws/config is larger than 1048576 bytes"));
    text[PNCP_S3_FILE_MAX_BYTES] = '\0';
    assert_int_equal(load("s3://abc", NULL, NULL, text, &config, &err), PNCP_OK);
    assert_string_equal(config.region, "a");
    free(text);
    AUTO(pncp_s3_config_release) struct pncp_s3_config again = {0};
    assert_int_equal(load("s3://abc", "AWS_CONFIG_FILE=@/.aws", NULL, NULL, &again, &err), PNCP_E_IO);
    assert_non_null(strstr(err.msg, "/.aws: Is a directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_bucket_and_prefix),
        cmocka_unit_test(what_is_no_lake_is_a_usage_error),
        cmocka_unit_test(a_prefix_has_a_ceiling),
        cmocka_unit_test(settings_come_from_the_first_that_has_them),
        cmocka_unit_test(settings_that_cannot_be_are_named_and_not_quoted),
        cmocka_unit_test(a_host_of_endless_length_is_refused),
        cmocka_unit_test(the_environment_names_profile_and_files),
        cmocka_unit_test(lines_of_a_file),
        cmocka_unit_test(a_malformed_line_is_numbered_and_not_quoted),
        cmocka_unit_test(a_file_too_large_or_not_readable_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
