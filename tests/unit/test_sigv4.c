/*
 * Signatures: AWS's own examples, and what those leave out. The signatures of the latter were computed by two other
 * implementations that agreed (botocore 1.43 and thirty lines of Python over hmac).
 */
#include "lake/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAIRS(...)                                                                                                     \
    (const struct pncp_sigv4_pair[])                                                                                   \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define QUERY(...) .query = PAIRS(__VA_ARGS__), .query_count = PNCP_ARRAY_LEN((PAIRS(__VA_ARGS__)))
#define HEADERS(...) .headers = PAIRS(__VA_ARGS__), .header_count = PNCP_ARRAY_LEN((PAIRS(__VA_ARGS__)))

struct example {
    const char *what;
    struct pncp_sigv4_request request;
    const char *target;
    const char *names; /* of the signed headers */
    const char *signature;
    const char *session_token;
};

/* Sign it and compare with what is expected; `scope`: "DATE/REGION/SERVICE". */
static void check(const struct example *example, const struct pncp_sigv4_key *key, const char *scope)
{
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    AUTO(pncp_buf_release) struct pncp_buf expected = {0};
    struct pncp_sigv4_key with = *key;
    if (example->session_token != NULL)
        with.session_token = example->session_token;
    print_message("%s\n", example->what);
    assert_int_equal(pncp_sigv4_sign(&with, &example->request, &target, &headers), PNCP_OK);
    assert_string_equal(target.data, example->target);
    assert_int_equal(target.len, strlen(example->target));
    assert_int_equal(pncp_buf_format(&expected,
                                     "authorization:AWS4-HMAC-SHA256 Credential=%s/%s/aws4_request, SignedHeaders=%s, "
                                     "Signature=%s",
                                     key->access_key, scope, example->names, example->signature),
                     PNCP_OK);
    assert_true(headers.len > expected.len + 1);
    assert_string_equal(headers.data + headers.len - expected.len - 1, expected.data);
    assert_null(memmem(headers.data, headers.len, key->secret_key, strlen(key->secret_key)));
}

/* ---- AWS's examples -------------------------------------------------------------------------- */

#define DOCS_HOST "examplebucket.s3.amazonaws.com"
#define DOCS_TIME_US ((int64_t)1369353600 * 1000000) /* 2013-05-24T00:00:00Z */

/* Amazon S3 API Reference, "Examples: Signature Calculations". */
static const struct example S3_DOCS[] = {
    {"GET Object",
     {.method = "GET",
      .host = DOCS_HOST,
      .path = "/test.txt",
      HEADERS({"range", "bytes=0-9"}),
      .payload_hash = PNCP_SIGV4_NO_BODY,
      .time_us = DOCS_TIME_US},
     "/test.txt",
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
     NULL},
    {"PUT Object",
     {.method = "PUT",
      .host = DOCS_HOST,
      .path = "/test$file.text",
      HEADERS({"x-amz-storage-class", "REDUCED_REDUNDANCY"}, {"date", "Fri, 24 May 2013 00:00:00 GMT"}),
      .payload_hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      .time_us = DOCS_TIME_US},
     "/test%24file.text",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
     NULL},
    {"GET Bucket Lifecycle",
     {.method = "GET",
      .host = DOCS_HOST,
      .path = "/",
      QUERY({"lifecycle", ""}),
      .payload_hash = PNCP_SIGV4_NO_BODY,
      .time_us = DOCS_TIME_US},
     "/?lifecycle=",
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
     NULL},
    {"Get Bucket (List Objects)",
     {.method = "GET",
      .host = DOCS_HOST,
      .path = "/",
      QUERY({"prefix", "J"}, {"max-keys", "2"}),
      .payload_hash = PNCP_SIGV4_NO_BODY,
      .time_us = DOCS_TIME_US},
     "/?max-keys=2&prefix=J",
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
     NULL},
};

static void the_examples_of_the_s3_documentation(void **state)
{
    (void)state;
    static const struct pncp_sigv4_key key = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                              .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                              .region = "us-east-1",
                                              .service = "s3"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(S3_DOCS); i++)
        check(&S3_DOCS[i], &key, "20130524/us-east-1/s3");
}

#define SUITE_REQUEST(method_, path_)                                                                                  \
    .method = (method_), .host = "example.amazonaws.com", .path = (path_), .payload_hash = PNCP_SIGV4_NO_BODY,         \
    .time_us = (int64_t)1440938160 * 1000000 /* 2015-08-30T12:36:00Z */
