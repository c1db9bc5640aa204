/* What a run tells, to the letter (docs/FORMATS.md, "Log"): text, JSON, signs, levels, and a stderr that is gone. */
#include "base/mem.h"
#include "event/event.h"
#include "sys_faults.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Everything told since the last call, as one string. */
struct ear {
    int fds[2];
    struct pncp_event *event;
    char text[65536];
};

static void listen_to(struct ear *ear, struct pncp_event_options options)
{
    assert_int_equal(pipe2(ear->fds, O_CLOEXEC | O_NONBLOCK), 0);
    options.fd = ear->fds[1];
    assert_int_equal(pncp_event_new(&options, &ear->event), PNCP_OK);
}

static const char *heard(struct ear *ear)
{
    ssize_t len = read(ear->fds[0], ear->text, sizeof(ear->text) - 1);
    ear->text[len < 0 ? 0 : len] = '\0';
    return ear->text;
}

static void stop_listening(struct ear *ear)
{
    pncp_event_free(ear->event);
    (void)close(ear->fds[0]);
    (void)close(ear->fds[1]);
}

static const struct pncp_event_checkpoint FIRST = {.n = 1,
                                                   .saved = 50,
                                                   .saved_so_far = 50,
                                                   .total = 505,
                                                   .itens = 245,
                                                   .arquivos = 1203,
                                                   .seconds = 0.424,
                                                   .bytes_sent = 412000,
                                                   .rate = 12.34};

static struct pncp_day_summary the_day(void)
{
    return (struct pncp_day_summary){.saved = 505,
                                     .itens = 2505,
                                     .arquivos = 12015,
                                     .api_calls = 1010,
                                     .checkpoints = 11,
                                     .seconds = 61.44,
                                     .remaining = 3};
}

static void tell_all(struct pncp_event *event)
{
    struct pncp_event_checkpoint last = FIRST, by_size = FIRST;
    struct pncp_day_summary day = the_day();
    last.n = 11;
    last.saved = 5;
    last.last = true;
    last.bytes_sent = 9999;
    by_size.by_size = true;
    by_size.bytes_sent = UINT64_C(12) * 1024 * 1024;
    pncp_event_processing(event, 505);
    pncp_event_checkpoint(event, &FIRST);
    pncp_event_checkpoint(event, &by_size);
    pncp_event_checkpoint(event, &last);
    pncp_event_done(event, &day, 505);
    pncp_event_stopped(event, 100, 505, "the API does not answer");
}

static void the_lines_of_the_contract(void **state)
{
    (void)state;
    struct ear ear;
    listen_to(&ear, (struct pncp_event_options){.utf8 = true, .least = PNCP_LEVEL_INFO});
    tell_all(ear.event);
    assert_string_equal(
        heard(&ear),
        "Processing 505 contratacoes...\n"
        "💾 Checkpoint 1: Saved 50 contratacoes (50/505 total progress, 245 itens, 1203 arquivos) · 0.42 s, 402 KiB, "
        "12.3/s\n"
        "💾 Checkpoint 1: Saved 50 contratacoes (50/505 total progress, 245 itens, 1203 arquivos) · 0.42 s, 12 MiB, "
        "12.3/s (size)\n"
        "💾 Final checkpoint: Saved remaining 5 contratacoes · 0.42 s, 9999 B, 12.3/s\n"
        "✅ Processed 505 contratacoes: 2505 itens, 12015 arquivos (1010 API calls, 0 errors, 11 checkpoints saved) · "
        "61.4 s\n"
        "⚠️ Stopped after 100 of 505 contratacoes: the API does not answer\n");
    stop_listening(&ear);
}

static void a_terminal_without_utf8_gets_ascii(void **state)
{
    (void)state;
    struct ear ear;
    listen_to(&ear, (struct pncp_event_options){.utf8 = false, .least = PNCP_LEVEL_INFO});
    tell_all(ear.event);
    const char *text = heard(&ear);
    for (const char *c = text; *c != '\0'; c++)
        assert_in_range((unsigned char)*c, '\n', '~');
    assert_non_null(strstr(text, "\n[SAVE] Checkpoint 1: Saved 50 contratacoes (50/505 total progress, 245 itens, 1203 "
                                 "arquivos) - 0.42 s, 402 KiB, 12.3/s\n"));
    assert_non_null(strstr(text, "\n[SAVE] Final checkpoint: Saved remaining 5 contratacoes - "));
    assert_non_null(strstr(text, "\n[OK] Processed 505 contratacoes: 2505 itens"));
    assert_non_null(strstr(text, "\n[STOP] Stopped after 100 of 505 contratacoes: "));
    stop_listening(&ear);
}

