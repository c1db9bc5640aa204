/*
 * The command line.
 * Input: arguments, one a line.
 * True: what is accepted lies within the bounds of the table of flags; what is refused is named on one line. "--name
 * VALUE" and "--name=VALUE" are the same. What is kept for the run's record has no user part of an address in it.
 */
#include "cli/cli.h"
#include "fuzz.h"

#define ARGS_MAX 64

struct arguments {
    char *text[2 * ARGS_MAX];
    int count;
};

static void arguments_release(struct arguments *arguments)
{
    for (int i = 0; i < arguments->count; i++)
        pncp_free(arguments->text[i]);
}

static void add(struct arguments *arguments, struct pncp_view text)
{
    arguments->text[arguments->count++] = fuzz_string(text);
}

static struct arguments arguments_of(struct fuzz_input *in)
{
    struct arguments arguments = {.count = 0};
    add(&arguments, PNCP_VIEW_LIT(PNCP_PROGRAM));
    while (!fuzz_empty(in) && arguments.count < ARGS_MAX)
        add(&arguments, fuzz_until(in, '\n'));
    return arguments;
}

/* Does the argument after this one belong to it? */
static bool takes_next(const char *text)
{
    for (size_t i = 0; i < pncp_flag_count; i++) {
        if (strncmp(text, "--", 2) == 0 && strcmp(text + 2, pncp_flags[i].name) == 0)
            return pncp_flags[i].arg != NULL;
    }
    return false;
}

/* The same with each "--name=value" as two arguments. */
static struct arguments split(const struct arguments *whole)
{
    struct arguments arguments = {.count = 0};
    bool is_value = false;
    for (int i = 0; i < whole->count; i++) {
        char *text = whole->text[i], *equals = strchr(text, '=');
        bool value = is_value;
        is_value = !value && takes_next(text);
        if (!value && strncmp(text, "--", 2) == 0 && equals != NULL && equals > text + 2) {
            add(&arguments, (struct pncp_view){text, (size_t)(equals - text)});
            add(&arguments, pncp_view_of(equals + 1));
        } else {
            add(&arguments, pncp_view_of(text));
        }
    }
    return arguments;
}

/* ---- what must be true of what was understood ------------------------------------------------ */

static const void *field_of(const struct pncp_cli *cli, const struct pncp_flag *flag)
{
    return (const char *)cli + flag->offset;
}

static void check_url(const char *url)
{
    size_t len = url == NULL ? 0 : strlen(url);
    FUZZ_CHECK(url == NULL ||
               (strncmp(url, "http", 4) == 0 && url[len - 1] != '/' && strpbrk(url, "?# \t\r\n") == NULL));
}

static void check_field(const struct pncp_cli *cli, const struct pncp_flag *flag)
{
    const void *field = field_of(cli, flag);
    const struct pncp_days *days;
    int64_t number = 0;
    int choice = 0, choices = 0;
    bool unset = flag->fallback == NULL;
    switch (flag->kind) {
    case PNCP_FLAG_COUNT:
        number = *(const int64_t *)field;
        FUZZ_CHECK((number >= flag->min && number <= flag->max) || (unset && number == 0) ||
                   (flag->word != NULL && number == flag->word_value));
        break;
    case PNCP_FLAG_DURATION:
        number = *(const uint32_t *)field;
        FUZZ_CHECK((number >= flag->min && number <= flag->max) || (unset && number == 0));
        break;
    case PNCP_FLAG_SHARE:
        number = ((const struct pncp_share *)field)->value;
        FUZZ_CHECK(number >= 0 && (number <= PNCP_SHARE_WHOLE || !((const struct pncp_share *)field)->percent));
        break;
    case PNCP_FLAG_CHOICE:
        choice = *(const int *)field;
        while (flag->choices[choices] != NULL)
            choices++;
        FUZZ_CHECK(choice >= 0 && choice < choices);
        break;
    case PNCP_FLAG_TEXT:
        FUZZ_CHECK(*(const char *const *)field == NULL ? unset : (*(const char *const *)field)[0] != '\0');
        break;
    case PNCP_FLAG_URL:
        check_url(*(const char *const *)field);
        break;
    case PNCP_FLAG_DAYS:
        days = field;
        FUZZ_CHECK(days->last.days <= pncp_date_brasilia(pncp_clock_now_us()).days);
        FUZZ_CHECK(days->range ? days->first.days <= days->last.days : days->first.days == days->last.days);
        FUZZ_CHECK(days->last.days - days->first.days < PNCP_SUMMARY_DAYS_MAX);
        break;
    case PNCP_FLAG_SWITCH:
        break;
    }
}

