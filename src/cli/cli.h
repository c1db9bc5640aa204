/*
 * The command line: one table of commands and one of flags drive parsing, --help, the man page and shell completion, so
 * that they cannot differ. main.c calls pncp_cli_run and nothing else. Contract: docs/CLI.md.
 */
#ifndef PNCP_CLI_H
#define PNCP_CLI_H

#include "event/event.h"
#include "ingest/ingest.h"

#include <stddef.h>
#include <stdio.h>

#define PNCP_PROGRAM "pncp-details"

/* ---- commands ---- */

enum pncp_command_id {
    PNCP_CMD_INGEST,
    PNCP_CMD_LIST,
    PNCP_CMD_STATUS,
    PNCP_CMD_RUNS,
    PNCP_CMD_VERIFY,
    PNCP_CMD_RETRY,
    PNCP_CMD_COMPACT,
    PNCP_CMD_ADOPT,
    PNCP_CMD_DOCTOR,
    PNCP_CMD_COMPLETION,
    PNCP_CMD_MAN,
    PNCP_CMD_DOCS,
    PNCP_COMMANDS
};

struct pncp_cli; /* what was asked for, below */

struct pncp_command {
    const char *name, *brief;
    const char *about;                      /* paragraphs for --help and the man page */
    const char *examples;                   /* lines "command\n    what it does\n" */
    int (*run)(const struct pncp_cli *cli); /* returns the exit code */
    bool takes_word;                        /* one argument besides flags */
    bool hidden;                            /* not in the list of --help */
};
const struct pncp_command *pncp_command_of(enum pncp_command_id id);
/* By name; false when there is none. */
bool pncp_command_find(struct pncp_view name, enum pncp_command_id *ret_id);

extern const char pncp_exit_codes[]; /* lines for --help and the man page */

/* ---- flags ---- */

enum pncp_flag_kind {
    PNCP_FLAG_SWITCH,   /* bool */
    PNCP_FLAG_TEXT,     /* const char * */
    PNCP_FLAG_DAYS,     /* struct pncp_days */
    PNCP_FLAG_COUNT,    /* int64_t: min..max */
    PNCP_FLAG_DURATION, /* uint32_t milliseconds: min..max */
    PNCP_FLAG_URL,      /* const char *, checked, without trailing slash */
    PNCP_FLAG_CHOICE,   /* int: index into `choices` */
    PNCP_FLAG_SHARE,    /* struct pncp_share */
};

struct pncp_flag {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum pncp_flag_kind kind;
    size_t offset;              /* of its field in struct pncp_cli */
    unsigned commands;          /* bit 1 << id for each command that has it */
    const char *arg;            /* its argument's name in help; NULL for a switch */
    const char *fallback;       /* default, as the user would write it; NULL: none */
    const char *env;            /* NULL: none */
    int64_t min, max;           /* COUNT, DURATION (ms) */
    const char *word;           /* COUNT: a word allowed instead of a number … */
    int64_t word_value;         /* … and what it stands for */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const char *help;
};
extern const struct pncp_flag pncp_flags[];
extern const size_t pncp_flag_count;

/* ---- what was asked for ---- */

#define PNCP_CLI_BASES 2
struct pncp_cli {
    enum pncp_command_id command;
    struct pncp_days days;
    const char *lake, *input, *spool, *scheduler_run_id;
    int64_t checkpoint_every, batch_size, max_contratacoes, connections, max_rate, attempts;
    uint32_t max_duration_ms, retry_wait_ms, brake_wait_ms, deadline_ms, outage_wait_ms, wait_lease_ms, final_after_ms,
        since_ms;
    struct pncp_share max_failed;
    const char *consulta_url, *detail_url;
    int confirm, log; /* indices of their choices */
    int part;         /* index of its choice */
    bool auto_resume, no_auto_resume, all, allow_empty, unsafe_store, again, source, print_lifecycle, json, quiet,
        verbose, help, version;
    const char *word; /* the argument of a command that takes one */
    /* owned */
    struct pncp_buf bases[PNCP_CLI_BASES]; /* the two URLs, checked */
    char **argv;                           /* as given, secrets taken out; argc of them */
    int argc;
};
void pncp_cli_release(struct pncp_cli *cli);

