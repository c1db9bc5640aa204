/* argv -> struct pncp_cli: flags over environment over defaults, all through the table of flags. */
#include "base/mem.h"
#include "cli/cli.h"
#include "pncp/url.h"

#include <stdlib.h>
#include <string.h>

#define FLAGS_MAX 40

void pncp_cli_release(struct pncp_cli *cli)
{
    for (size_t i = 0; i < PNCP_CLI_BASES; i++)
        pncp_buf_release(&cli->bases[i]);
    for (int i = 0; cli->argv != NULL && i < cli->argc; i++)
        pncp_free(cli->argv[i]);
    pncp_free(cli->argv);
    cli->argv = NULL;
}

/* ---- one value --------------------------------------------------------------------------------- */

/* Where the address of `url` ends its user part ("user:password@"), or NULL when it has none. */
static const char *user_part_end(const char *url)
{
    const char *scheme = strstr(url, "://");
    return scheme == NULL ? NULL : memrchr(scheme + 3, '@', strcspn(scheme + 3, "/?#"));
}

static enum pncp_code set_url(struct pncp_cli *cli, const struct pncp_flag *flag, const char *text, const char **field,
                              struct pncp_err *err)
{
    if (user_part_end(text) != NULL) /* requests are logged, addresses recorded */
        return pncp_err_set(err, PNCP_E_USAGE, "--%s: give the address without user and password", flag->name);
    struct pncp_buf *base = &cli->bases[flag->offset == offsetof(struct pncp_cli, consulta_url) ? 0 : 1];
    enum pncp_code rc = pncp_url_base(text, base, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "--%s", flag->name);
    *field = base->data;
    return PNCP_OK;
}

static enum pncp_code set_choice(const struct pncp_flag *flag, const char *text, int *field, struct pncp_err *err)
{
    char names[80] = "";
    for (int i = 0; flag->choices[i] != NULL; i++) {
        if (strcmp(flag->choices[i], text) == 0) {
            *field = i;
            return PNCP_OK;
        }
        (void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
                       i == 0                         ? ""
                       : flag->choices[i + 1] == NULL ? " or "
                                                      : ", ",
                       flag->choices[i]);
    }
    return pncp_err_set(err, PNCP_E_USAGE, "--%s %.80s: give %s", flag->name, text, names);
}

static enum pncp_code set_flag(struct pncp_cli *cli, const struct pncp_flag *flag, const char *text,
                               struct pncp_err *err)
{
    void *field = (char *)cli + flag->offset;
    if (flag->arg != NULL && text[0] == '\0')
        return pncp_err_set(err, PNCP_E_USAGE, "--%s is empty", flag->name);
    switch (flag->kind) {
    case PNCP_FLAG_SWITCH:
        *(bool *)field = true;
        return PNCP_OK;
    case PNCP_FLAG_TEXT:
        *(const char **)field = text;
        return PNCP_OK;
    case PNCP_FLAG_DAYS:
        return pncp_value_days(text, pncp_clock_now_us(), field, err);
    case PNCP_FLAG_COUNT:
        return pncp_value_count(text, flag, field, err);
    case PNCP_FLAG_DURATION:
        return pncp_value_duration(text, flag, field, err);
    case PNCP_FLAG_URL:
        return set_url(cli, flag, text, field, err);
    case PNCP_FLAG_CHOICE:
        return set_choice(flag, text, field, err);
    case PNCP_FLAG_SHARE:
        return pncp_value_share(text, flag, field, err);
    }
    return PNCP_OK;
}

/* Defaults, then what the environment says. */
static enum pncp_code set_defaults(struct pncp_cli *cli, struct pncp_err *err)
{
    for (size_t i = 0; i < pncp_flag_count; i++) {
        const struct pncp_flag *flag = &pncp_flags[i];
        const char *from_env = flag->env == NULL ? NULL : getenv(flag->env);
        bool env = from_env != NULL && from_env[0] != '\0';
        if (flag->fallback == NULL || (flag->commands & (1U << cli->command)) == 0)
            continue;
        enum pncp_code rc = set_flag(cli, flag, env ? from_env : flag->fallback, err);
        if (rc != PNCP_OK)
            return env ? pncp_err_wrap(err, rc, "%s in the environment", flag->env) : rc;
    }
    return PNCP_OK;
}

