/* How many requests at once: conversations of answers. */
#include "fetch/aimd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `answers`: "8g" eight good ones, "1t" one with trouble; =N: the limit is N then. */
static const struct {
    unsigned ceiling;
    const char *answers;
} TALKS[] = {
    /* doubles each round, a round being as many answers as the limit, up to the ceiling */
    {32, "=8 7g =8 1g =16 15g =16 1g =32 32g =32 500g =32"},
    {20, "=8 8g =16 16g =20"},
    {4, "=4 4g =4"},
    {1, "=1 1g =1 1t =1 1g =1"},
    /* trouble halves at once; after the first, one more a round */
    {32, "8g =16 1t =8 7g =8 8g =9 9g =10 10g =11"},
    {32, "1t =4 3g =4 4g =5 5g =6 6g =7 7g =8 8g =9"},
    /* once a round, however many fail in it */
    {32, "8g 16g =32 1t =16 1t =16 13t =16 1t =16"},
    {32, "8g 16g =32 16t =16 1t =8 7t =8 1t =4"},
    /* down to one, never to none; and up again */
    {32, "=8 1t =4 3t =4 1t =2 1t =2 1t =1 5t =1 1g =2 2g =3"},
    {512, "8g 16g 32g 64g 128g =256 256g =512 512g =512"},
};

static void answers_move_the_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(TALKS); i++) {
        struct pncp_aimd aimd;
        pncp_aimd_init(&aimd, TALKS[i].ceiling);
        for (const char *at = TALKS[i].answers; *at != '\0';) {
            char *end;
            bool check = *at == '=';
            unsigned long count = strtoul(at + check, &end, 10);
            if (check && aimd.limit != count)
                fail_msg("\"%s\": %u at \"%s\"", TALKS[i].answers, aimd.limit, at);
            for (unsigned long k = 0; !check && k < count; k++) {
                if (*end == 'g')
                    pncp_aimd_good(&aimd);
                else
                    pncp_aimd_trouble(&aimd);
                assert_in_range(aimd.limit, 1, TALKS[i].ceiling);
            }
            end += !check;
            at = end + (*end == ' ');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_move_the_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