#define SUITE_UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define SUITE_TOKEN                                                                                                    \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwt" \
    "hAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVX" \
    "AkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==\
"

/* tests/aws-signing-test-suite/v4 of github.com/awslabs/aws-c-auth: those whose path is the same once or twice encoded,
 * or not normalized. Their service is "service". */
static const struct example SUITE[] = {
    {"get-vanilla",
     {SUITE_REQUEST("GET", "/")},
     "/",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     NULL},
    {"get-unreserved",
     {SUITE_REQUEST("GET", "/" SUITE_UNRESERVED)},
     "/" SUITE_UNRESERVED,
     "host;x-amz-date",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
     NULL},
    {"get-utf8",
     {SUITE_REQUEST("GET", "/\u1234")},
     "/%E1%88%B4",
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
     NULL},
    {"get-space-unnormalized",
     {SUITE_REQUEST("GET", "/example space/")},
     "/example%20space/",
     "host;x-amz-date",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
     NULL},
    {"get-vanilla-query-order-key-case",
     {SUITE_REQUEST("GET", "/"), QUERY({"Param2", "value2"}, {"Param1", "value1"})},
     "/?Param1=value1&Param2=value2",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
     NULL},
    {"get-vanilla-query-order-encoded",
     {SUITE_REQUEST("GET", "/"), QUERY({"Param-3", "Value3"}, {"Param", "Value2"}, {"\u1234", "Value1"})},
     "/?%E1%88%B4=Value1&Param=Value2&Param-3=Value3",
     "host;x-amz-date",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
     NULL},
    {"get-vanilla-query-unreserved",
     {SUITE_REQUEST("GET", "/"), QUERY({SUITE_UNRESERVED, SUITE_UNRESERVED})},
     "/?" SUITE_UNRESERVED "=" SUITE_UNRESERVED,
     "host;x-amz-date",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
     NULL},
    {"get-header-value-trim",
     {SUITE_REQUEST("GET", "/"), HEADERS({"my-header2", " \"a   b   c\""}, {"my-header1", " value1"})},
     "/",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
     NULL},
    {"post-header-key-sort",
     {SUITE_REQUEST("POST", "/"), HEADERS({"my-header1", "value1"})},
     "/",
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
     NULL},
    {"post-sts-header-before",
     {SUITE_REQUEST("POST", "/")},
     "/",
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
     SUITE_TOKEN},
};

static void the_examples_of_the_signing_test_suite(void **state)
{
    (void)state;
    static const struct pncp_sigv4_key key = {.access_key = "AKIDEXAMPLE",
                                              .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                              .region = "us-east-1",
                                              .service = "service"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(SUITE); i++)
        check(&SUITE[i], &key, "20150830/us-east-1/service");
}

/* ---- what they leave out --------------------------------------------------------------------- */

#define LAKE_TIME_US ((int64_t)1769903999 * 1000000 + 999999) /* 2026-01-31T23:59:59.999999Z */
#define LAKE_REQUEST(method_, path_, payload_)                                                                         \
    .method = (method_), .host = "127.0.0.1:9000", .path = (path_), .payload_hash = (payload_), .time_us = LAKE_TIME_US
#define LAKE_NAMES "host;x-amz-content-sha256;x-amz-date"

static const struct pncp_sigv4_key lake_key = {
    .access_key = "lakeuser", .secret_key = "lakesecret", .region = "us-east-1", .service = "s3"};

