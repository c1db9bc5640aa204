/*
 * Time. UTC seconds and microseconds since 1970-01-01; civil dates; the Brasília clock (UTC-3, no daylight saving since
 * 2019: pncp-api, and Decreto 9.772/2019). No call here reads the time zone of the machine.
 */
#ifndef PNCP_CLOCK_H
#define PNCP_CLOCK_H

#include "base/base.h"
#include "base/view.h"

#define PNCP_BRASILIA_OFFSET_S (-3 * 3600)

struct pncp_date {
    int32_t days; /* since 1970-01-01 */
};

struct pncp_days { /* first … last, one at least */
    struct pncp_date first, last;
    bool range; /* asked for as a range, perhaps of one day */
};

int64_t pncp_clock_now_us(void);       /* UTC, wall */
uint64_t pncp_clock_mono_ms(void);     /* monotonic: for deadlines and rates */
uint64_t pncp_clock_cpu_us(void);      /* CPU time of this thread: for stage figures */
void pncp_clock_sleep_us(uint64_t us); /* a signal may end it early */

/* Civil date <-> days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). year 1..9999. */
bool pncp_date_from_civil(int year, int month, int day, struct pncp_date *ret_date); /* false: no such day */
void pncp_date_to_civil(struct pncp_date date, int *ret_year, int *ret_month, int *ret_day);
/* "20251022" or "2025-10-22", nothing else. */
MUST_CHECK bool pncp_date_parse(struct pncp_view text, struct pncp_date *ret_date);
struct pncp_date pncp_date_brasilia(int64_t utc_us); /* the day in Brasília at that instant */
int64_t pncp_date_end_utc_us(struct pncp_date date); /* the instant at which that Brasília day has ended */
#define PNCP_DATE_TEXT_BYTES 9
void pncp_date_format(struct pncp_date date, char ret_text[PNCP_DATE_TEXT_BYTES]); /* "20251022" */

/* "2025-10-22T08:41:33", optionally with a fraction of 1..6 digits and optionally 'Z'; no other zone. Microseconds of
 * that civil time as if it were UTC. False when it is not one (2025-02-30, 24:00:00, :60 too). */
MUST_CHECK bool pncp_datetime_parse(struct pncp_view text, int64_t *ret_us);
#define PNCP_STAMP_TEXT_BYTES 21
void pncp_stamp_format(int64_t utc_us, char ret_text[PNCP_STAMP_TEXT_BYTES]); /* "2025-10-23T19:30:00Z" */
#define PNCP_STAMP_BASIC_BYTES 17
void pncp_stamp_format_basic(int64_t utc_us, char ret_text[PNCP_STAMP_BASIC_BYTES]); /* "20251023T193000Z" */

#endif