/* ---- argv --------------------------------------------------------------------------------------- */

/* A copy of an argument for the run's record: without the user part of an address. */
static char *without_secret(const char *arg)
{
    const char *at = user_part_end(arg);
    return at == NULL ? pncp_strdup(arg) : pncp_asprintf("%.*s://***%s", (int)(strstr(arg, "://") - arg), arg, at);
}

static enum pncp_code keep_argv(int argc, char **argv, struct pncp_cli *cli, struct pncp_err *err)
{
    cli->argv = pncp_calloc((size_t)argc + 1, sizeof(*cli->argv));
    if (cli->argv == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    for (; cli->argc < argc; cli->argc++) {
        cli->argv[cli->argc] = without_secret(argv[cli->argc]);
        if (cli->argv[cli->argc] == NULL)
            return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    }
    return PNCP_OK;
}

static enum pncp_code unknown_command(const char *text, struct pncp_err *err)
{
    const char *names[PNCP_COMMANDS];
    for (size_t i = 0; i < PNCP_COMMANDS; i++)
        names[i] = pncp_command_of((enum pncp_command_id)i)->name;
    const char *near = pncp_nearest(pncp_view_of(text), names, PNCP_COMMANDS);
    if (near != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "unknown command \"%.80s\": did you mean %s?", text, near);
    return pncp_err_set(err, PNCP_E_USAGE, "unknown command \"%.80s\": see " PNCP_PROGRAM " --help", text);
}

static bool has_flag(enum pncp_command_id command, const struct pncp_flag *flag)
{
    return (flag->commands & (1U << command)) != 0;
}

/* `name` follows one dash or two, as it was given. */
static enum pncp_code unknown_flag(enum pncp_command_id command, const char *dashes, struct pncp_view name,
                                   struct pncp_err *err)
{
    const char *names[FLAGS_MAX];
    size_t count = 0;
    int shown = (int)PNCP_MIN(name.len, (size_t)80);
    for (size_t i = 0; i < pncp_flag_count && count < FLAGS_MAX; i++) {
        if (has_flag(command, &pncp_flags[i]))
            names[count++] = pncp_flags[i].name;
    }
    const char *near = name.len > 1 ? pncp_nearest(name, names, count) : NULL;
    if (near != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "unknown flag %s%.*s: did you mean --%s?", dashes, shown, name.data,
                            near);
    return pncp_err_set(err, PNCP_E_USAGE, "unknown flag %s%.*s: see " PNCP_PROGRAM " %s --help", dashes, shown,
                        name.data, pncp_command_of(command)->name);
}

/* The flag called `name` (or with that one letter) of the command, or NULL. Whole names only: the beginning of one
 * would change its meaning when a later version adds a flag. */
static const struct pncp_flag *find_flag(enum pncp_command_id command, struct pncp_view name, bool letter)
{
    for (size_t i = 0; i < pncp_flag_count; i++) {
        const struct pncp_flag *flag = &pncp_flags[i];
        bool same = letter ? flag->letter == name.data[0] : pncp_view_eq_text(name, flag->name);
        if (same && has_flag(command, flag))
            return flag;
    }
    return NULL;
}

/* Given on the command line: once. Of two values the user means one, and of two switches perhaps another one. */
static enum pncp_code mark_given(const struct pncp_flag *flag, bool *given, struct pncp_err *err)
{
    if (given[flag - pncp_flags])
        return pncp_err_set(err, PNCP_E_USAGE, "--%s is given twice", flag->name);
    given[flag - pncp_flags] = true;
    return PNCP_OK;
}

/* argv[*at]: "--name", "--name=value" or "--name value"; *at is left at the last argument used. */
static enum pncp_code read_long(int argc, char **argv, int *at, struct pncp_cli *cli, bool *given, struct pncp_err *err)
{
    const char *text = argv[*at] + 2, *equals = strchr(text, '='), *value = equals == NULL ? NULL : equals + 1;
    struct pncp_view name = {text, strcspn(text, "=")};
    const struct pncp_flag *flag = find_flag(cli->command, name, false);
    if (flag == NULL)
        return unknown_flag(cli->command, "--", name, err);
    if (flag->arg == NULL && value != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "--%s takes no value", flag->name);
    if (flag->arg != NULL && value == NULL) {
        if (*at + 1 == argc)
            return pncp_err_set(err, PNCP_E_USAGE, "--%s needs a value: --%s %s", flag->name, flag->name, flag->arg);
        value = argv[++*at];
    }
    enum pncp_code rc = mark_given(flag, given, err);
    return rc == PNCP_OK ? set_flag(cli, flag, value, err) : rc;
}

/* "-qv": letters of switches. */
static enum pncp_code read_letters(const char *letters, struct pncp_cli *cli, bool *given, struct pncp_err *err)
{
    for (const char *letter = letters; *letter != '\0'; letter++) {
        struct pncp_view name = {letter, 1};
        const struct pncp_flag *flag = find_flag(cli->command, name, true);
        if (flag == NULL)
            return unknown_flag(cli->command, "-", (struct pncp_view){letters, strcspn(letters, "=")}, err);
        enum pncp_code rc = mark_given(flag, given, err);
        if (rc == PNCP_OK)
            rc = set_flag(cli, flag, NULL, err);
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

static enum pncp_code read_args(int argc, char **argv, int first, struct pncp_cli *cli, struct pncp_err *err)
{
    bool given[FLAGS_MAX] = {false};
    for (int at = first; at < argc; at++) {
        enum pncp_code rc = PNCP_OK;
        if (strncmp(argv[at], "--", 2) == 0 && argv[at][2] != '\0')
            rc = read_long(argc, argv, &at, cli, given, err);
        else if (argv[at][0] == '-' && argv[at][1] != '\0' && argv[at][1] != '-')
            rc = read_letters(argv[at] + 1, cli, given, err);
        else if (pncp_command_of(cli->command)->takes_word && cli->word == NULL)
            cli->word = argv[at];
        else
            rc = pncp_err_set(err, PNCP_E_USAGE, "unexpected argument \"%.80s\": flags begin with --", argv[at]);
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

/* --no-auto-resume ends in a day whose rows are all new: no flag that ends it earlier goes with it. */
static enum pncp_code check_whole_day(const struct pncp_cli *cli, struct pncp_err *err)
{
    const char *limit = cli->batch_size != 0         ? "batch-size"
                        : cli->max_contratacoes != 0 ? "max-contratacoes"
                        : cli->max_duration_ms != 0  ? "max-duration"
                                                     : NULL;
    if (!cli->no_auto_resume)
        return PNCP_OK;
    if (cli->auto_resume)
        return pncp_err_set(err, PNCP_E_USAGE,
                            "--auto-resume and --no-auto-resume contradict each other: give one of them");
    if (limit != NULL)
        return pncp_err_set(err, PNCP_E_USAGE, "--no-auto-resume fetches the whole day again: leave out --%s", limit);
    return PNCP_OK;
}

static enum pncp_code check_together(const struct pncp_cli *cli, struct pncp_err *err)
{
    if (cli->quiet && cli->verbose)
        return pncp_err_set(err, PNCP_E_USAGE, "--quiet and --verbose contradict each other: give one of them");
    return check_whole_day(cli, err);
}

enum pncp_code pncp_cli_parse(int argc, char **argv, struct pncp_cli *ret_cli, struct pncp_err *err)
{
    *ret_cli = (struct pncp_cli){.command = PNCP_CMD_INGEST};
    enum pncp_code rc = keep_argv(argc, argv, ret_cli, err);
    if (rc != PNCP_OK)
        return rc;
    bool named = argc > 1 && argv[1][0] != '-';
    if (named && !pncp_command_find(pncp_view_of(argv[1]), &ret_cli->command))
        return unknown_command(argv[1], err);
    rc = set_defaults(ret_cli, err);
    if (rc == PNCP_OK)
        rc = read_args(argc, argv, named ? 2 : 1, ret_cli, err);
    return rc == PNCP_OK && !ret_cli->help && !ret_cli->version ? check_together(ret_cli, err) : rc;
}