static const struct example LAKE[] = {
    {"names of headers of which one begins the other",
     {LAKE_REQUEST("PUT", "/lake/pncp_details/x", PNCP_SIGV4_UNSIGNED),
      HEADERS({"x-amz-meta-test-two", "2"}, {"x-amz-meta-testing", "3"}, {"x-amz-meta-test", "1"})},
     "/lake/pncp_details/x",
     LAKE_NAMES ";x-amz-meta-test;x-amz-meta-test-two;x-amz-meta-testing",
     "f2720e6b1d07f8cb2e63938120634c7202fd5878f3fa8f5eb528bbdd4b9db573",
     NULL},
    {"names of a query of which one begins the other, and values of one name",
     {LAKE_REQUEST("GET", "/lake", PNCP_SIGV4_NO_BODY),
      QUERY({"a-b", "1"}, {"a", "2"}, {"a", ""}, {"a=", "3"}, {"a", "1-"}, {"a", "1"}, {"a b", "4"}, {"A", "5"},
            {"á", "6"}, {"a/b", "x/y"}, {"ab", "~"})},
     "/lake?%C3%A1=6&A=5&a=&a=1&a=1-&a=2&a%20b=4&a%2Fb=x%2Fy&a%3D=3&a-b=1&ab=~",
     LAKE_NAMES,
     "c50833b5b2e310478840fc65d6e24a5679904ca62706f0047476adfe1967dec0",
     NULL},
    {"a path of all sorts, with dots that stay",
     {LAKE_REQUEST("GET", "/lake/ano=2025/a b+c%20%/çã€/.././/~x'(!*)", PNCP_SIGV4_NO_BODY)},
     "/lake/ano%3D2025/a%20b%2Bc%2520%25/%C3%A7%C3%A3%E2%82%AC/.././/~x%27%28%21%2A%29",
     LAKE_NAMES,
     "d7e7a702c001ea80e094b8773ded96bd1c8d6ae2bd1ceb7cba748d62ef4d422c",
     NULL},
    {"a bare name and a session token",
     {LAKE_REQUEST("POST", "/lake/k", PNCP_SIGV4_NO_BODY), QUERY({"uploads", ""})},
     "/lake/k?uploads=",
     LAKE_NAMES ";x-amz-security-token",
     "05e4804e619de425dbd03f9e481f04d9d55f2cab5035553b67a07839f1c49ae3",
     "FwoGZXIvYXdzEBYaDH+/=TOKEN"},
    {"UploadPartCopy with a range and a condition",
     {LAKE_REQUEST("PUT", "/lake/pncp_details/ano=2025/details.parquet", PNCP_SIGV4_NO_BODY),
      QUERY({"uploadId", "VXBsb2FkSWQ/+=="}, {"partNumber", "1"}),
      HEADERS({"x-amz-copy-source", "/lake/pncp_details/ano%3D2025/details.parquet"},
              {"x-amz-copy-source-range", "bytes=0-5242879"},
              {"x-amz-copy-source-if-match", "\"9b2cf535f27731c974343645a3985328-2\""})},
     "/lake/pncp_details/ano%3D2025/details.parquet?partNumber=1&uploadId=VXBsb2FkSWQ%2F%2B%3D%3D",
     "host;x-amz-content-sha256;x-amz-copy-source;x-amz-copy-source-if-match;x-amz-copy-source-range;x-amz-date",
     "4cf3bde7e84eb0320be87dbb8dce04862029c25e368b0797bfe43ee7713dcd9a",
     NULL},
};

static void what_the_examples_leave_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(LAKE); i++)
        check(&LAKE[i], &lake_key, "20260131/us-east-1/s3");
}

static void the_day_of_the_scope_is_that_of_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t time_us;
        const char *scope;
        const char *signature;
    } cases[] = {
        {(int64_t)1709208000 * 1000000, "20240229/us-east-1/s3", /* 12:00:00 */
         "891db9b816ce6e713180b359ca5ce6fad570ce07651627aa27c0d4ea64b7f14d"},
        {(int64_t)1767225600 * 1000000 - 1, "20251231/us-east-1/s3", /* 23:59:59 */
         "04b731a1a3b321f338b3de63a283cd74665d0f4473a7a905e72496846635b70d"},
        {(int64_t)1767225600 * 1000000, "20260101/us-east-1/s3", /* 00:00:00 */
         "edb7d148b66c26b17efd1535eb0079b7ae7bfd104f0e7a343ee682f59654eb47"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct example example = {
            cases[i].scope, {LAKE_REQUEST("HEAD", "/lake/k", PNCP_SIGV4_NO_BODY)}, "/lake/k", LAKE_NAMES, "", NULL};
        example.request.time_us = cases[i].time_us;
        example.signature = cases[i].signature;
        check(&example, &lake_key, cases[i].scope);
    }
}

static void a_secret_may_be_longer_than_a_block_of_the_hash(void **state)
{
    (void)state;
    static const struct example example = {"a secret of 200 bytes",
                                           {LAKE_REQUEST("HEAD", "/lake/k", PNCP_SIGV4_NO_BODY)},
                                           "/lake/k",
                                           LAKE_NAMES,
                                           "59d1b73b100a437b1f12ebcea93aca6ae0486b0c775d5b51710ba8f183ea5e1c",
                                           NULL};
    char secret[201];
    for (size_t i = 0; i < 200; i++)
        secret[i] = (char)('0' + i % 10);
    secret[200] = '\0';
    struct pncp_sigv4_key key = lake_key;
    key.secret_key = secret;
    check(&example, &key, "20260131/us-east-1/s3");
}

