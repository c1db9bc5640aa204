/* Who we are to a store: the order of the sources, what is asked of STS and of a container's endpoint, when credentials
 * are read again, and that no secret gets into a message or stays in memory that was given back. */
#include "base/mem.h"
#include "lake/s3_config_int.h"
#include "lake/s3_credentials.h"
#include "lake/s3_credentials_int.h"
#include "s3_fixture.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>

#define SECRET "SEGREDO/wJalrXUtnFEMI" /* is in no message */
#define NOW_S 1761000000               /* 2025-10-20T22:40:00Z */
#define STAMP "2025-10-20T23:40:00Z"
#define STAMP_S (NOW_S + 3600)

/* ---- memory that is given back --------------------------------------------------------------- */

static bool watching; /* blocks with a secret in them are counted */
static unsigned leaked;

void __real_pncp_free(void *block);
void __wrap_pncp_free(void *block);

/* Every block of ours that may hold one comes through here: base/mem.c's own calls do not. */
void __wrap_pncp_free(void *block)
{
    if (watching && block != NULL && memmem(block, malloc_usable_size(block), "SEGREDO", 7) != NULL)
        leaked++;
    __real_pncp_free(block);
}

/* ---- who answers ----------------------------------------------------------------------------- */

struct answerer {
    enum pncp_code rc;
    const char *body, *message;
    long http_status;
    unsigned calls;
    char url[300], authorization[100], form[400]; /* "": none */
};

static enum pncp_code answer(void *ctx, const char *url, const char *authorization, const char *form,
                             struct pncp_buf *ret_body, struct pncp_err *err)
{
    struct answerer *answerer = ctx;
    answerer->calls++;
    (void)snprintf(answerer->url, sizeof(answerer->url), "%s", url);
    (void)snprintf(answerer->authorization, sizeof(answerer->authorization), "%s",
                   authorization == NULL ? "" : authorization);
    (void)snprintf(answerer->form, sizeof(answerer->form), "%s", form == NULL ? "" : form);
    assert_int_equal(ret_body->len, 0);
    assert_true(ret_body->cap >= PNCP_S3_ANSWER_MAX_BYTES);
    if (answerer->rc == PNCP_OK)
        return pncp_buf_text(ret_body, answerer->body);
    (void)pncp_err_set(err, answerer->rc, "%s", answerer->message);
    err->http_status = answerer->http_status;
    return answerer->rc;
}

#define XML(access, expiration)                                                                                        \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"                        \
    "<AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/pncp-details</Arn>"          \
    "<AssumeRoleId>x</AssumeRoleId></AssumedRoleUser><Credentials>\n<SessionToken>SEGREDO-token==</SessionToken>"      \
    "<SecretAccessKey>" SECRET "</SecretAccessKey><Expiration>" expiration "</Expiration><AccessKeyId>" access         \
    "</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
#define JSON(access, expiration)                                                                                       \
    "{\"RoleArn\":\"x\",\"AccessKeyId\":\"" access "\",\"SecretAccessKey\":\"SEGREDO\\/wJalrXUtnFEMI\",\"Token\":"     \
    "\"SEGREDO-token==\",\"Expiration\":\"" expiration "\"}"

#define AWS_PAIR "AWS_ACCESS_KEY_ID=aws\nAWS_SECRET_ACCESS_KEY=" SECRET "\n"
#define MINIO_PAIR "MINIO_ACCESS_KEY=minio\nMINIO_SECRET_KEY=" SECRET "\n"
#define WEB "AWS_WEB_IDENTITY_TOKEN_FILE=@/token\nAWS_ROLE_ARN=arn:aws:iam::1:role/r\n"
#define CONTAINER "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x\n"
#define PROFILE "[default]\naws_access_key_id = profile\naws_secret_access_key = " SECRET "\n"

static struct s3_home home;
static struct answerer answerer;
static struct pncp_s3_credentials creds;

static void begin(const char *env)
{
    s3_home_open(&home);
    s3_env_set(&home, env);
    answerer = (struct answerer){0};
    watching = true;
    assert_int_equal(pncp_s3_credentials_init(&creds, "sa-east-1", answer, &answerer, NULL), PNCP_OK);
}

