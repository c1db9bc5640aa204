/* Completion scripts, made from the tables. */
#include "cli/cli.h"

#include <string.h>

static bool offered(const struct pncp_flag *flag, size_t command)
{
    return (flag->commands & (1U << command)) != 0;
}

static void put_bash(FILE *out)
{
    (void)fputs("_pncp_details() {\n    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
                "command=ingest flags\n    case ${COMP_WORDS[1]} in\n",
                out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++)
        (void)fprintf(out, "    %s) command=%s ;;\n", pncp_command_of((enum pncp_command_id)i)->name,
                      pncp_command_of((enum pncp_command_id)i)->name);
    (void)fputs("    esac\n    case $prev in\n    --lake) compopt -o dirnames; return ;;\n    --input) compopt -o "
                "default; return ;;\n    --date) COMPREPLY=($(compgen -W 'yesterday today' -- \"$cur\")); return ;;\n",
                out);
    for (size_t i = 0; i < pncp_flag_count; i++) {
        const struct pncp_flag *flag = &pncp_flags[i];
        if (flag->choices == NULL)
            continue;
        (void)fprintf(out, "    --%s) COMPREPLY=($(compgen -W '", flag->name);
        for (size_t j = 0; flag->choices[j] != NULL; j++)
            (void)fprintf(out, "%s%s", j == 0 ? "" : " ", flag->choices[j]);
        (void)fputs("' -- \"$cur\")); return ;;\n", out);
    }
    (void)fputs("    esac\n    case $command in\n", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++) {
        (void)fprintf(out, "    %s) flags='", pncp_command_of((enum pncp_command_id)i)->name);
        for (size_t j = 0; j < pncp_flag_count; j++) {
            if (offered(&pncp_flags[j], i))
                (void)fprintf(out, "--%s ", pncp_flags[j].name);
        }
        (void)fputs("' ;;\n", out);
    }
    (void)fputs("    esac\n    if [[ $COMP_CWORD == 1 && $cur != -* ]]; then flags='", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++)
        (void)fprintf(out, "%s ", pncp_command_of((enum pncp_command_id)i)->name);
    (void)fputs(
        "'; fi\n    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n}\ncomplete -F _pncp_details " PNCP_PROGRAM "\n",
        out);
}

/* zsh reads '[', ']' and ':' in a description as its own. */
static void put_zsh_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else if (strchr("[]:\\", *text) != NULL)
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

static void put_zsh_flag(FILE *out, const struct pncp_flag *flag)
{
    (void)fprintf(out, " '--%s[", flag->name);
    put_zsh_text(out, flag->help);
    (void)fputc(']', out);
    if (flag->arg != NULL)
        (void)fprintf(out, ":%s:", flag->arg);
    if (flag->choices != NULL) {
        (void)fputc('(', out);
        for (size_t j = 0; flag->choices[j] != NULL; j++)
            (void)fprintf(out, "%s%s", j == 0 ? "" : " ", flag->choices[j]);
        (void)fputc(')', out);
    } else if (strcmp(flag->name, "lake") == 0) {
        (void)fputs("_files -/", out);
    } else if (strcmp(flag->name, "input") == 0) {
        (void)fputs("_files", out);
    }
    (void)fputc('\'', out);
}

static void put_zsh(FILE *out)
{
    (void)fputs("#compdef " PNCP_PROGRAM "\n_pncp_details() {\n    local -a commands=(", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++) {
        const struct pncp_command *c = pncp_command_of((enum pncp_command_id)i);
        (void)fprintf(out, " '%s:", c->name);
        put_zsh_text(out, c->brief);
        (void)fputc('\'', out);
    }
    (void)fputs(" )\n    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then _describe command commands; return; fi\n "
                "   case $words[2] in\n",
                out);
    for (size_t i = PNCP_COMMANDS; i-- > 0;) { /* ingest last: it is also what no command means */
        (void)fprintf(out, "    %s) _arguments -S", i == 0 ? "*" : pncp_command_of((enum pncp_command_id)i)->name);
        for (size_t j = 0; j < pncp_flag_count; j++) {
            if (offered(&pncp_flags[j], i))
                put_zsh_flag(out, &pncp_flags[j]);
        }
        (void)fputs(" ;;\n", out);
    }
    /* sourced, it is bound here; loaded from a file of fpath, this is its first use already */
    (void)fputs("    esac\n}\ncompdef _pncp_details " PNCP_PROGRAM "\n"
                "if [[ $funcstack[1] == _pncp-details ]]; then _pncp_details \"$@\"; fi\n",
                out);
}

static void put_fish_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        (void)fprintf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void put_fish(FILE *out)
{
    (void)fputs("complete -c " PNCP_PROGRAM " -f\n", out);
    for (size_t i = 0; i < PNCP_COMMANDS; i++) {
        const struct pncp_command *c = pncp_command_of((enum pncp_command_id)i);
        (void)fprintf(out, "complete -c " PNCP_PROGRAM " -n __fish_use_subcommand -a %s -d '", c->name);
        put_fish_text(out, c->brief);
        (void)fputs("'\n", out);
    }
    for (size_t j = 0; j < pncp_flag_count; j++) {
        const struct pncp_flag *flag = &pncp_flags[j];
        (void)fputs("complete -c " PNCP_PROGRAM " -n '", out);
        if (offered(flag, PNCP_CMD_INGEST))
            (void)fputs("__fish_use_subcommand; or ", out);
        (void)fputs("__fish_seen_subcommand_from", out);
        for (size_t i = 0; i < PNCP_COMMANDS; i++) {
            if (offered(flag, i))
                (void)fprintf(out, " %s", pncp_command_of((enum pncp_command_id)i)->name);
        }
        (void)fprintf(out, "' -l %s", flag->name);
        if (flag->letter != 0)
            (void)fprintf(out, " -s %c", flag->letter);
        if (flag->arg != NULL)
            (void)fputs(strcmp(flag->name, "lake") == 0 || strcmp(flag->name, "input") == 0 ? " -r -F" : " -x", out);
        if (flag->choices != NULL) {
            (void)fputs(" -a '", out);
            for (size_t k = 0; flag->choices[k] != NULL; k++)
                (void)fprintf(out, "%s%s", k == 0 ? "" : " ", flag->choices[k]);
            (void)fputc('\'', out);
        }
        (void)fputs(" -d '", out);
        put_fish_text(out, flag->help);
        (void)fputs("'\n", out);
    }
}

int pncp_cmd_completion(const struct pncp_cli *cli)
{
    static const struct {
        const char *name;
        void (*put)(FILE *out);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    for (size_t i = 0; cli->word != NULL && i < PNCP_ARRAY_LEN(shells); i++) {
        if (strcmp(cli->word, shells[i].name) != 0)
            continue;
        shells[i].put(stdout);
        return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
    }
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_set(&err, PNCP_E_USAGE, "completion: give bash, zsh or fish");
    return pncp_cli_fail(&err);
}
