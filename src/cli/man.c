/* The manual page (man(7) macros), made from the tables. */
#include "base/version.h"
#include "cli/cli.h"

#include <string.h>

/* Text with what troff would take for its own escaped. */
static void put_text(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\')
            (void)fputs("\\e", out);
        else if (text[i] == '-')
            (void)fputs("\\-", out);
        else if ((text[i] == '.' || text[i] == '\'') && (i == 0 || text[i - 1] == '\n'))
            (void)fprintf(out, "\\&%c", text[i]);
        else
            (void)fputc(text[i], out);
    }
}

static void put_line(FILE *out, const char *text)
{
    put_text(out, text, strlen(text));
    (void)fputc('\n', out);
}

static void put_flag(FILE *out, const struct pncp_flag *flag)
{
    (void)fputs(".TP\n", out);
    if (flag->letter != 0)
        (void)fprintf(out, "\\fB\\-%c\\fR, ", flag->letter);
    (void)fputs("\\fB\\-\\-", out);
    put_text(out, flag->name, strlen(flag->name));
    (void)fputs("\\fR", out);
    if (flag->arg != NULL)
        (void)fprintf(out, " \\fI%s\\fR", flag->arg);
    (void)fputc('\n', out);
    put_line(out, flag->help);
    if (flag->fallback != NULL) {
        (void)fputs(".br\n", out);
        (void)fputs("Default: ", out);
        put_line(out, flag->fallback);
    }
    if (flag->env != NULL)
        (void)fprintf(out, ".br\nEnvironment: %s\n", flag->env);
}

/* Is it the first command that has this flag? Each is described once. */
static void put_commands_of(FILE *out, const struct pncp_flag *flag)
{
    (void)fputs(".br\nCommands:", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++) {
        const struct pncp_command *c = pncp_command_of((enum pncp_command_id)i);
        if (!c->hidden && (flag->commands & (1U << i)) != 0)
            (void)fprintf(out, " %s", c->name);
    }
    (void)fputc('\n', out);
}

static void put_examples(FILE *out, const char *examples)
{
    for (const char *line = examples; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        (void)fputs(line[0] == ' ' ? "" : ".TP\n.B ", out);
        while (len > 0 && line[0] == ' ') {
            line++;
            len--;
        }
        put_text(out, line, len);
        (void)fputc('\n', out);
        line += len + (line[len] == '\n');
    }
}

int pncp_cmd_man(const struct pncp_cli *cli)
{
    (void)cli;
    FILE *out = stdout;
    (void)fprintf(out, ".TH PNCP\\-DETAILS 1 \"\" \"pncp\\-details %s\" \"User Commands\"\n.SH NAME\n", PNCP_VERSION);
    (void)fputs("pncp\\-details \\- itens and arquivos of every contratação of a day, from the PNCP into a lake\n",
                out);
    (void)fputs(".SH SYNOPSIS\n.B pncp\\-details\n[\\fICOMMAND\\fR] [\\fIFLAGS\\fR]\n.SH DESCRIPTION\n", out);
    put_line(out, pncp_command_of(PNCP_CMD_INGEST)->about);
    (void)fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++) {
        const struct pncp_command *c = pncp_command_of((enum pncp_command_id)i);
        (void)fprintf(out, ".TP\n.B %s\n", c->name);
        put_line(out, c->about);
    }
    (void)fputs(".SH FLAGS\n", out);
    for (size_t i = 0; i < pncp_flag_count; i++) {
        put_flag(out, &pncp_flags[i]);
        put_commands_of(out, &pncp_flags[i]);
    }
    (void)fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++)
        put_examples(out, pncp_command_of((enum pncp_command_id)i)->examples);
    (void)fputs(".SH EXIT STATUS\n.nf\n", out);
    put_line(out, pncp_exit_codes);
    (void)fputs(".fi\n", out);
    return fflush(out) == 0 && ferror(out) == 0 ? 0 : 1;
}