static void end(void)
{
    pncp_s3_credentials_release(&creds);
    pncp_s3_credentials_release(&creds); /* twice is fine */
    watching = false;
    s3_home_close(&home);
    assert_int_equal(leaked, 0);
}

/* An error is one line without a secret, and nothing is returned with it. */
static enum pncp_code get(int64_t now_s, struct pncp_s3_keys *ret_keys, struct pncp_err *err)
{
    *err = PNCP_ERR_INIT;
    pncp_s3_keys_release(ret_keys);
    enum pncp_code rc = pncp_s3_credentials_get(&creds, now_s, ret_keys, err);
    if (rc != PNCP_OK &&
        (rc != err->code || err->msg[0] == '\0' || strstr(err->msg, "SEGREDO") != NULL || ret_keys->access_key != NULL))
        fail_msg("%s \"%s\"", pncp_code_name(rc), err->msg);
    return rc;
}

/* ---- sources --------------------------------------------------------------------------------- */

static void the_first_source_that_is_set_counts(void **state)
{
    (void)state;
    static const struct {
        const char *env, *profile, *body;
        const char *access, *token, *source;
        int64_t expires_at_s;
        unsigned calls;
    } cases[] = {
        {AWS_PAIR MINIO_PAIR WEB CONTAINER "AWS_SESSION_TOKEN=SEGREDO-s", PROFILE, NULL, "aws", "SEGREDO-s",
         "AWS_ACCESS_KEY_ID", 0, 0},
        {AWS_PAIR MINIO_PAIR WEB CONTAINER, PROFILE, NULL, "aws", NULL, "AWS_ACCESS_KEY_ID", 0, 0},
        {MINIO_PAIR WEB CONTAINER "AWS_SESSION_TOKEN=SEGREDO-s", PROFILE, NULL, "minio", NULL, "MINIO_ACCESS_KEY", 0,
         0},
        {MINIO_PAIR "AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=", PROFILE, NULL, "minio", NULL, "MINIO_ACCESS_KEY", 0,
         0},
        {WEB CONTAINER, PROFILE, XML("sts", STAMP), "sts", "SEGREDO-token==", "web identity", STAMP_S, 1},
        {CONTAINER "AWS_ROLE_ARN=x", PROFILE, NULL, "profile", NULL, "the profile", 0, 0},
        {CONTAINER, PROFILE "aws_session_token = SEGREDO-s", NULL, "profile", "SEGREDO-s", "the profile", 0, 0},
        {CONTAINER, NULL, JSON("container", STAMP), "container", "SEGREDO-token==", "the container's endpoint", STAMP_S,
         1},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        struct pncp_err err;
        begin(cases[i].env);
        s3_home_put(&home, "token", "SEGREDO.jwt\n");
        s3_home_put(&home, ".aws/credentials", cases[i].profile);
        answerer.body = cases[i].body;
        if (get(NOW_S, &keys, &err) != PNCP_OK)
            fail_msg("case %zu: %s", i, err.msg);
        assert_string_equal(keys.access_key, cases[i].access);
        assert_string_equal(keys.secret_key, SECRET);
        assert_string_equal(keys.session_token == NULL ? "" : keys.session_token,
                            cases[i].token == NULL ? "" : cases[i].token);
        assert_string_equal(keys.source, cases[i].source);
        assert_int_equal(keys.expires_at_s, cases[i].expires_at_s);
        assert_int_equal(answerer.calls, cases[i].calls);
        pncp_s3_keys_release(&keys);
        end();
    }
}