/* ---- what is handed out ---------------------------------------------------------------------- */

static void headers_are_lines_as_they_are_signed(void **state)
{
    (void)state;
    static const char expected[] =
        "host:127.0.0.1:9000\0"
        "x-amz-content-sha256:" PNCP_SIGV4_UNSIGNED "\0"
        "x-amz-date:20260131T235959Z\0"
        "x-amz-meta-a:one two three four\0"
        "x-amz-security-token:token\0"
        "authorization:AWS4-HMAC-SHA256 Credential=lakeuser/20260131/us-east-1/s3/aws4_request, "
        "SignedHeaders=" LAKE_NAMES ";x-amz-meta-a;x-amz-security-token, "
        "Signature=4c451c8e31150d38e27c6492f1c0b3e9b229877cbf4602dda54fdbb3842ef6e6";
    struct pncp_sigv4_key key = lake_key;
    key.session_token = "token\r\n"; /* as files of tokens end */
    const struct pncp_sigv4_request request = {
        LAKE_REQUEST("PUT", "/lake/k", PNCP_SIGV4_UNSIGNED),
        HEADERS({"x-amz-meta-a", " \t one  two\t\tthree \r\n four  "}),
    };
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    assert_int_equal(pncp_sigv4_sign(&key, &request, &target, &headers), PNCP_OK);
    assert_int_equal(headers.len, sizeof(expected));
    assert_memory_equal(headers.data, expected, sizeof(expected));
}

static void a_blank_token_is_none(void **state)
{
    (void)state;
    struct example example = LAKE[2];
    example.session_token = "";
    check(&example, &lake_key, "20260131/us-east-1/s3");
    example.session_token = " \n";
    check(&example, &lake_key, "20260131/us-east-1/s3");
}

static void buffers_are_used_again(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    AUTO(pncp_buf_release) struct pncp_buf fresh_target = {0};
    AUTO(pncp_buf_release) struct pncp_buf fresh_headers = {0};
    assert_int_equal(pncp_sigv4_sign(&lake_key, &LAKE[4].request, &target, &headers), PNCP_OK);
    assert_int_equal(pncp_sigv4_sign(&lake_key, &LAKE[0].request, &target, &headers), PNCP_OK);
    assert_int_equal(pncp_sigv4_sign(&lake_key, &LAKE[0].request, &fresh_target, &fresh_headers), PNCP_OK);
    assert_string_equal(target.data, fresh_target.data);
    assert_true(pncp_view_eq(pncp_buf_view(&headers), pncp_buf_view(&fresh_headers)));
}

static void a_query_is_in_the_order_of_its_encoded_names(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf headers = {0};
    for (unsigned first = 0; first < 255; first++) {
        for (unsigned step = 1; step <= 16; step += 15) { /* neighbours, and bytes from everywhere */
            char names[PNCP_SIGV4_PAIRS_MAX][2];
            struct pncp_sigv4_pair query[PNCP_SIGV4_PAIRS_MAX];
            for (unsigned i = 0; i < PNCP_SIGV4_PAIRS_MAX; i++) {
                names[i][0] = (char)(1 + (first + (PNCP_SIGV4_PAIRS_MAX - i) * step) % 255);
                names[i][1] = '\0';
                query[i] = (struct pncp_sigv4_pair){names[i], ""};
            }
            struct pncp_sigv4_request request = {LAKE_REQUEST("GET", "/", PNCP_SIGV4_NO_BODY), .query = query};
            request.query_count = PNCP_SIGV4_PAIRS_MAX;
            assert_int_equal(pncp_sigv4_sign(&lake_key, &request, &target, &headers), PNCP_OK);
            const char *name = target.data + 2;
            for (unsigned i = 1; i < PNCP_SIGV4_PAIRS_MAX; i++) {
                const char *next = strchr(name, '&') + 1;
                size_t len = PNCP_MIN(strcspn(name, "="), strcspn(next, "="));
                assert_true(memcmp(name, next, len) < 0); /* of single bytes: none begins another */
                name = next;
            }
        }
    }
}