static void others_are_level_and_message(void **state)
{
    (void)state;
    static const struct {
        enum pncp_level least;
        const char *want;
    } cases[] = {
        {PNCP_LEVEL_DEBUG, "DEBUG d 1\nINFO i 2\nWARNING w 3\nERROR e 4\nWARNING macro\n"},
        {PNCP_LEVEL_INFO, "INFO i 2\nWARNING w 3\nERROR e 4\nWARNING macro\n"},
        {PNCP_LEVEL_WARNING, "WARNING w 3\nERROR e 4\nWARNING macro\n"},
        {PNCP_LEVEL_ERROR, "ERROR e 4\n"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct ear ear;
        listen_to(&ear, (struct pncp_event_options){.utf8 = true, .least = cases[i].least});
        pncp_event_log(ear.event, PNCP_LEVEL_DEBUG, "retry", "d %d", 1);
        pncp_event_log(ear.event, PNCP_LEVEL_INFO, "brake", "i %d", 2);
        pncp_event_log(ear.event, PNCP_LEVEL_WARNING, "failure", "w %d", 3);
        pncp_event_log(ear.event, PNCP_LEVEL_ERROR, "outage", "e %d", 4);
        pncp_event_warning(ear.event, "macro");
        assert_string_equal(heard(&ear), cases[i].want);
        if (cases[i].least > PNCP_LEVEL_INFO) { /* --quiet: only what went wrong */
            pncp_event_processing(ear.event, 1);
            pncp_event_checkpoint(ear.event, &FIRST);
            assert_string_equal(heard(&ear), "");
            pncp_event_stopped(ear.event, 1, 2, "why");
            assert_string_equal(heard(&ear), "⚠️ Stopped after 1 of 2 contratacoes: why\n");
        }
        stop_listening(&ear);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* One line without its time, which is checked to be one. */
static void next_json(char **at, char *ret_line, size_t bytes)
{
    char *end = strchr(*at, '\n');
    assert_non_null(end);
    *end = '\0';
    AUTO(pncp_json_release) struct pncp_json json = {0};
    int64_t us;
    assert_int_equal(pncp_json_parse(pncp_view_of(*at), &json, NULL, NULL), PNCP_OK);
    assert_true(pncp_datetime_parse(pncp_json_text(pncp_json_get(json.root, "ts")), &us));
    assert_int_equal(strncmp(*at, "{\"ts\":\"20", 9), 0);
    (void)snprintf(ret_line, bytes, "%s", *at + strlen("{\"ts\":\"2025-10-23T06:02:03Z\","));
    *at = end + 1;
}

static void json_has_the_same_facts(void **state)
{
    (void)state;
    static const char *const want[] = {
        "\"level\":\"info\",\"event\":\"start\",\"msg\":\"Processing 505 contratacoes...\",\"contratacoes\":505}",
        "\"level\":\"info\",\"event\":\"checkpoint\",\"msg\":\"💾 Checkpoint 1: Saved 50 contratacoes (50/505 total "
        "progress, 245 itens, 1203 arquivos) · 0.42 s, 402 KiB, 12.3/s\",\"n\":1,\"saved\":50,\"saved_so_far\":50,"
        "\"total\":505,\"itens\":245,\"arquivos\":1203,\"bytes_sent\":412000,\"ms\":424,\"rate\":12.3,\"by_size\":"
        "false}",
        "\"level\":\"info\",\"event\":\"checkpoint\",\"msg\":\"💾 Checkpoint 1: Saved 50 contratacoes (50/505 total "
        "progress, 245 itens, 1203 arquivos) · 0.42 s, 12 MiB, 12.3/s "
        "(size)\",\"n\":1,\"saved\":50,\"saved_so_far\":50,"
        "\"total\":505,\"itens\":245,\"arquivos\":1203,\"bytes_sent\":12582912,\"ms\":424,\"rate\":12.3,\"by_size\":"
        "true}",
        "\"level\":\"info\",\"event\":\"final_checkpoint\",\"msg\":\"💾 Final checkpoint: Saved remaining 5 "
        "contratacoes · 0.42 s, 9999 B, 12.3/s\",\"n\":11,\"saved\":5,",
        "\"level\":\"info\",\"event\":\"summary\",\"msg\":\"✅ Processed 505 contratacoes: 2505 itens, 12015 arquivos "
        "(1010 API calls, 0 errors, 11 checkpoints saved) · 61.4 s\",\"processed\":505,\"saved\":505,\"itens\":2505,"
        "\"arquivos\":12015,\"api_calls\":1010,\"errors\":0,\"checkpoints\":11,\"remaining\":3,\"exit_code\":0,"
        "\"seconds\":61.4}",
        "\"level\":\"error\",\"event\":\"summary\",\"msg\":\"⚠️ Stopped after 100 of 505 contratacoes: the API "
        "does "
        "not answer\",\"done\":100,\"total\":505",
        "\"level\":\"warning\",\"event\":\"failure\",\"msg\":\"a \\\"quoted\\\" one\"}",
    };
    struct ear ear;
    char line[2000];
    listen_to(&ear, (struct pncp_event_options){.utf8 = true, .json = true, .least = PNCP_LEVEL_INFO});
    tell_all(ear.event);
    pncp_event_log(ear.event, PNCP_LEVEL_DEBUG, "retry", "not told");
    pncp_event_log(ear.event, PNCP_LEVEL_WARNING, "failure", "a \"%s\" one", "quoted");
    (void)heard(&ear);
    char *at = ear.text;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(want); i++) {
        next_json(&at, line, sizeof(line));
        if (strncmp(line, want[i], strlen(want[i])) != 0)
            fail_msg("%s\n%s", line, want[i]);
    }
    assert_string_equal(at, "");
    stop_listening(&ear);
}

/* ---- odd weather ----------------------------------------------------------------------------- */

static void a_long_message_is_cut_to_one_line(void **state)
{
    (void)state;
    for (int json = 0; json < 2; json++) {
        struct ear ear;
        AUTO(pncp_free_ptr) char *long_one = pncp_calloc(1, 5001);
        assert_non_null(long_one);
        memset(long_one, 'x', 5000);
        listen_to(&ear, (struct pncp_event_options){.utf8 = true, .json = json == 1, .least = PNCP_LEVEL_INFO});
        pncp_event_log(ear.event, PNCP_LEVEL_INFO, "failure", "%s", long_one);
        pncp_event_stopped(ear.event, 1, 2, long_one);
        pncp_event_log(ear.event, PNCP_LEVEL_INFO, "failure", "next");
        size_t len = strlen(heard(&ear)), lines = 0;
        for (size_t i = 0; i < len; i++)
            lines += ear.text[i] == '\n';
        assert_int_equal(lines, 3);
        assert_in_range(len, 2000, 3200);
        assert_non_null(strstr(ear.text, json == 1 ? "\"msg\":\"next\"}\n" : "\nINFO next\n"));
        for (char *at = ear.text, line[2000]; json == 1 && *at != '\0';)
            next_json(&at, line, sizeof(line)); /* each is whole JSON */
        stop_listening(&ear);
    }
}

/* Whatever the byte at which the limit comes, the line is UTF-8. */
static void a_cut_message_ends_with_a_whole_character(void **state)
{
    (void)state;
    char text[4096];
    for (size_t shift = 0; shift < 8; shift++) {
        struct ear ear;
        size_t at = shift;
        memset(text, 'x', shift);
        for (; at + 9 < sizeof(text); at += 9)
            memcpy(text + at, "ção😀", 9); /* sequences of 2, 2, 1 and 4 bytes */
        text[at] = '\0';
        listen_to(&ear, (struct pncp_event_options){.utf8 = true, .least = PNCP_LEVEL_INFO});
        pncp_event_log(ear.event, PNCP_LEVEL_INFO, "failure", "%s", text);
        struct pncp_view told = pncp_view_of(heard(&ear));
        assert_in_range(told.len, 1390, 1400);
        assert_true(pncp_view_ends(told, "\n"));
        assert_true(pncp_view_is_utf8(told));
        pncp_event_stopped(ear.event, 1, 2, text);
        told = pncp_view_of(heard(&ear));
        assert_in_range(told.len, 1390, 1400);
        assert_true(pncp_view_is_utf8(told));
        stop_listening(&ear);
    }
}

static void an_interrupted_write_drops_nothing(void **state)
{
    (void)state;
    const struct sys_fault interrupted = {.calls = SYS_ALL, .way = SYS_FAULT_ERROR, .error = EINTR};
    for (int json = 0; json < 2; json++) {
        struct ear ear;
        listen_to(&ear, (struct pncp_event_options){.utf8 = true, .json = json == 1, .least = PNCP_LEVEL_INFO});
        sys_faults_arm(&interrupted, 1);
        pncp_event_processing(ear.event, 505);
        assert_int_equal(sys_faults_disarm(), SYS_WRITE);
        assert_non_null(strstr(heard(&ear), "Processing 505 contratacoes..."));
        stop_listening(&ear);
    }
}

static void a_closed_stderr_stops_nothing(void **state)
{
    (void)state;
    struct pncp_event *event;
    struct ear ear;
    (void)signal(SIGPIPE, SIG_IGN); /* as the program does */
    listen_to(&ear, (struct pncp_event_options){.utf8 = true, .live = true, .least = PNCP_LEVEL_DEBUG});
    (void)close(ear.fds[0]);
    tell_all(ear.event);
    pncp_event_live(ear.event, &(struct pncp_event_live){.phase = "fetching"});
    pncp_event_free(ear.event);
    (void)close(ear.fds[1]);
    const struct pncp_event_options closed = {.fd = -1, .json = true, .least = PNCP_LEVEL_DEBUG};
    assert_int_equal(pncp_event_new(&closed, &event), PNCP_OK);
    tell_all(event);
    pncp_event_free(event);
    pncp_event_free(NULL);
    (void)signal(SIGPIPE, SIG_DFL);
}

/* A full pipe that nobody reads: a line waits, until the program is to end. */
static void a_full_stderr_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct ear ear;
    int stop[2];
    char page[4096];
    assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
    listen_to(&ear, (struct pncp_event_options){.stop_fd = stop[0], .least = PNCP_LEVEL_DEBUG});
    assert_int_equal(fcntl(ear.fds[1], F_SETPIPE_SZ, 4096), 4096);
    assert_int_equal(fcntl(ear.fds[1], F_SETFL, 0), 0); /* as a stderr is: a write waits */
    memset(page, 'x', sizeof(page));
    assert_int_equal(write(ear.fds[1], page, sizeof(page)), sizeof(page));
    assert_int_equal(write(stop[1], "", 1), 1);
    (void)alarm(20); /* one that waits for ever fails */
    tell_all(ear.event);
    (void)alarm(0);
    assert_int_equal(read(ear.fds[0], page, sizeof(page)), sizeof(page));
    pncp_event_log(ear.event, PNCP_LEVEL_INFO, "x", "there is room"); /* told to end or not */
    assert_int_equal(read(ear.fds[0], page, sizeof(page)), strlen("INFO there is room\n"));
    pncp_event_free(ear.event);
    for (int i = 0; i < 2; i++) {
        (void)close(ear.fds[i]);
        (void)close(stop[i]);
    }
}

static void a_live_line_gives_way_to_others(void **state)
{
    (void)state;
    struct ear ear;
    struct pncp_event_live live = {.done = 10,
                                   .total = 505,
                                   .errors = 2,
                                   .rate = 3.14,
                                   .in_flight = 7,
                                   .limit = 16,
                                   .last_checkpoint = 1,
                                   .eta_s = 125,
                                   .phase = "fetching"};
    listen_to(&ear, (struct pncp_event_options){.utf8 = true, .live = true, .least = PNCP_LEVEL_INFO});
    pncp_event_live(ear.event, &live);
    pncp_event_live(ear.event, &live); /* at once: not drawn again */
    const char *text = heard(&ear);
    assert_int_equal(strncmp(text, "\r\033[Kfetching 10/505 | 3.1/s | in flight 7/16 | checkpoint 1 | failures 2", 60),
                     0);
    assert_null(strchr(text + 1, '\r'));
    assert_true(strlen(text) <= 83); /* the width of a terminal that does not say */
    pncp_event_log(ear.event, PNCP_LEVEL_INFO, "list", "told");
    assert_string_equal(heard(&ear), "\r\033[KINFO told\n");
    pncp_event_log(ear.event, PNCP_LEVEL_INFO, "list", "again");
    assert_string_equal(heard(&ear), "INFO again\n"); /* nothing to wipe */
    stop_listening(&ear);
    listen_to(&ear, (struct pncp_event_options){.utf8 = true, .least = PNCP_LEVEL_INFO}); /* no terminal */
    pncp_event_live(ear.event, &live);
    assert_string_equal(heard(&ear), "");
    stop_listening(&ear);
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 40; i++)
        pncp_event_log(arg, PNCP_LEVEL_INFO, "list", "0123456789");
    return NULL;
}

