/* The commands and the flags: every other text about them is made from here. */
#include "cli/cli.h"
#include "fetch/rate.h"

#include <string.h>

/* ---- commands --------------------------------------------------------------------------------- */

static const struct pncp_command COMMANDS[PNCP_COMMANDS] = {
    [PNCP_CMD_INGEST] =
        {"ingest", "fetch the itens and arquivos of a day's contratações and append them to the lake (the default)",
         "Lists the day's contratações, fetches their itens and arquivos, and appends a checkpoint to the day's "
         "details.parquet every "
         "--checkpoint-every contratações. What is in that file is done: a run that was stopped or killed is simply "
         "started again. What could "
         "not be fetched is kept in falhas and asked for again by the next run.",
         "pncp-details --date 20251022 --lake /data/lake\n    a day, from where an earlier run stopped\n"
         "pncp-details --date yesterday --batch-size 500\n    at most 500 contratações now; again for the next 500\n"
         "pncp-details --date 20251001..yesterday --max-duration 6h\n    all days since then, as many as can be done "
         "in "
         "that time\n"
         "pncp-details --date 20251022 --max-contratacoes 5 --checkpoint-every 2\n    a first look\n"
         "pncp-details --date 20251022 --input '/data/contratacoes_{yyyy}{mm}{dd}_*.parquet'\n    contratações from "
         "files\n"
         "pncp-details --date 20251022 --json --quiet | jq .days[0].remaining\n    for programs\n",
         pncp_cmd_ingest, false, false},
    [PNCP_CMD_LIST] = {"list", "fetch and save only the day's list of contratações",
                       "Asks the listing API for every modalidade and saves pncp_contratacoes/…/contratacoes.parquet. "
                       "A list taken when the day was "
                       "over is used by later runs of ingest; it is fetched anew only with --again.",
                       "pncp-details list --date 20251022\n    the list of that day\n", pncp_cmd_list, false, false},
    [PNCP_CMD_STATUS] = {"status", "say how far a day is",
                         "Reads the lake only: what is listed, done, failed; the last checkpoint; the run under way.",
                         "pncp-details status --date 20251022 --lake /data/lake\n    for people\n"
                         "pncp-details status --date 20251022 --json\n    for programs\n",
                         pncp_cmd_status, false, false},
    [PNCP_CMD_RUNS] = {"runs", "say what the runs of late did",
                       "Reads the records that runs of ingest and retry leave in the lake when they end: which days, "
                       "how long, how it ended, what was saved, and the scheduler's run or the machine that it was. A "
                       "run that was killed has left none.",
                       "pncp-details runs --lake /data/lake\n    those of the last seven days\n"
                       "pncp-details runs --lake s3://lh-bronze --since 24h --json | jq '.runs[] | "
                       "select(.summary.exit_code != 0)'\n    what went wrong since yesterday\n",
                       pncp_cmd_runs, false, false},
    [PNCP_CMD_VERIFY] =
        {"verify", "check a day's file and its state",
         "Reads every page of the day's file and compares it with itself: footer, counts, keys, state files and "
         "falhas. With "
         "--source the listing and /quantidade are asked again and compared too (one request for each part).",
         "pncp-details verify --date 20251022\n    the file against itself\n"
         "pncp-details verify --date 20251022 --source\n    and against the API\n",
         pncp_cmd_verify, false, false},
    [PNCP_CMD_RETRY] =
        {"retry", "ask again for what could not be fetched, or was absent or empty",
         "Takes the day's contratações that are in falhas and due: those that could not be fetched, and those that "
         "have "
         "a row in which a part is absent or empty. ingest takes them too, after those that were never tried; retry "
         "takes "
         "nothing else. A part that has appeared since replaces the row, in one rewrite at the end. With --all it does "
         "not matter when they were asked last.",
         "pncp-details retry --date 20251022\n    those that are due\n"
         "pncp-details retry --date 20251022 --all --part arquivos\n    all whose arquivos failed or are missing\n",
         pncp_cmd_retry, false, false},
    [PNCP_CMD_COMPACT] = {"compact", "rewrite a day's file sorted by key in large row groups",
                          "Same rows, fewer and larger row groups: readers need less time. ingest does it by itself "
                          "when a day that is over "
                          "becomes complete.",
                          "pncp-details compact --date 20251022\n    one day\n", pncp_cmd_compact, false, false},
    [PNCP_CMD_ADOPT] =
        {"adopt", "make room in a day's folder that another tool has filled",
         "A details.parquet that another tool wrote, and other Parquet files beside it (chunk_0001.parquet …), stop "
         "ingest: a reader of the folder would see keys twice. adopt copies them to pncp_details_legado/, replaces "
         "details.parquet by an empty one and removes the others; the next run of ingest fetches the day. Nothing is "
         "changed before every copy is safe on disk.",
         "pncp-details adopt --date 20251022 --lake /data/lake\n    one day; then ingest it\n", pncp_cmd_adopt, false,
         false},
    [PNCP_CMD_DOCTOR] =
        {"doctor", "look whether the lake can be used and trusted",
         "Opens the lake as a run would and tries what a run needs: credentials, bucket, clock, and whether the store "
         "keeps "
         "its word on conditional writes, without which commits could be lost. One line each, with what to do about "
         "it. "
         "Nothing of the lake is changed; an object of its own is written and removed.",
         "pncp-details doctor --lake s3://lh-bronze\n    before the first run\n"
         "pncp-details doctor --lake s3://lh-bronze --print-lifecycle\n    a rule for a bucket that keeps versions\n",
         pncp_cmd_doctor, false, false},
    [PNCP_CMD_COMPLETION] = {"completion", "print a shell's completion script",
                             "Prints the script that completes commands and flags, for bash, zsh or fish.",
                             "source <(pncp-details completion bash)\n    for this shell\n", pncp_cmd_completion, true,
                             true},
    [PNCP_CMD_MAN] = {"man", "print the manual page", "Prints the manual page (troff).",
                      "pncp-details man | man -l -\n    read it\n", pncp_cmd_man, false, true},
    [PNCP_CMD_DOCS] =
        {"docs", "print a table of the documentation",
         "Prints, as Markdown, the table of flags (flags) or of the columns of details.parquet (columns).",
         "pncp-details docs columns\n    every column of details.parquet\n", pncp_cmd_docs, true, true},
};