static void a_profile_is_in_either_file_and_whole(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    begin("AWS_PROFILE=p");
    s3_home_put(&home, ".aws/config", "[profile p]\naws_access_key_id=a\naws_secret_access_key=" SECRET "\n");
    assert_int_equal(get(NOW_S, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "a");
    /* a session token, or half a pair, in one file has nothing to do with the pair in the other */
    s3_home_put(&home, ".aws/credentials", "[p]\naws_session_token=SEGREDO\nregion=x\n");
    pncp_s3_credentials_refused(&creds, &keys);
    assert_int_equal(get(NOW_S + 60, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "a");
    assert_null(keys.session_token);
    pncp_s3_keys_release(&keys);
    end();
}

static void what_is_half_set_or_makes_no_sense_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *env, *credentials, *token, *says;
    } cases[] = {
        {"AWS_ACCESS_KEY_ID=SEGREDO", NULL, NULL, "from the environment: AWS_SECRET_ACCESS_KEY is missing"},
        {"AWS_SECRET_ACCESS_KEY=" SECRET "\nAWS_ACCESS_KEY_ID=", NULL, NULL, "AWS_ACCESS_KEY_ID is missing"},
        {"AWS_ACCESS_KEY_ID=a\n" MINIO_PAIR, NULL, NULL, "AWS_SECRET_ACCESS_KEY is missing"},
        {"MINIO_ACCESS_KEY=a", PROFILE, NULL, "MINIO_SECRET_KEY is missing"},
        {"MINIO_SECRET_KEY=" SECRET, PROFILE, NULL, "MINIO_ACCESS_KEY is missing"},
        {"AWS_ACCESS_KEY_ID=SEGREDO x\nAWS_SECRET_ACCESS_KEY=b", NULL, NULL, "AWS_ACCESS_KEY_ID has a blank"},
        {"AWS_ACCESS_KEY_ID=SEGREDO\xC3\xA7\nAWS_SECRET_ACCESS_KEY=b", NULL, NULL, "AWS_ACCESS_KEY_ID has a blank or"},
        {"AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=" SECRET "\r", NULL, NULL,
         "AWS_SECRET_ACCESS_KEY has a line break or another control character"},
        {"AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=" SECRET " ", NULL, NULL, "begins or ends with a blank"},
        {AWS_PAIR "AWS_SESSION_TOKEN=SEGREDO\t", NULL, NULL, "AWS_SESSION_TOKEN has a line break"},
        {NULL, "[default]\naws_access_key_id=SEGREDO", NULL, ".aws/credentials: aws_secret_access_key is missing"},
        {NULL, "[default]\naws_secret_access_key=" SECRET, NULL, "from profile \"default\" in /tmp/pncp-s3-"},
        {"AWS_PROFILE=q", PROFILE, NULL, "AWS_PROFILE: no profile \"q\""},
        {"AWS_WEB_IDENTITY_TOKEN_FILE=@/token", PROFILE, "SEGREDO", "AWS_ROLE_ARN is missing"},
        {WEB, PROFILE, "\r\n \n", "AWS_WEB_IDENTITY_TOKEN_FILE: the token in /tmp/pncp-s3-"},
        {WEB, PROFILE, "SEGREDO\nSEGREDO", "has a line break"},
        {WEB "AWS_ENDPOINT_URL_STS=sts:1/" SECRET, PROFILE, "t", "AWS_ENDPOINT_URL_STS: is not an http or https URL"},
        {WEB "AWS_ENDPOINT_URL_STS=http://h/?" SECRET, PROFILE, "t", "AWS_ENDPOINT_URL_STS: has a query"},
        {WEB "AWS_ENDPOINT_URL_STS=http://u:p@h", PROFILE, "t", "AWS_ENDPOINT_URL_STS: has user info"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=v2/" SECRET, NULL, NULL, "_RELATIVE_URI: does not begin with /"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v 2", NULL, NULL, "_RELATIVE_URI: has a blank or a strange"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI=host/" SECRET, NULL, NULL, "_FULL_URI: is not an http or https URL"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.org/" SECRET, NULL, NULL,
         "is http, but not at this machine"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.example.org/", NULL, NULL, "is http, but not at this machine"},
        {CONTAINER "AWS_CONTAINER_AUTHORIZATION_TOKEN=SEGREDO\r", NULL, NULL, "_TOKEN has a line break"},
        {CONTAINER "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=@/token", NULL, "SEGREDO\r\nSEGREDO", "has a line break"},
        {NULL, NULL, NULL,
         "no credentials for the store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or MINIO_ACCESS_KEY and "
         "MINIO_SECRET_KEY, or put them into profile \"default\" of /tmp/pncp-s3-"},
        {"AWS_PROFILE=p", "[p]\nsso_session = SEGREDO", NULL, "credentials (its sso_session is not supported)"},
        {"HOME=", NULL, NULL, "profile \"default\" of ~/.aws/credentials"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        struct pncp_err err;
        begin(cases[i].env);
        s3_home_put(&home, "token", cases[i].token);
        s3_home_put(&home, ".aws/credentials", cases[i].credentials);
        enum pncp_code rc = get(NOW_S, &keys, &err);
        if (rc != PNCP_E_USAGE || err.transient || strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s \"%s\"", i, pncp_code_name(rc), err.msg);
        assert_int_equal(answerer.calls, 0);
        end();
    }
}

static void a_token_file_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    char token[PNCP_S3_TOKEN_MAX_BYTES + 2];
    begin(WEB);
    assert_int_equal(get(NOW_S, &keys, &err), PNCP_E_IO);
    assert_non_null(strstr(err.msg, "AWS_WEB_IDENTITY_TOKEN_FILE: read /tmp/pncp-s3-"));
    assert_non_null(strstr(err.msg, "/token: No such file or directory"));
    memset(token, 'a', sizeof(token));
    token[sizeof(token) - 1] = '\0';
    s3_home_put(&home, "token", token);
    assert_int_equal(get(NOW_S + 20, &keys, &err), PNCP_E_LIMIT);
    assert_int_equal(answerer.calls, 0);
    token[sizeof(token) - 2] = '\0';
    s3_home_put(&home, "token", token);
    answerer.body = XML("sts", STAMP);
    assert_int_equal(get(NOW_S + 40, &keys, &err), PNCP_OK);
    pncp_s3_keys_release(&keys);
    end();
}

/* ---- questions and answers ------------------------------------------------------------------- */

static void sts_is_asked_to_the_letter(void **state)
{
    (void)state;
    static const struct {
        const char *env, *url, *session;
    } cases[] = {
        {WEB, "https://sts.sa-east-1.amazonaws.com/", "pncp-details"},
        {WEB "AWS_ENDPOINT_URL_STS=http://minio:9000\nAWS_ROLE_SESSION_NAME=a@b", "http://minio:9000/", "a%40b"},
        {WEB "AWS_ENDPOINT_URL_STS=https://sts.minio:4223/sts/tenant", "https://sts.minio:4223/sts/tenant",
         "pncp-details"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        struct pncp_err err;
        char form[400];
        begin(cases[i].env);
        s3_home_put(&home, "token", "a.b-_~/+=%&\n");
        answerer.body = XML("sts", STAMP);
        assert_int_equal(get(NOW_S, &keys, &err), PNCP_OK);
        (void)snprintf(
            form, sizeof(form),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%%3Aaws%%3Aiam%%3A%%3A1%%3Arole%%2Fr"
            "&RoleSessionName=%s&WebIdentityToken=a.b-_~%%2F%%2B%%3D%%25%%26",
            cases[i].session);
        assert_string_equal(answerer.url, cases[i].url);
        assert_string_equal(answerer.form, form);
        assert_string_equal(answerer.authorization, "");
        pncp_s3_keys_release(&keys);
        end();
    }
}

#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI="
#define TOKEN_FILE "\nAWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=@/token"
#define TOKEN "\nAWS_CONTAINER_AUTHORIZATION_TOKEN=Basic direct"

static void a_containers_endpoint_is_asked_to_the_letter(void **state)
{
    (void)state;
    static const struct {
        const char *env, *url, *authorization;
    } cases[] = {
        {CONTAINER, "http://169.254.170.2/v2/x", ""},
        {CONTAINER FULL "http://localhost/" TOKEN, "http://169.254.170.2/v2/x", "Basic direct"},
        {FULL "http://169.254.170.23/v1/credentials" TOKEN_FILE TOKEN, "http://169.254.170.23/v1/credentials",
         "from the file"},
        {FULL "http://[fd00:ec2::23]/v1" TOKEN_FILE, "http://[fd00:ec2::23]/v1", "from the file"},
        {FULL "http://localhost:8080/get?a=1", "http://localhost:8080/get?a=1", ""},
        {FULL "http://127.1.2.3:8080", "http://127.1.2.3:8080", ""},
        {FULL "http://[::1]:1/", "http://[::1]:1/", ""},
        {FULL "https://example.org/x" TOKEN, "https://example.org/x", "Basic direct"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        struct pncp_err err;
        begin(cases[i].env);
        s3_home_put(&home, "token", "from the file\n");
        answerer.body = JSON("container", STAMP);
        if (get(NOW_S, &keys, &err) != PNCP_OK)
            fail_msg("case %zu: %s", i, err.msg);
        assert_string_equal(answerer.url, cases[i].url);
        assert_string_equal(answerer.authorization, cases[i].authorization);
        assert_string_equal(answerer.form, "");
        pncp_s3_keys_release(&keys);
        end();
    }
}

#define PAIR_XML "<AccessKeyId>a</AccessKeyId><SecretAccessKey>" SECRET "</SecretAccessKey>"
#define PAIR_JSON "\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"SEGREDO\""

static void an_answer_has_credentials_or_is_malformed(void **state)
{
    (void)state;
    static const struct {
        bool xml;
        const char *body, *says; /* NULL: it is fine */
        const char *token;
        int64_t expires_at_s;
    } cases[] = {
        {true, XML("a", STAMP), NULL, "SEGREDO-token==", STAMP_S},
        {true, "<Credentials>" PAIR_XML "<Expiration>2025-10-20T23:40:00.123Z</Expiration></Credentials>", NULL, NULL,
         STAMP_S},
        {true, "", "AccessKeyId is missing", NULL, 0},
        {true, PAIR_XML "<Expiration>" STAMP "</Expiration>", "AccessKeyId is missing", NULL, 0},
        {true, "<Credentials>" PAIR_XML "<Expiration>" STAMP "</Expiration>", "AccessKeyId is missing", NULL, 0},
        {true, "<Credentials><AccessKeyId>SEGREDO</AccessKeyId></Credentials>", "SecretAccessKey is missing", NULL, 0},
        {true, "<Credentials><AccessKeyId>SEGREDO<x/></AccessKeyId></Credentials>", "AccessKeyId is no text", NULL, 0},
        {true, "<Credentials><AccessKeyId>SEGREDO\r\nx: y</AccessKeyId></Credentials>", "AccessKeyId has a line break",
         NULL, 0},
        {true, "<Credentials>" PAIR_XML "</Credentials>", "Expiration is no time", NULL, 0},
        {true, "<Credentials>" PAIR_XML "<Expiration>SEGREDO</Expiration></Credentials>", "Expiration is no time", NULL,
         0},
        {true, JSON("a", STAMP), "AccessKeyId is missing", NULL, 0},
        {false, JSON("a", STAMP), NULL, "SEGREDO-token==", STAMP_S},
        {false, "{" PAIR_JSON "}", NULL, NULL, 0},
        {false, "{" PAIR_JSON ",\"Token\":null,\"Expiration\":null}", NULL, NULL, 0},
        {false, "", "json: empty", NULL, 0},
        {false, "<html>SEGREDO", "json: ", NULL, 0},
        {false, "[]", "AccessKeyId is missing", NULL, 0},
        {false, "{\"AccessKeyId\":1,\"SecretAccessKey\":\"SEGREDO\"}", "AccessKeyId is missing", NULL, 0},
        {false, "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\"}", "SecretAccessKey is missing", NULL, 0},
        {false, "{" PAIR_JSON ",\"Token\":\"SEGREDO\\u0000\"}", "Token has a line break or another", NULL, 0},
        {false, "{" PAIR_JSON ",\"Expiration\":1761003600}", "Expiration is no time", NULL, 0},
        {false, "{" PAIR_JSON ",\"Expiration\":\"1960-01-01T00:00:00Z\"}", "Expiration is no time", NULL, 0},
        {false, "{" PAIR_JSON ",\"AccessKeyId\":\"b\"}", "json: a key twice", NULL, 0},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        struct pncp_err err;
        begin(cases[i].xml ? WEB : CONTAINER);
        s3_home_put(&home, "token", "t");
        answerer.body = cases[i].body;
        enum pncp_code rc = get(NOW_S, &keys, &err);
        if (rc != (cases[i].says == NULL ? PNCP_OK : PNCP_E_PARSE) || err.transient ||
            (rc != PNCP_OK && strstr(err.msg, cases[i].says) == NULL))
            fail_msg("case %zu: %s \"%s\"", i, pncp_code_name(rc), err.msg);
        if (rc == PNCP_OK) {
            assert_string_equal(keys.access_key, "a");
            assert_string_equal(keys.session_token == NULL ? "" : keys.session_token,
                                cases[i].token == NULL ? "" : cases[i].token);
            assert_int_equal(keys.expires_at_s, cases[i].expires_at_s);
        }
        pncp_s3_keys_release(&keys);
        end();
    }
}

static void who_does_not_answer_is_out_for_now(void **state)
{
    (void)state;
    static const struct {
        enum pncp_code rc;
        const char *message;
        enum pncp_code as;
        const char *says;
        bool transient;
    } cases[] = {
        {PNCP_E_UNAVAILABLE, "timed out", PNCP_E_UNAVAILABLE, "credentials from the container's endpoint: timed out",
         true},
        {PNCP_E_UNAVAILABLE, "GET http://localhost/x?t=SEGREDO: reset", PNCP_E_UNAVAILABLE,
         "endpoint: GET http://localhost/x", true},
        {PNCP_E_UNSUPPORTED, "status 403", PNCP_E_UNAVAILABLE, "endpoint: status 403", true},
        {PNCP_E_LIMIT, "", PNCP_E_UNAVAILABLE, "endpoint: limit", true},
        {PNCP_E_NOTFOUND, "status 404", PNCP_E_UNAVAILABLE, "endpoint: status 404", true},
        {PNCP_E_NOMEM, "out of memory", PNCP_E_NOMEM, "out of memory", false},
        {PNCP_E_CANCELLED, "cancelled", PNCP_E_CANCELLED, "cancelled", false},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
        struct pncp_err err;
        begin(FULL "http://localhost/x?t=SEGREDO");
        answerer.rc = cases[i].rc;
        answerer.message = cases[i].message;
        answerer.http_status = 403;
        enum pncp_code rc = get(NOW_S, &keys, &err);
        if (rc != cases[i].as || err.transient != cases[i].transient || strstr(err.msg, cases[i].says) == NULL ||
            err.http_status != 403)
            fail_msg("case %zu: %s \"%s\"", i, pncp_code_name(rc), err.msg);
        assert_int_equal(pncp_s3_credentials_get(&creds, NOW_S, &keys, NULL), cases[i].as);
        end();
    }
}

static void new_ones_that_are_over_are_none(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    begin(CONTAINER);
    answerer.body = JSON("a", STAMP);
    assert_int_equal(get(STAMP_S, &keys, &err), PNCP_E_UNAVAILABLE);
    assert_true(err.transient);
    assert_non_null(strstr(err.msg, "have expired already, at " STAMP ": is the clock of this machine right?"));
    end();
}

/* ---- reading again --------------------------------------------------------------------------- */

static void they_are_read_again_before_they_expire(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    begin(WEB);
    s3_home_put(&home, "token", "t1");
    answerer.body = XML("one", STAMP);
    assert_int_equal(get(NOW_S, &keys, &err), PNCP_OK);
    assert_int_equal(get(STAMP_S - 300, &keys, &err), PNCP_OK); /* 300 s left: not yet */
    assert_int_equal(answerer.calls, 1);
    assert_int_equal(keys.serial, 1);

    answerer.rc = PNCP_E_UNAVAILABLE;
    answerer.message = "timed out";
    s3_home_put(&home, "token", "t2");                   /* it is renewed too */
    for (int64_t left_s = 299; left_s > 289; left_s--) { /* those at hand serve; one attempt in 10 s */
        assert_int_equal(get(STAMP_S - left_s, &keys, &err), PNCP_OK);
        assert_string_equal(keys.access_key, "one");
        assert_int_equal(answerer.calls, 2);
    }
    assert_non_null(strstr(answerer.form, "WebIdentityToken=t2"));
    assert_int_equal(get(STAMP_S - 289, &keys, &err), PNCP_OK);
    assert_int_equal(answerer.calls, 3);

    answerer.rc = PNCP_OK;
    answerer.body = XML("two", "2025-10-21T00:40:00Z");
    assert_int_equal(get(STAMP_S - 280, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "one");
    assert_int_equal(get(STAMP_S - 279, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "two");
    assert_int_equal(keys.serial, 2);
    assert_int_equal(keys.expires_at_s, STAMP_S + 3600);
    assert_int_equal(answerer.calls, 4);

    /* Nobody renews them, and they are over: a run can only wait. */
    s3_home_put(&home, "token", NULL);
    assert_int_equal(get(STAMP_S + 3599, &keys, &err), PNCP_OK);
    assert_int_equal(get(STAMP_S + 3600, &keys, &err), PNCP_E_UNAVAILABLE);
    assert_true(err.transient);
    assert_non_null(strstr(err.msg, "/token: No such file"));
    assert_int_equal(get(STAMP_S + 3608, &keys, &err), PNCP_E_UNAVAILABLE); /* the same, not tried again */
    assert_non_null(strstr(err.msg, "/token: No such file"));
    s3_home_put(&home, "token", "t3");
    answerer.body = "<html/>";
    assert_int_equal(get(STAMP_S + 3609, &keys, &err), PNCP_E_PARSE);
    assert_true(err.transient);
    assert_int_equal(unsetenv("AWS_ROLE_ARN"), 0);
    assert_int_equal(get(STAMP_S + 3619, &keys, &err), PNCP_E_UNAVAILABLE);
    assert_true(err.transient);
    assert_non_null(strstr(err.msg, "AWS_ROLE_ARN is missing"));
    end();
}

static void a_first_failure_is_not_asked_for_again_at_once(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    begin(CONTAINER);
    answerer.rc = PNCP_E_UNAVAILABLE;
    answerer.message = "timed out";
    assert_int_equal(get(NOW_S, &keys, &err), PNCP_E_UNAVAILABLE);
    answerer.rc = PNCP_OK;
    answerer.body = JSON("a", STAMP);
    assert_int_equal(get(NOW_S + 9, &keys, &err), PNCP_E_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "timed out"));
    assert_int_equal(get(NOW_S - 9, &keys, &err), PNCP_E_UNAVAILABLE); /* another thread's clock, read before */
    assert_int_equal(answerer.calls, 1);
    assert_int_equal(get(NOW_S - 3600, &keys, &err), PNCP_OK); /* the clock was set back */
    assert_int_equal(answerer.calls, 2);
    pncp_s3_keys_release(&keys);
    end();
}

static void those_that_the_store_refuses_are_read_anew(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys before = {0};
    struct pncp_err err;
    begin(NULL);
    s3_home_put(&home, ".aws/credentials", PROFILE);
    assert_int_equal(get(NOW_S, &before, &err), PNCP_OK);
    s3_home_put(&home, ".aws/credentials", "[default]\naws_access_key_id=new\naws_secret_access_key=SEGREDO\n");
    assert_int_equal(get(NOW_S + 99999, &keys, &err), PNCP_OK); /* nobody said that they expire */
    assert_string_equal(keys.access_key, "profile");

    pncp_s3_credentials_refused(&creds, &keys);
    assert_int_equal(get(NOW_S + 5, &keys, &err), PNCP_E_UNAVAILABLE); /* read just before */
    assert_true(err.transient);
    assert_non_null(strstr(err.msg, "credentials of the profile have expired or the store refuses them; they are read "
                                    "again in at most 10 s"));
    assert_int_equal(get(NOW_S + 10, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "new");

    /* A second thread learns later that the old ones were refused: the new ones stay. */
    pncp_s3_credentials_refused(&creds, &before);
    assert_int_equal(get(NOW_S + 11, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "new");
    assert_int_equal(keys.serial, 2);

    /* Refused, and what is there makes no sense, or is the same. */
    pncp_s3_credentials_refused(&creds, &keys);
    s3_home_put(&home, ".aws/credentials", "[default\n");
    assert_int_equal(get(NOW_S + 21, &keys, &err), PNCP_E_PARSE);
    assert_true(err.transient);
    s3_home_put(&home, ".aws/credentials", NULL);
    assert_int_equal(get(NOW_S + 31, &keys, &err), PNCP_E_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "no credentials for the store"));
    s3_home_put(&home, ".aws/credentials", PROFILE);
    assert_int_equal(get(NOW_S + 41, &keys, &err), PNCP_OK);
    pncp_s3_credentials_refused(&creds, &keys);
    assert_int_equal(get(NOW_S + 51, &keys, &err), PNCP_OK);
    assert_int_equal(keys.serial, 4);
    pncp_s3_keys_release(&before);
    pncp_s3_keys_release(&keys);
    end();
}

/* ---- two threads ----------------------------------------------------------------------------- */

static sem_t asked, may_answer;

static enum pncp_code answer_slowly(void *ctx, const char *url, const char *authorization, const char *form,
                                    struct pncp_buf *ret_body, struct pncp_err *err)
{
    (void)sem_post(&asked);
    while (sem_wait(&may_answer) != 0)
        ;
    return answer(ctx, url, authorization, form, ret_body, err);
}

static void *get_in_thread(void *arg)
{
    struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    int64_t now_s = *(const int64_t *)arg;
    bool is_right = get(now_s, &keys, &err) == PNCP_OK && strcmp(keys.secret_key, SECRET) == 0;
    pncp_s3_keys_release(&keys);
    return is_right ? arg : NULL;
}

static void one_thread_asks_and_the_others_go_on_while_they_can(void **state)
{
    (void)state;
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys keys = {0};
    struct pncp_err err;
    pthread_t threads[3];
    int64_t first_s = NOW_S, soon_s = STAMP_S - 100;
    void *right;
    assert_int_equal(sem_init(&asked, 0, 0), 0);
    assert_int_equal(sem_init(&may_answer, 0, 0), 0);
    begin(CONTAINER);
    creds.fetch = answer_slowly;
    answerer.body = JSON("one", STAMP);

    /* None at hand: all wait for the one who asks. */
    for (size_t i = 0; i < PNCP_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_in_thread, &first_s), 0);
    assert_int_equal(sem_wait(&asked), 0);
    assert_int_equal(sem_post(&may_answer), 0);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &right), 0);
        assert_non_null(right);
    }
    assert_int_equal(answerer.calls, 1);

    /* Some at hand: nobody else waits while one asks for others. */
    answerer.body = JSON("two", "2025-10-21T00:40:00Z");
    assert_int_equal(pthread_create(&threads[0], NULL, get_in_thread, &soon_s), 0);
    assert_int_equal(sem_wait(&asked), 0);
    assert_int_equal(get(soon_s, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "one");
    assert_int_equal(sem_post(&may_answer), 0);
    assert_int_equal(pthread_join(threads[0], &right), 0);
    assert_non_null(right);
    assert_int_equal(get(soon_s, &keys, &err), PNCP_OK);
    assert_string_equal(keys.access_key, "two");
    assert_int_equal(answerer.calls, 2);
    pncp_s3_keys_release(&keys);
    end();
    assert_int_equal(sem_destroy(&asked), 0);
    assert_int_equal(sem_destroy(&may_answer), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_source_that_is_set_counts),
        cmocka_unit_test(a_profile_is_in_either_file_and_whole),
        cmocka_unit_test(what_is_half_set_or_makes_no_sense_is_named),
        cmocka_unit_test(a_token_file_that_cannot_be_read_is_an_error),
        cmocka_unit_test(sts_is_asked_to_the_letter),
        cmocka_unit_test(a_containers_endpoint_is_asked_to_the_letter),
        cmocka_unit_test(an_answer_has_credentials_or_is_malformed),
        cmocka_unit_test(who_does_not_answer_is_out_for_now),
        cmocka_unit_test(new_ones_that_are_over_are_none),
        cmocka_unit_test(they_are_read_again_before_they_expire),
        cmocka_unit_test(a_first_failure_is_not_asked_for_again_at_once),
        cmocka_unit_test(those_that_the_store_refuses_are_read_anew),
        cmocka_unit_test(one_thread_asks_and_the_others_go_on_while_they_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
