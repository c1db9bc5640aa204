#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void each_byte_is_two_digits(void **state)
{
    (void)state;
    char text[PNCP_HEX_BYTES(1)], expected[PNCP_HEX_BYTES(1)];
    for (unsigned i = 0; i < 256; i++) {
        const unsigned char byte = (unsigned char)i;
        pncp_hex(&byte, 1, text);
        (void)snprintf(expected, sizeof(expected), "%02x", i);
        assert_string_equal(text, expected);
    }
    pncp_hex("", 0, text);
    assert_string_equal(text, "");
}

static void bytes_in_the_second_half_are_read_first(void **state)
{
    (void)state;
    char text[PNCP_HEX_BYTES(6)];
    memcpy(text + 6, "\x01\x23\x45\x67\x89\xab", 6);
    pncp_hex(text + 6, 6, text);
    assert_string_equal(text, "0123456789ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_two_digits),
        cmocka_unit_test(bytes_in_the_second_half_are_read_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
