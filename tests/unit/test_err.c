/* Errors: what is set, what context and cutting do to the message, and which troubles pass by themselves. */
#include "base/err.h"
#include "base/view.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_set_replaces_all(void **state)
{
    (void)state;
    struct pncp_err err = {.code = PNCP_E_IO, .transient = true, .os_errno = EIO, .http_status = 503, .msg = "old"};
    assert_int_equal(pncp_err_set(&err, PNCP_E_PARSE, "page %d: %s", 12, "cut off"), PNCP_E_PARSE);
    assert_int_equal(err.code, PNCP_E_PARSE);
    assert_false(err.transient);
    assert_int_equal(err.os_errno, 0);
    assert_int_equal(err.http_status, 0);
    assert_string_equal(err.msg, "page 12: cut off");
}

static void test_wrap_puts_context_in_front(void **state)
{
    (void)state;
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_sys(&err, ENOSPC, "write %s", "x.parquet");
    assert_int_equal(pncp_err_wrap(&err, err.code, "checkpoint %d", 3), PNCP_E_IO);
    assert_int_equal(pncp_err_wrap(&err, err.code, "day %s", "20251022"), PNCP_E_IO);
    assert_string_equal(err.msg, "day 20251022: checkpoint 3: write x.parquet: No space left on device");
    assert_int_equal(err.os_errno, ENOSPC); /* the rest stays as it was */
    assert_true(err.transient);
}

static void test_which_system_errors_pass(void **state)
{
    (void)state;
    static const struct {
        int os_errno;
        bool transient;
    } cases[] = {
        {EAGAIN, true},  {EINTR, true},  {EBUSY, true},    {EIO, true},     {EMFILE, true},  {ENFILE, true},
        {ENOMEM, true},  {ENOSPC, true}, {EDQUOT, true},   {ESTALE, true},  {ENOENT, false}, {ETIMEDOUT, true},
        {EACCES, false}, {EROFS, false}, {ENOTDIR, false}, {EINVAL, false}, {EPERM, false},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_err_sys(&err, cases[i].os_errno, "open x"), PNCP_E_IO);
        assert_int_equal(err.os_errno, cases[i].os_errno);
        if (err.transient != cases[i].transient)
            fail_msg("%s", err.msg);
        assert_int_equal(strncmp(err.msg, "open x: ", 8), 0);
        assert_true(strlen(err.msg) > 8);
    }
}

static void test_long_messages_are_cut(void **state)
{
    (void)state;
    char letters[1001];
    memset(letters, 'x', sizeof(letters) - 1);
    letters[sizeof(letters) - 1] = '\0';
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_set(&err, PNCP_E_PARSE, "%s", letters);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    (void)pncp_err_sys(&err, ENOENT, "%s", letters);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    (void)pncp_err_wrap(&err, err.code, "context");
    assert_int_equal(strncmp(err.msg, "context: xxx", 12), 0);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    (void)pncp_err_wrap(&err, err.code, "%s", letters);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_int_equal(err.os_errno, ENOENT);
}

static void test_a_cut_message_ends_with_a_whole_character(void **state)
{
    (void)state;
    char text[1001];
    for (size_t shift = 0; shift < 4; shift++) {
        struct pncp_err err = PNCP_ERR_INIT;
        memset(text, 'x', shift);
        for (size_t at = shift; at + 4 < sizeof(text); at += 4)
            memcpy(text + at, "😀", 5);
        (void)pncp_err_set(&err, PNCP_E_PARSE, "%s", text);
        assert_in_range(strlen(err.msg), sizeof(err.msg) - 4, sizeof(err.msg) - 1);
        assert_true(pncp_view_is_utf8(pncp_view_of(err.msg)));
        (void)pncp_err_wrap(&err, err.code, "ab");
        assert_in_range(strlen(err.msg), sizeof(err.msg) - 4, sizeof(err.msg) - 1);
        assert_true(pncp_view_is_utf8(pncp_view_of(err.msg)));
    }
}

static void test_a_message_is_one_line(void **state)
{
    (void)state;
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_set(&err, PNCP_E_USAGE, "--date %s: no such day",
                       "yes\nter\x7f\x1b"
                       "day");
    assert_string_equal(err.msg, "--date yes?ter??day: no such day");
    (void)pncp_err_wrap(&err, err.code, "a\tb");
    assert_string_equal(err.msg, "a?b: --date yes?ter??day: no such day");
}

static void test_null_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(pncp_err_set(NULL, PNCP_E_LIMIT, "x"), PNCP_E_LIMIT);
    assert_int_equal(pncp_err_sys(NULL, EIO, "x"), PNCP_E_IO);
    assert_int_equal(pncp_err_wrap(NULL, PNCP_E_BUSY, "x"), PNCP_E_BUSY);
}

static void test_every_code_has_its_own_name(void **state)
{
    (void)state;
    for (int i = PNCP_OK; i <= PNCP_E_UNSUPPORTED; i++) {
        const char *name = pncp_code_name((enum pncp_code)i);
        assert_non_null(name);
        assert_string_not_equal(name, "unknown");
        for (int k = PNCP_OK; k < i; k++)
            assert_string_not_equal(name, pncp_code_name((enum pncp_code)k));
    }
    assert_string_equal(pncp_code_name((enum pncp_code)(PNCP_E_UNSUPPORTED + 1)), "unknown");
    assert_string_equal(pncp_code_name((enum pncp_code) - 1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_replaces_all),
        cmocka_unit_test(test_wrap_puts_context_in_front),
        cmocka_unit_test(test_which_system_errors_pass),
        cmocka_unit_test(test_long_messages_are_cut),
        cmocka_unit_test(test_a_cut_message_ends_with_a_whole_character),
        cmocka_unit_test(test_a_message_is_one_line),
        cmocka_unit_test(test_null_is_accepted),
        cmocka_unit_test(test_every_code_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
