/* From argv to the exit code, and what commands share. */
#include "base/file.h"
#include "base/random.h"
#include "base/version.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int pncp_cli_fail(const struct pncp_err *err)
{
    (void)fprintf(stderr, PNCP_PROGRAM ": %s\n", err->msg);
    return pncp_exit_of(err);
}

int pncp_cli_print(struct pncp_view text, int exit_code)
{
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_file_write(STDOUT_FILENO, text.data, text.len, "to stdout", &err);
    if (rc == PNCP_OK)
        return exit_code;
    (void)pncp_cli_fail(&err);
    return exit_code == 0 ? 1 : exit_code;
}

/* Does the terminal understand how a line is wiped? */
static bool can_wipe(void)
{
    const char *term = getenv("TERM");
    return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

enum pncp_code pncp_cli_event(const struct pncp_cli *cli, struct pncp_event **ret_event, struct pncp_err *err)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    const struct pncp_event_options options = {
        .fd = STDERR_FILENO,
        .stop_fd = pncp_stop_fd(),
        .json = cli->log == 1,
        .least = cli->quiet     ? PNCP_LEVEL_ERROR
                 : cli->verbose ? PNCP_LEVEL_DEBUG
                                : PNCP_LEVEL_INFO,
        .live = terminal && can_wipe() && !cli->quiet && cli->log == 0,
        .utf8 = !terminal || strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
    };
    enum pncp_code rc = pncp_event_new(&options, ret_event);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "out of memory");
}

/* Who started us, for the run's record: what our scheduler says, or Airflow. */
static const char *scheduler_run_id(void)
{
    const char *id = getenv("PNCP_SCHEDULER_RUN_ID");
    return id != NULL && id[0] != '\0' ? id : getenv("AIRFLOW_CTX_DAG_RUN_ID");
}

struct pncp_ingest_options pncp_cli_job(const struct pncp_cli *cli)
{
    uint64_t seed;
    pncp_random_bytes(&seed, sizeof(seed));
    return (struct pncp_ingest_options){
        .days = cli->days,
        .lake_url = cli->lake,
        .checkpoint_every = (uint32_t)cli->checkpoint_every,
        .batch_size = cli->batch_size,
        .max_contratacoes = cli->max_contratacoes,
        .max_duration_ms = cli->max_duration_ms,
        .max_failed = cli->max_failed,
        .again = {.everything = cli->no_auto_resume,
                  .only = cli->command == PNCP_CMD_RETRY,
                  .not_due = cli->all,
                  .parts = cli->part == 0 ? PNCP_FALHA_AMBAS : (unsigned)cli->part}, /* in the order of the enum */
        .input = cli->input,
        .fetch = {.connections = PNCP_MAX((unsigned)cli->connections, 1U),
                  .listing_connections = PNCP_LISTING_CONNECTIONS,
                  .attempts = (unsigned)cli->attempts,
                  .max_rate = (unsigned)cli->max_rate,
                  .retry_wait_ms = cli->retry_wait_ms,
                  .brake_wait_ms = cli->brake_wait_ms,
                  .deadline_ms = cli->deadline_ms,
                  .outage_wait_ms = cli->outage_wait_ms,
                  .jitter_seed = seed,
                  .measure_cpu = cli->verbose,
                  .user_agent = PNCP_PROGRAM "/" PNCP_VERSION},
        .confirm = (enum pncp_confirm)cli->confirm,
        .consulta_url = cli->consulta_url,
        .detail_url = cli->detail_url,
        .final_after_s = cli->final_after_ms / 1000,
        .wait_lease_ms = cli->wait_lease_ms,
        .allow_empty = cli->allow_empty,
        .unsafe_store = cli->unsafe_store,
        .scheduler_run_id = scheduler_run_id(),
        .argc = cli->argc,
        .argv = (const char *const *)cli->argv,
    };
}

/* A standard descriptor that is closed would go to the next file opened, and messages into that file. It is taken here,
 * the wrong way round, so that using it fails as if it were closed. */
static void hold_standard_fds(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

/* The fetching and the saving thread take large blocks and give them back soon. An arena each: in one they waited for
 * each other's lock, two system calls each time, a tenth of a run's CPU. What stays in holes goes back every few lots
 * and while groups are folded (pncp_mem_trim in saver.c, fold.c); without that, and with a threshold that glibc raises
 * by itself, 13 of 21 MB were free memory that nobody could use. With 72 KiB instead of glibc's 128 the holes of a day
 * of 100,000 are half a megabyte smaller; the many buffers of 64 KiB are not blocks of their own. */
static void settle_allocator(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, 72 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

int pncp_cli_run(int argc, char **argv)
{
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_cli_release) struct pncp_cli cli = {0};
    settle_allocator();
    hold_standard_fds();
    (void)setlocale(LC_CTYPE, "");
    enum pncp_code rc = pncp_stop_install(&err);
    if (rc == PNCP_OK)
        rc = pncp_cli_parse(argc, argv, &cli, &err);
    if (rc != PNCP_OK)
        return pncp_cli_fail(&err);
    if (cli.version)
        return pncp_cli_print(PNCP_VIEW_LIT(PNCP_PROGRAM " " PNCP_VERSION "\n"), 0);
    if (cli.help) {
        pncp_help_print(stdout, cli.command, argc > 1 && argv[1][0] == '-');
        return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1; /* a long text is flushed before its end too */
    }
    return pncp_command_of(cli.command)->run(&cli);
}
