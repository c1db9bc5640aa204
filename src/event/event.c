#include "event/event.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/mem.h"
#include "base/sys.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LIVE_EVERY_MS 250
#define LINE_BYTES 1400

struct pncp_event {
    struct pncp_event_options options;
    pthread_mutex_t mutex;
    bool live_shown;
    uint64_t live_at_ms;
};

enum pncp_code pncp_event_new(const struct pncp_event_options *options, struct pncp_event **ret_event)
{
    struct pncp_event *event = pncp_calloc(1, sizeof(*event));
    if (event == NULL)
        return PNCP_E_NOMEM;
    event->options = *options;
    (void)pthread_mutex_init(&event->mutex, NULL);
    *ret_event = event;
    return PNCP_OK;
}

/* Wait until some bytes can be written, PIPE_BUF at least; false: the program is to end and nobody reads them. */
static bool wait_for_room(const struct pncp_event *event)
{
    int stop_fd = event->options.stop_fd > 0 ? event->options.stop_fd : -1;
    if (event->options.fd < 0)
        return true; /* writing tells */
    struct pollfd fds[] = {{.fd = event->options.fd, .events = POLLOUT}, {.fd = stop_fd, .events = POLLIN}};
    while (poll(fds, PNCP_ARRAY_LEN(fds), -1) < 0) {
        if (errno != EINTR)
            return true;
    }
    return fds[0].revents != 0 || fds[1].revents == 0;
}

/* stderr may be closed or full: nothing a run should end for, or not end for */
static void put(const struct pncp_event *event, const char *text, size_t len)
{
    while (len > 0 && wait_for_room(event)) {
        ssize_t done = pncp_sys_write(event->options.fd, text, PNCP_MIN(len, (size_t)PIPE_BUF));
        if (done < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (done <= 0)
            return;
        text += done;
        len -= (size_t)done;
    }
}

static void wipe_live(struct pncp_event *event)
{
    if (event->live_shown)
        put(event, "\r\033[K", 4);
    event->live_shown = false;
}

void pncp_event_free(struct pncp_event *event)
{
    if (event == NULL)
        return;
    wipe_live(event);
    (void)pthread_mutex_destroy(&event->mutex);
    pncp_free(event);
}

static const char *level_name(enum pncp_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return names[level];
}

/* ---- one line -------------------------------------------------------------------------------- */

struct fact { /* a field of the JSON form */
    const char *name;
    int64_t value;
    enum { FACT_WHOLE, FACT_DECIMAL, FACT_YES_NO } kind;
    double decimal; /* FACT_DECIMAL: with one digit, as in the text */
};
#define WHOLE(field, number)                                                                                           \
    {                                                                                                                  \
        .name = (field), .value = (number), .kind = FACT_WHOLE                                                         \
    }
#define DECIMAL(field, number)                                                                                         \
    {                                                                                                                  \
        .name = (field), .decimal = (number), .kind = FACT_DECIMAL                                                     \
    }
#define YES_NO(field, yes)                                                                                             \
    {                                                                                                                  \
        .name = (field), .value = (yes), .kind = FACT_YES_NO                                                           \
    }

static void put_fact(struct pncp_json_writer *w, const struct fact *fact)
{
    switch (fact->kind) {
    case FACT_WHOLE:
        pncp_json_field_int(w, fact->name, fact->value);
        break;
    case FACT_DECIMAL:
        pncp_json_key(w, fact->name);
        pncp_json_put_fixed(w, fact->decimal, 1);
        break;
    case FACT_YES_NO:
        pncp_json_field_bool(w, fact->name, fact->value != 0);
        break;
    }
}

static void put_json(struct pncp_event *event, enum pncp_level level, const char *name, const char *msg,
                     const struct fact *facts, size_t count)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &text);
    pncp_json_object_begin(&w);
    pncp_json_field_time(&w, "ts", pncp_clock_now_us());
    pncp_json_field_text(&w, "level", pncp_view_of(level_name(level)));
    pncp_json_field_text(&w, "event", pncp_view_of(name));
    pncp_json_field_text(&w, "msg", pncp_view_of(msg));
    for (size_t i = 0; i < count; i++)
        put_fact(&w, &facts[i]);
    pncp_json_object_end(&w);
    if (pncp_json_writer_end(&w) == PNCP_OK && pncp_buf_append(&text, "\n", 1) == PNCP_OK)
        put(event, text.data, text.len);
}

