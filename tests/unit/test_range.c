/* A job over the days of a range: which days are begun, in which order, and what the whole ends with. */
#include "base/mem.h"
#include "ingest/run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* A job that ends as it is told. */
struct script {
    const int *exits; /* of the days from the first on */
    int32_t first;
    int signal_at; /* so many days after the first one a signal comes; -1: none */
};

static enum pncp_code end_as_told(struct pncp_run *run, const void *ctx, struct pncp_err *err)
{
    const struct script *script = ctx;
    int32_t at = run->options->date.days - script->first;
    run->day->exit_code = script->exits[at];
    run->day->saved = at;
    if (at == script->signal_at)
        (void)raise(SIGTERM);
    return script->exits[at] == 0 || script->exits[at] == 3 ? PNCP_OK : pncp_err_set(err, PNCP_E_IO, "as told");
}

static struct pncp_event *quiet(void)
{
    const struct pncp_event_options options = {.fd = STDERR_FILENO, .least = PNCP_LEVEL_ERROR};
    struct pncp_event *event;
    if (pncp_event_new(&options, &event) != PNCP_OK)
        abort();
    return event;
}

static struct pncp_ingest_options three_days(void)
{
    struct pncp_ingest_options options = {.lake_url = "nowhere", .days = {.range = true}};
    assert_true(pncp_date_from_civil(2025, 2, 27, &options.days.first));
    options.days.last.days = options.days.first.days + 2; /* 1 March */
    return options;
}

static void goes_on_past_3_and_stops_at_the_others(void **state)
{
    (void)state;
    static const struct {
        int exits[3];
        size_t begun;
        int exit_code;
    } cases[] = {{{0, 0, 0}, 3, 0}, {{0, 3, 0}, 3, 3}, {{3, 0, 3}, 3, 3}, {{75, 0, 0}, 1, 75},  {{3, 75, 0}, 2, 75},
                 {{3, 1, 0}, 2, 1}, {{0, 2, 0}, 2, 2}, {{0, 3, 1}, 3, 1}, {{3, 143, 0}, 2, 143}};
    struct pncp_event *event = quiet();
    const struct pncp_ingest_options options = three_days();
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_summary_release) struct pncp_summary summary = {.day_count = 0};
        struct pncp_err err = PNCP_ERR_INIT;
        const struct script script = {cases[i].exits, options.days.first.days, -1};
        enum pncp_code rc = pncp_range_run(&options, event, end_as_told, &script, &summary, &err);
        assert_int_equal(rc == PNCP_OK, cases[i].exit_code == 0 || cases[i].exit_code == 3);
        assert_int_equal(summary.exit_code, cases[i].exit_code);
        assert_int_equal(summary.day_count, cases[i].begun);
        for (size_t day = 0; day < summary.day_count; day++) {
            assert_int_equal(summary.days[day].date.days, options.days.first.days + (int32_t)day);
            assert_int_equal(summary.days[day].exit_code, cases[i].exits[day]);
            assert_int_equal(summary.days[day].saved, day);
        }
    }
    pncp_event_free(event);
}

static enum pncp_code take_ten_ms(struct pncp_run *run, const void *ctx, struct pncp_err *err)
{
    (void)err;
    run->day->exit_code = *(const int *)ctx;
    while (pncp_clock_mono_ms() - run->started_ms < 10) {
        const struct timespec step = {.tv_nsec = 1000000};
        (void)nanosleep(&step, NULL);
    }
    return PNCP_OK;
}

static void no_day_is_begun_when_the_time_is_over(void **state)
{
    (void)state;
    struct pncp_event *event = quiet();
    struct pncp_ingest_options options = three_days();
    options.max_duration_ms = 15; /* more than a day takes, less than two do */
    for (int exit_code = 0; exit_code <= 3; exit_code += 3) {
        AUTO(pncp_summary_release) struct pncp_summary summary = {.day_count = 0};
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_range_run(&options, event, take_ten_ms, &exit_code, &summary, &err), PNCP_OK);
        assert_in_range(summary.day_count, 1, 2);
        assert_int_equal(summary.exit_code, exit_code);
    }
    pncp_event_free(event);
}

/* In a process of its own: a signal that was received stays so. */
static void a_signal_between_two_days_ends_it(void **state)
{
    (void)state;
    static const int exits[] = {3, 0, 0};
    const struct pncp_ingest_options options = three_days();
    for (int at = 0; at < 3; at++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct pncp_summary summary;
            struct pncp_err err = PNCP_ERR_INIT;
            const struct script script = {exits, options.days.first.days, at};
            if (pncp_stop_install(&err) != PNCP_OK)
                _exit(1);
            enum pncp_code rc = pncp_range_run(&options, quiet(), end_as_told, &script, &summary, &err);
            bool last = at == 2; /* all is done: as without a signal */
            bool right = summary.day_count == (size_t)at + 1 && rc == (last ? PNCP_OK : PNCP_E_CANCELLED) &&
                         summary.exit_code == (last ? 3 : 128 + SIGTERM);
            _exit(right ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void one_day_is_no_range(void **state)
{
    (void)state;
    static const int exits[] = {0};
    AUTO(pncp_summary_release) struct pncp_summary summary = {.day_count = 0};
    struct pncp_event *event = quiet();
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_ingest_options options = three_days();
    options.days = (struct pncp_days){options.days.first, options.days.first, false};
    const struct script script = {exits, options.days.first.days, -1};
    assert_int_equal(pncp_range_run(&options, event, end_as_told, &script, &summary, &err), PNCP_OK);
    assert_int_equal(summary.day_count, 1);
    pncp_event_free(event);
}

static void the_worse_of_two(void **state)
{
    (void)state;
    static const int rising[] = {0, 3, 75, 1, 2, 143};
    for (size_t a = 0; a < PNCP_ARRAY_LEN(rising); a++) {
        for (size_t b = 0; b < PNCP_ARRAY_LEN(rising); b++)
            assert_int_equal(pncp_exit_worse(rising[a], rising[b]), rising[PNCP_MAX(a, b)]);
    }
    for (size_t a = 0; a < PNCP_ARRAY_LEN(rising); a++)
        assert_int_equal(pncp_exit_goes_on(rising[a]), a < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_past_3_and_stops_at_the_others),
        cmocka_unit_test(no_day_is_begun_when_the_time_is_over),
        cmocka_unit_test(a_signal_between_two_days_ends_it),
        cmocka_unit_test(one_day_is_no_range),
        cmocka_unit_test(the_worse_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
