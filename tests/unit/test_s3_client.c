/* What a store's answer means, without a store: tests/lake/ asks real ones. */
#include "lake/s3_client.h"
#include "s3_fixture.h"

#include <string.h>

static void an_answer_that_was_not_expected(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code, *path;
        enum pncp_code rc;
        bool transient;
        const char *words;
    } cases[] = {
        {404, "NoSuchKey", "a/b", PNCP_E_NOTFOUND, false, "no a/b"},
        {404, "", "a/b", PNCP_E_NOTFOUND, false, "no a/b"}, /* of a HEAD */
        {404, "NoSuchBucket", "a/b", PNCP_E_IO, false, "there is no such bucket"},
        {404, "", NULL, PNCP_E_IO, false, "there is no such bucket"},
        {412, "PreconditionFailed", "a/b", PNCP_E_CONFLICT, false, "changed by someone else"},
        {409, "ConditionalRequestConflict", "a/b", PNCP_E_CONFLICT, false, "changed by someone else"},
        {416, "InvalidRange", "a/b", PNCP_E_PARSE, false, "fewer bytes"},
        {403, "AccessDenied", "a/b", PNCP_E_IO, false, "may not do that"},
        {403, "SignatureDoesNotMatch", "a/b", PNCP_E_IO, false, "AWS_SECRET_ACCESS_KEY"},
        {403, "InvalidAccessKeyId", "a/b", PNCP_E_IO, false, "AWS_ACCESS_KEY_ID"},
        {403, "", "a/b", PNCP_E_IO, false, "is forbidden"}, /* of a HEAD */
        {403, "RequestTimeTooSkewed", "a/b", PNCP_E_IO, false, "clock"},
        {400, "AuthorizationHeaderMalformed", "a/b", PNCP_E_IO, false, "AWS_REGION"},
        {400, "ExpiredToken", "a/b", PNCP_E_UNAVAILABLE, true, "expired"},
        {503, "SlowDown", "a/b", PNCP_E_UNAVAILABLE, true, "503 SlowDown"},
        {500, "InternalError", "a/b", PNCP_E_UNAVAILABLE, true, "500 InternalError"},
        {429, "", "a/b", PNCP_E_UNAVAILABLE, true, "429"},
        {501, "NotImplemented", "a/b", PNCP_E_IO, false, "501 NotImplemented"},
    };
    struct s3_home home;
    struct pncp_s3 *s3;
    s3_home_open(&home);
    s3_env_set(&home, "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b\nAWS_ENDPOINT_URL_S3=http://127.0.0.1:9");
    assert_int_equal(pncp_s3_new("s3://bucket/x", &s3, NULL), PNCP_OK);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_err err = PNCP_ERR_INIT;
        const struct pncp_s3_request request = {.method = "GET", .path = cases[i].path};
        struct pncp_s3_answer answer = {.status = cases[i].status};
        (void)snprintf(answer.code, sizeof(answer.code), "%s", cases[i].code);
        enum pncp_code rc = pncp_s3_refused(s3, &request, &answer, &err);
        if (rc != cases[i].rc || err.transient != cases[i].transient || strstr(err.msg, cases[i].words) == NULL ||
            strstr(err.msg, "s3://bucket/x") == NULL)
            fail_msg("case %zu: %s: %s", i, pncp_code_name(rc), err.msg);
        assert_int_equal(pncp_s3_refused(s3, &request, &answer, NULL), cases[i].rc); /* nobody wants to know why */
    }
    pncp_s3_free(s3);
    s3_home_close(&home);
}

static void keys_have_the_prefix(void **state)
{
    (void)state;
    struct s3_home home;
    struct pncp_s3 *s3;
    AUTO(pncp_buf_release) struct pncp_buf key = {0};
    AUTO(pncp_buf_release) struct pncp_buf source = {0};
    s3_home_open(&home);
    s3_env_set(&home, "AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b");
    assert_int_equal(pncp_s3_new("s3://bucket/x y", &s3, NULL), PNCP_OK);
    assert_int_equal(pncp_s3_key(s3, "year=2025/a", &key), PNCP_OK);
    assert_true(pncp_view_eq_text(pncp_buf_view(&key), "x y/year=2025/a"));
    assert_int_equal(pncp_s3_copy_source(s3, "year=2025/a", &source), PNCP_OK);
    assert_string_equal(source.data, "/bucket/x%20y/year%3D2025/a");
    pncp_s3_free(s3);
    s3_home_close(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_was_not_expected),
        cmocka_unit_test(keys_have_the_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
