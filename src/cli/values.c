#include "cli/cli.h"

#include <string.h>

#define RANGE_SIGN ".."

/* One end of a range, or a day by itself. */
static bool read_day(struct pncp_view text, struct pncp_date today, struct pncp_date *ret_date)
{
    bool yesterday = pncp_view_eq_text(text, "yesterday");
    if (!yesterday && !pncp_view_eq_text(text, "today"))
        return pncp_date_parse(text, ret_date);
    *ret_date = (struct pncp_date){today.days - yesterday};
    return true;
}

static enum pncp_code check_days(const char *text, const struct pncp_days *days, struct pncp_date today,
                                 struct pncp_err *err)
{
    char now[PNCP_DATE_TEXT_BYTES], first[PNCP_DATE_TEXT_BYTES], last[PNCP_DATE_TEXT_BYTES];
    int32_t count = days->last.days - days->first.days + 1;
    pncp_date_format(today, now);
    pncp_date_format(days->first, first);
    pncp_date_format(days->last, last);
    if (count < 1)
        return pncp_err_set(err, PNCP_E_USAGE, "--date %.80s: ends before it begins; give %s" RANGE_SIGN "%s", text,
                            last, first);
    if (days->first.days > today.days)
        return pncp_err_set(err, PNCP_E_USAGE, "--date %.80s: lies in the future; it is %s in Brasília", text, now);
    if (days->last.days > today.days)
        return pncp_err_set(err, PNCP_E_USAGE,
                            "--date %.80s: ends in the future; it is %s in Brasília: give %s" RANGE_SIGN "%s", text,
                            now, first, now);
    if (count > PNCP_SUMMARY_DAYS_MAX)
        return pncp_err_set(err, PNCP_E_USAGE, "--date %.80s: has %" PRId32 " days; give at most %d at a time", text,
                            count, PNCP_SUMMARY_DAYS_MAX);
    return PNCP_OK;
}

enum pncp_code pncp_value_days(const char *text, int64_t now_us, struct pncp_days *ret_days, struct pncp_err *err)
{
    struct pncp_date today = pncp_date_brasilia(now_us);
    struct pncp_view first = pncp_view_of(text), last = first;
    const char *sign = strstr(text, RANGE_SIGN);
    struct pncp_days days = {.range = sign != NULL};
    if (sign != NULL) {
        first.len = (size_t)(sign - text);
        last = pncp_view_of(sign + strlen(RANGE_SIGN));
    }
    if (!read_day(first, today, &days.first) || !read_day(last, today, &days.last))
        return pncp_err_set(
            err, PNCP_E_USAGE,
            "--date %.80s: no such day; give YYYYMMDD, YYYY-MM-DD, today or yesterday, or a range such as "
            "20251001" RANGE_SIGN "20251031",
            text);
    enum pncp_code rc = check_days(text, &days, today, err);
    if (rc == PNCP_OK)
        *ret_days = days;
    return rc;
}

enum pncp_code pncp_value_count(const char *text, const struct pncp_flag *flag, int64_t *ret_count,
                                struct pncp_err *err)
{
    int64_t count;
    if (flag->word != NULL && strcmp(text, flag->word) == 0) {
        *ret_count = flag->word_value;
        return PNCP_OK;
    }
    if (pncp_view_i64(pncp_view_of(text), &count) && count >= flag->min && count <= flag->max) {
        *ret_count = count;
        return PNCP_OK;
    }
    const char *or_word = flag->word == NULL ? "" : ", or ", *word = flag->word == NULL ? "" : flag->word;
    if (flag->max == INT64_MAX)
        return pncp_err_set(err, PNCP_E_USAGE, "--%s %.80s: give a whole number of at least %" PRId64 "%s%s",
                            flag->name, text, flag->min, or_word, word);
    return pncp_err_set(err, PNCP_E_USAGE, "--%s %.80s: give a whole number from %" PRId64 " to %" PRId64 "%s%s",
                        flag->name, text, flag->min, flag->max, or_word, word);
}