static void ceilings(void **state)
{
    (void)state;
    struct pncp_sigv4_pair query[PNCP_SIGV4_PAIRS_MAX + 1], headers[PNCP_SIGV4_PAIRS_MAX + 1];
    char names[PNCP_ARRAY_LEN(query)][8];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(query); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        query[i] = headers[i] = (struct pncp_sigv4_pair){names[i], "v"};
    }
    struct pncp_sigv4_request request = {LAKE_REQUEST("GET", "/", PNCP_SIGV4_NO_BODY), .query = query,
                                         .headers = headers};
    AUTO(pncp_buf_release) struct pncp_buf target = {0};
    AUTO(pncp_buf_release) struct pncp_buf lines = {0};
    for (size_t more = 0; more < 4; more++) {
        request.query_count = PNCP_SIGV4_PAIRS_MAX + more % 2;
        request.header_count = PNCP_SIGV4_PAIRS_MAX + more / 2;
        assert_int_equal(pncp_sigv4_sign(&lake_key, &request, &target, &lines), more == 0 ? PNCP_OK : PNCP_E_LIMIT);
    }

    request.query_count = request.header_count = 0;
    AUTO(pncp_buf_release) struct pncp_buf narrow = PNCP_BUF_INIT(1); /* "/" fits, its NUL does not */
    assert_int_equal(pncp_sigv4_sign(&lake_key, &request, &narrow, &lines), PNCP_E_LIMIT);
    assert_int_equal(pncp_sigv4_sign(&lake_key, &request, &target, &narrow), PNCP_E_LIMIT);
}

/* ---- the helpers ----------------------------------------------------------------------------- */

static void every_byte_is_encoded_or_stays(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    for (int byte = 1; byte < 256; byte++) {
        char text[] = {(char)byte, '\0'}, expected[4];
        bool stays = strchr(SUITE_UNRESERVED, byte) != NULL;
        (void)snprintf(expected, sizeof(expected), stays ? "%c" : "%%%02X", byte);
        for (int keep_slashes = 0; keep_slashes < 2; keep_slashes++) {
            pncp_buf_clear(&buf);
            assert_int_equal(pncp_percent_encode(&buf, text, keep_slashes != 0), PNCP_OK);
            assert_true(pncp_view_eq_text(pncp_buf_view(&buf), byte == '/' && keep_slashes ? "/" : expected));
        }
    }
}

static void an_encoded_text_is_appended_whole_or_not(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(8);
    assert_int_equal(pncp_buf_text(&buf, "ab"), PNCP_OK);
    assert_int_equal(pncp_percent_encode(&buf, "c d/e", true), PNCP_E_LIMIT);
    assert_true(pncp_view_eq_text(pncp_buf_view(&buf), "ab"));
    assert_int_equal(pncp_percent_encode(&buf, "", true), PNCP_OK);
    assert_int_equal(pncp_percent_encode(&buf, "c d/", true), PNCP_OK);
    assert_true(pncp_view_eq_text(pncp_buf_view(&buf), "abc%20d/"));
}

static void hashes_of_fips_180(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", PNCP_SIGV4_NO_BODY},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"Welcome to Amazon S3.", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
    };
    char hex[PNCP_SHA256_HEX_BYTES];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        assert_int_equal(pncp_sha256_hex(cases[i].text, strlen(cases[i].text), hex), PNCP_OK);
        assert_string_equal(hex, cases[i].hex);
    }
    assert_int_equal(pncp_sha256_hex(NULL, 0, hex), PNCP_OK);
    assert_string_equal(hex, PNCP_SIGV4_NO_BODY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_s3_documentation),
        cmocka_unit_test(the_examples_of_the_signing_test_suite),
        cmocka_unit_test(what_the_examples_leave_out),
        cmocka_unit_test(the_day_of_the_scope_is_that_of_utc),
        cmocka_unit_test(a_secret_may_be_longer_than_a_block_of_the_hash),
        cmocka_unit_test(headers_are_lines_as_they_are_signed),
        cmocka_unit_test(a_blank_token_is_none),
        cmocka_unit_test(buffers_are_used_again),
        cmocka_unit_test(a_query_is_in_the_order_of_its_encoded_names),
        cmocka_unit_test(ceilings),
        cmocka_unit_test(every_byte_is_encoded_or_stays),
        cmocka_unit_test(an_encoded_text_is_appended_whole_or_not),
        cmocka_unit_test(hashes_of_fips_180),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