static bool same_field(const struct pncp_cli *a, const struct pncp_cli *b, const struct pncp_flag *flag)
{
    const void *x = field_of(a, flag), *y = field_of(b, flag);
    switch (flag->kind) {
    case PNCP_FLAG_SWITCH:
        return *(const bool *)x == *(const bool *)y;
    case PNCP_FLAG_DAYS:
        return ((const struct pncp_days *)x)->first.days == ((const struct pncp_days *)y)->first.days &&
               ((const struct pncp_days *)x)->last.days == ((const struct pncp_days *)y)->last.days;
    case PNCP_FLAG_COUNT:
        return *(const int64_t *)x == *(const int64_t *)y;
    case PNCP_FLAG_DURATION:
        return *(const uint32_t *)x == *(const uint32_t *)y;
    case PNCP_FLAG_SHARE:
        return ((const struct pncp_share *)x)->value == ((const struct pncp_share *)y)->value &&
               ((const struct pncp_share *)x)->percent == ((const struct pncp_share *)y)->percent;
    case PNCP_FLAG_CHOICE:
        return *(const int *)x == *(const int *)y;
    case PNCP_FLAG_TEXT:
    case PNCP_FLAG_URL:
        return pncp_view_eq(pncp_view_of(*(const char *const *)x), pncp_view_of(*(const char *const *)y));
    }
    return false;
}

/* "scheme://user:secret@host…": the record has the argument without what stands before the '@'. */
static void check_secret(const char *given, const char *kept)
{
    const char *scheme = strstr(given, "://");
    if (scheme == NULL) {
        FUZZ_CHECK(strcmp(given, kept) == 0);
        return;
    }
    size_t host = strcspn(scheme + 3, "/?#");
    const char *user_end = memrchr(scheme + 3, '@', host);
    if (user_end == NULL)
        return;
    const char *kept_scheme = strstr(kept, "://");
    FUZZ_CHECK(kept_scheme != NULL && strncmp(kept_scheme, "://***@", 7) == 0);
    FUZZ_CHECK(strcmp(kept_scheme + 7, user_end + 1) == 0);
}

static void check_cli(const struct pncp_cli *cli, const struct arguments *arguments, enum pncp_code rc,
                      const struct pncp_err *err)
{
    FUZZ_CHECK(cli->argc == arguments->count);
    for (int i = 0; i < cli->argc; i++)
        check_secret(arguments->text[i], cli->argv[i]);
    if (rc != PNCP_OK) {
        FUZZ_CHECK(rc == PNCP_E_USAGE && err->code == rc && err->msg[0] != '\0');
        return;
    }
    FUZZ_CHECK((unsigned)cli->command < PNCP_COMMANDS);
    for (size_t i = 0; i < pncp_flag_count; i++) {
        if ((pncp_flags[i].commands & (1U << cli->command)) != 0)
            check_field(cli, &pncp_flags[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    AUTO(arguments_release) struct arguments whole = arguments_of(&in), parted = split(&whole);
    AUTO(pncp_cli_release) struct pncp_cli cli = {0}, again = {0};
    struct pncp_err err = PNCP_ERR_INIT, err_again = PNCP_ERR_INIT;
    (void)unsetenv("PNCP_LAKE"), (void)unsetenv("PNCP_CONSULTA_URL"), (void)unsetenv("PNCP_DETAIL_URL");
    enum pncp_code rc = pncp_cli_parse(whole.count, whole.text, &cli, &err);
    check_cli(&cli, &whole, rc, &err);
    enum pncp_code rc_again = pncp_cli_parse(parted.count, parted.text, &again, &err_again);
    check_cli(&again, &parted, rc_again, &err_again);
    FUZZ_CHECK(rc == rc_again || rc_again == PNCP_E_USAGE || rc == PNCP_E_USAGE);
    if (rc == PNCP_OK) {
        FUZZ_CHECK(rc_again == PNCP_OK && cli.command == again.command);
        for (size_t i = 0; i < pncp_flag_count; i++)
            FUZZ_CHECK(same_field(&cli, &again, &pncp_flags[i]));
    }
    return 0;
}