/* Percent with up to two decimals, in hundredths of a percent. */
static bool read_percent(struct pncp_view number, int64_t *ret_hundredths)
{
    const char *point = memchr(number.data, '.', number.len);
    struct pncp_view whole = number, decimals = {"00", 2};
    if (point != NULL) {
        whole.len = (size_t)(point - number.data);
        decimals = (struct pncp_view){point + 1, number.len - whole.len - 1};
    }
    uint64_t percent, hundredths;
    if (decimals.len > 2 || !pncp_view_u64(whole, &percent) || !pncp_view_u64(decimals, &hundredths) || percent > 100)
        return false;
    if (decimals.len == 1)
        hundredths *= 10;
    *ret_hundredths = (int64_t)(percent * 100 + hundredths);
    return *ret_hundredths <= PNCP_SHARE_WHOLE;
}

enum pncp_code pncp_value_share(const char *text, const struct pncp_flag *flag, struct pncp_share *ret_share,
                                struct pncp_err *err)
{
    struct pncp_view number = pncp_view_of(text);
    struct pncp_share share = {.percent = pncp_view_ends(number, "%")};
    number.len -= share.percent;
    bool good =
        share.percent ? read_percent(number, &share.value) : pncp_view_i64(number, &share.value) && share.value >= 0;
    if (!good)
        return pncp_err_set(err, PNCP_E_USAGE,
                            "--%s %.80s: give a whole number such as 10, or 0%% to 100%% such as 0.5%%", flag->name,
                            text);
    *ret_share = share;
    return PNCP_OK;
}

/* Number with up to three decimals, times `unit_ms`. */
static bool read_duration(struct pncp_view number, uint64_t unit_ms, uint64_t *ret_ms)
{
    const char *point = memchr(number.data, '.', number.len);
    struct pncp_view whole = number, fraction = {"", 0};
    if (point != NULL) {
        whole.len = (size_t)(point - number.data);
        fraction = (struct pncp_view){point + 1, number.len - whole.len - 1};
    }
    uint64_t units, thousandths = 0;
    if (!pncp_view_u64(whole, &units) || units > UINT32_MAX)
        return false;
    if (point != NULL) {
        if (fraction.len > 3 || !pncp_view_u64(fraction, &thousandths))
            return false;
        for (size_t i = fraction.len; i < 3; i++)
            thousandths *= 10;
    }
    *ret_ms = units * unit_ms + thousandths * unit_ms / 1000;
    return true;
}

enum pncp_code pncp_value_duration(const char *text, const struct pncp_flag *flag, uint32_t *ret_ms,
                                   struct pncp_err *err)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    struct pncp_view view = pncp_view_of(text);
    size_t unit = 0;
    while (!pncp_view_ends(view, units[unit].name)) /* the last one always fits */
        unit++;
    view.len -= strlen(units[unit].name);
    uint64_t ms;
    if (!read_duration(view, units[unit].ms, &ms))
        return pncp_err_set(err, PNCP_E_USAGE,
                            "--%s %.80s: give a duration such as 500ms, 10s, 5m or 1h; a bare number is seconds",
                            flag->name, text);
    if (ms < (uint64_t)flag->min || ms > (uint64_t)flag->max)
        return pncp_err_set(err, PNCP_E_USAGE, "--%s %.80s: give %g to %g seconds", flag->name, text,
                            (double)flag->min / 1000, (double)flag->max / 1000);
    *ret_ms = (uint32_t)ms;
    return PNCP_OK;
}

#define WORD_MAX 40

/* Edit distance (Levenshtein) of two short words. */
static size_t distance(struct pncp_view a, struct pncp_view b)
{
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replace = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            row[j] = PNCP_MIN(PNCP_MIN(row[j], row[j - 1]) + 1, replace);
        }
    }
    return row[b.len];
}

const char *pncp_nearest(struct pncp_view text, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; text.len <= WORD_MAX && i < count; i++) {
        struct pncp_view word = pncp_view_of(words[i]);
        if (word.len > WORD_MAX)
            continue;
        bool begins = text.len >= 3 && word.len > text.len && memcmp(word.data, text.data, text.len) == 0;
        size_t d = begins ? 0 : distance(text, word);
        if (d < least) {
            least = d;
            best = words[i];
        }
    }
    return least <= PNCP_MAX(text.len / 3, (size_t)1) ? best : NULL;
}
