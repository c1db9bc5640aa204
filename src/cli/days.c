/* A command that answers for one day, over the days asked for. */
#include "base/json_writer.h"
#include "cli/cli.h"

#include <string.h>

static void release_answer(struct pncp_day_answer *answer)
{
    pncp_buf_release(&answer->text);
}

/* The day's answer. When there is none it is told why, and the text is empty. */
static struct pncp_day_answer ask(const struct pncp_cli *cli, struct pncp_date date, pncp_day_fn *each)
{
    struct pncp_day_answer answer = {.exit_code = 0};
    struct pncp_err err = PNCP_ERR_INIT;
    char day[PNCP_DATE_TEXT_BYTES];
    enum pncp_code rc = each(cli, date, &answer, &err);
    if (rc == PNCP_OK)
        return answer;
    if (err.code == PNCP_OK)
        (void)pncp_err_set(&err, rc, "out of memory");
    pncp_date_format(date, day);
    if (cli->days.range)
        (void)pncp_err_wrap(&err, rc, "%s", day);
    pncp_buf_release(&answer.text);
    answer.exit_code = pncp_cli_fail(&err);
    return answer;
}

/* Each line of `text` with the day before it. */
static int print_lines(struct pncp_date date, struct pncp_view text, int exit_code)
{
    AUTO(pncp_buf_release) struct pncp_buf lines = {0};
    char day[PNCP_DATE_TEXT_BYTES];
    enum pncp_code rc = PNCP_OK;
    pncp_date_format(date, day);
    while (rc == PNCP_OK && text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data) + 1;
        rc = pncp_buf_format(&lines, "%s: %.*s", day, (int)len, text.data);
        text = pncp_view_from(text, len);
    }
    if (rc == PNCP_OK)
        return pncp_cli_print(pncp_buf_view(&lines), exit_code);
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_set(&err, rc, "%s: out of memory", day);
    return pncp_cli_fail(&err);
}

/* The days until one ends the range. Text is printed; objects become elements of the array under construction. */
static int each_day(const struct pncp_cli *cli, pncp_day_fn *each, struct pncp_json_writer *array)
{
    int exit_code = 0;
    for (struct pncp_date date = cli->days.first; date.days <= cli->days.last.days; date.days++) {
        AUTO(release_answer) struct pncp_day_answer answer = ask(cli, date, each);
        struct pncp_view text = pncp_buf_view(&answer.text);
        if (cli->json && text.len > 0)
            pncp_json_put_raw(array, (struct pncp_view){text.data, text.len - 1}); /* without the end of its line */
        else if (text.len > 0)
            answer.exit_code = print_lines(date, text, answer.exit_code);
        exit_code = pncp_exit_worse(exit_code, answer.exit_code);
        if (date.days < cli->days.last.days && pncp_stop_signal() != 0)
            exit_code = 128 + pncp_stop_signal();
        if (!pncp_exit_goes_on(exit_code))
            break;
    }
    return exit_code;
}

static int run_range(const struct pncp_cli *cli, pncp_day_fn *each)
{
    AUTO(pncp_buf_release) struct pncp_buf object = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &object);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_key(&w, "days");
    pncp_json_array_begin(&w);
    int exit_code = each_day(cli, each, &w);
    pncp_json_array_end(&w);
    pncp_json_object_end(&w);
    enum pncp_code rc = pncp_json_writer_end(&w);
    if (rc == PNCP_OK && cli->json)
        rc = pncp_buf_text(&object, "\n");
    if (rc == PNCP_OK)
        return cli->json ? pncp_cli_print(pncp_buf_view(&object), exit_code) : exit_code;
    (void)pncp_err_set(&err, rc, "out of memory");
    return pncp_cli_fail(&err);
}

int pncp_cli_days(const struct pncp_cli *cli, pncp_day_fn *each)
{
    if (cli->days.range)
        return run_range(cli, each);
    AUTO(release_answer) struct pncp_day_answer answer = ask(cli, cli->days.first, each);
    return answer.text.len == 0 ? answer.exit_code : pncp_cli_print(pncp_buf_view(&answer.text), answer.exit_code);
}