/* Arguments -> *ret_cli (released by the caller, also on error). PNCP_E_USAGE: message names the one problem ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_cli_parse(int argc, char **argv, struct pncp_cli *ret_cli, struct pncp_err *err);
/* Parse, run, print; the exit code. */
int pncp_cli_run(int argc, char **argv);

/* ---- values.c: text of one argument -> value; PNCP_E_USAGE says what would be right ---- */
/* A day, or a range "A..B" of at most PNCP_SUMMARY_DAYS_MAX days, none of them in the future. */
MUST_CHECK enum pncp_code pncp_value_days(const char *text, int64_t now_us, struct pncp_days *ret_days,
                                          struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_value_count(const char *text, const struct pncp_flag *flag, int64_t *ret_count,
                                           struct pncp_err *err);
/* "5", "2%". */
MUST_CHECK enum pncp_code pncp_value_share(const char *text, const struct pncp_flag *flag, struct pncp_share *ret_share,
                                           struct pncp_err *err);
/* "500ms", "1s", "1.5s", "10m", "2h"; a bare number is seconds. */
MUST_CHECK enum pncp_code pncp_value_duration(const char *text, const struct pncp_flag *flag, uint32_t *ret_ms,
                                              struct pncp_err *err);
/* The nearest of the words by edit distance, when it is near enough to have been meant; else NULL. */
const char *pncp_nearest(struct pncp_view text, const char *const *words, size_t count);

/* ---- what commands share ---- */
/* For ingest and list; other jobs get the day at hand as well. */
struct pncp_ingest_options pncp_cli_job(const struct pncp_cli *cli);
/* A sink for stderr as --log, --quiet and -v ask. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_cli_event(const struct pncp_cli *cli, struct pncp_event **ret_event,
                                         struct pncp_err *err);
/* One line on stderr: "pncp-details: MESSAGE". Gives the exit code of `err`. */
int pncp_cli_fail(const struct pncp_err *err);
/* Text or JSON to stdout, flushed; the exit code, 1 when stdout cannot take it. */
int pncp_cli_print(struct pncp_view text, int exit_code);

/* ---- days.c: a command over the days asked for ---- */
struct pncp_day_answer {
    struct pncp_buf text; /* lines, or one line of JSON; owned by who asks */
    int exit_code;
};
/* Answer for one day, into *answer, which is empty. An error is told by the caller, and nothing of the text is printed;
 * out of memory needs no message. */
typedef enum pncp_code pncp_day_fn(const struct pncp_cli *cli, struct pncp_date date, struct pncp_day_answer *answer,
                                   struct pncp_err *err);
/* One day: its answer, as it is. A range: text with the day before each line, as soon as it is there, or one JSON
 * object {"v":1,"days":[…]} at the end. It ends where pncp_exit_goes_on says so, or a signal came; the exit code is the
 * worst. */
int pncp_cli_days(const struct pncp_cli *cli, pncp_day_fn *each);

/* help.c, man.c, completion.c: made from the tables */
void pncp_help_print(FILE *out, enum pncp_command_id command, bool all);
int pncp_cmd_man(const struct pncp_cli *cli);
int pncp_cmd_completion(const struct pncp_cli *cli);
int pncp_cmd_docs(const struct pncp_cli *cli);
int pncp_cmd_ingest(const struct pncp_cli *cli);
int pncp_cmd_list(const struct pncp_cli *cli);
int pncp_cmd_status(const struct pncp_cli *cli);
int pncp_cmd_runs(const struct pncp_cli *cli);
int pncp_cmd_verify(const struct pncp_cli *cli);
int pncp_cmd_retry(const struct pncp_cli *cli);
int pncp_cmd_compact(const struct pncp_cli *cli);
int pncp_cmd_adopt(const struct pncp_cli *cli);
int pncp_cmd_doctor(const struct pncp_cli *cli);

#endif
