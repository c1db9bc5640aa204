/* pncp-sim: start, serve until SIGTERM or SIGINT, stop. Exit: 0, 1 (failed), 2 (usage). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/file.h"
#include "base/sys.h"
#include "data_dir.h"
#include "generate.h"
#include "options.h"

void sim_init(struct sim *sim)
{
    *sim = (struct sim){
        .generate = {.seed = 1, .count = 6500, .weekend_count = UINT32_MAX},
        .world = {.config = {.visible = 1, .drift_page = 1, .late_404 = true}},
        .policy = {.past_last_page = 204, .past_end = 200, .empty_part = 204},
        .latency = {{.scale = 1}, {.scale = 1}},
        .listen_host = "127.0.0.1",
        .listen_port = 8180,
        .scratch = SIM_TEXT_INIT,
    };
}

void sim_release(struct sim *sim)
{
    sim_server_stop(sim);
    sim_tally_release(&sim->tally);
    sim_faults_release(&sim->faults);
    sim_source_release(&sim->source);
    sim_text_release(&sim->scratch);
}

static enum pncp_code open_source(struct sim *sim, struct pncp_err *err)
{
    struct sim_world *world = &sim->world;

    world->source = &sim->source;
    world->seed = sim->faults.seed = sim->generate.seed;
    world->start_ms = pncp_clock_mono_ms();
    if (sim->data_dir != NULL)
        return sim_data_open(sim->data_dir, sim->data_missing_404, &sim->source.data, err);
    if (world->config.foreign_rows != 0 && sim->generate.restricted) {
        world->config.has_last_day = true;
        world->config.last_day = sim->generate.last_day;
        sim->generate.last_day.days++;
    }
    return sim_generate_init(&sim->source.generate, &sim->generate, err);
}

static void on_signal(evutil_socket_t signal_no, short what, void *arg)
{
    (void)signal_no;
    (void)what;
    (void)event_base_loopbreak(arg);
}

/* Whoever waits for the file sees it whole: written under another name, then renamed. */
static enum pncp_code write_port_file(const char *path, uint16_t port, struct pncp_err *err)
{
    char text[16], temp[4096];
    int len = snprintf(text, sizeof(text), "%u\n", port);
    int temp_len = snprintf(temp, sizeof(temp), "%s.tmp", path);

    if (len < 0 || temp_len < 0 || (size_t)temp_len >= sizeof(temp))
        return pncp_err_set(err, PNCP_E_USAGE, "--port-file: the name is too long");
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd == -1)
        return pncp_err_sys(err, errno, "port file %s", temp);
    enum pncp_code rc = pncp_file_write(fd, text, (size_t)len, path, err);
    if (rc == PNCP_OK && pncp_sys_renameat(AT_FDCWD, temp, AT_FDCWD, path) != 0)
        rc = pncp_err_sys(err, errno, "port file %s", path);
    return rc;
}

static void announce(const struct sim *sim, uint16_t port)
{
    struct pncp_date date;
    uint32_t rows, total = 0;
    size_t days = 0;

    if (sim->quiet)
        return;
    if (sim->source.data != NULL) {
        for (; sim_data_day(sim->source.data, days, &date, &rows); days++)
            total += rows;
        fprintf(stderr, "pncp-sim: %" PRIu32 " captured contratacoes of %zu days\n", total, days);
    }
    printf("http://%s:%u\n", sim->listen_host, port);
    (void)fflush(stdout);
}

static enum pncp_code serve(struct sim *sim, struct pncp_err *err)
{
    uint16_t port;
    enum pncp_code rc = open_source(sim, err);
    if (rc == PNCP_OK)
        rc = sim_server_start(sim, &port, err);
    if (rc == PNCP_OK && sim->port_file != NULL)
        rc = write_port_file(sim->port_file, port, err);
    if (rc != PNCP_OK)
        return rc;

    struct event *term = evsignal_new(sim->base, SIGTERM, on_signal, sim->base);
    struct event *intr = evsignal_new(sim->base, SIGINT, on_signal, sim->base);
    if (term == NULL || intr == NULL || event_add(term, NULL) != 0 || event_add(intr, NULL) != 0)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "no memory for the signal handlers");
    if (rc == PNCP_OK) {
        announce(sim, port);
        (void)event_base_dispatch(sim->base);
    }
    if (term != NULL)
        event_free(term);
    if (intr != NULL)
        event_free(intr);
    return rc;
}

int main(int argc, char **argv)
{
    static struct sim sim; /* large: drift and client tables */
    struct pncp_err err = PNCP_ERR_INIT;
    bool help = false;

    (void)signal(SIGPIPE, SIG_IGN);
    sim_init(&sim);
    enum pncp_code rc = sim_options_parse(&sim, argc, argv, &help, &err);
    if (rc == PNCP_OK && help)
        sim_options_help();
    else if (rc == PNCP_OK)
        rc = serve(&sim, &err);
    if (rc != PNCP_OK)
        fprintf(stderr, "pncp-sim: %s\n", err.msg);
    sim_release(&sim);
    return rc == PNCP_OK ? 0 : rc == PNCP_E_USAGE ? 2 : 1;
}