const struct pncp_command *pncp_command_of(enum pncp_command_id id)
{
    return &COMMANDS[id];
}

bool pncp_command_find(struct pncp_view name, enum pncp_command_id *ret_id)
{
    for (size_t i = 0; i < PNCP_COMMANDS; i++) {
        if (pncp_view_eq_text(name, COMMANDS[i].name)) {
            *ret_id = (enum pncp_command_id)i;
            return true;
        }
    }
    return false;
}

const char pncp_exit_codes[] =
    "  0    done; also nothing left to do, and stopped by a limit\n"
    "  1    failed, a retry will not help\n"
    "  2    usage\n"
    "  3    some contratações could not be fetched: kept in falhas, asked again when they are due\n"
    "  75   try again later: API or lake unreachable, no space, day held by another run, empty list\n"
    "  130  stopped by SIGINT, 143 by SIGTERM, after saving\n";

/* ---- flags ------------------------------------------------------------------------------------ */

#define ON(command) (1U << PNCP_CMD_##command)
#define FETCHING (ON(INGEST) | ON(RETRY)) /* those that save details */
#define ALL_DAYS (FETCHING | ON(LIST) | ON(STATUS) | ON(VERIFY) | ON(COMPACT) | ON(ADOPT))
#define ANY_LAKE (ALL_DAYS | ON(RUNS) | ON(DOCTOR))
#define ASKING (FETCHING | ON(LIST) | ON(VERIFY))               /* those that send requests */
#define HOLDING (FETCHING | ON(LIST) | ON(COMPACT) | ON(ADOPT)) /* those that write, one at a time for each day */
#define FIELD(name) offsetof(struct pncp_cli, name)

static const char *const CONFIRM[] = {"auto", "always", "never", NULL}; /* in the order of enum pncp_confirm */
static const char *const PART[] = {"both", "itens", "arquivos", NULL};
static const char *const LOG[] = {"text", "json", NULL};

