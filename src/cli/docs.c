/* Tables of the documentation, made from the program's own: docs/CLI.md holds the flags, docs/FORMATS.md the columns.
 */
#include "cli/cli.h"
#include "model/model.h"

#include <string.h>

static void put_flags(FILE *out)
{
    (void)fputs("| flag | default | commands | meaning |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < pncp_flag_count; i++) {
        const struct pncp_flag *flag = &pncp_flags[i];
        (void)fprintf(out, "| `--%s%s%s`", flag->name, flag->arg == NULL ? "" : " ",
                      flag->arg == NULL ? "" : flag->arg);
        if (flag->letter != 0)
            (void)fprintf(out, ", `-%c`", flag->letter);
        (void)fprintf(out, " | %s", flag->fallback == NULL ? "" : flag->fallback);
        if (flag->env != NULL)
            (void)fprintf(out, " (env `%s`)", flag->env);
        (void)fputs(" |", out);
        for (size_t c = 0; c < PNCP_COMMANDS && flag->commands != UINT32_MAX; c++) {
            const struct pncp_command *command = pncp_command_of((enum pncp_command_id)c);
            if (!command->hidden && (flag->commands & (1U << c)) != 0)
                (void)fprintf(out, " %s", command->name);
        }
        (void)fprintf(out, "%s | %s |\n", flag->commands == UINT32_MAX ? " all" : "", flag->help);
    }
}

static const char *type_name(enum pncp_type type)
{
    switch (type) {
    case PNCP_T_BOOL:
        return "BOOLEAN";
    case PNCP_T_INT32:
        return "INT32";
    case PNCP_T_INT64:
        return "INT64";
    case PNCP_T_DEC18_4:
        return "DECIMAL(18,4)";
    case PNCP_T_DATE:
        return "DATE";
    case PNCP_T_LOCAL_US:
        return "TIMESTAMP(µs), no zone";
    case PNCP_T_UTC_US:
        return "TIMESTAMP(µs), UTC";
    case PNCP_T_TEXT:
        return "UTF-8";
    case PNCP_T_STRUCT:
        return "STRUCT";
    case PNCP_T_LIST:
        return "LIST<STRUCT>";
    }
    return "";
}

/* `node` and what is below it; the tables are three levels deep at most. */
static void put_columns(FILE *out, const struct pncp_schema *schema, const struct pncp_node *node, const char *prefix)
{
    for (uint16_t i = 0; i < node->child_count; i++) {
        const struct pncp_node *child = &schema->nodes[node->first_child + i];
        const struct pncp_col *col = child->col;
        char path[200];
        (void)snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", col->name);
        (void)fprintf(out, "| `%s` | %s%s", path, type_name(col->type),
                      (col->flags & PNCP_COL_REQUIRED) != 0 ? ", never null" : "");
        if (child->since > 1)
            (void)fprintf(out, ", since version %u", child->since);
        (void)fprintf(out, " | %s |\n", col->source);
        if (col->type == PNCP_T_LIST)
            (void)strncat(path, "[]", sizeof(path) - strlen(path) - 1);
        put_columns(out, schema, child, path);
    }
}

static void put_all_columns(FILE *out)
{
    const struct pncp_schema *schema = pncp_details_schema();
    (void)fputs("| column | type | source: meaning |\n|---|---|---|\n", out);
    put_columns(out, schema, &schema->nodes[0], "");
}

int pncp_cmd_docs(const struct pncp_cli *cli)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (cli->word != NULL && strcmp(cli->word, "flags") == 0) {
        put_flags(stdout);
    } else if (cli->word != NULL && strcmp(cli->word, "columns") == 0) {
        put_all_columns(stdout);
    } else {
        (void)pncp_err_set(&err, PNCP_E_USAGE, "docs: give flags or columns");
        return pncp_cli_fail(&err);
    }
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