static void put_line(struct pncp_event *event, enum pncp_level level, const char *name, const char *msg,
                     const struct fact *facts, size_t count)
{
    char line[LINE_BYTES + 1];
    if (level < event->options.least)
        return;
    (void)pthread_mutex_lock(&event->mutex);
    wipe_live(event);
    if (event->options.json) {
        put_json(event, level, name, msg, facts, count);
    } else {
        int len = snprintf(line, sizeof(line), "%s\n", msg);
        size_t bytes = len < 0 ? 0 : PNCP_MIN((size_t)len, sizeof(line) - 1);
        if (bytes > 0)
            line[bytes - 1] = '\n';
        put(event, line, bytes);
    }
    (void)pthread_mutex_unlock(&event->mutex);
}

/* A message that fills its place was cut. */
static void end_whole(char msg[LINE_BYTES])
{
    if (strlen(msg) == LINE_BYTES - 1)
        pncp_utf8_end_whole(msg);
}

/* A sign, or its stand-in on a terminal without UTF-8. */
static const char *sign(const struct pncp_event *event, const char *utf8, const char *ascii)
{
    return event->options.utf8 ? utf8 : ascii;
}

static void format_bytes(uint64_t bytes, char ret_text[24])
{
    if (bytes < 10 * 1024)
        (void)snprintf(ret_text, 24, "%" PRIu64 " B", bytes);
    else if (bytes < 10 * 1024 * 1024)
        (void)snprintf(ret_text, 24, "%" PRIu64 " KiB", bytes / 1024);
    else
        (void)snprintf(ret_text, 24, "%" PRIu64 " MiB", bytes / 1024 / 1024);
}

/* ---- the lines of the contract --------------------------------------------------------------- */

void pncp_event_processing(struct pncp_event *event, int64_t contratacoes)
{
    char msg[LINE_BYTES];
    const struct fact facts[] = {WHOLE("contratacoes", contratacoes)};
    (void)snprintf(msg, sizeof(msg), "Processing %" PRId64 " contratacoes...", contratacoes);
    put_line(event, PNCP_LEVEL_INFO, "start", msg, facts, PNCP_ARRAY_LEN(facts));
}

void pncp_event_checkpoint(struct pncp_event *event, const struct pncp_event_checkpoint *c)
{
    char msg[LINE_BYTES], bytes[24], head[300];
    const struct fact facts[] = {WHOLE("n", c->n),
                                 WHOLE("saved", c->saved),
                                 WHOLE("saved_so_far", c->saved_so_far),
                                 WHOLE("total", c->total),
                                 WHOLE("itens", c->itens),
                                 WHOLE("arquivos", c->arquivos),
                                 WHOLE("bytes_sent", (int64_t)c->bytes_sent),
                                 WHOLE("ms", (int64_t)(c->seconds * 1000)),
                                 DECIMAL("rate", c->rate),
                                 YES_NO("by_size", c->by_size)};
    const char *disk = sign(event, "💾", "[SAVE]"), *dot = sign(event, "·", "-");
    format_bytes(c->bytes_sent, bytes);
    if (c->last)
        (void)snprintf(head, sizeof(head), "%s Final checkpoint: Saved remaining %" PRId64 " contratacoes", disk,
                       c->saved);
    else
        (void)snprintf(head, sizeof(head),
                       "%s Checkpoint %u: Saved %" PRId64 " contratacoes (%" PRId64 "/%" PRId64
                       " total progress, %" PRId64 " itens, %" PRId64 " arquivos)",
                       disk, c->n, c->saved, c->saved_so_far, c->total, c->itens, c->arquivos);
    (void)snprintf(msg, sizeof(msg), "%s %s %.2f s, %s, %.1f/s%s", head, dot, c->seconds, bytes, c->rate,
                   c->by_size ? " (size)" : "");
    put_line(event, PNCP_LEVEL_INFO, c->last ? "final_checkpoint" : "checkpoint", msg, facts, PNCP_ARRAY_LEN(facts));
}

