/* --help, made from the tables. */
#include "cli/cli.h"

#include <string.h>

#define WIDTH 100

/* `text` wrapped at WIDTH, every line indented by `indent`. */
static void put_wrapped(FILE *out, const char *text, size_t indent)
{
    size_t column = 0;
    for (const char *word = text; *word != '\0';) {
        size_t len = strcspn(word, " ");
        if (column == 0 || column + 1 + len > WIDTH) {
            (void)fprintf(out, "%s%*s", column == 0 ? "" : "\n", (int)indent, "");
            column = indent;
        } else {
            (void)fputc(' ', out);
            column++;
        }
        (void)fwrite(word, 1, len, out);
        column += len;
        word += len + (word[len] == ' ');
    }
    (void)fputc('\n', out);
}

static void put_flag(FILE *out, const struct pncp_flag *flag)
{
    char letter[8] = "";
    if (flag->letter != 0)
        (void)snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
    (void)fprintf(out, "  %s--%s%s%s", letter, flag->name, flag->arg == NULL ? "" : " ",
                  flag->arg == NULL ? "" : flag->arg);
    if (flag->fallback != NULL)
        (void)fprintf(out, "  (%s%s%s)", flag->env == NULL ? "" : flag->env, flag->env == NULL ? "" : ", else ",
                      flag->fallback);
    (void)fputc('\n', out);
    put_wrapped(out, flag->help, 6);
}

static void put_flags(FILE *out, enum pncp_command_id command)
{
    for (size_t i = 0; i < pncp_flag_count; i++) {
        if ((pncp_flags[i].commands & (1U << command)) != 0)
            put_flag(out, &pncp_flags[i]);
    }
}

void pncp_help_print(FILE *out, enum pncp_command_id command, bool all)
{
    const struct pncp_command *c = pncp_command_of(command);
    if (all)
        (void)fprintf(out, PNCP_PROGRAM
                      ": the itens and arquivos of every contratação of a day, from the PNCP into a lake\n\n");
    else
        (void)fprintf(out, PNCP_PROGRAM " %s: %s\n\n", c->name, c->brief);
    (void)fprintf(out, "usage: " PNCP_PROGRAM " %s%s%s [flags]\n\n", all ? "[" : "", c->name, all ? "]" : "");
    put_wrapped(out, c->about, 0);
    if (all) {
        (void)fprintf(out, "\nCommands (" PNCP_PROGRAM " COMMAND --help)\n");
        for (size_t i = 0; i < PNCP_COMMANDS; i++) {
            const struct pncp_command *other = pncp_command_of((enum pncp_command_id)i);
            if (!other->hidden)
                (void)fprintf(out, "  %-10s %s\n", other->name, other->brief);
        }
    }
    (void)fprintf(out, "\nFlags%s\n", all ? " of ingest" : "");
    put_flags(out, command);
    (void)fprintf(out, "\nExamples\n");
    for (const char *line = c->examples; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        (void)fprintf(out, "  %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    (void)fprintf(out, "\nExit status\n%s", pncp_exit_codes);
}
