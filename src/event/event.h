/*
 * What a run tells: log lines (text or JSON) on stderr, a live line on a terminal. The lines of the contract are
 * spelled here and nowhere else (docs/FORMATS.md, "Log"). Thread-safe: one mutex. A closed stderr stops nothing.
 */
#ifndef PNCP_EVENT_H
#define PNCP_EVENT_H

#include "base/err.h"
#include "event/summary.h"

enum pncp_level { PNCP_LEVEL_DEBUG, PNCP_LEVEL_INFO, PNCP_LEVEL_WARNING, PNCP_LEVEL_ERROR };

struct pncp_event_options {
    int fd;      /* stderr */
    int stop_fd; /* readable once the program is to end: from then on nobody waits for who reads fd; 0: none */
    bool json;   /* --log json */
    enum pncp_level least; /* --quiet: errors; -v: debug */
    bool live;             /* a terminal is there and wants a live line */
    bool utf8;             /* else ASCII signs on a terminal that has no UTF-8 */
};

struct pncp_event;
MUST_CHECK enum pncp_code pncp_event_new(const struct pncp_event_options *options, struct pncp_event **ret_event);
void pncp_event_free(struct pncp_event *event); /* wipes the live line */

/* The lines of the contract. */
void pncp_event_processing(struct pncp_event *event, int64_t contratacoes);
struct pncp_event_checkpoint {
    uint32_t n;
    int64_t saved, saved_so_far, total, itens, arquivos;
    double seconds; /* this save took */
    uint64_t bytes_sent;
    double rate;        /* contratações per second, of the whole run so far */
    bool by_size, last; /* last: the "Final" line */
};
void pncp_event_checkpoint(struct pncp_event *event, const struct pncp_event_checkpoint *checkpoint);
void pncp_event_done(struct pncp_event *event, const struct pncp_day_summary *day, int64_t processed);
void pncp_event_stopped(struct pncp_event *event, int64_t done, int64_t total, const char *reason);

/* Others, "LEVEL message" as text; `name` is the event's name in JSON ("failure", "retry", …). */
void pncp_event_log(struct pncp_event *event, enum pncp_level level, const char *name, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
#define pncp_event_warning(event, ...) pncp_event_log((event), PNCP_LEVEL_WARNING, "warning", __VA_ARGS__)

struct pncp_event_live {
    int64_t done, total, errors;
    double rate;
    size_t in_flight;
    unsigned limit;
    uint32_t last_checkpoint;
    int64_t eta_s; /* -1: unknown */
    const char *phase;
};
/* Redrawn at most four times a second; nothing when there is no terminal. */
void pncp_event_live(struct pncp_event *event, const struct pncp_event_live *live);

#endif