void pncp_event_done(struct pncp_event *event, const struct pncp_day_summary *day, int64_t processed)
{
    char msg[LINE_BYTES];
    const struct fact facts[] = {
        WHOLE("processed", processed),          WHOLE("saved", day->saved),         WHOLE("itens", day->itens),
        WHOLE("arquivos", day->arquivos),       WHOLE("api_calls", day->api_calls), WHOLE("errors", day->errors),
        WHOLE("checkpoints", day->checkpoints), WHOLE("remaining", day->remaining), WHOLE("exit_code", day->exit_code),
        DECIMAL("seconds", day->seconds)};
    (void)snprintf(msg, sizeof(msg),
                   "%s Processed %" PRId64 " contratacoes: %" PRId64 " itens, %" PRId64 " arquivos (%" PRId64
                   " API calls, %" PRId64 " errors, %" PRId64 " checkpoints saved) %s %.1f s",
                   sign(event, "✅", "[OK]"), processed, day->itens, day->arquivos, day->api_calls, day->errors,
                   day->checkpoints, sign(event, "·", "-"), day->seconds);
    put_line(event, PNCP_LEVEL_INFO, "summary", msg, facts, PNCP_ARRAY_LEN(facts));
}

void pncp_event_stopped(struct pncp_event *event, int64_t done, int64_t total, const char *reason)
{
    char msg[LINE_BYTES];
    const struct fact facts[] = {WHOLE("done", done), WHOLE("total", total)};
    (void)snprintf(msg, sizeof(msg), "%s Stopped after %" PRId64 " of %" PRId64 " contratacoes: %s",
                   sign(event, "⚠️", "[STOP]"), done, total, reason);
    end_whole(msg);
    put_line(event, PNCP_LEVEL_ERROR, "summary", msg, facts, PNCP_ARRAY_LEN(facts));
}

void pncp_event_log(struct pncp_event *event, enum pncp_level level, const char *name, const char *fmt, ...)
{
    static const char *const prefixes[] = {"DEBUG ", "INFO ", "WARNING ", "ERROR "};
    char msg[LINE_BYTES];
    size_t at = 0;
    if (!event->options.json)
        at = (size_t)snprintf(msg, sizeof(msg), "%s", prefixes[level]);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(msg + at, sizeof(msg) - at, fmt, args);
    va_end(args);
    end_whole(msg);
    put_line(event, level, name, msg, NULL, 0);
}

/* ---- the live line --------------------------------------------------------------------------- */

static size_t terminal_width(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void pncp_event_live(struct pncp_event *event, const struct pncp_event_live *live)
{
    uint64_t now = pncp_clock_mono_ms();
    if (!event->options.live || now - event->live_at_ms < LIVE_EVERY_MS)
        return;
    char line[300], eta[40] = "";
    if (live->eta_s >= 0)
        (void)snprintf(eta, sizeof(eta), " | ETA %" PRId64 ":%02d", live->eta_s / 60, (int)(live->eta_s % 60));
    (void)pthread_mutex_lock(&event->mutex);
    event->live_at_ms = now;
    int len = snprintf(line, sizeof(line),
                       "\r\033[K%s %" PRId64 "/%" PRId64
                       " | %.1f/s | in flight %zu/%u | checkpoint %u | failures %" PRId64 "%s",
                       live->phase, live->done, live->total, live->rate, live->in_flight, live->limit,
                       live->last_checkpoint, live->errors, eta);
    size_t room = terminal_width(event->options.fd) +
                  3; /* the four bytes that begin it take no place; the last column stays free */
    put(event, line, PNCP_MIN(len < 0 ? 0 : (size_t)len, room));
    event->live_shown = true;
    (void)pthread_mutex_unlock(&event->mutex);
}