/* One paragraph a flag. */
/* clang-format off */
const struct pncp_flag pncp_flags[] = {
    {.name = "date", .kind = PNCP_FLAG_DAYS, .offset = FIELD(days), .commands = ALL_DAYS, .arg = "DAY",
     .fallback = "yesterday",
     .help = "publication day: YYYYMMDD, YYYY-MM-DD, today, yesterday (on the Brasília clock), or a range A..B of "
             "them, one day after the other; limits count per day"},
    {.name = "lake", .kind = PNCP_FLAG_TEXT, .offset = FIELD(lake), .commands = ANY_LAKE, .arg = "LAKE",
     .fallback = "./lake", .env = "PNCP_LAKE",
     .help = "root of the lake, without its pncp_details folder: a folder, or s3://bucket[/prefix]"},
    {.name = "checkpoint-every", .kind = PNCP_FLAG_COUNT, .offset = FIELD(checkpoint_every), .commands = FETCHING,
     .arg = "N", .fallback = "50", .min = 1, .max = PNCP_CHECKPOINT_EVERY_MAX, .word = "auto",
     .word_value = PNCP_AUTO,
     .help = "contratações per checkpoint, 1 to 10000, or auto (by the day's size); one also closes at 8 MiB"},
    {.name = "batch-size", .kind = PNCP_FLAG_COUNT, .offset = FIELD(batch_size), .commands = FETCHING, .arg = "N",
     .min = 1, .max = INT64_MAX, .word = "auto", .word_value = PNCP_BATCH_AUTO,
     .help = "take on at most N contratações that are not done, or auto; first those never tried, then those that "
             "are asked again (all)"},
    {.name = "max-contratacoes", .kind = PNCP_FLAG_COUNT, .offset = FIELD(max_contratacoes), .commands = ON(INGEST),
     .arg = "N", .min = 1, .max = INT64_MAX,
     .help = "look only at the first N of the day's list; listing stops as soon as it has them (all)"},
    {.name = "max-duration", .kind = PNCP_FLAG_DURATION, .offset = FIELD(max_duration_ms), .commands = FETCHING,
     .arg = "TIME", .min = 100, .max = 7 * 24 * 3600000,
     .help = "begin nothing new after that, finish what is under way, save and end (none)"},
    {.name = "max-failed", .kind = PNCP_FLAG_SHARE, .offset = FIELD(max_failed), .commands = FETCHING, .arg = "N",
     .fallback = "0",
     .help = "exit 0, not 3, while no more than N contratações of the day (or N% of its list, such as 0.5%) are in "
             "falhas as failed"},
    {.name = "auto-resume", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(auto_resume), .commands = ON(INGEST),
     .help = "skip what is done (the default)"},
    {.name = "no-auto-resume", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(no_auto_resume), .commands = ON(INGEST),
     .help = "fetch the whole day again; the old rows stand until all new ones take their places in one rewrite"},
    {.name = "all", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(all), .commands = ON(RETRY),
     .help = "also what was asked lately and is not due yet"},
    {.name = "part", .kind = PNCP_FLAG_CHOICE, .offset = FIELD(part), .commands = ON(RETRY), .arg = "PART",
     .fallback = "both", .choices = PART,
     .help = "only contratações whose itens or arquivos are in falhas: both, itens, arquivos"},
    {.name = "input", .kind = PNCP_FLAG_TEXT, .offset = FIELD(input), .commands = FETCHING, .arg = "PATH",
     .help = "take the contratações from Parquet, JSON or NDJSON instead of listing: a file, a folder or a pattern "
             "in quotes, with the day for {yyyy}, {mm}, {dd}"},
    {.name = "spool", .kind = PNCP_FLAG_TEXT, .offset = FIELD(spool), .commands = FETCHING, .arg = "FOLDER",
     .help = "where contratações wait that could not be saved; the next run commits them "
             "(~/.local/state/pncp-details/spool)"},
    {.name = "again", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(again), .commands = ON(LIST),
     .help = "fetch the list although a final one is saved"},
    {.name = "source", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(source), .commands = ON(VERIFY),
     .help = "compare with the API too: the listing, and /quantidade of every part"},
    {.name = "confirm", .kind = PNCP_FLAG_CHOICE, .offset = FIELD(confirm), .commands = FETCHING, .arg = "WHEN",
     .fallback = "auto", .choices = CONFIRM,
     .help = "check lists against /quantidade: always, never, or auto (lists of 10 rows and more)"},
    {.name = "allow-empty", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(allow_empty), .commands = FETCHING | ON(LIST),
     .help = "an empty list of a day that is over is complete, not a reason to try again later"},
    {.name = "final-after", .kind = PNCP_FLAG_DURATION, .offset = FIELD(final_after_ms),
     .commands = FETCHING | ON(LIST), .arg = "TIME", .fallback = "3h", .min = 0, .max = 48 * 3600000,
     .help = "a day is final so long after it ended"},
    {.name = "connections", .kind = PNCP_FLAG_COUNT, .offset = FIELD(connections),
     .commands = FETCHING | ON(VERIFY), .arg = "N", .fallback = "32", .min = 1, .max = 512,
     .help = "requests in flight to the detail API at most; adapts itself below"},
    {.name = "max-rate", .kind = PNCP_FLAG_COUNT, .offset = FIELD(max_rate), .commands = ASKING, .arg = "N", .min = 1,
     .max = PNCP_RATE_MAX,
     .help = "requests per second, per API, at most (none)"},
    {.name = "attempts", .kind = PNCP_FLAG_COUNT, .offset = FIELD(attempts), .commands = ASKING, .arg = "N",
     .fallback = "6", .min = 1, .max = 100,
     .help = "tries of one request before its contratação goes to falhas"},
    {.name = "retry-wait", .kind = PNCP_FLAG_DURATION, .offset = FIELD(retry_wait_ms), .commands = ASKING,
     .arg = "TIME", .fallback = "1s", .min = 0, .max = 60000,
     .help = "first pause before a retry; doubles, with jitter, up to a minute"},
    {.name = "brake-wait", .kind = PNCP_FLAG_DURATION, .offset = FIELD(brake_wait_ms), .commands = ASKING,
     .arg = "TIME", .fallback = "60s", .min = 0, .max = 3600000,
     .help = "pause of a whole API after a 429 without Retry-After"},
    {.name = "deadline", .kind = PNCP_FLAG_DURATION, .offset = FIELD(deadline_ms), .commands = ASKING, .arg = "TIME",
     .fallback = "120s", .min = 100, .max = 3600000,
     .help = "time per request"},
    {.name = "outage-wait", .kind = PNCP_FLAG_DURATION, .offset = FIELD(outage_wait_ms), .commands = ASKING,
     .arg = "TIME", .fallback = "10m", .min = 100, .max = 24 * 3600000,
     .help = "how long an API may answer nothing good before the run saves what it has and ends with 75"},
    {.name = "wait-lease", .kind = PNCP_FLAG_DURATION, .offset = FIELD(wait_lease_ms), .commands = HOLDING,
     .arg = "TIME", .fallback = "120s", .min = 0, .max = 24 * 3600000,
     .help = "how long a day that another run holds is waited for before this one ends with 75"},
    {.name = "consulta-url", .kind = PNCP_FLAG_URL, .offset = FIELD(consulta_url), .commands = ASKING, .arg = "URL",
     .fallback = "https://pncp.gov.br/api/consulta", .env = "PNCP_CONSULTA_URL",
     .help = "the listing API"},
    {.name = "detail-url", .kind = PNCP_FLAG_URL, .offset = FIELD(detail_url), .commands = FETCHING | ON(VERIFY),
     .arg = "URL", .fallback = "https://pncp.gov.br/api/pncp", .env = "PNCP_DETAIL_URL",
     .help = "the detail API"},
    {.name = "since", .kind = PNCP_FLAG_DURATION, .offset = FIELD(since_ms), .commands = ON(RUNS), .arg = "TIME",
     .fallback = "168h", .min = 1000, .max = INT64_C(1100) * 3600000,
     .help = "runs that began no longer ago than that"},
    {.name = "scheduler-run-id", .kind = PNCP_FLAG_TEXT, .offset = FIELD(scheduler_run_id), .commands = ON(RUNS),
     .arg = "ID",
     .help = "only runs that had this in PNCP_SCHEDULER_RUN_ID"},
    {.name = "print-lifecycle", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(print_lifecycle), .commands = ON(DOCTOR),
     .help = "only print a lifecycle rule that removes old versions and unfinished uploads after a day (XML)"},
    {.name = "unsafe-store", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(unsafe_store), .commands = ANY_LAKE,
     .help = "accept a network or FUSE file system, whose locks and renames cannot be trusted, or a store that ignores "
             "conditions"},
    {.name = "log", .kind = PNCP_FLAG_CHOICE, .offset = FIELD(log), .commands = ALL_DAYS, .arg = "FORM",
     .fallback = "text", .choices = LOG,
     .help = "lines on stderr: text, or json (one object a line)"},
    {.name = "json", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(json), .commands = ANY_LAKE,
     .help = "one JSON object on stdout at the end"},
    {.name = "quiet", .letter = 'q', .kind = PNCP_FLAG_SWITCH, .offset = FIELD(quiet), .commands = ALL_DAYS,
     .help = "only errors on stderr"},
    {.name = "verbose", .letter = 'v', .kind = PNCP_FLAG_SWITCH, .offset = FIELD(verbose), .commands = ALL_DAYS,
     .help = "retries and CPU figures too"},
    {.name = "help", .letter = 'h', .kind = PNCP_FLAG_SWITCH, .offset = FIELD(help), .commands = UINT32_MAX,
     .help = "this text"},
    {.name = "version", .kind = PNCP_FLAG_SWITCH, .offset = FIELD(version), .commands = UINT32_MAX,
     .help = "the version"},
};
/* clang-format on */
const size_t pncp_flag_count = PNCP_ARRAY_LEN(pncp_flags);