static void lines_of_two_threads_do_not_mix(void **state)
{
    (void)state;
    struct ear ear;
    pthread_t threads[2];
    listen_to(&ear, (struct pncp_event_options){.utf8 = true, .live = true, .least = PNCP_LEVEL_INFO});
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, ear.event), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    const char *at = heard(&ear);
    for (int i = 0; i < 80; i++, at += strlen("INFO 0123456789\n"))
        assert_int_equal(strncmp(at, "INFO 0123456789\n", strlen("INFO 0123456789\n")), 0);
    assert_string_equal(at, "");
    stop_listening(&ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lines_of_the_contract),
        cmocka_unit_test(a_terminal_without_utf8_gets_ascii),
        cmocka_unit_test(others_are_level_and_message),
        cmocka_unit_test(json_has_the_same_facts),
        cmocka_unit_test(a_long_message_is_cut_to_one_line),
        cmocka_unit_test(a_closed_stderr_stops_nothing),
        cmocka_unit_test(a_full_stderr_does_not_hold_up_the_end),
        cmocka_unit_test(a_cut_message_ends_with_a_whole_character),
        cmocka_unit_test(an_interrupted_write_drops_nothing),
        cmocka_unit_test(a_live_line_gives_way_to_others),
        cmocka_unit_test(lines_of_two_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
